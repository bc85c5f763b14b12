"""The console's pieces: what they say, that they escape what they are given, and that they can be read."""

import re
from datetime import UTC, datetime, timedelta
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.test import Client
from django.urls import include, path

from projects import console, styleguide, vocabulary
from projects.charts import TrendPoint, nice_ceiling
from projects.quotes import excerpt, lit_segments
from projects.templatetags.console import ago_words
from tests.factories import Member


def section(request: HttpRequest, slug: str) -> HttpResponse:
    return styleguide.styleguide(request)


urlpatterns = [
    path("styleguide/", styleguide.styleguide),
    path("preferences/", console.set_preferences, name="console_preferences"),
    path("accounts/", include("allauth.urls")),
    path("p/<slug:slug>/insights/", section),
    path("p/<slug:slug>/sources/", section),
]
pytestmark = pytest.mark.urls(__name__)
ROOT = Path(settings.BASE_DIR)


def shown(source: str, **context: Any) -> str:
    return Template("{% load console %}" + source).render(Context(context)).strip()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_stat_row_names_its_counts_and_its_change() -> None:
    row = shown("{% stat_row 1 9 1204 change=-3 %}")
    assert words(row) == "1 person 9 accounts 1,204 mentions down 3"


@pytest.mark.parametrize(("difference", "said"), [(5, "up 5"), (-1200, "down 1,200"), (0, "no change"), (None, "new")])
def test_a_change_is_a_word_and_not_only_an_arrow(difference: int | None, said: str) -> None:
    assert words(shown("{% change difference %}", difference=difference)) == said


@pytest.mark.parametrize("kind", vocabulary.KINDS)
def test_each_kind_is_icon_and_word_and_has_a_hue(kind: str) -> None:
    badge = shown("{% kind_badge kind %}", kind=kind)
    assert vocabulary.KINDS[kind].word in badge
    assert f"#{vocabulary.KINDS[kind].icon}" in badge
    assert f".kind-{kind}" in (ROOT / "frontend/components.css").read_text()


def test_a_kind_shown_as_an_icon_is_still_named() -> None:
    assert 'aria-label="Bug"' in shown('{% kind_badge "bug" look="icon" %}')


def test_a_status_nobody_listed_is_shown_in_its_own_words() -> None:
    assert words(shown('{% status_pill "on_hold" %}')) == "On hold"


def test_more_sources_than_fit_are_counted() -> None:
    icons = shown("{% source_icons kinds limit=2 %}", kinds=["zendesk", "slack", "csv", "<b>"])
    assert words(icons) == "+2"
    assert 'title="Zendesk, Slack, CSV file, &lt;b&gt;"' in icons


def test_a_quote_lights_exactly_the_words_of_the_span() -> None:
    body = "Fine so far. The export <stops> here. And then?"
    start, end = body.index("The"), body.index(" And")
    quote = shown("{% quote body start end %}", body=body, start=start, end=end)
    assert '<mark class="lit">The export &lt;stops&gt; here.</mark>' in quote


def test_a_long_quote_is_cut_at_spaces_around_the_words_that_matter() -> None:
    body = "one two three four five six seven"
    assert excerpt(body, 8, 13, around=6) == ("… two ", "three", " four …")
    assert excerpt(body, 8, 13, around=0) == ("… ", "three", " …")
    assert excerpt("起動時に毎回クラッシュします。", 4, 6, around=2) == ("… 時に", "毎回", "クラ …")


def test_lit_pieces_join_to_the_text_and_overlaps_are_lit_once() -> None:
    body = "abcdefgh"
    pieces = lit_segments(body, [(4, 6), (1, 3), (2, 5), (7, 99), (3, 3)])
    assert pieces == [("a", False), ("bcdef", True), ("g", False), ("h", True)]
    assert "".join(text for text, _ in pieces) == body


@pytest.mark.parametrize(
    ("before", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=3), "3 h ago"),
        (timedelta(days=1, hours=2), "1 day ago"),
        (timedelta(days=30), "16 May"),
        (timedelta(days=400), "11 May 2024"),
    ],
)
def test_times_are_told_the_way_people_say_them(before: timedelta, said: str) -> None:
    now = datetime(2025, 6, 15, 12, tzinfo=UTC)
    assert ago_words(now - before, now) == said


