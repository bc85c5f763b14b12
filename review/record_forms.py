"""What people choose to narrow the lists of verdicts, runs and conversations."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from feedback_ingest.models import Conversation
from insights.ranges import Range
from projects.models import Project
from review.forms import agent_choices
from review.models import AgentDeployment, Feedback, Run

FAR_DAY = "9998-01-01"
ANY = ("", "Any")


class RecordForm(forms.Form):
    """What all three lists can be narrowed by; a value that is not known is left out, and said in the errors."""

    agent = forms.ChoiceField(required=False, label="Agent")
    environment = forms.ChoiceField(required=False, label="Environment")
    user = forms.CharField(required=False, max_length=255, label="User")

    def __init__(self, project: Project, data: QueryDict, *, sees_people: bool) -> None:
        super().__init__(data)
        self.project = project
        self.offer("agent", self.agents())
        # A word of Python, so that it cannot be an attribute of the class.
        for name, label in (("from", "From"), ("to", "Until")):
            self.fields[name] = forms.DateField(required=False, label=label)
        if not sees_people:
            del self.fields["user"]
        self.is_valid()

    def agents(self) -> list[tuple[str, str]]:
        """Return what can be chosen as agent."""
        return agent_choices(self.project)

    def offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Let a field be one of `choices`, or any."""
        field: Any = self.fields[name]
        field.choices = [ANY, *choices]

    def value(self, name: str) -> str:
        """Return what is chosen, or nothing."""
        return str(self.cleaned_data.get(name) or "").replace("\x00", "")

    @property
    def agent_fields(self) -> dict[str, int]:
        """The chosen agent as a field of a verdict: a tracked assistant, or one that can be run."""
        agent = self.value("agent")
        return {"agent" if agent[0] == "a" else "tracked_agent": int(agent[1:])} if agent else {}

    def days(self, field: str) -> dict[str, datetime]:
        """Return the conditions on a moment, both days included, in the project's time zone."""
        first, last = self.value("from"), self.value("to")
        conditions = {}
        if first:
            conditions[f"{field}__gte"] = Range.of(self.project, first, FAR_DAY).start
        if last:
            conditions[f"{field}__lt"] = Range.of(self.project, last, FAR_DAY).start + timedelta(days=1)
        return conditions

    @property
    def carried(self) -> list[tuple[str, str]]:
        """The name and value of each filter that is set, for a form that adds to them."""
        return [(name, self.value(name)) for name in self.fields if self.value(name)]

    @property
    def chosen(self) -> list[tuple[str, str, str]]:
        """The name, label and words of each filter that is set."""
        names = [name for name in self.fields if self.value(name)]
        return [(name, str(self.fields[name].label), self._words(name)) for name in names]

    def _words(self, name: str) -> str:
        choices = dict(getattr(self.fields[name], "choices", ()))
        return str(choices.get(self.value(name), self.value(name)))


class VerdictForm(RecordForm):
    """The filters of the list of verdicts."""

    outcome = forms.ChoiceField(required=False, label="Verdict")
    origin = forms.ChoiceField(required=False, label="Given by")
    channel = forms.ChoiceField(required=False, label="Channel")
    words = forms.ChoiceField(required=False, label="Comment")
    q = forms.CharField(required=False, max_length=200, label="Text")

    def __init__(self, project: Project, data: QueryDict, *, sees_people: bool) -> None:
        super().__init__(project, data, sees_people=sees_people)
        self.offer("outcome", Feedback.Sentiment.choices)
        self.offer("origin", [("customer", "Customers"), ("platform", "Your team")])
        self.offer("channel", Feedback.Channel.choices)
        self.offer("words", [("yes", "With a comment"), ("no", "Without a comment")])
        self.offer("environment", Conversation.Environment.choices)
        self.full_clean()


class RunForm(RecordForm):
    """The filters of the list of runs."""

    status = forms.ChoiceField(required=False, label="Status")
    outcome = forms.ChoiceField(required=False, label="Verdict")

    def __init__(self, project: Project, data: QueryDict, *, sees_people: bool) -> None:
        super().__init__(project, data, sees_people=sees_people)
        self.offer("status", Run.Status.choices)
        self.offer("outcome", [("positive", "Positive"), ("negative", "Negative"), ("none", "Not judged")])
        self.offer("environment", AgentDeployment.Environment.choices)
        self.full_clean()

    def agents(self) -> list[tuple[str, str]]:
        """Return the agents that can be run."""
        return [(value, name) for value, name in agent_choices(self.project) if value.startswith("a")]


class ConversationForm(RecordForm):
    """The filters of the list of conversations."""

    outcome = forms.ChoiceField(required=False, label="Verdict")
    q = forms.CharField(required=False, max_length=200, label="Conversation")

    def __init__(self, project: Project, data: QueryDict, *, sees_people: bool) -> None:
        super().__init__(project, data, sees_people=sees_people)
        self.offer("outcome", [*Feedback.Sentiment.choices, ("none", "Not judged")])
        self.offer("environment", Conversation.Environment.choices)
        self.full_clean()

    def agents(self) -> list[tuple[str, str]]:
        """Return the tracked assistants."""
        return [(value, name) for value, name in agent_choices(self.project) if value.startswith("t")]
