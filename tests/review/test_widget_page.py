"""The page about the feedback buttons: a real answer to judge, and the lines to paste."""

import json
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from projects.models import Project
from review.models import Feedback, Run
from review.services.feedback import Verdict, submit_on_run
from review.services.tokens import mint_token, read_token
from review.views.widget import SCRIPT
from tests.factories import Member, make_project
from tests.review.factories import make_run
from tests.test_architecture import ROOT

pytestmark = pytest.mark.django_db


def opened(client: Client, member: Member, **query: str) -> str:
    client.force_login(member.user)
    answer = client.get(f"/p/{member.project.slug}/review/widget/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_has_buttons_for_the_newest_answer(client: Client, owner: Member, project: Project) -> None:
    make_run(project)
    newest = make_run(project)
    make_run(make_project())
    Run.objects.create(project=project, agent=newest.agent, status=Run.Status.FAILED)
    page = opened(client, owner)
    token = page.split('feedback-token="')[1].split('"')[0]
    claim = read_token(token)
    assert claim is not None
    assert claim.run_id == newest.pk


def test_without_a_run_the_page_says_what_is_missing(client: Client, owner: Member) -> None:
    page = opened(client, owner)
    assert "No answer to judge yet" in page
    assert '<script type="module" src="/static/widget' not in page
    assert "TOKEN_OF_THE_RUN" in page


def test_the_lines_to_paste_name_this_server_and_the_chosen_look(client: Client, owner: Member) -> None:
    page = opened(client, owner, theme="dark", look="round")
    assert "http://127.0.0.1:8000/static/" + SCRIPT in page
    assert "theme=&quot;dark&quot;" in page
    assert "--feedback-radius: 999px;" in page
    assert "theme=&quot;" not in opened(client, owner, theme="<script>")


def test_what_was_tried_here_is_removed_and_nothing_else(client: Client, owner: Member, project: Project) -> None:
    run = make_run(project)
    kept = submit_on_run(run, Verdict("negative"), external_user_id="customer-1")
    body = {"feedback_token": mint_token(run), "outcome": "negative", "user_id": owner.user.email}
    client.post("/v1/feedback", body, content_type="application/json")
    assert "You judged this answer" in opened(client, owner)
    answer = client.post(f"/p/{project.slug}/review/widget/forget/")
    assert answer.status_code == 302
    assert list(Feedback.objects.all()) == [kept]


def test_the_script_that_is_served_is_that_of_the_package() -> None:
    version = json.loads((ROOT / "frontend/widget/package.json").read_text())["version"]
    assert f"widget/feedback-buttons-{version}.js" == SCRIPT
    served = finders.find(SCRIPT)
    assert served
    script = Path(served).read_text(encoding="utf-8")
    for source in (ROOT / "frontend/widget/src").glob("*.js"):
        own = re.sub(r"^(import|export) \{.*\n|^export ", "", source.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert own.strip() in script, f"{source.name} has changed since the script was built"
