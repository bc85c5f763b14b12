"""The tracked conversations of assistants: who said what, how content they were, and why that may not count."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from feedback_ingest.models import Conversation, Message
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.models import Feedback
from review.querysets import FeedbackQuerySet
from review.record_forms import ConversationForm
from review.rendering import render as rendered
from review.services.counts import Satisfaction, satisfaction
from review.views.record_list import RecordList
from review.views.runs import tallies_by, verdicts_on

MOST_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class Contentment:
    """How content customers were in production, and how many verdicts development holds back."""

    counted: Satisfaction
    held_back: int

    @property
    def is_hidden(self) -> bool:
        """Whether all there is comes from development, so that nothing counts."""
        return bool(self.held_back) and not (self.counted.positive or self.counted.neutral or self.counted.negative)


@dataclass(frozen=True, slots=True)
class Turn:
    """A message with the verdicts on it."""

    message: Message
    verdicts: list[Feedback]


def contentment(project: Project) -> Contentment:
    """Read a project's satisfaction in production, and what development has."""
    tested = satisfaction(project, environment=Conversation.Environment.DEVELOPMENT)
    return Contentment(satisfaction(project), tested.positive + tested.neutral + tested.negative)


@require_GET
@project_page()
def conversation_list(request: ProjectRequest) -> HttpResponse:
    """List conversations, the newest first."""
    form = ConversationForm(request.project, request.GET, sees_people=request.sees_people)
    visible = Conversation.objects.visible_to(request.user).filter(project=request.project, deleted_at=None)
    rows = _narrowed(visible, form).select_related("agent").defer("metadata")
    context = RecordList(request, form, rows, "started_at").context("conversations", "Conversations")
    ids = [conversation.pk for conversation in context["rows"]]
    tallies, lengths = tallies_by("conversation", ids), _lengths(ids)
    context |= {
        "contentment": contentment(request.project),
        "rows": [(row, tallies.get(row.pk), lengths.get(row.pk, 0)) for row in context["rows"]],
    }
    return render(request, "review/conversations.html", context)


def _narrowed(rows: QuerySet[Conversation], form: ConversationForm) -> QuerySet[Conversation]:
    wanted: dict[str, Any] = {}
    if environment := form.value("environment"):
        wanted["environment"] = environment
    if user := form.value("user"):
        wanted["customer_id"] = user
    if agent := form.agent_fields:
        wanted["agent"] = agent["tracked_agent"]
    if name := form.value("q"):
        rows = rows.filter(Q(conversation_id__icontains=name) | Q(name__icontains=name))
    given = Feedback.objects.current().filter(conversation=OuterRef("pk"))
    if (outcome := form.value("outcome")) == "none":
        rows = rows.filter(~Exists(given))
    elif outcome:
        rows = rows.filter(Exists(given.filter(sentiment=outcome)))
    return rows.filter(**wanted, **form.days("started_at"))


def _lengths(ids: list[int]) -> dict[int, int]:
    counted = Message.objects.filter(conversation__in=ids).order_by().values_list("conversation")
    return dict(counted.annotate(messages=Count("pk")))


@require_GET
@project_page()
def conversation(request: ProjectRequest, pk: int) -> HttpResponse:
    """Show a conversation with the verdicts on its messages and on all of it."""
    found = Conversation.objects.visible_to(request.user).filter(project=request.project, deleted_at=None, pk=pk)
    conversation: Conversation | None = found.select_related("agent", "project").first()
    if conversation is None:
        raise Http404("No such conversation.")
    messages = list(conversation.messages.order_by("sent_at", "pk")[: MOST_MESSAGES + 1])
    verdicts = verdicts_on(conversation=conversation)
    context = {
        "page_title": conversation.name or f"Conversation {conversation.conversation_id}",
        "tab": "conversations",
        "sees_people": request.sees_people,
        "may_decide": Permission.MANAGE in request.permissions,
        "conversation": conversation,
        "turns": _turns(messages[:MOST_MESSAGES], verdicts),
        "is_cut": len(messages) > MOST_MESSAGES,
        "on_all": [verdict for verdict in verdicts if verdict.message_id is None],
        "metadata": rendered(conversation.metadata) if conversation.metadata and request.sees_people else "",
        "is_development": conversation.environment == Conversation.Environment.DEVELOPMENT,
    }
    return render(request, "review/conversation.html", context)


def _turns(messages: list[Message], verdicts: FeedbackQuerySet) -> list[Turn]:
    by_message: dict[int | None, list[Feedback]] = {}
    for verdict in verdicts:
        by_message.setdefault(verdict.message_id, []).append(verdict)
    return [Turn(message, by_message.get(message.pk, [])) for message in messages]
