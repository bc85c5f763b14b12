"""What people choose on the feedback pages."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf.locale import LANG_INFO
from django.http import QueryDict
from django.utils.formats import date_format

from feedback_ingest.models import ConversationPart, FeedbackItem
from projects.models import Project
from sources.models import Source

SENTIMENTS = [("", "Any"), ("1", "Positive"), ("0", "Neutral"), ("-1", "Negative")]
REASONS = [("", "Any"), *FeedbackItem.SetAside.choices]
STATES = [("", "Any"), (FeedbackItem.State.USED.value, "Used")]  # the others are tabs
RECENT = 1_000  # the newest items, whose languages are offered


def language_word(code: str) -> str:
    """Return the English name of a language, or its code."""
    info: dict[str, Any] = LANG_INFO.get(code, {})
    return str(info.get("name", code))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a project's feedback can be filtered by."""

    sources: dict[str, Source]
    languages: list[str]

    @classmethod
    def of(cls, project: Project) -> "Vocabulary":
        """Read what there is, in two queries."""
        sources = Source.objects.listed().filter(project=project).with_counts().order_by("name")
        newest = FeedbackItem.objects.filter(project=project).newest_first().values_list("language", flat=True)
        return cls({str(source.pk): source for source in sources}, sorted({code for code in newest[:RECENT] if code}))


@dataclass(frozen=True, slots=True)
class Chosen:
    """One active filter: its parameter in the address, and how a person reads it."""

    parameter: str
    name: str
    value: str


class Dots(forms.RadioSelect):
    """One choice."""

    def __init__(self) -> None:
        super().__init__(attrs={"class": "radio radio-xs"})


class FilterForm(forms.Form):
    """The filters of the list. What is not valid is left out, and said in the errors.

    `to` is the first day that is no longer in the range; days are the project's.
    """

    q = forms.CharField(required=False, max_length=200, label="Text")
    source = forms.ChoiceField(required=False, widget=Dots)
    sentiment = forms.ChoiceField(required=False, widget=Dots, choices=SENTIMENTS)
    language = forms.ChoiceField(required=False, widget=Dots)
    reason = forms.ChoiceField(required=False, widget=Dots, choices=REASONS, label="Set aside because")
    state = forms.ChoiceField(required=False, widget=Dots, choices=STATES)
    person = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    to = forms.DateField(required=False, label="Before", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, data: QueryDict, project: Project, vocabulary: Vocabulary) -> None:
        super().__init__(data)
        self.project = project
        # `from` is a word of Python, not of addresses.
        start = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
        self.fields["from"] = start
        self._offer("source", [("", "Any"), *((key, source.name) for key, source in vocabulary.sources.items())])
        languages = sorted({*vocabulary.languages, *data.getlist("language")} - {""})
        self._offer("language", [("", "Any"), *((code, language_word(code)) for code in languages if len(code) <= 8)])
        self.is_valid()

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def groups(self) -> list[forms.BoundField]:
        """The fields that offer a choice here."""
        names = ("source", "sentiment", "language", "reason")
        return [self[name] for name in names if len(getattr(self.fields[name], "choices", ())) > 2]

    @property
    def days(self) -> list[forms.BoundField]:
        """The two ends of a range."""
        return [self["from"], self["to"]]

    @property
    def parameters(self) -> dict[str, str]:
        """The filters as `ItemFilter` takes them, days as the moments at which they begin."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
        return {name: self._moment(value) if isinstance(value, date) else str(value) for name, value in chosen.items()}

    def _moment(self, day: date) -> str:
        return datetime.combine(day, time(), ZoneInfo(self.project.time_zone)).isoformat()

    @property
    def chosen(self) -> list[Chosen]:
        """The active filters, each of which can be dropped."""
        return [
            Chosen(name, str(self.fields[name].label or name.capitalize()), self._word(name, value))
            for name, value in self.cleaned_data.items()
            if value not in (None, "")
        ]

    def _word(self, name: str, value: Any) -> str:
        if isinstance(value, date):
            return date_format(value, "j M Y")
        if name == "person":
            return f"Person {value}"
        offered: Any = getattr(self.fields[name], "choices", ())
        return str(dict(offered).get(value, value))


class SpeakerForm(forms.Form):
    """Who the author of one turn is; no role goes back to guessing."""

    part = forms.IntegerField(required=False, min_value=1, max_value=2**62)
    role = forms.ChoiceField(required=False, choices=[("", "As guessed"), *ConversationPart.Role.choices])
