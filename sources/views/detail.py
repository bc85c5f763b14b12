"""The page of one source, and what is done to it there."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.timesince import timesince
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from projects.console import toast
from projects.models import ApiKey
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import arrivals, effects, endpoints, received, services
from sources.forms import SourceForm
from sources.health import Health, health_of
from sources.models import Source
from sources.querysets import UNDO_PERIOD
from sources.views.accounting import attempts, figures, steps
from sources.views.curl import first_item
from sources.views.lookups import address, may_manage, source_of

IMPORTS_SHOWN = 20
EFFECT_WORDS = {
    "items": ("piece of feedback", "pieces of feedback"),
    "parts": ("turn in their conversations", "turns in their conversations"),
    "mentions": ("mention in insights", "mentions in insights"),
    "insights": ("insight that loses all its evidence", "insights that lose all their evidence"),
}


@require_GET
@project_page(Permission.VIEW)
def source_page(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show a source; a deleted one says how to bring it back."""
    source = source_of(request, pk)
    if source.status == Source.Status.DELETED:
        return render(request, "sources/deleted.html", _deleted_context(request, source))
    return _page(request, source, SourceForm(instance=source))


def _page(request: ProjectRequest, source: Source, form: SourceForm, status: int = 200) -> HttpResponse:
    context = _status_context(request, source) | {
        "page_title": source.name,
        "form": form,
        "manages": may_manage(request),
        "imports": source.imports.newest_first()[:IMPORTS_SHOWN],
        "takes_uploads": source.kind in (Source.Kind.FILE, Source.Kind.TEXT),
    }
    if source.kind == Source.Kind.WEBHOOK:
        context |= _webhook_context(request, source)
    return render(request, "sources/detail.html", context, status=status)


def _deleted_context(request: ProjectRequest, source: Source) -> dict[str, Any]:
    until = source.deleted_at + UNDO_PERIOD if source.deleted_at else None
    return {"page_title": source.name, "source": source, "until": until, "manages": may_manage(request)}


def _status_context(request: ProjectRequest, source: Source) -> dict[str, Any]:
    """What changes by itself: it is asked for again while the first item, or the analysis, is awaited."""
    awaits_first = source.kind == Source.Kind.WEBHOOK and not source.count.received and source.takes_feedback
    takes_requests = source.kind == Source.Kind.WEBHOOK
    health = health_of(source) if source.kind == Source.Kind.CONNECTOR else None
    is_read = health is not None and health.next_run is not None and (health.is_reading or health.is_due)
    return {
        "health": health,
        "overdue": _overdue(health) if health else "",
        "source": source,
        "lists_requests": takes_requests,
        "requests": received.newest(source) if takes_requests else [],
        "figures": steps(request.project, source) if health else figures(request.project, source.count, source),
        "attempts": attempts(source.count),
        "arrivals": arrivals.newest(source),
        "awaits_first": awaits_first,
        "polls": awaits_first or source.count.waiting > 0 or is_read,
    }


def _overdue(health: Health) -> str:
    read = health.connection.succeeded_at
    lag = f"All of it was last read {timesince(read, depth=1)} ago." if read else "It has not been read to its end yet."
    return f"{lag} " + (f"The last try said: {health.last_error}" if health.last_error else "Is a worker running?")


def _webhook_context(request: ProjectRequest, source: Source) -> dict[str, Any]:
    keys = ApiKey.objects.visible_to(request.user, Permission.MANAGE_SOURCES)
    key = keys.filter(project=request.project, kind=ApiKey.Kind.PROJECT, revoked_at=None).order_by("-pk").first()
    return {"key": key, "curl": first_item(settings.SITE_URL, source, key), "site_url": settings.SITE_URL}


@require_GET
@project_page(Permission.VIEW)
def source_status(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Answer the part of the page that changes by itself."""
    return render(request, "sources/_status.html", _status_context(request, source_of(request, pk)))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def change_source(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Rename a source or say what it is for."""
    source = source_of(request, pk)
    form = SourceForm(request.POST, instance=source_of(request, pk))
    if not form.is_valid():
        return _page(request, source, form, status=422)
    services.change_source(source, actor=request.user, **form.cleaned_data)
    toast(request, "Saved.")
    return redirect(address("source", request, pk))


def _back(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Go back to the list where that was the place of the button, else to the source."""
    if request.POST.get("next") == "list":
        return redirect(address("source_list", request))
    return redirect(address("source", request, pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def pause_source(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Stop taking feedback."""
    source = source_of(request, pk)
    services.pause_source(source, actor=request.user)
    toast(request, f"“{source.name}” is paused.", undo_url=address("source_resume", request, pk))
    return _back(request, pk)


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def resume_source(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Take feedback again."""
    source = source_of(request, pk)
    services.resume_source(source, actor=request.user)
    toast(request, f"“{source.name}” takes feedback again.")
    return _back(request, pk)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def delete_source(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Say in numbers what deleting removes, and do it once the source's name is typed."""
    source = source_of(request, pk)
    is_confirmed = " ".join(request.POST.get("confirmation", "").split()) == " ".join(source.name.split())
    if request.method == "POST" and is_confirmed:
        services.delete_source(source, actor=request.user)
        toast(request, f"“{source.name}” is deleted.", undo_url=address("source_restore", request, pk))
        return redirect(address("source_list", request))
    context = {
        "page_title": f"Delete “{source.name}”?",
        "source": source,
        "effects": [
            (count, EFFECT_WORDS.get(name, (name, name))) for name, count in effects.preview(source).items() if count
        ],
        "typed": " ".join(source.name.split()),
        "mistyped": request.method == "POST",
        "days": UNDO_PERIOD.days,
    }
    return render(request, "sources/delete.html", context, status=422 if request.method == "POST" else 200)


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def restore_source(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Bring a deleted source back with everything that came from it."""
    source = source_of(request, pk)
    services.restore_source(source, actor=request.user)
    toast(request, f"“{source.name}” is back.")
    return redirect(address("source", request, pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def close_hook(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Take nothing more at the address to which an application, or a program, sends requests."""
    source = source_of(request, pk)
    endpoints.close_endpoint(source, actor=request.user)
    toast(request, "The address is closed.")
    page = "source_signed" if source.kind == Source.Kind.WEBHOOK else "source_connection"
    return redirect(address(page, request, pk))
