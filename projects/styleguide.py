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
            [{"text": "Person 1042", "url": "#"}, {"text": "Northwind"}, {"text": 23, "numeric": True}, {"text": "today", "numeric": True}],
            [{"text": "Person 88", "url": "#"}, {"text": "Contoso"}, {"text": 4, "numeric": True}, {"text": "3 Nov", "numeric": True}],
            [{"text": "Person 7", "url": "#"}, {"text": None}, {"text": 1, "numeric": True}, {"text": "1 Nov", "numeric": True}],
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
    }  # fmt: skip


def _sample_insights() -> list[dict[str, Any]]:
    rows = [
        ("bug", "Exports stop after 200 rows without a message", "Export", "new", 14, 9, 23, 5, ["zendesk", "slack"]),
        ("feature_request", "Single sign-on for every plan, not only Enterprise", "Sign-in", "planned", 31, 20, 44, -4,
         ["intercom", "g2", "csv", "slack", "reddit", "x"]),
        ("loved_feature", "Keyboard shortcuts make triage fast", "Inbox", "watching", 8, 8, 9, 0, ["app_store"]),
        ("pain_point", "Finding a past conversation takes too many steps", "Search", "needs_look", 1, 1, 1, None,
         ["trustpilot"]),
    ]  # fmt: skip
    names = ("kind", "title", "area", "status", "people", "accounts", "mentions", "change", "sources")
    weeks = (
        [0, 1, 0, 2, 3, 3, 5, 9],
        [6, 5, 6, 4, 5, 4, 3, 2],
        [1, 1, 1, 1, 1, 1, 1, 1],
        [0, 0, 0, 0, 0, 0, 0, 1],
    )
    quotes = (
        "every export over two hundred rows stops",
        "we cannot buy without SSO",
        "j and k everywhere, bliss",
        "gave up",
    )
    return [
        {**dict(zip(names, row, strict=True)), "weeks": week, "quote": words}
        for row, week, words in zip(rows, weeks, quotes, strict=True)
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
