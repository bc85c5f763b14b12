"""Template tags of the console: icons, badges, numbers, times, quotes, charts and form fields."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from django import forms, template
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm, BoundField
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from projects import charts
from projects.console import UNDO_TAG
from projects.quotes import excerpt, lit_segments
from projects.vocabulary import KINDS, SOURCES, STATUSES, Term, term

register = template.Library()

SPRITE: Final = "icons/lucide-1.62.0.svg"


@register.simple_tag
def icon(name: str, *, label: str = "", size: str = "") -> SafeString:
    """Draw an icon of the sprite; without a label it is hidden from screen readers. Sizes: lg, xl, spin."""
    return _drawn_icon(name, label, size)


# A list page draws hundreds of icons, nearly all of them the same few.
@lru_cache(maxsize=512)
def _drawn_icon(name: str, label: str, size: str) -> SafeString:
    described = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="{}" {}><use href="{}#{}"></use></svg>',
        f"icon icon-{size}" if size else "icon",
        described,
        static(SPRITE),
        name,
    )


@register.simple_tag
def key(keys: str) -> SafeString:
    """Show a shortcut such as "g i" as one key cap for each stroke."""
    caps = format_html_join("", '<kbd class="key">{}</kbd>', ((stroke,) for stroke in keys.split()))
    return format_html('<span class="keys">{}</span>', caps)


@register.simple_tag
def kind_badge(kind: str, *, look: str = "tint") -> SafeString:
    """Show a kind as icon and word; look "plain" has no tint, "icon" only names it on hover and aloud."""
    shown = term(KINDS, kind)
    if look == "icon":
        return format_html(
            '<span class="kind kind-{}" title="{}">{}</span>',
            kind,
            shown.word,
            icon(shown.icon, label=shown.word),
        )
    css = "kind kind-tint" if look == "tint" else "kind"
    return format_html('<span class="{} kind-{}">{}{}</span>', css, kind, icon(shown.icon), shown.word)


@register.simple_tag
def status_pill(status: str, word: str = "") -> SafeString:
    """Show a status as icon, word and tone; `word` replaces the usual one."""
    shown = term(STATUSES, status)
    return format_html('<span class="pill tone-{}">{}{}</span>', shown.tone, icon(shown.icon), word or shown.word)


@register.simple_tag
def source_icon(kind: str, name: str = "") -> SafeString:
    """Draw the icon of a type of source, named for screen readers and on hover."""
    shown = term(SOURCES, kind)
    label = name or shown.word
    return format_html('<span class="sources" title="{}">{}</span>', label, icon(shown.icon, label=label))


@register.simple_tag
def source_icons(kinds: Iterable[str], limit: int = 4) -> SafeString:
    """Draw the icons of several types of source, and "+n" for those past the limit."""
    shown = [term(SOURCES, kind) for kind in kinds]
    drawn = format_html_join("", "{}", ((icon(each.icon, label=each.word),) for each in shown[:limit]))
    more = f"+{len(shown) - limit}" if len(shown) > limit else ""
    return format_html(
        '<span class="sources" title="{}">{}{}</span>', ", ".join(each.word for each in shown), drawn, more
    )


@register.filter
def status_word(status: str) -> str:
    return term(STATUSES, status).word


@register.filter
def source_word(kind: str) -> str:
    return term(SOURCES, kind).word


@register.simple_tag
def vocabulary(name: str) -> Mapping[str, Term]:
    """Return all terms of "kinds", "statuses" or "sources", to build filters and legends from."""
    return {"kinds": KINDS, "statuses": STATUSES, "sources": SOURCES}[name]


@register.filter
def number(value: float | None) -> str:
    """Write a number with thousands separators; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


@register.filter
def compact(value: int | None) -> str:
    """Write a count in little room: 940, 1.2k, 38k, 1.4M."""
    if value is None:
        return "–"
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if abs(value) >= size:
            scaled = value / size
            return f"{scaled:.0f}{letter}" if abs(scaled) >= 10 else f"{scaled:.1f}".removesuffix(".0") + letter
    return str(value)


@register.filter
def percent(share: float | None, digits: int = 0) -> str:
    """Write a share between 0 and 1 as a percentage."""
    return "–" if share is None else f"{share * 100:.{digits}f}%"


