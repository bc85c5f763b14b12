"""Plain functions that make what is tracked, and how clients call."""

from dataclasses import dataclass
from typing import Any

from django.test import Client

from feedback_ingest.services.attachments import SentFile, track_attachments
from feedback_ingest.services.tracking import Done, Said, named_action, track_action
from projects.models import Project, TrackedAgent
from projects.services import issue_agent_key
from review.models import Feedback
from review.services.feedback import Verdict, submit_on_conversation
from tests.factories import make_project
from tests.review.factories import make_answer, make_conversation

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 24
MISSING = 987_654_321


@dataclass(frozen=True, slots=True)
class Assistant:
    """The program of a tracked assistant, with its key."""

    project: Project
    agent: TrackedAgent
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that signs its requests."""
        return {"Authorization": f"Api-Key {self.key}"}

    def get(self, path: str, **query: Any) -> Any:
        """Send a GET."""
        return Client().get(f"/api/{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Send a POST with JSON."""
        return Client().post(
            f"/api/{path}", {} if body is None else body, "application/json", headers=self.headers | headers
        )

    def patch(self, path: str, body: Any) -> Any:
        """Send a PATCH with JSON."""
        return Client().patch(f"/api/{path}", body, "application/json", headers=self.headers)

    def delete(self, path: str) -> Any:
        """Send a DELETE."""
        return Client().delete(f"/api/{path}", headers=self.headers)


def make_assistant(project: Project | None = None, name: str | None = None) -> Assistant:
    """Give a key to the assistant that a project has; with a name, to another one."""
    project = project or make_project()
    agent = TrackedAgent.objects.create(project=project, name=name) if name else project.tracked_agents.get()
    return Assistant(project, agent, issue_agent_key(agent, "tests").secret)


def make_tracked(project: Project) -> dict[str, Any]:
    """Make one of everything that is tracked; return the keys by the names of the URLs that are about them."""
    agent = project.tracked_agents.get()
    conversation = make_conversation(project, agent=agent)
    answer = make_answer(project, conversation=conversation)
    track_action(conversation, Done("look_up"))
    file = SentFile("a.png", "image/png", PNG)
    attachments = track_attachments(conversation, [file], said=Said("end_user", ""))[1]
    verdict = submit_on_conversation(conversation, Verdict("positive"), origin=Feedback.Origin.PLATFORM)
    action = named_action(agent, "look_up").pk
    about_conversations = ("conversation", "rename", "mark", "update", "delete", "conversation-attachments")
    return {f"agentsight-{name}": conversation.pk for name in about_conversations} | {
        "agentsight-message": answer.pk,
        "agentsight-attachment-file": attachments[0].pk,
        "agentsight-feedback": verdict.pk,
        "agentsight-action": action,
        "agentsight-logs": action,
    }
