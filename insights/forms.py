"""What people choose and type on the insight pages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Count
from django.http import QueryDict

from insights.listing import Filters
from insights.models import Insight
from insights.ranges import Range
from projects.models import Project
from projects.vocabulary import KINDS, SOURCES, STATUSES, term
from sources.models import Source

SENTIMENTS = [("", "Any"), ("1", "Positive"), ("0", "Neutral"), ("-1", "Negative")]
LANGUAGES = {
    "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian", "nl": "Dutch",
    "pl": "Polish", "pt": "Portuguese", "sv": "Swedish", "ja": "Japanese", "zh": "Chinese",
}  # fmt: skip
ARCHIVED = Insight.Status.ARCHIVED.value


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a project's insights can be filtered by."""

    sources: dict[str, Source]
    areas: list[str]
    languages: list[str]
    archived: int
    insights: int

    @classmethod
    def of(cls, project: Project) -> "Vocabulary":
        """Read what there is, in two queries."""
        sources = Source.objects.listed().filter(project=project).order_by("name")
        groups = (
            Insight.objects.live()
            .filter(project=project)
            .values_list("area", "language", "status")
            .annotate(number=Count("pk"))
            .order_by()
        )
        rows = list(groups)
        return cls(
            sources={str(source.pk): source for source in sources},
            areas=sorted({area for area, _, _, _ in rows if area}, key=str.casefold),
            languages=sorted({language for _, language, _, _ in rows}),
            archived=sum(number for _, _, status, number in rows if status == ARCHIVED),
            insights=sum(number for _, _, _, number in rows),
        )


@dataclass(frozen=True, slots=True)
class Chosen:
    """One active filter: the parameter and value in the address, and how a person reads them."""

    parameter: str
    raw: str
    name: str
    value: str


class Ticks(forms.CheckboxSelectMultiple):
    """Any number of choices."""

    def __init__(self) -> None:
        super().__init__(attrs={"class": "checkbox checkbox-xs"})


class Dots(forms.RadioSelect):
    """One choice."""

    def __init__(self) -> None:
        super().__init__(attrs={"class": "radio radio-xs"})


class FilterForm(forms.Form):
    """The filters of the list. What is not valid is left out, and said in the errors."""

    q = forms.CharField(required=False, max_length=200, label="Text")
    kind = forms.MultipleChoiceField(required=False, widget=Ticks)
    status = forms.MultipleChoiceField(required=False, widget=Ticks)
    area = forms.MultipleChoiceField(required=False, widget=Ticks)
    source = forms.MultipleChoiceField(required=False, widget=Ticks)
    source_type = forms.MultipleChoiceField(required=False, widget=Ticks, label="Type of source")
    sentiment = forms.ChoiceField(required=False, widget=Dots, choices=SENTIMENTS)
    language = forms.ChoiceField(required=False, widget=Dots)

    def __init__(self, data: QueryDict, vocabulary: Vocabulary) -> None:
        super().__init__(data)
        types = {source.type for source in vocabulary.sources.values()}
        languages = [(code, LANGUAGES.get(code, code)) for code in vocabulary.languages]
        self._offer("kind", [(kind, shown.word) for kind, shown in KINDS.items()])
        self._offer("status", [(status, STATUSES[status].word) for status in Insight.Status.values])
        self._offer("area", [(area, area) for area in vocabulary.areas])
        self._offer("source", [(key, source.name) for key, source in vocabulary.sources.items()])
        self._offer("source_type", [(kind, term(SOURCES, kind).word) for kind in sorted(types)])
        self._offer("language", [("", "Any"), *languages])
        self.hides_archived = bool(vocabulary.archived) and not data.getlist("status")
        self.is_valid()

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    @property
    def filters(self) -> Filters:
        """The filters as the list takes them; archived insights are left out until they are asked for."""
        chosen = self.cleaned_data
        statuses = chosen.get("status") or []
        if self.hides_archived:
            statuses = [status for status in Insight.Status.values if status != ARCHIVED]
        return Filters(
            kinds=chosen.get("kind") or (),
            areas=chosen.get("area") or (),
            statuses=statuses,
            q=chosen.get("q", ""),
            sources=[UUID(source) for source in chosen.get("source") or ()],
            source_types=chosen.get("source_type") or (),
            sentiment=int(chosen["sentiment"]) if chosen.get("sentiment") else None,
            language=chosen.get("language", ""),
        )

    @property
    def groups(self) -> list[forms.BoundField]:
        """The fields that offer a choice here."""
        return [self[name] for name, field in self.fields.items() if len(getattr(field, "choices", ())) > 1]

    @property
    def chosen(self) -> list[Chosen]:
        """The active filters, each of which can be dropped."""
        return [
            Chosen(name, raw, str(field.label or name.replace("_", " ").capitalize()), self._word(field, raw))
            for name, field in self.fields.items()
            for raw in _values(self.cleaned_data.get(name))
        ]

    def _word(self, field: forms.Field, raw: str) -> str:
        offered: Any = getattr(field, "choices", ())
        return str(dict(offered).get(raw, raw))


def _values(value: Any) -> list[str]:
    if isinstance(value, list):
        return value
    return [value] if value else []


class PeriodForm(forms.Form):
    """The two ends of a range; `to` is the first day that is no longer in it."""

    start = forms.DateField(label="From", widget=forms.DateInput(attrs={"type": "date"}))
    end = forms.DateField(label="Before", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, within: Range) -> None:
        start, end = within.first_day, within.end_day
        if within.is_open:
            start = end - timedelta(days=365)
        super().__init__(initial={"start": start, "end": end})

    def add_prefix(self, field_name: str) -> str:
        """Name the fields as addresses do: from and to, one of which is no name in Python."""
        return {"start": "from", "end": "to"}.get(field_name, field_name)


class MergeForm(forms.Form):
    """Which insight survives a merge, and under which name."""

    into = forms.UUIDField()
    title = forms.CharField(required=False, max_length=120)
