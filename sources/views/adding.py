"""Adding a source: the three ways in, the catalogue, and asking for what is not in it."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import services
from sources.connectors.catalogue import Entry, catalogue
from sources.forms import SourceForm, SourceRequestForm
from sources.models import Source, SourceRequest
from sources.views.lookups import address, is_fragment, may_manage, sources_of, submitted


@dataclass(frozen=True, slots=True)
class Card:
    """An application of the catalogue, and how far this project is with it."""

    entry: Entry
    sources: list[Source]
    is_requested: bool


@require_http_methods(["GET"])
@project_page(Permission.VIEW)
def add_source(request: ProjectRequest) -> HttpResponse:
    """Offer the ways in; `?q=` and `?tag=` narrow the catalogue."""
    query, tag = request.GET.get("q", "").strip(), request.GET.get("tag", "")
    entries = catalogue()
    context = {
        "page_title": "Add a source",
        "cards": _cards(request, [entry for entry in entries if _matches(entry, query, tag)]),
        "tags": sorted({each for entry in entries for each in entry.tags}),
        "tag": tag,
        "query": query,
        "manages": may_manage(request),
    }
    return render(request, "sources/_catalogue.html" if is_fragment(request) else "sources/add.html", context)


def _matches(entry: Entry, query: str, tag: str) -> bool:
    words = f"{entry.title} {entry.summary} {' '.join(entry.tags)}".lower()
    return (not tag or tag in entry.tags) and all(word in words for word in query.lower().split())


def _cards(request: ProjectRequest, entries: list[Entry]) -> list[Card]:
    connected: dict[str, list[Source]] = {}
    for source in sources_of(request).listed().filter(kind=Source.Kind.CONNECTOR):
        connected.setdefault(source.application, []).append(source)
    asked = SourceRequest.objects.visible_to(request.user).filter(project=request.project)
    requested = {name.lower() for name in asked.values_list("application", flat=True)}
    return [Card(entry, connected.get(entry.kind, []), entry.title.lower() in requested) for entry in entries]


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def add_webhook(request: ProjectRequest) -> HttpResponse:
    """Add a source that programs send to."""
    form = SourceForm(submitted(request), initial={"name": "Webhook"})
    if form.is_valid():
        source = services.add_source(request.project, Source.Kind.WEBHOOK, actor=request.user, **form.cleaned_data)
        return redirect(address("source", request, source.pk))
    context = {"page_title": "Webhook or API", "form": form}
    return render(request, "sources/webhook.html", context, status=422 if request.method == "POST" else 200)


@require_http_methods(["GET", "POST"])
@project_page(Permission.VIEW)
def request_source(request: ProjectRequest) -> HttpResponse:
    """Take down which application somebody misses."""
    form = SourceRequestForm(submitted(request), initial={"application": request.GET.get("application", "")})
    if form.is_valid():
        asked = services.request_source(request.project, actor=request.user, **form.cleaned_data)
        toast(request, f"Your request for {asked.application} is noted.")
        return redirect(address("source_add", request))
    asked_before = SourceRequest.objects.visible_to(request.user).filter(project=request.project)
    context = {
        "page_title": "Request a new source",
        "form": form,
        "requests": asked_before.select_related("requested_by").order_by("-created_at")[:20],
    }
    return render(request, "sources/request.html", context, status=422 if request.method == "POST" else 200)
