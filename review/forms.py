"""What people choose and type on the review pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from config.errors import DomainError
from insights.models import Insight
from insights.ranges import Range
from projects.models import Project, TrackedAgent
from projects.vocabulary import STATUSES
from review.models import Agent, AgentVersion, ApprovalStream, Feedback, FeedbackSettings
from review.queue import Filters

DISMISSALS = (
    "The question was unclear",
    "The answer is fine",
    "Not about the answer",
    "Spam or a test",
    "Out of scope",
)
FILTER_LABELS = {
    "status": "Status",
    "type": "Verdict",
    "agent": "Agent",
    "version": "Version",
    "model": "Model",
    "source": "Source",
    "from": "From",
    "to": "Until",
    "q": "Text",
    "insight": "Insight",
}
REASON_CHARACTERS = 500
ANSWER_CHARACTERS = 100_000
TESTED_CHARACTERS = 500


class FilterForm(forms.Form):
    """The filters of the queue and of the table; what is not valid is left out, and said in the errors."""

    status = forms.ChoiceField(required=False)
    type = forms.ChoiceField(required=False)
    agent = forms.RegexField(r"^[at]\d{1,18}$", required=False)
    version = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    model = forms.CharField(required=False, max_length=120)
    source = forms.ChoiceField(required=False)
    q = forms.CharField(required=False, max_length=200)
    insight = forms.UUIDField(required=False)

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        words = ("pending", "auto_approved", "reviewed", "dismissed")
        self._offer("status", [("", "Any"), *((each, STATUSES[each].word) for each in words)])
        self._offer("type", [("", "Any"), ("positive", "Thumbs-up"), ("negative", "Thumbs-down")])
        self._offer("source", [("", "Any"), *Feedback.Channel.choices])
        # A word of Python, so that it cannot be an attribute of the class.
        for name in ("from", "to"):
            self.fields[name] = forms.DateField(required=False)
        self.is_valid()

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def filters(self, project: Project) -> Filters:
        """The filters as the queue takes them; dates are days of the project's time zone, both inclusive."""
        chosen = self.cleaned_data
        first, last = chosen.get("from"), chosen.get("to")
        if first and last and first > last:
            self.add_error("to", "The range ends before it begins.")
            first = last = None
        start = Range.of(project, str(first), "9998-01-01").start if first else None
        end = Range.of(project, str(last), "9998-01-01").start if last else None
        agent = chosen.get("agent") or ""
        insight = None
        if chosen.get("insight"):
            insight = Insight.objects.filter(project=project, pk=chosen["insight"]).defer("search", "centroid").first()
            if insight is None:
                self.add_error("insight", "There is no such insight.")
        return Filters(
            status=chosen.get("status", ""),
            sentiment=chosen.get("type", ""),
            channel=chosen.get("source", ""),
            tracked_agent=int(agent[1:]) if agent.startswith("t") else None,
            agent=int(agent[1:]) if agent.startswith("a") else None,
            version=chosen.get("version"),
            model=chosen.get("model", ""),
            start=start,
            end=end + timedelta(days=1) if end else None,
            text=chosen.get("q", "").replace("\x00", ""),
            insight=insight,
        )

    @property
    def chosen(self) -> list[tuple[str, Any]]:
        """The names and values of the filters that are set."""
        return [(name, self.cleaned_data[name]) for name in FILTER_LABELS if self.cleaned_data.get(name)]


def filter_words(project: Project, name: str, value: Any) -> str:
    """Return how a filter's value reads."""
    if name == "agent":
        return _agent_word(project, str(value))
    if name == "version":
        version = AgentVersion.objects.filter(project=project, pk=value).select_related("agent").first()
        return f"{version.agent} {version}" if version else "unknown"
    words: dict[str, Callable[[], Any]] = {
        "status": lambda: STATUSES[value].word,
        "type": lambda: "Thumbs-up" if value == "positive" else "Thumbs-down",
        "source": lambda: Feedback.Channel(value).label,
        "insight": lambda: _insight_word(project, value),
    }
    return str(words.get(name, lambda: value)())


def _agent_word(project: Project, value: str) -> str:
    kind: Any = TrackedAgent if value.startswith("t") else Agent
    found = kind.objects.filter(project=project, pk=int(value[1:])).first()
    return found.name if found else "unknown"


