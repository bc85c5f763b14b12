"""What a person fills in about foreign JSON: where its fields are, and where a list of it is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.validators import RegexValidator

from sources.connectors import connectors
from sources.connectors.configured import FIELDS, REST
from sources.connectors.spec import Field
from sources.generic_mapping import Mapping
from sources.mappings import problem_of

LONGEST_SAMPLE: Final = 400_000  # characters
MAPPED: Final = (
    ("body", "Text", "The words of the customer.", True),
    ("unique_id", "ID", "With it, the same row again is an update. Without, the row's words are its ID.", False),
    ("created_at", "Time", "", False),
    ("author", "Author’s name", "", False),
    ("email", "Author’s e-mail", "", False),
    ("user_id", "Author’s user ID", "", False),
    ("account", "Author’s company", "", False),
    ("rating", "Rating", "", False),
    ("url", "Link to the original", "", False),
    ("language", "Language", "", False),
)


class ExpressionField(forms.CharField):
    """One JMESPath expression; what is wrong with it is said in words."""

    def __init__(self, **kwargs: Any) -> None:
        attributes = {"class": "font-mono", "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        super().__init__(widget=forms.TextInput(attrs=attributes), **kwargs)

    def clean(self, value: Any) -> str:
        """Raise ValidationError unless the expression can be read."""
        cleaned: str = super().clean(value)
        if cleaned and (problem := problem_of(cleaned)):
            raise forms.ValidationError(problem)
        return cleaned


class MappingForm(forms.Form):
    """Where the rows of a payload are, and which of a row's fields is what."""

    rows = ExpressionField(
        required=False,
        label="Where the rows are",
        help_text="Such as data.items. Empty where the whole is one row, or the list of them.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label, help_text, is_required in MAPPED:
            self.fields[f"map_{name}"] = ExpressionField(required=is_required, label=label, help_text=help_text)

    @property
    def mapping(self) -> Mapping:
        """The mapping as it stands; an expression that cannot be read counts as not given."""
        known = getattr(self, "cleaned_data", {})
        fields: dict[str, Any] = {name: known.get(f"map_{name}") or "" for name, *_ in MAPPED}
        return Mapping(rows=known.get("rows") or "", **fields)


def mapping_values(mapping: Mapping | None) -> dict[str, str]:
    """Return a mapping as the form has it."""
    if mapping is None:
        return {}
    return {"rows": mapping.rows} | {f"map_{name}": getattr(mapping, name) for name, *_ in MAPPED}


class SampleForm(forms.Form):
    """A sample answer; it is never stored."""

    sample = forms.CharField(
        required=False,
        strip=False,
        max_length=LONGEST_SAMPLE,
        label="A sample answer",
        help_text="Paste what the other side sends. It is tried here and not stored.",
        widget=forms.Textarea(attrs={"rows": 9, "class": "font-mono text-xs", "spellcheck": "false"}),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together; `is_open` where they are shown at once."""

    title: str
    fields: Sequence[forms.BoundField]
    is_open: bool


GROUPS: Final = (
    ("What is asked for", ("name", "url", "method", "parameters")),
    ("Credentials", ("access_token", "username", "password", "header", "header_value")),
    ("Further pages", ("next_by", "next_at", "next_into", "page_size")),
    ("Reading only what is new", ("cursor_field", "cursor_kind", "cursor_order", "history_days")),
)


class RestForm(forms.Form):
    """Where a list is asked for and with which credentials; a secret left blank stays as it is."""

    name = forms.CharField(max_length=120, label="Name of the source")

    def __init__(self, *args: Any, stored: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        connector = connectors()[REST]
        for field in connector.settings:
            if not field.name.startswith("map_") and field.name != "rows":
                self.fields[field.name] = _control(field)
        for field in connector.secrets:
            self.fields[field.name] = forms.CharField(
                required=False,
                label=field.label,
                help_text="Set. Leave it blank to keep it." if field.name in stored else "",
                widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            )

    @property
    def groups(self) -> list[Group]:
        """The fields as they are shown; those that few lists need are folded unless something stands in them."""
        titled = [(title, [self[name] for name in names if name in self.fields]) for title, names in GROUPS]
        grouped = {name for _, names in GROUPS for name in names}
        titled.append(("More", [self[name] for name in self.fields if name not in grouped]))
        return [
            Group(title, fields, place < 2 or any(map(_is_telling, fields)))
            for place, (title, fields) in enumerate(titled)
            if fields
        ]

    def given(self) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the settings and the typed secrets; only of a form whose fields were cleaned."""
        names = {field.name for field in connectors()[REST].secrets}
        values = {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "") and name != "name"
        }
        settings = {name: value for name, value in values.items() if name not in names}
        if "parameters" in settings:
            settings["parameters"] = [line for line in settings["parameters"].splitlines() if line.strip()]
        return settings, {name: value for name, value in values.items() if name in names}


def rest_mapping(mapping: Mapping) -> dict[str, str]:
    """Return a mapping as the settings of a REST connection hold it."""
    fields = {f"map_{name}": getattr(mapping, name) for name in FIELDS}
    return {name: value for name, value in (fields | {"rows": mapping.rows}).items() if value}


def rest_values(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a REST connection as the forms have them."""
    return settings | {"parameters": "\n".join(settings.get("parameters") or [])}


def _is_telling(bound: forms.BoundField) -> bool:
    return bool(bound.errors) or bound.value() not in (None, "", bound.field.initial)


def _control(field: Field) -> forms.Field:
    common: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.required}
    if field.choices:
        return forms.ChoiceField(
            choices=[(choice, choice) for choice in field.choices], initial=field.default, **common
        )
    if field.type == "number":
        return forms.IntegerField(min_value=0, initial=field.default, **common)
    if field.type == "list":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), **common)
    pattern = RegexValidator(rf"\A(?:{field.pattern})\Z", "This is not written as it should be.")
    validators = [pattern] if field.pattern else []
    return forms.CharField(initial=field.default, max_length=2_000, validators=validators, **common)