def test_numbers_are_short_where_room_is_short() -> None:
    source = "{{ a|number }} {{ a|compact }} {{ b|compact }} {{ c|percent }} {{ d|duration }} {{ none|number }}"
    assert shown(source, a=12_480, b=1_400_000, c=0.874, d=125, none=None) == "12,480 12k 1.4M 87% 2 min 5 s –"


def test_a_person_is_only_a_number_to_who_may_not_see_people() -> None:
    class Person:
        pk = 1042
        display_name = "Jane <Doe>"

    source = "{% person_name person %}"
    assert shown(source, person=Person()) == "Person 1042"
    assert shown(source, person=Person(), sees_people=True) == "Jane &lt;Doe&gt;"
    assert shown(source, person=None, sees_people=True) == "Anonymous"


def test_a_trend_has_the_same_numbers_as_a_table() -> None:
    points = [TrendPoint("3 Nov", 4), {"label": "10 Nov", "value": 7, "open": True, "marks": ["2.4 <out>"]}]
    chart = shown('{% trend_chart points title="People" %}', points=points)
    table = words(chart[chart.index("<table") :])
    assert table == "People Period People Marks 3 Nov 4 10 Nov (so far) 7 2.4 &lt;out&gt;"


def test_a_chart_without_points_is_drawn_all_the_same() -> None:
    assert "<svg" in shown('{% trend_chart points title="People" %}', points=[])
    assert "none" in shown("{% sparkline weeks %}", weeks=[])


@pytest.mark.parametrize(("value", "top"), [(0, 2), (2, 2), (3, 4), (9, 10), (17, 20), (41, 50), (101, 200)])
def test_axes_end_at_round_numbers(value: float, top: float) -> None:
    assert nice_ceiling(value) == top


class SampleForm(forms.Form):
    name = forms.CharField(help_text="As in lists.")
    agree = forms.BooleanField(required=False)


def test_a_field_ties_label_help_and_error_to_its_control() -> None:
    field = shown("{% field form.name %}", form=SampleForm({}))
    assert '<label class="field-label" for="id_name">' in field
    described = re.search(r'aria-describedby="([^"]+)"', field)
    assert described is not None
    for identifier in described[1].split():
        assert f'id="{identifier}"' in field
    assert 'aria-invalid="true"' in field


def test_each_icon_that_a_page_names_is_in_the_sprite() -> None:
    drawn = set(re.findall(r'<symbol id="([^"]+)"', (ROOT / "static/icons/lucide-1.62.0.svg").read_text()))
    named = {
        term.icon for terms in (vocabulary.KINDS, vocabulary.STATUSES, vocabulary.SOURCES) for term in terms.values()
    }
    named |= {section.icon for section in console.SECTIONS} | {choice.icon for choice in console.THEMES}
    for template in (ROOT / "templates").rglob("*.html"):
        named |= set(re.findall(r'{% icon "([^"]+)"', template.read_text()))
    assert named - drawn == set()


def test_no_template_needs_what_the_security_policy_forbids() -> None:
    forbidden = re.compile(r"\sstyle=|\son[a-z]+=|hx-on|js:|<script(?![^>]*(src=|application/json))", re.IGNORECASE)
    for template in (ROOT / "templates").rglob("*.html"):
        assert not forbidden.search(template.read_text()), template


