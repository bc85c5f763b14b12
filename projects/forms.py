"""What people fill in about themselves, their projects, members and keys."""

import re
from typing import Any, ClassVar, Final

from django import forms
from django.conf.locale import LANG_INFO
from django.contrib.auth.password_validation import validate_password

from projects.models import ApiKey, Project, User
from projects.roles import Role
from projects.time_zones import time_zones

DOMAIN: Final = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
LANGUAGES: Final = sorted(
    ((code, info["name"]) for code, info in LANG_INFO.items() if "name" in info and len(code) == 2),
    key=lambda language: language[1],
)
MOST_LINES: Final = 200


class LinesField(forms.CharField):
    """A list, typed with one entry a line."""

    widget = forms.Textarea

    def __init__(self, *, longest: int, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.longest = longest

    def prepare_value(self, value: Any) -> Any:
        """Show a list as lines."""
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        """Return the lines without blanks and repetitions. Raises ValidationError for too many or too long ones."""
        lines = list(dict.fromkeys(line.strip() for line in str(super().clean(value)).splitlines() if line.strip()))
        if len(lines) > MOST_LINES:
            raise forms.ValidationError(f"At most {MOST_LINES} lines.")
        for line in lines:
            if len(line) > self.longest:
                raise forms.ValidationError(f"“{line[:40]}…” is longer than {self.longest} characters.")
        return lines

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the lists, not how they were typed."""
        return bool((initial or []) != self.clean(data))


class TimeZoneField(forms.CharField):
    """An IANA time zone, with suggestions where scripts run."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.TextInput(attrs={"list": "zones", "autocomplete": "off", "spellcheck": "false"})
        super().__init__(max_length=64, widget=widget, **kwargs)

    def validate(self, value: str) -> None:
        """Raise ValidationError unless it is a time zone, or nothing where that is allowed."""
        super().validate(value)
        if value and value not in time_zones():
            raise forms.ValidationError(f"“{value}” is not a time zone, such as Europe/Berlin.")


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stub only
    """The general settings of a project."""

    time_zone = TimeZoneField(help_text="Days begin and end in it. Changing it moves all counts by day.")
    language = forms.ChoiceField(choices=LANGUAGES, help_text="Expected where a text is too short to tell.")
    internal_domains = LinesField(
        longest=253,
        help_text="Your own e-mail domains, one a line. Who writes from them is staff: no customer evidence.",
    )
    agent_authors = LinesField(
        longest=120,
        label="Names of agents",
        help_text="Author names that stand for staff or bots, one a line. Holds for what arrives from now on.",
    )

    class Meta:
        model = Project
        fields = (
            "name",
            "time_zone",
            "language",
            "region",
            "internal_domains",
            "agent_authors",
            "email_field",
            "retention_days",
            "daily_token_budget",
        )
        labels: ClassVar = {
            "region": "Region",
            "email_field": "User property with the e-mail",
            "retention_days": "Keep feedback for",
            "daily_token_budget": "Tokens a day",
        }
        help_texts: ClassVar = {
            "region": "A label that says where this project's data is kept. It moves nothing.",
            "email_field": "People who share its value are one person, as with user mapping.",
            "retention_days": "In days. What is older is deleted every night. Empty keeps everything.",
            "daily_token_budget": "What model calls may use in a day. Empty takes the installation's own limit.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["retention_days"].widget.attrs["min"] = 1
        for name in ("internal_domains", "agent_authors"):
            self.fields[name].widget.attrs["rows"] = 4

    def clean_internal_domains(self) -> list[str]:
        """Refuse what is not a domain; an @ in front is forgiven."""
        domains = [domain.lower().removeprefix("@") for domain in self.cleaned_data["internal_domains"]]
        for domain in domains:
            if not DOMAIN.fullmatch(domain):
                raise forms.ValidationError(f"“{domain}” is not a domain, such as example.com.")
        return list(dict.fromkeys(domains))

    def clean_retention_days(self) -> int | None:
        """Refuse a retention of no days."""
        days: int | None = self.cleaned_data["retention_days"]
        if days == 0:
            raise forms.ValidationError("At least one day; leave it empty to keep everything.")
        return days


class NewProjectForm(forms.Form):
    """The name of a project to be created."""

    name = forms.CharField(max_length=120, label="Name of the project")


class InvitationForm(forms.Form):
    """Whom to invite as what."""

    email = forms.EmailField(label="E-mail", max_length=254)
    role = forms.ChoiceField(choices=Role.choices, initial=Role.VIEWER)


class RoleForm(forms.Form):
    """A member's role."""

    role = forms.ChoiceField(choices=Role.choices)


class KeyForm(forms.Form):
    """What a key is for, and of which kind."""

    name = forms.CharField(max_length=120, label="What it is for")
    kind = forms.ChoiceField(choices=ApiKey.Kind.choices, widget=forms.HiddenInput)


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in its stub only
    """How a person is named, and how they see the console."""

    time_zone = TimeZoneField(required=False, help_text="Times are shown in it. Empty takes the installation's.")

    class Meta:
        model = User
        fields = ("name", "time_zone", "theme")
        widgets: ClassVar = {"theme": forms.RadioSelect}


class AccountForm(forms.Form):
    """What makes an account of an invitation."""

    name = forms.CharField(max_length=150, label="Your name", widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least ten characters; a few unrelated words make a good one.",
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean_password(self) -> str:
        """Refuse a password that is easy to guess. Raises ValidationError."""
        password: str = self.cleaned_data["password"]
        validate_password(password, User(email=self.email, name=self.cleaned_data.get("name", "")))
        return password