@register.filter
def amount(value: int, nouns: str) -> str:
    """Write a count with its noun: `{{ 2|amount:"person,people" }}` is "2 people"."""
    singular, _, plural = nouns.partition(",")
    return f"{value:,} {singular if value == 1 else plural or singular + 's'}"


@register.simple_tag
def change(difference: int | None, *, versus: str = "the period before") -> SafeString:
    """Show a difference as arrow and word; None means that there was nothing to compare with."""
    css, name, word = _change_terms(difference)
    title = f"compared with {versus}" if difference is not None else f"nothing in {versus}"
    return format_html('<span class="change {}" title="{}">{}{}</span>', css, title, icon(name), word)


def _change_terms(difference: int | None) -> tuple[str, str, str]:
    if difference is None:
        return "change-new", "sparkles", "new"
    if difference > 0:
        return "change-up", "trending-up", f"up {difference:,}"
    if difference < 0:
        return "change-down", "trending-down", f"down {-difference:,}"
    return "change-same", "move-right", "no change"


@register.inclusion_tag("components/stat_row.html")
def stat_row(people: int, accounts: int, mentions: int, **extra: Any) -> dict[str, Any]:
    """Show the three counts that belong together, and with `change=n` their change."""
    return {
        "people": people,
        "accounts": accounts,
        "mentions": mentions,
        "has_change": "change" in extra,
        **extra,
    }


@register.simple_tag
def ago(when: datetime | None, *, missing: str = "never") -> SafeString:
    """Show how long ago something was; the exact time is in the title, and the page keeps it fresh."""
    if when is None:
        return format_html('<span class="text-muted">{}</span>', missing)
    return format_html(
        '<time datetime="{}" title="{}" data-ago>{}</time>',
        when.isoformat(),
        date_format(timezone.localtime(when), "j M Y, H:i T"),
        ago_words(when, timezone.now()),
    )