def test_the_style_guide_renders_every_component(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    page = client.get("/styleguide/?toast=1").content.decode()
    assert page.count("<h1") == 1
    assert "{%" not in page
    assert "{{" not in page


def test_the_rail_shows_the_sections_that_exist_and_marks_where_one_is(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    page = client.get(f"/p/{owner.project.slug}/sources/")
    assert [link.label for link in page.context["navigation"]] == ["Insights", "Sources"]
    assert [link.label for link in page.context["navigation"] if link.active] == ["Sources"]


def test_the_switcher_lists_only_projects_one_may_see(client: Client, owner: Member, stranger: Member) -> None:
    client.force_login(owner.user)
    page = client.get(f"/p/{stranger.project.slug}/insights/")
    assert [entry.slug for entry in page.context["projects"]] == [owner.project.slug]
    assert stranger.project.name not in page.content.decode()


def test_a_chosen_theme_is_in_the_page_as_sent(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    assert "data-theme" not in client.get("/styleguide/").content.decode()
    answer = client.post("/preferences/", {"theme": "dark", "timezone": "Europe/Berlin", "next": "/styleguide/"})
    assert answer.headers["Location"] == "/styleguide/"
    assert 'data-theme="earshot-dark"' in client.get("/styleguide/").content.decode()
    owner.user.refresh_from_db()
    assert owner.user.time_zone == "Europe/Berlin"


def test_preferences_ignore_what_is_not_known_and_never_lead_away(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    answer = client.post("/preferences/", {"theme": "pink", "timezone": "Mars/Base", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
    owner.user.refresh_from_db()
    assert (owner.user.theme, owner.user.time_zone) == ("system", "")


def test_a_toast_carries_its_undo_and_escapes_its_text(client: Client, owner: Member, rf: Any) -> None:
    client.force_login(owner.user)
    page = client.get("/styleguide/?toast=1").content.decode()
    assert '<form method="post" action="/styleguide/">' in page
    note = shown(
        '{% include "components/toast.html" with text=text level="info" undo=undo %}',
        text="<b>",
        undo=_message(),
    )
    assert "&lt;b&gt;" in note
    assert "Undo" not in note


def _message() -> Message:
    return Message(messages.INFO, "<b>")


def test_signing_in_needs_no_script(client: Client, db: None) -> None:
    page = client.get("/accounts/login/").content.decode()
    assert page.count("<h1") == 1
    assert 'name="login"' in page
    assert 'type="submit">Sign in</button>' in page


THEME = re.compile(r'@plugin "daisyui/theme" \{\s*name: "(?P<name>[^"]+)";(?P<body>[^}]+)\}')
COLOUR = re.compile(r"--(?P<name>[a-z0-9-]+): oklch\((?P<l>[\d.]+)% (?P<c>[\d.]+) (?P<h>[\d.]+)\)")


def themes() -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return each theme's colours as linear red, green and blue."""
    source = (ROOT / "frontend/input.css").read_text()
    return {
        theme["name"]: {
            colour["name"]: linear_rgb(float(colour["l"]) / 100, float(colour["c"]), float(colour["h"]))
            for colour in COLOUR.finditer(theme["body"])
        }
        for theme in THEME.finditer(source)
    }


def linear_rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """Convert OKLCH to linear sRGB, clipped to the gamut."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short
    return tuple(min(1.0, max(0.0, part)) for part in (red, green, blue))  # type: ignore[return-value]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def luminance(colour: tuple[float, ...]) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def tinted(colour: tuple[float, ...], ground: tuple[float, ...], share: float) -> tuple[float, ...]:
    """Lay a translucent colour on a ground, the way browsers mix: in gamma-encoded sRGB."""

    def encoded(part: float) -> float:
        return 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055

    def decoded(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return tuple(
        decoded(encoded(top) * share + encoded(below) * (1 - share)) for top, below in zip(colour, ground, strict=True)
    )


@pytest.mark.parametrize("theme", ["earshot-light", "earshot-dark"])
def test_words_can_be_read_in_both_themes(theme: str) -> None:
    colours = themes()[theme]
    grounds = [colours["color-base-100"], colours["color-base-200"]]
    inks = [
        "color-base-content",
        "muted",
        "color-primary",
        "color-info",
        "color-success",
        "color-warning",
        "color-error",
    ]
    kinds = [name for name in colours if name.startswith("kind-")]
    assert len(kinds) == 8
    for ink in inks + kinds:
        for ground in grounds:
            assert contrast(colours[ink], ground) >= 4.5, (theme, ink)
    for kind in kinds:
        assert contrast(colours[kind], tinted(colours[kind], grounds[0], 0.1)) >= 4.5, (theme, kind)
    for fill in ("primary", "neutral", "info", "success", "warning", "error"):
        assert contrast(colours[f"color-{fill}"], colours[f"color-{fill}-content"]) >= 4.5, (theme, fill)
    assert contrast(colours["lit"], colours["lit-text"]) >= 4.5
