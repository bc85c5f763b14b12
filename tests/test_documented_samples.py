"""The requests of the product documents, run by curl as they are printed: only host, keys and ids are ours.

The documents stand beside the repository (EARSHOT_SPECS names another place); without them there is nothing to run.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from feedback_ingest.models import ConversationPart, FeedbackItem
from insights.models import Mention
from insights.pipeline import analyse_project
from projects.models import Project
from projects.services import issue_project_key
from review.models import FeedbackSettings
from tests.factories import Member, make_source
from tests.model_server import ModelServer
from tests.review.factories import make_feedback

SPECS = Path(os.environ.get("EARSHOT_SPECS", Path(__file__).parents[2] / "shared" / "spec"))
SAMPLE_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not SPECS.is_dir(), reason=f"the product documents are not at {SPECS}"),
    pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine"),
]


def samples(name: str) -> list[str]:
    """Return the curl commands of a document, in its order, each as it is printed."""
    lines = (SPECS / name).read_text(encoding="utf-8").splitlines()
    found = []
    for number, line in enumerate(lines):
        if line.startswith("curl -X"):
            end = number
            while lines[end].endswith("\\") or "\n".join(lines[number : end + 1]).count("'") % 2:
                end += 1
            found.append("\n".join(lines[number : end + 1]))
    return found


def documented_answer(name: str, command: str) -> Any:
    """Return the JSON that a document prints as the answer to a command."""
    text = (SPECS / name).read_text(encoding="utf-8")
    rest = text[text.index(command) + len(command) :]
    return json.JSONDecoder().raw_decode(rest[re.search(r"^\{", rest, re.MULTILINE).start() :])[0]  # type: ignore[union-attr]


def run(command: str, *replaced: tuple[str, str]) -> tuple[int, Any]:
    """Run a command in a shell with its host, keys and ids replaced; return status and answer."""
    for old, new in replaced:
        assert old in command
        command = command.replace(old, new)
    done = subprocess.run(
        ["/bin/bash", "-c", f"{command} --silent --write-out '\\n%{{http_code}}'"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def test_every_ingest_sample_is_taken_and_only_customers_give_evidence(
    live_server: LiveServer, project: Project
) -> None:
    key = issue_project_key(project, "samples")
    source = make_source(project)
    commands = samples("amplitude-ai-feedback-api.md")
    assert len(commands) == 5
    for command in commands:
        answered = run(
            command,
            ("https://amplitude.com", live_server.url),
            ("{api_key}:{secret_key}", f"{key.key.public}:{key.secret}"),
            ("YOUR_SOURCE_ID", str(source.pk)),
        )
        sent = len(json.loads(command[command.index("-d '") + 4 : -1])["items"])
        assert answered == (200, {"ingested": sent, "failed": 0, "errors": []})
    assert {"review-789", "ticket-456", "call-123"} <= set(FeedbackItem.objects.values_list("unique_id", flat=True))
    assert ConversationPart.objects.filter(unique_id="ticket-456-3", item__unique_id="ticket-456").exists()
    while analyse_project(project, seconds=None):
        pass
    threaded = Mention.objects.filter(item__unique_id__in=["ticket-456", "call-123"]).select_related("part", "item")
    assert {(mention.part or mention.item).author for mention in threaded} == {"Jane Doe", "Buyer"}


def test_every_management_sample_answers_with_the_documented_fields(
    live_server: LiveServer, project: Project, owner: Member, model: ModelServer
) -> None:
    name = "feedback-management-api.md"
    FeedbackSettings.objects.update_or_create(project=project, defaults={"auto_approve_positive": False})
    commands = samples(name)
    assert len(commands) == 10
    for command in commands:
        # Resolving without an answer of one's own is for positive verdicts.
        feedback = make_feedback(owner.user, project, "positive" if "/resolve" in command else "negative")
        if "/restore" in command:
            dismissed = samples_of(commands, "/dismiss")
            run(dismissed, *ours(live_server, owner), (SAMPLE_ID, str(feedback.uuid)))
        named = [(SAMPLE_ID, str(feedback.uuid))] if SAMPLE_ID in command else []
        status, answer = run(command, *ours(live_server, owner), *named)
        assert status == 200, command
        if f"/{SAMPLE_ID} " in command and "-X GET" in command:
            continue  # The document prints no answer: the item is that of the list.
        documented = documented_answer(name, command)
        assert shape(answer) == shape(documented), command


def samples_of(commands: list[str], part: str) -> str:
    """Return the command that holds a part."""
    return next(command for command in commands if part in command)


def ours(live_server: LiveServer, member: Member) -> tuple[tuple[str, str], ...]:
    """Return what stands for the document's host and token."""
    return ("https://api.example.com", live_server.url), ("YOUR_TOKEN", member.token)


def shape(answer: Any) -> Any:
    """Return the field names of an answer, in their order, with those of the first row of a list."""
    if isinstance(answer, dict):
        return [(name, shape(value)) for name, value in answer.items()]
    return [shape(answer[0])] if isinstance(answer, list) and answer else None
