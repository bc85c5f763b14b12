"""What the feedback list says where it has no rows: why, and what to do next."""

from typing import Any

from django.urls import reverse

from feedback_ingest.views.query import ListQuery
from projects.roles import Permission
from sources.querysets import Accounting

Nothing = dict[str, Any]

# Icon, words, hint, and the tab to go on to with its label.
TABS: dict[str, tuple[str, str, str, str | None, str]] = {
    "unread": ("check-check", "Everything is read.", "What arrives next is listed here.", None, "All feedback"),
    "read": ("eye", "Nothing is read yet.", "An item counts as read once it was opened.", "unread", "What is unread"),
    "archived": ("archive", "Nothing is archived.", "Archive with e what needs no more attention; insights keep it.",
                 None, "All feedback"),
    "set_aside": ("circle-dashed", "Nothing is set aside.", "What gives no insight comes here with the reason.",
                  None, "All feedback"),
    "dead": ("circle-check", "No analysis failed.", "What fails three times comes here, to be tried again.",
             None, "All feedback"),
    "waiting": ("check", "Nothing waits.", "Everything that was received is analysed.", None, "All feedback"),
}  # fmt: skip


def explain(query: ListQuery, accounting: Accounting) -> Nothing:
    """Return what the empty list says, for `components/empty.html`."""
    if query.form.chosen:
        return _no_match(query)
    if not accounting.received:
        return _nothing_received(query)
    if query.after or query.before:
        return _said("inbox", "Nothing more here.", "", ("First page", query.url()))
    icon, text, hint, tab, label = TABS[query.name or "unread"]
    return _said(icon, text, hint, (label, query.url(tab=tab)))


def _no_match(query: ListQuery) -> Nothing:
    chosen = query.form.chosen
    if len(chosen) > 1:
        return _said("search", "Nothing matches all filters.", "Remove one above.", ("Clear filters", query.clear_url))
    (only,) = chosen
    text = f"Nothing matches {only.name.lower()} “{only.value}” in this view."
    elsewhere = [("Look in all feedback", query.url(tab=None))] if query.name else []
    return _said("search", text, "", *elsewhere, ("Remove the filter", query.clear_url))


def _nothing_received(query: ListQuery) -> Nothing:
    slug, manages = query.request.project.slug, Permission.MANAGE_SOURCES in query.request.permissions
    if query.vocabulary.sources:
        hint = "The page of each source says what it waits for."
        return _said(
            "inbox", "Nothing was received yet.", hint, ("See the sources", reverse("source_list", args=[slug]))
        )
    if manages:
        hint = "Connect a source, upload a file or paste text; every piece of it is listed here."
        return _said("inbox", "No feedback yet.", hint, ("Add a source", reverse("source_add", args=[slug])))
    return _said("inbox", "No feedback yet.", "A source admin or an owner of this project can add a source.")


def _said(icon: str, text: str, hint: str, *actions: tuple[str, str]) -> Nothing:
    return {
        "name": icon,
        "text": text,
        "hint": hint,
        "actions": [{"label": label, "url": url} for label, url in actions],
    }