def ago_words(when: datetime, now: datetime) -> str:
    """Say how long before `now` something was; past a week, say the day."""
    seconds = (now - when).total_seconds()
    if seconds < -60:
        return date_format(timezone.localtime(when), "j M Y, H:i")
    for limit, unit, word in ((60, 0, "just now"), (3_600, 60, "min ago"), (86_400, 3_600, "h ago")):
        if seconds < limit:
            return f"{int(seconds // unit)} {word}" if unit else word
    days = int(seconds // 86_400)
    if days < 7:
        return "1 day ago" if days == 1 else f"{days} days ago"
    return day_words(timezone.localtime(when).date(), timezone.localtime(now).date())


@register.simple_tag
def day(when: datetime | date | None, *, missing: str = "–") -> SafeString:
    """Show a date: "3 Nov" in this year, "3 Nov 2024" otherwise."""
    if when is None:
        return format_html("{}", missing)
    shown = timezone.localtime(when).date() if isinstance(when, datetime) else when
    return format_html('<time datetime="{}">{}</time>', shown.isoformat(), day_words(shown, timezone.localdate()))


def day_words(shown: date, today: date) -> str:
    return date_format(shown, "j M" if shown.year == today.year else "j M Y")


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Write a length of time in its two largest units: "2 min 5 s"."""
    if value is None:
        return "–"
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else value)
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2]) or "0 s"


@register.simple_tag(takes_context=True)
def person_name(context: Context, person: Any, *, missing: str = "Anonymous") -> str:
    """Name a person, or only number them unless the page's `sees_people` says that the reader may know."""
    if person is None:
        return missing
    if not context.get("sees_people"):
        return f"Person {person.pk}"
    return str(getattr(person, "display_name", "") or person)


@register.filter
def initials(name: str) -> str:
    """Return up to two letters for an avatar."""
    words = [word for word in name.replace("@", " ").replace(".", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.simple_tag
def lit(body: str, spans: Iterable[Any]) -> SafeString:
    """Show the whole body with the given spans lit; a span has `start` and `end`, or is a pair of them."""
    return _marked(lit_segments(body, spans))


@register.inclusion_tag("components/quote.html")
def quote(body: str, start: int, end: int, *, around: int = 160, **details: Any) -> dict[str, Any]:
    """Show the exact words from `start` to `end`, lit, with about `around` characters on either side.

    Details, all optional: by, account, plan, source, source_name, when, url, link, language, confidence,
    anchor, number.
    """
    before, words, after = excerpt(body, start, end, around)
    return {"before": before, "words": words, "after": after, **details}


def _marked(segments: Iterable[tuple[str, bool]]) -> SafeString:
    pieces = (
        format_html('<mark class="lit">{}</mark>', text) if is_lit else format_html("{}", text)
        for text, is_lit in segments
    )
    return format_html_join("", "{}", ((piece,) for piece in pieces))


@register.simple_tag
def sparkline(values: Sequence[float], *, label: str = "by week") -> SafeString:
    """Draw a small bar for each value, the last one accented."""
    return _drawn_sparkline(tuple(values), label)


# A list draws one a row, and the same ones again until somebody says something.
@lru_cache(maxsize=2048)
def _drawn_sparkline(values: tuple[float, ...], label: str) -> SafeString:
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="{}" height="{}" rx="1"></rect>',
        ((bar.x, bar.y, bar.width, bar.height) for bar in charts.sparkline(values)),
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}: {}">{}</svg>',
        charts.SPARK_WIDTH,
        charts.SPARK_HEIGHT,
        label,
        ", ".join(f"{value:g}" for value in values) or "none",
        bars,
    )


@register.inclusion_tag("components/trend.html")
def trend_chart(
    points: Iterable[charts.TrendPoint | Mapping[str, Any]], *, title: str, unit: str = "people"
) -> dict[str, Any]:
    """Draw a bar for each point and give the same numbers as a table; mappings hold TrendPoint's fields."""
    drawn = [point if isinstance(point, charts.TrendPoint) else charts.TrendPoint(**point) for point in points]
    return {"trend": charts.trend(drawn), "title": title, "unit": unit}


_CONTROL_CLASSES: Final = (
    (forms.CheckboxInput, "checkbox checkbox-sm", "check"),
    (forms.RadioSelect, "", "options"),
    (forms.CheckboxSelectMultiple, "", "options"),
    (forms.Textarea, "textarea", "line"),
    (forms.Select, "select", "line"),
    (forms.FileInput, "file-input", "line"),
)


@register.inclusion_tag("components/field.html")
def field(bound: BoundField, *, label: str = "", rows: int = 0, placeholder: str = "") -> dict[str, Any]:
    """Show a form field: label, control, help and errors, tied together for screen readers."""
    css, layout = _control(bound)
    attrs: dict[str, Any] = {"class": css} if css else {}
    if rows:
        attrs["rows"] = rows
    if placeholder:
        attrs["placeholder"] = placeholder
    return {
        "field": bound,
        "control": bound.as_widget(attrs=attrs),
        "layout": layout,
        "label": label or bound.label,
    }


def _control(bound: BoundField) -> tuple[str, str]:
    own = bound.field.widget.attrs.get("class", "")
    for widget, css, layout in _CONTROL_CLASSES:
        if isinstance(bound.field.widget, widget):
            return f"{css} {own}".strip(), layout
    return f"input {own}".strip(), "line"


@register.inclusion_tag("components/form_fields.html")
def form_fields(form: BaseForm) -> dict[str, Any]:
    """Show a whole form's errors and fields; the button and the token stay with the page."""
    return {"form": form}


_MESSAGE_TONES: Final = {"success": "good", "warning": "warn", "error": "bad"}


@register.filter
def notice_tone(level: str) -> str:
    """Return the tone of a message's level."""
    return _MESSAGE_TONES.get(level, "info")


@register.filter
def button_tone(tags: Sequence[str] | None) -> str:
    """Return the button class for the tags that the sign-in pages give a button."""
    given = set(tags or ())
    if given & {"danger", "delete"}:
        return "btn-error"
    if given & {"cancel", "link"}:
        return "btn-quiet"
    return "" if given & {"secondary", "outline"} else "btn-primary"


@register.filter
def undo_url(message: Message) -> str:
    """Return the address that undoes what a message reports, if it carries one."""
    tags = (message.extra_tags or "").split()
    return next((tag.removeprefix(UNDO_TAG) for tag in tags if tag.startswith(UNDO_TAG)), "")