def _insight_word(project: Project, pk: UUID) -> str:
    return Insight.objects.filter(project=project, pk=pk).values_list("title", flat=True).first() or "unknown"


def agent_choices(project: Project) -> list[tuple[str, str]]:
    """Return what answers in a project: tracked assistants and runnable agents."""
    tracked = TrackedAgent.objects.filter(project=project).order_by("name").values_list("pk", "name")
    runnable = Agent.objects.filter(project=project).order_by("name").values_list("pk", "name")
    return [*((f"t{pk}", name) for pk, name in tracked), *((f"a{pk}", name) for pk, name in runnable)]


def version_choices(project: Project) -> list[tuple[str, str]]:
    """Return the newest versions of a project's agents."""
    versions = AgentVersion.objects.filter(project=project).select_related("agent").order_by("-pk")[:100]
    return [(str(version.pk), f"{version.agent} {version}") for version in versions]


def model_names(project: Project) -> list[str]:
    """Return the models that versions run on, and those that approval knows."""
    versions = AgentVersion.objects.filter(project=project).values_list("model", flat=True).order_by()
    streams = ApprovalStream.objects.filter(project=project).values_list("model", flat=True).order_by()
    return sorted(name for name in {*versions.distinct(), *streams.distinct()} if name)


class AnswerForm(forms.Form):
    """The answer that a reviewer wrote, with the line ends of a text."""

    golden_response = forms.CharField(max_length=ANSWER_CHARACTERS, required=False, strip=False)

    @property
    def answer(self) -> str:
        """The text. Raises DomainError for one that cannot be stored."""
        if not self.is_valid():
            raise DomainError(f"An answer has up to {ANSWER_CHARACTERS:,} characters.", code="bad_answer")
        return str(self.cleaned_data["golden_response"]).replace("\r\n", "\n")


class TestsForm(forms.Form):
    """What later answers to the question must say, and must not."""

    must = forms.CharField(max_length=TESTED_CHARACTERS, required=False)
    must_not = forms.CharField(max_length=TESTED_CHARACTERS, required=False)

    @property
    def checks(self) -> list[dict[str, str]]:
        """The tests as they are kept with an example. Raises DomainError for one that cannot be stored."""
        if not self.is_valid():
            raise DomainError(f"A test has up to {TESTED_CHARACTERS} characters.", code="bad_test")
        kinds = (("contains", self.cleaned_data["must"]), ("not_contains", self.cleaned_data["must_not"]))
        return [{"kind": kind, "text": text} for kind, text in kinds if text]


class DismissalForm(forms.Form):
    """Why a verdict is set aside: one of the usual reasons, or words of the reviewer's own."""

    reason = forms.CharField(max_length=REASON_CHARACTERS, required=False)
    own_reason = forms.CharField(max_length=REASON_CHARACTERS, required=False)

    @property
    def words(self) -> str | None:
        """The reason, if one is given. Raises DomainError for one that cannot be stored."""
        if not self.is_valid():
            raise DomainError(f"A reason has up to {REASON_CHARACTERS} characters.", code="bad_reason")
        return self.cleaned_data["own_reason"] or self.cleaned_data["reason"] or None


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """How a project takes verdicts."""

    class Meta:
        model = FeedbackSettings
        fields = (
            "auto_approve_positive",
            "auto_approve_negative",
            "require_reason_positive",
            "require_reason_negative",
            "sampling_share",
            "error_limit",
        )
        labels = {
            "auto_approve_positive": "Approve thumbs-up without a reviewer",
            "auto_approve_negative": "Approve thumbs-down without a reviewer",
            "require_reason_positive": "Ask for a reason with a thumbs-up",
            "require_reason_negative": "Ask for a reason with a thumbs-down",
            "sampling_share": "Share of approved verdicts that a reviewer checks",
            "error_limit": "Share of wrong approvals at which approval stops",
        }
        help_texts = {
            "auto_approve_positive": "Its answer becomes a golden example at once.",
            "auto_approve_negative": "It is settled without an example: the right answer is not known.",
            "require_reason_negative": "Asked of who sends verdicts to <code>POST /feedback</code>; other ways in "
            "take them without.",
            "sampling_share": "From 0 to 1: 0.05 is one in twenty.",
            "error_limit": "From 0 to 1. Beyond it, the agent, version and model concerned is suspended by itself.",
        }
