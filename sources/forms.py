"""What people fill in about sources, uploads and pasted texts."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from django import forms

from sources.files import Mapping, Split
from sources.files.columns import FIELDS, MAX_METADATA
from sources.models import FileImport, Source, SourceRequest
from sources.reading import Look, Reading

LEAVE_OUT: Final = ""
FEEDBACK: Final = "feedback"
METADATA: Final = "metadata"
ROLES: Final = (
    (FEEDBACK, "Feedback text"),
    ("author", "Author's name"),
    ("email", "Author's e-mail"),
    ("user_id", "Author's user id"),
    ("account", "Author's company"),
    ("created_at", "Date"),
    ("rating", "Rating"),
    ("url", "Link to the original"),
    ("language", "Language"),
    ("unique_id", "Id in your system"),
    (METADATA, "Keep as it is"),
    (LEAVE_OUT, "Leave out"),
)
ROLE_WORDS: Final = dict(ROLES)
SPLITS: Final = {
    Split.TRANSCRIPT: "One conversation, a turn for each speaker",
    Split.BLANK_LINES: "A piece at every blank line",
    Split.LINES: "A piece on every line",
    Split.WHOLE: "All of it is one piece",
}
ENCODINGS: Final = (
    ("", "Detected"),
    ("utf-8", "UTF-8"),
    ("cp1252", "Western European (Windows)"),
    ("cp1250", "Central European (Windows)"),
    ("cp1251", "Cyrillic (Windows)"),
    ("utf-16", "UTF-16"),
    ("cp932", "Japanese (Shift JIS)"),
    ("gb18030", "Chinese (GB 18030)"),
    ("cp949", "Korean (Windows)"),
)
DELIMITERS: Final = (("", "Detected"), (",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar"))
HEADER_CHOICES: Final = (("", "Detected"), ("yes", "Yes"), ("no", "No"))
LONGEST_PASTE: Final = 2_000_000  # characters


class SourceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stub only
    """The name of a source and what it is for."""

    class Meta:
        model = Source
        fields = ("name", "purpose")
        widgets = {"purpose": forms.Textarea(attrs={"rows": 3, "maxlength": 400})}
        labels = {"purpose": "What this source is for"}
        help_texts = {"purpose": "Up to 400 characters. It is shown to your team beside what comes from here."}


class SourceRequestForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stub only
    """Which application somebody misses."""

    class Meta:
        model = SourceRequest
        fields = ("application", "note")
        labels = {"application": "Application", "note": "What you would read from it"}
        widgets = {"note": forms.Textarea(attrs={"rows": 2, "maxlength": 400})}


class TargetForm(forms.Form):
    """Where something goes: a source that takes the like already, or one with a name of its own."""

    source = forms.ModelChoiceField(Source.objects.none(), required=False, label="Add to", empty_label="A new source")
    name = forms.CharField(max_length=120, required=False, label="Name of the new source")

    def __init__(self, *args: Any, sources: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["source"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = sources
        if not sources:
            del self.fields["source"]


class UploadForm(TargetForm):
    """Where uploaded files go; the files themselves are stored before a form could see them."""

    field_order = ("source", "name")


class PasteForm(TargetForm):
    """A pasted text and how it is cut."""

    text = forms.CharField(
        label="Text",
        max_length=LONGEST_PASTE,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 12, "autofocus": True}),
        error_messages={"required": "Paste some text first."},
    )
    split = forms.ChoiceField(
        label="How it is cut",
        choices=[("", "As it looks best"), *((split.value, words) for split, words in SPLITS.items())],
        required=False,
    )
    field_order = ("text", "split", "source", "name")

    @property
    def reading(self) -> Reading:
        """How the text is to be read."""
        chosen = self.cleaned_data["split"]
        return Reading(split=Split(chosen) if chosen else None)


class LayoutForm(forms.Form):
    """How the bytes of a table are read, where a person overrules what was detected."""

    encoding = forms.ChoiceField(choices=ENCODINGS, required=False, label="Encoding")
    delimiter = forms.ChoiceField(choices=DELIMITERS, required=False, label="Columns are separated by")
    has_header = forms.ChoiceField(choices=HEADER_CHOICES, required=False, label="The first row names the columns")

    @property
    def layout(self) -> Mapping:
        """What was overruled, as the part of a mapping that says it; what is not valid counts as not chosen."""
        chosen = self.cleaned_data if self.is_bound and self.is_valid() else {}
        header = chosen.get("has_header")
        return Mapping(
            encoding=chosen.get("encoding") or None,
            delimiter=chosen.get("delimiter") or None,
            has_header=None if not header else header == "yes",
        )


class ReadingForm(forms.Form):
    """What each column of a table means, and how text is cut."""

    def __init__(self, *args: Any, look: Look, form: FileImport.Format, reading: Reading, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._look = look
        self._reading = reading
        self._columns = reading.columns or Mapping()
        self._has_text = form == FileImport.Format.DOCX
        roles = roles_of(self._columns)
        for place, header in enumerate(look.headers):
            self.fields[f"column_{place}"] = forms.ChoiceField(
                choices=ROLES, required=False, label=header, initial=roles.get(header, LEAVE_OUT)
            )
        if self._asks_for_order:
            self.fields["date_order"] = forms.ChoiceField(
                choices=self._order_choices(),
                label="Dates such as 03/04/2026",
                initial=self._columns.date_order,
                required=False,
            )
        if self._has_text:
            self.fields["split"] = forms.ChoiceField(
                choices=[(split.value, words) for split, words in SPLITS.items()],
                label="How the text is cut",
                initial=reading.split,
            )

    @property
    def _asks_for_order(self) -> bool:
        return bool(self._look.headers) and (self._look.dates is not None or self._columns.created_at is not None)

    @property
    def is_ambiguous(self) -> bool:
        """Whether only a person can tell day and month apart."""
        return self._look.dates is not None and self._look.dates.ambiguous

    def _order_choices(self) -> list[tuple[str, str]]:
        orders = [("day_first", "Day first: 3 April"), ("month_first", "Month first: 4 March")]
        return [("", "Choose…"), *orders] if self.is_ambiguous else [("auto", "As the dates show"), *orders]

    def columns(self) -> list[tuple[forms.BoundField, str]]:
        """Return the fields of the columns, each with a value that stands in it."""
        return [(self[f"column_{place}"], sample) for place, sample in enumerate(self._look.samples)]

    def clean(self) -> dict[str, Any]:
        """Refuse columns that say nothing together."""
        cleaned = super().clean() or {}
        chosen = self._chosen(cleaned)
        taken = Counter(role for role in chosen.values() if role in FIELDS)
        for role in (role for role, count in taken.items() if count > 1):
            names = " and ".join(f"“{header}”" for header, each in chosen.items() if each == role)
            self.add_error(None, f"{names} cannot both be “{ROLE_WORDS[role]}”. Keep one of them.")
        if self._look.headers and FEEDBACK not in chosen.values():
            self.add_error(None, "Choose the column that holds the feedback.")
        if list(chosen.values()).count(METADATA) > MAX_METADATA - ("account" in taken):
            self.add_error(None, f"At most {MAX_METADATA} columns can be kept as they are. Leave some out.")
        if self.is_ambiguous and "created_at" in taken and not cleaned.get("date_order"):
            self.add_error(None, "Say whether the day or the month comes first: these dates can be read both ways.")
        return cleaned

    def _chosen(self, cleaned: dict[str, Any]) -> dict[str, str]:
        return {header: cleaned.get(f"column_{place}", LEAVE_OUT) for place, header in enumerate(self._look.headers)}

    @property
    def reading(self) -> Reading:
        """How the upload is to be read; only of a valid form."""
        if self._reading.export:
            return self._reading
        split = self.cleaned_data.get("split")
        return Reading(columns=self._mapping() if self._look.headers else None, split=Split(split) if split else None)

    def _mapping(self) -> Mapping:
        chosen = self._chosen(self.cleaned_data)
        singles = {role: header for header, role in chosen.items() if role in FIELDS}
        mapping = Mapping(
            feedback=tuple(header for header, role in chosen.items() if role == FEEDBACK),
            metadata=tuple(header for header, role in chosen.items() if role == METADATA),
            date_order=self.cleaned_data.get("date_order") or "auto",
            encoding=self._columns.encoding,
            delimiter=self._columns.delimiter,
            has_header=self._columns.has_header,
        )
        return msgspec.structs.replace(mapping, **singles)


def roles_of(mapping: Mapping) -> dict[str, str]:
    """Return what each column of a mapping means, by header."""
    roles: dict[str, str] = {}
    groups: Sequence[tuple[str, Sequence[str]]] = ((METADATA, mapping.metadata), (FEEDBACK, mapping.feedback))
    for role, headers in groups:
        roles |= dict.fromkeys(headers, role)
    return roles | {header: field for field in FIELDS if (header := getattr(mapping, field)) is not None}
