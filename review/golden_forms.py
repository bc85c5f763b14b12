"""What people fill in about golden examples, their checks, and what the assistant may look up."""

import json
from collections.abc import Sequence
from typing import Any, Final

from django import forms
from django.forms import formset_factory

from projects.models import Project, User
from review.checks.forms import SIMILAR_ENOUGH
from review.exchange.reading import ANSWER_CHARACTERS, QUESTION_CHARACTERS
from review.exchange.writing import SYSTEM_CHARACTERS, Format
from review.models import GoldenExample, KnowledgeDocument
from review.services.knowledge import TEXT_CHARACTERS, TITLE_CHARACTERS

FIELD_OF: Final = {"contains": "text", "not_contains": "text", "regex": "pattern", "json_schema": "schema"}
SPARE_CHECKS: Final = 1


class ExampleForm(forms.Form):
    """A question with its answer; `version` is the one that was on the screen."""

    original_query = forms.CharField(
        label="Question", max_length=QUESTION_CHARACTERS, widget=forms.Textarea(attrs={"rows": 3})
    )
    golden_response = forms.CharField(
        label="Right answer", max_length=ANSWER_CHARACTERS, strip=False, widget=forms.Textarea(attrs={"rows": 8})
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class NewExampleForm(ExampleForm):
    """An example written by hand."""

    split = forms.ChoiceField(
        label="Use it",
        required=False,
        choices=[("", "Where the same question stands already, else in prompts"), *GoldenExample.Split.choices],
        help_text="A question is either shown to models or asked to test them. Near-duplicates go together.",
    )


class CheckForm(forms.Form):
    """One check; without a kind, or emptied, it is left out."""

    kind = forms.ChoiceField(
        required=False,
        choices=[
            ("", "No check"),
            ("contains", "has to contain"),
            ("not_contains", "must not contain"),
            ("regex", "has to match the pattern"),
            ("json_schema", "is JSON that fits the schema"),
            ("similarity", "means the same, at least"),
        ],
    )
    value = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 1}))
    case_sensitive = forms.BooleanField(label="Match case", required=False)

    @property
    def check(self) -> dict[str, Any] | None:
        """What is to be stored, not validated yet."""
        kind, value = self.cleaned_data.get("kind"), self.cleaned_data.get("value", "")
        if not kind or (kind != "similarity" and not value.strip()):
            return None
        if kind == "similarity":
            return {"kind": kind, "floor": _read_json(value.strip() or str(SIMILAR_ENOUGH))}
        if kind == "json_schema":
            return {"kind": kind, "schema": _read_json(value)}
        check = {"kind": kind, FIELD_OF[kind]: value}
        return check if kind == "regex" else {**check, "case_sensitive": self.cleaned_data["case_sensitive"]}


CheckFormSet = formset_factory(CheckForm, extra=SPARE_CHECKS, max_num=20)


def checks_formset(data: Any, stored: Sequence[dict[str, Any]]) -> Any:
    """Return the rows of a checks editor."""
    return CheckFormSet(data, initial=[_shown(check) for check in stored], prefix="checks")


def checks_of(formset: Any) -> list[dict[str, Any]]:
    """Return the checks that were filled in."""
    return [form.check for form in formset if form.check is not None]


class TendForm(forms.Form):
    """Who looks after an example, and until when it is used."""

    owner = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")
    expires_at = forms.DateTimeField(
        label="Use until",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = members_of(project)


class CiteForm(forms.Form):
    """The documents that an answer rests on."""

    documents = forms.ModelMultipleChoiceField(
        KnowledgeDocument.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, documents: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["documents"]
        assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101
        field.queryset = documents


class ExportForm(forms.Form):
    """What is exported, and for what."""

    form = forms.ChoiceField(
        label="Format",
        choices=[
            (Format.CHAT, "Chat JSONL for fine-tuning"),
            (Format.PREFERENCES, "Preference pairs (DPO)"),
            (Format.EVALUATION, "Evaluation JSONL"),
            (Format.CSV, "CSV table"),
        ],
        widget=forms.RadioSelect,
        initial=Format.CHAT,
    )
    split = forms.ChoiceField(
        label="Examples",
        choices=GoldenExample.Split.choices,
        widget=forms.RadioSelect,
        initial=GoldenExample.Split.FEW_SHOT,
    )
    system = forms.CharField(
        label="Instruction",
        required=False,
        max_length=SYSTEM_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Put before every conversation of a JSONL file for training.",
    )
    accept_leak = forms.BooleanField(label="Export them all the same", required=False)


class ImportForm(forms.Form):
    """A file of examples."""

    file = forms.FileField(widget=forms.ClearableFileInput(attrs={"accept": ".jsonl,.ndjson,.json,.csv"}))
    split = forms.ChoiceField(
        label="Use them",
        choices=[*reversed(GoldenExample.Split.choices)],
        widget=forms.RadioSelect,
        initial=GoldenExample.Split.EVALUATION,
        help_text="Questions that are here already stay where they are.",
    )


class DocumentForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stub only
    """An article or an incident."""

    reference = forms.CharField(
        max_length=120, required=False, help_text="Its id where it comes from, such as INC-1042."
    )
    url = forms.URLField(label="Address", max_length=2048, required=False, assume_scheme="https")

    class Meta:
        model = KnowledgeDocument
        fields = (
            "kind", "title", "text", "reference", "url", "application", "severity", "started_at", "resolved_at",
        )  # fmt: skip
        widgets = {
            "text": forms.Textarea(attrs={"rows": 14, "maxlength": TEXT_CHARACTERS}),
            "title": forms.TextInput(attrs={"maxlength": TITLE_CHARACTERS}),
            "kind": forms.RadioSelect,
            "started_at": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
            "resolved_at": forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        }
        labels = {"started_at": "Began", "resolved_at": "Ended"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("application", "severity", "started_at", "resolved_at"):
            self.fields[name].required = False
        self.fields["kind"].choices = KnowledgeDocument.Kind.choices  # type: ignore[attr-defined]
        self.fields["kind"].initial = KnowledgeDocument.Kind.ARTICLE

    def validate_unique(self) -> None:
        """Leave it to the service, which says it in words."""

    def validate_constraints(self) -> None:
        """Leave it to the service as well."""


class UploadForm(forms.Form):
    """Files that become articles."""

    file = forms.FileField(label="File", widget=forms.ClearableFileInput(attrs={"accept": ".txt,.md,.docx"}))


def members_of(project: Project) -> Any:
    """Return who may own an example."""
    return User.objects.filter(memberships__project=project).order_by("email")


def _shown(check: dict[str, Any]) -> dict[str, Any]:
    kind = check.get("kind", "")
    if kind == "similarity":
        value = str(check.get("floor", SIMILAR_ENOUGH))
    elif kind == "json_schema":
        value = json.dumps(check.get("schema"), ensure_ascii=False, indent=2)
    else:
        value = str(check.get(FIELD_OF.get(kind, ""), ""))
    return {"kind": kind, "value": value, "case_sensitive": check.get("case_sensitive", False)}


def _read_json(text: str) -> Any:
    """Return JSON, or the text itself, which no check accepts."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
