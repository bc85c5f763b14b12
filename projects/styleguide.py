"""The page that shows every piece of the console with sample data, for people who build screens."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from projects.charts import TrendPoint
from projects.console import toast

_QUOTE = (
    "We have used this for two years and mostly love it.\n"
    "But every export over two hundred rows stops without saying anything, and the file looks complete. "
    "We found out when a customer called."
)


class SampleForm(forms.Form):
    """One field of each sort."""

    name = forms.CharField(help_text="Shown in lists. Everyone in the project sees it.")
    website = forms.URLField(required=False, assume_scheme="https")
    purpose = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 3}),
        max_length=400,
        required=False,
        help_text="What is this feedback about? The analysis reads it.",
    )
    language = forms.ChoiceField(choices=[("en", "English"), ("fr", "French"), ("de", "German")])
    mode = forms.ChoiceField(
        widget=forms.RadioSelect,
        choices=[("now", "Read everything now"), ("later", "Only what arrives from today on")],
    )
    days = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple, choices=[("mon", "Monday"), ("thu", "Thursday")], required=False
    )
    upload = forms.FileField(required=False, help_text="CSV or Word, up to 50 MB.")
    notify = forms.BooleanField(required=False, label="Tell me when it is done")


def styleguide(request: HttpRequest) -> HttpResponse:
    """Show every component in its states; `?toast=1` shows toasts too."""
    if "toast" in request.GET:
        toast(request, "Merged into “Exports stop after 200 rows”.", undo_url="/styleguide/")
        toast(request, "The digest could not be sent.", level=messages.ERROR)
    return render(request, "styleguide.html", _sample_context())


def _sample_context() -> dict[str, Any]:
    now = timezone.now()
    return {
        "page_title": "Components",
        "sees_people": True,
        "tabs": [
            {"label": "All", "url": "?", "active": True, "count": 128},
            {"label": "New", "url": "?tab=new", "count": 6},
            {"label": "Growing", "url": "?tab=growing", "count": 11},
            {"label": "Fading", "url": "?tab=fading", "count": 4},
            {"label": "Back again", "url": "?tab=back", "count": 0},
            {"label": "Needs a look", "url": "?tab=look", "count": 3},
        ],
        "chips": [
            {"name": "Kind", "value": "Bug", "remove_url": "?source=zendesk"},
            {"name": "Source", "value": "Zendesk", "remove_url": "?kind=bug"},
        ],
        "insights": _sample_insights(),
        "points": _sample_points(),
        "quote_body": _QUOTE,
        "quote_start": _QUOTE.index("every export"),
        "quote_end": _QUOTE.index(", and the file"),
        "recently": now - timedelta(minutes=5),
        "long_ago": now - timedelta(days=500),
        "steps": [
            {"label": "Received", "count": 600},
            {"label": "Used", "count": 142},
            {"label": "Waiting", "count": 450},
            {"label": "Set aside", "count": 8, "note": "no words in them"},
        ],
        "columns": [
            {"label": "Person", "url": "?sort=name"},
            {"label": "Account"},
            {"label": "Items", "numeric": True, "url": "?sort=items", "sorted": "descending"},
            {"label": "Last heard", "numeric": True},
        ],
        "rows": [
            _cells("Person 1042", "Northwind", 23, "today"),
            _cells("Person 88", "Contoso", 4, "3 Nov"),
            _cells("Person 7", None, 1, "1 Nov"),
        ],
        "form": SampleForm({"website": "not an address", "language": "en"}),
        "curl": 'curl -u "$KEY:$SECRET" https://earshot.example/api/1/ai-feedback/ingest \\\n'
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"source_id": 1, "feedbacks": [{"unique_id": "t-1", "body": "The export stops"}]}\'',
        "empty_actions": [
            {"label": "Connect a source", "url": "#", "icon": "plug"},
            {"label": "Try sample data", "url": "#"},
        ],
        "effects": ["removes 1,204 items", "18 insights lose all their evidence"],
        "commands": [{"label": "Manage keys", "url": "#keys"}],
    }


def _cells(person: str, account: str | None, items: int, heard: str) -> list[dict[str, Any]]:
    return [
        {"text": person, "url": "#"},
        {"text": account},
        {"text": items, "numeric": True},
        {"text": heard, "numeric": True},
    ]


def _sample_insights() -> list[dict[str, Any]]:
    return [
        {
            "kind": "bug",
            "title": "Exports stop after 200 rows without a message",
            "area": "Export",
            "status": "new",
            "people": 14,
            "accounts": 9,
            "mentions": 23,
            "change": 5,
            "weeks": [0, 1, 0, 2, 3, 3, 5, 9],
            "sources": ["zendesk", "slack"],
            "quote": "every export over two hundred rows stops",
        },
        {
            "kind": "feature_request",
            "title": "Single sign-on for every plan, not only Enterprise",
            "area": "Sign-in",
            "status": "planned",
            "people": 31,
            "accounts": 20,
            "mentions": 44,
            "change": -4,
            "weeks": [6, 5, 6, 4, 5, 4, 3, 2],
            "sources": ["intercom", "g2", "csv", "slack", "reddit", "x"],
            "quote": "we cannot buy without it",
        },
        {
            "kind": "loved_feature",
            "title": "Keyboard shortcuts make triage fast",
            "area": "Inbox",
            "status": "watching",
            "people": 8,
            "accounts": 8,
            "mentions": 9,
            "change": 0,
            "weeks": [1, 1, 1, 1, 1, 1, 1, 1],
            "sources": ["app_store"],
            "quote": "j and k everywhere, bliss",
        },
        {
            "kind": "pain_point",
            "title": "Finding a past conversation takes too many steps",
            "area": "Search",
            "status": "needs_look",
            "people": 1,
            "accounts": 1,
            "mentions": 1,
            "change": None,
            "weeks": [0, 0, 0, 0, 0, 0, 0, 1],
            "sources": ["trustpilot"],
            "quote": "gave up after the third click",
        },
    ]


def _sample_points() -> list[TrendPoint]:
    first = date(2025, 8, 25)
    values = (3, 5, 4, 8, 6, 7, 12, 14, 9, 11, 17, 6)
    marks = {5: ["2.4 released"], 10: ["alert"]}
    return [
        TrendPoint(
            label=f"{first + timedelta(weeks=week):%-d %b}",
            value=value,
            open=week == len(values) - 1,
            marks=marks.get(week, ()),
        )
        for week, value in enumerate(values)
    ]
