"""Forms made of what a connector asks for; what was typed into a secret's field is never sent back."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from django import forms
from django.utils import timezone

from sources.connecting import LONGEST_HISTORY
from sources.connectors.catalogue import HISTORY
from sources.connectors.engine import complete_settings
from sources.connectors.errors import ConnectorError
from sources.connectors.spec import Connector, Field
from sources.oauth import operator_client

SETTING: Final = re.compile(r"\{settings\.(\w+)\}")
SAVED: Final = "Saved. Leave it blank to keep it."
CLIENT: Final = (
    Field(name="client_id", label="Client ID of your app", help="Only to sign in with an app of your own."),
    Field(name="client_secret", label="Client secret of your app"),
)
INTERVALS: Final = (
    (5, "Every 5 minutes"), (15, "Every 15 minutes"), (60, "Every hour"), (360, "Every 6 hours"), (1440, "Every day"),
)  # fmt: skip
LONGEST_LINE: Final = 2_000
LONGEST_SECRET: Final = 10_000


class WriteOnlyInput(forms.PasswordInput):
    """A line for a secret."""

    def __init__(self) -> None:
        super().__init__(attrs={"autocomplete": "off", "spellcheck": "false"}, render_value=False)


class WriteOnlyText(forms.Textarea):
    """Several lines for a secret, such as a private key."""

    def __init__(self) -> None:
        super().__init__(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"})

    def format_value(self, value: Any) -> str:
        """Return nothing: a secret is not sent back, not even to whoever typed it."""
        return ""


def access_settings(connector: Connector) -> list[Field]:
    """Return the settings that the address and the credential are made of: what is needed before all else."""
    places = [connector.base_url, connector.headers, msgspec.to_builtins(connector.auth)]
    if connector.oauth is not None:
        places += [connector.oauth.authorize_url, connector.oauth.token_url]
    named = set(SETTING.findall(repr(places)))
    return [field for field in connector.settings if field.name in named]


def chosen_settings(connector: Connector) -> list[Field]:
    """Return the other settings, which say what is read."""
    first = {field.name for field in access_settings(connector)} | {HISTORY.name}
    return [field for field in connector.settings if field.name not in first]


def secret_fields(connector: Connector) -> list[Field]:
    """Return the secrets to type in; for a sign-in also an app of one's own, unless the operator has set one up."""
    names = {field.name for field in connector.secrets}
    own_app = connector.oauth is not None and operator_client(connector.kind) is None
    return [*connector.secrets, *(field for field in CLIENT if own_app and field.name not in names)]


class SettingsForm(forms.Form):
    """Settings of a connector, with the values that are there."""

    def __init__(self, *args: Any, settings: Iterable[Field], given: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._settings = list(settings)
        for field in self._settings:
            self.fields[field.name] = _control(field, given.get(field.name))

    def clean(self) -> dict[str, Any]:
        """Check each value as its field says."""
        cleaned: dict[str, Any] = self.cleaned_data
        for field in self._settings:
            try:
                complete_settings([field], {field.name: cleaned.get(field.name)}, required=False)
            except ConnectorError as error:
                self.add_error(field.name, error.message)
        return cleaned

    @property
    def settings(self) -> dict[str, Any]:
        """What was filled in; only of a valid form."""
        return {field.name: self.cleaned_data[field.name] for field in self._settings}


class AccessForm(SettingsForm):
    """What is needed to speak to an application: where it is, and a key."""

    def __init__(self, *args: Any, connector: Connector, known: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, settings=access_settings(connector), **kwargs)
        self._secrets = secret_fields(connector)
        for field in self._secrets:
            is_needed = field.required and connector.oauth is None
            self.fields[field.name] = _secret(field, is_known=field.name in set(known), is_needed=is_needed)

    @property
    def secrets(self) -> dict[str, str]:
        """What was typed in now; only of a valid form."""
        return {field.name: self.cleaned_data[field.name] for field in self._secrets}


class ConnectionForm(AccessForm):
    """All that can be changed of a connection that exists."""

    every = forms.TypedChoiceField(label="How often", choices=INTERVALS, coerce=int)

    def __init__(self, *args: Any, connector: Connector, given: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, connector=connector, given=given, **kwargs)
        more = chosen_settings(connector)
        for field in more:
            self.fields[field.name] = _control(field, given.get(field.name))
        self._settings += more
        self.order_fields([name for name in self.fields if name != "every"])


class ChoiceForm(SettingsForm):
    """What is read of an application, how far back and how often, and what for."""

    name = forms.CharField(max_length=120, label="Name of the source")
    purpose = forms.CharField(
        max_length=400,
        required=False,
        label="What this source is for",
        help_text="Up to 400 characters. It is shown to your team beside what comes from here.",
        widget=forms.Textarea(attrs={"rows": 2, "maxlength": 400}),
    )
    since = forms.DateField(label="Read from", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    every = forms.TypedChoiceField(label="How often", choices=INTERVALS, coerce=int)

    def __init__(self, *args: Any, connector: Connector, **kwargs: Any) -> None:
        super().__init__(*args, settings=chosen_settings(connector), **kwargs)
        self.order_fields([*(field.name for field in self._settings), "since", "every", "name", "purpose"])

    def clean_since(self) -> date:
        """Return a day in the past."""
        day: date = self.cleaned_data["since"]
        if not 0 < (timezone.localdate() - day).days <= LONGEST_HISTORY:
            raise forms.ValidationError("Choose a day in the past, of the last 20 years.")
        return day

    @property
    def settings(self) -> dict[str, Any]:
        """What was filled in, with the days to read back."""
        return super().settings | {HISTORY.name: (timezone.localdate() - self.cleaned_data["since"]).days}


def first_day(settings: Mapping[str, Any]) -> date:
    """Return the day from which on settings say to read."""
    days = int(settings.get(HISTORY.name) or HISTORY.default or 0)
    return timezone.localdate() - timedelta(days=max(days, 1))


class LinesField(forms.CharField):
    """A list, one entry to a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), max_length=20_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        """Return the lines that are not blank."""
        text = super().clean(value)
        return [line.strip() for line in text.splitlines() if line.strip()]


def _control(field: Field, value: Any) -> forms.Field:
    shared: dict[str, Any] = {
        "label": field.label,
        "help_text": f"{field.help} One to a line." if field.type == "list" else field.help,
        "required": field.required and field.default is None,
        "initial": field.default if value in (None, "", []) else value,
    }
    if field.type == "list":
        return LinesField(**shared)
    if field.type == "choice":
        return forms.ChoiceField(choices=[(choice, choice) for choice in field.choices], **shared)
    if field.type == "number":
        return forms.IntegerField(min_value=0, max_value=10**9, **shared)
    if field.type == "multiline":
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), max_length=LONGEST_SECRET, **shared)
    return forms.CharField(max_length=LONGEST_LINE, **shared)


def _secret(field: Field, *, is_known: bool, is_needed: bool) -> forms.Field:
    """Return the control of a secret; where there is another way than it, what is missing is told when it is tried."""
    widget = WriteOnlyText() if field.type == "multiline" else WriteOnlyInput()
    help_text = f"{SAVED} {field.help}".strip() if is_known else field.help
    required = is_needed and not is_known
    return forms.CharField(
        widget=widget, max_length=LONGEST_SECRET, required=required, label=field.label, help_text=help_text
    )
