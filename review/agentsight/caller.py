"""Who calls the tracking surface, what they reach, and what all of its views share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.errors import DomainError, detail_exception_handler
from feedback_ingest.models import Conversation, Message
from projects.access import can
from projects.authentication import BearerAuthentication, key_by_agent_key, project_of
from projects.models import ApiKey, Project, TrackedAgent, User
from projects.querysets import TenantQuerySet
from projects.roles import Permission
from review.models import Feedback
from review.querysets import FeedbackQuerySet

MOST_NUMBER = 2**63 - 1


class AgentKeyAuthentication(BaseAuthentication):
    """The key of a tracked assistant: `Authorization: Api-Key ags_…`."""

    def authenticate(self, request: Request) -> tuple[Any, ApiKey] | None:
        """Return nobody and the key, None without one. Raises AuthenticationFailed for a bad one."""
        scheme, _, shown = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != "api-key":
            return None
        key = key_by_agent_key(shown.strip())
        if key is None:
            raise AuthenticationFailed("Invalid API key.")
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme that a 401 asks for."""
        return "Api-Key"


@dataclass(frozen=True, slots=True)
class Caller:
    """The client of a tracked assistant, or a person (`user`), who reaches all assistants of a project."""

    project: Project
    agent: TrackedAgent | None
    user: User | None
    sees_people: bool

    @property
    def origin(self) -> str:
        """Where a verdict of theirs comes from: only customers' count in satisfaction."""
        return Feedback.Origin.CUSTOMER if self.user is None else Feedback.Origin.PLATFORM

    @property
    def conversations(self) -> TenantQuerySet[Conversation]:
        """The conversations that they reach, deleted ones too."""
        return self._reached(Conversation.objects.select_related("project", "agent"), "agent")

    @property
    def messages(self) -> TenantQuerySet[Message]:
        """The messages that they reach."""
        rows = Message.objects.select_related("project", "conversation__project", "conversation__agent")
        return self._reached(rows, "conversation__agent")

    @property
    def feedback(self) -> FeedbackQuerySet:
        """The verdicts on tracked answers, conversations and assistants that they reach."""
        rows: FeedbackQuerySet = Feedback.objects.current().filter(project=self.project, tracked_agent__isnull=False)
        return rows.filter(tracked_agent=self.agent) if self.agent else rows

    @property
    def agents(self) -> TenantQuerySet[TrackedAgent]:
        """The assistants that they reach."""
        rows = TrackedAgent.objects.filter(project=self.project).select_related("project")
        return rows.filter(pk=self.agent.pk) if self.agent else rows

    def agent_named(self, named: int | None) -> TrackedAgent:
        """Return the assistant of this number, else the only one. Raises DomainError for none, and for several."""
        found = list(self.agents.filter(pk=named)[:1] if named else self.agents[:2])
        if not found:
            raise missing("agent")
        if len(found) > 1:
            raise DomainError("This project has several agents: name one by ?agent=ID.", code="agent_needed")
        return found[0]

    def require_people(self) -> None:
        """Raise DomainError where names and ids of people are masked, which what is asked would tell."""
        if not self.sees_people:
            raise DomainError(
                f"Insufficient permissions. Required: feedback.{Permission.VIEW_PERSONAL_DATA}",
                code="permission_denied",
                status=403,
            )

    def _reached(self, rows: TenantQuerySet[Any], agent: str) -> TenantQuerySet[Any]:
        rows = rows.filter(project=self.project)
        return rows.filter(**{agent: self.agent}) if self.agent else rows


class TrackingView(APIView):
    """A view for assistants' keys and people's bearers; its errors are `{"detail"}` or maps of fields."""

    authentication_classes = [AgentKeyAuthentication, BearerAuthentication]
    permission_classes: ClassVar[list[type[BasePermission]]] = []  # type: ignore[misc]  # `initial` asks
    schema = None
    caller: Caller

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what is too large, and find out who calls."""
        super().initial(request, *args, **kwargs)
        refuse_large(request)
        self.caller = caller_of(request)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Answer errors as the contract has them."""
        return tracking_exception_handler


def caller_of(request: Request) -> Caller:
    """Return who calls. Raises NotAuthenticated, and DomainError for a person without the right.

    Reading needs `view`, everything else `manage`.
    """
    key = request.auth if isinstance(request.auth, ApiKey) else None
    if key is not None and key.agent is not None:
        key.agent.project = key.project
        return Caller(key.project, key.agent, None, sees_people=True)
    if not isinstance(request.user, User):
        raise NotAuthenticated
    project = project_of(request, Permission.VIEW if request.method in SAFE_METHODS else Permission.MANAGE)
    sees_people = can(request.user, Permission.VIEW_PERSONAL_DATA, project)
    return Caller(project, None, request.user, sees_people=sees_people)


def tracking_exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every error as `{"detail"}` or a map of fields; JSON nested too deeply to read is a bad request."""
    if isinstance(error, RecursionError):
        error = exceptions.ParseError("The JSON is nested too deeply.")
    response = detail_exception_handler(error, context)
    if response is not None and isinstance(error, AuthenticationFailed):
        # A bad JWT would tell more about itself than the contract has.
        response.data = {"detail": response.data["detail"]}
    return response


def refuse_large(request: Request) -> None:
    """Raise DomainError, with nothing read, for a body that is too large by its own account."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length.isdecimal() and int(length) > most:
        raise DomainError(f"The request has more than {most // 1024 // 1024} MB.", code="too_large", status=413)


def missing(subject: str) -> DomainError:
    """Return the error for what is not there, or is another's: nobody can tell which."""
    return DomainError(f"No such {subject}, or access denied.", code="not_found", status=404)


def number(text: str, subject: str) -> int:
    """Return a key from a path. Raises DomainError for one that no row can have."""
    if len(text) > 19 or int(text) > MOST_NUMBER:
        raise missing(subject)
    return int(text)
