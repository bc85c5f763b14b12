"""The audit trail of a project, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_GET
from rest_framework.request import Request

from projects import audit
from projects.models import ApiKey, AuditEvent, User
from projects.pages import ProjectRequest, project_page
from projects.pagination import page_of
from projects.roles import Permission
from projects.settings_tabs import render_settings


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in words."""

    when: datetime
    actor: str
    verb: str
    target: str
    details: str


@require_GET
@project_page(Permission.MANAGE_MEMBERS)
def audit_trail(request: ProjectRequest) -> HttpResponse:
    """Show a page of what people, programs and the product itself did here."""
    rows = AuditEvent.objects.filter(project_id=request.project.pk)
    events, following = page_of(rows, Request(request), order=("created_at", "id"), kinds=(datetime, int))
    context = {
        "page_title": "Audit",
        "entries": _entries(events),
        "next": following,
        "is_first": "cursor" not in request.GET,
    }
    return render_settings(request, "projects/settings/audit.html", context)


def _entries(events: Sequence[AuditEvent]) -> list[Entry]:
    people = {event.actor_id for event in events} | _targets(events, "user")
    names = {person.pk: str(person) for person in User.objects.filter(pk__in=[pk for pk in people if pk])}
    keys = dict(ApiKey.objects.filter(pk__in=_targets(events, "apikey")).values_list("pk", "name"))
    return [
        Entry(
            when=event.created_at,
            actor=names.get(event.actor_id or 0, "Somebody who left" if event.actor_id else "Earshot"),
            verb=audit.label(event.verb),
            target=_target(event, names, keys),
            details=_details(event.details),
        )
        for event in events
    ]


def _targets(events: Sequence[AuditEvent], kind: str) -> set[int]:
    return {int(event.target_id) for event in events if event.target_type == kind and event.target_id.isdecimal()}


def _target(event: AuditEvent, names: dict[int, str], keys: dict[int, str]) -> str:
    named = {"user": names, "apikey": keys}.get(event.target_type, {})
    if event.target_id.isdecimal() and int(event.target_id) in named:
        return named[int(event.target_id)]
    return "" if event.target_type == "project" else f"{event.target_type} {event.target_id}"


def _details(details: dict[str, Any]) -> str:
    told = dict(details)
    if "old" in told and "new" in told:
        return f"{_word(told.pop('old'))} → {_word(told.pop('new'))}"
    return " · ".join(f"{name.replace('_', ' ')}: {_word(value)}" for name, value in told.items())


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_word(each) for each in value)
    return "none" if value is None else str(value).replace("_", " ")
