"""Foreign JSON on its way into a source: REST lists that are read, and signed requests that are sent here."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.errors import DomainError
from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import credentials, endpoints, received
from sources.connecting import change_connection, connect, secrets_for
from sources.connectors.configured import REST
from sources.generic_forms import MappingForm, RestForm, SampleForm, mapping_values, rest_mapping, rest_values
from sources.generic_mapping import mapping_in
from sources.mappings import Trial, first_answer, read_sample, save_mapping, try_mapping, written_sample
from sources.models import Connection, Source, WebhookEndpoint
from sources.signing import BODY, signed_example, signed_request
from sources.views.lookups import address, source_of, submitted

# Reads the example that the page shows how to send.
EXAMPLE_MAPPING = {"map_body": "text", "map_unique_id": "id", "map_author": "user.name"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """A mapping beside a sample: what it makes of it, or why nothing can be made of it."""

    mapping: MappingForm
    sample: SampleForm
    trial: Trial | None = None
    problem: str = ""


def _attempt(mapping: MappingForm, sample: SampleForm) -> Attempt:
    """Try what can be read of a mapping on a sample."""
    mapping.is_valid()
    text = sample.cleaned_data.get("sample", "") if sample.is_bound and sample.is_valid() else ""
    text = text or (sample.initial.get("sample", "") if not sample.is_bound else "")
    if not text.strip():
        return Attempt(mapping, sample)
    try:
        return Attempt(mapping, sample, try_mapping(read_sample(text), mapping.mapping))
    except DomainError as error:
        return Attempt(mapping, sample, problem=error.message)


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def generic_preview(request: ProjectRequest) -> HttpResponse:
    """Answer what the expressions that are typed make of the sample; nothing is stored."""
    shown = _attempt(MappingForm(request.POST), SampleForm(request.POST))
    return render(request, "sources/_generic_preview.html", {"shown": shown})


# REST lists ------------------------------------------------------------------------------------------------------


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def rest_add(request: ProjectRequest) -> HttpResponse:
    """Describe a REST list, try it, and connect it."""
    return _rest_page(request, None)


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def rest_change(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Change how a connected REST list is read; a source that reads none has its own page."""
    source = source_of(request, pk)
    if source.application != REST or source.status == Source.Status.DELETED:
        return redirect(address("source", request, pk))
    return _rest_page(request, source)


def _rest_page(request: ProjectRequest, source: Source | None) -> HttpResponse:
    connection = Connection.objects.get(source=source) if source else None
    stored = credentials.unseal(connection.secrets) if connection else {}
    initial = rest_values(connection.settings) | {"name": source.name} if source and connection else {}
    data = submitted(request)
    form = RestForm(data, initial=initial, stored=frozenset(stored))
    mapping = MappingForm(data, initial=initial or {"map_unique_id": "id"})
    context = {"page_title": "Any REST API", "form": form, "source": source}
    if data is None:
        return _render_rest(request, context, Attempt(mapping, SampleForm()))
    if "fetch" in data:
        return _fetched(request, context, form, mapping, connection)
    shown = _attempt(mapping, SampleForm(data))
    if "save" not in data or not form.is_valid() or not mapping.is_valid():
        return _render_rest(request, context, shown, status=422 if "save" in data else 200)
    return _saved(request, context, form, shown)


def _fetched(
    request: ProjectRequest, context: dict[str, Any], form: RestForm, mapping: MappingForm, before: Connection | None
) -> HttpResponse:
    form.is_valid()
    settings, typed = form.given()
    stored, given_for = (credentials.unseal(before.secrets), before.settings) if before else ({}, {})
    try:
        secrets = secrets_for(REST, settings, typed, stored=stored, given_for=given_for)
        sample = written_sample(first_answer(settings, secrets))
    except DomainError as error:
        shown = _attempt(mapping, SampleForm(request.POST))
        return _render_rest(request, context | {"failure": error.message}, shown, status=422)
    return _render_rest(request, context, _attempt(mapping, SampleForm(initial={"sample": sample})))


def _saved(request: ProjectRequest, context: dict[str, Any], form: RestForm, shown: Attempt) -> HttpResponse:
    settings, typed = form.given()
    described = settings | rest_mapping(shown.mapping.mapping)
    source: Source | None = context["source"]
    name = form.cleaned_data["name"]
    try:
        if source is None:
            source = connect(request.project, REST, name, actor=request.user, settings=described, secrets=typed)
        else:
            change_connection(source, actor=request.user, settings=described, secrets=typed)
    except DomainError as error:
        return _render_rest(request, context | {"failure": error.message}, shown, status=422)
    toast(request, f"“{source.name}” is read within a minute.")
    return redirect(address("source", request, source.pk))


def _render_rest(
    request: ProjectRequest, context: dict[str, Any], shown: Attempt, *, status: int = 200
) -> HttpResponse:
    return render(request, "sources/generic_rest.html", context | {"shown": shown}, status=status)


# Signed requests -------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def signed_webhook(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Say how signed requests to a source are read, and show how to send one."""
    source = _webhook(request, pk)
    data = submitted(request)
    mapping = MappingForm(data, initial=mapping_values(mapping_in(source.settings)) or EXAMPLE_MAPPING)
    shown = _attempt(mapping, SampleForm(data, initial={"sample": BODY}))
    if data is None or "save" not in data:
        return _render_signed(request, source, _with_initial(mapping, shown) if data is None else shown)
    if not mapping.is_valid():
        return _render_signed(request, source, shown, status=422)
    save_mapping(source, mapping.mapping, actor=request.user)
    toast(request, "Saved. What is sent from now on is read like this.")
    return redirect(address("source_signed", request, pk))


def _with_initial(mapping: MappingForm, shown: Attempt) -> Attempt:
    """Try a form that nobody has sent yet as if it were sent as it stands."""
    values = QueryDict(mutable=True)
    values.update({name: str(value) for name, value in mapping.initial.items()})
    return Attempt(mapping, shown.sample, _attempt(MappingForm(values), shown.sample).trial)


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def signed_open(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Give the source an address, or its address another secret, and show the secret this once."""
    source = _webhook(request, pk)
    secret = endpoints.open_endpoint(source, actor=request.user)
    mapping = MappingForm(initial=mapping_values(mapping_in(source.settings)) or EXAMPLE_MAPPING)
    shown = _with_initial(mapping, Attempt(mapping, SampleForm(initial={"sample": BODY})))
    answer = _render_signed(request, source, shown, secret=secret)
    answer["Cache-Control"] = "no-store"
    return answer


@require_GET
@project_page(Permission.VIEW)
def source_requests(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Answer the newest requests of a source; the list asks for itself again while the first item is awaited."""
    source = source_of(request, pk)
    return render(request, "sources/_requests.html", requests_context(source))


def requests_context(source: Source) -> dict[str, Any]:
    """Return what the list of the newest requests shows."""
    return {
        "source": source,
        "requests": received.newest(source),
        "awaits_item": not source.count.received and source.takes_feedback,
    }


def _webhook(request: ProjectRequest, pk: UUID) -> Source:
    source = source_of(request, pk)
    if source.kind != Source.Kind.WEBHOOK or source.status == Source.Status.DELETED:
        raise Http404("This source takes no signed requests.")
    return source


def _render_signed(
    request: ProjectRequest, source: Source, shown: Attempt, *, secret: str = "", status: int = 200
) -> HttpResponse:
    endpoint = WebhookEndpoint.objects.filter(source=source).first()
    url = endpoints.address_of(source)
    context = requests_context(source) | {
        "page_title": "Signed requests",
        "shown": shown,
        "endpoint": endpoint,
        "has_mapping": mapping_in(source.settings) is not None,
        "address": url,
        "secret": secret,
        "command": signed_request(url, secret) if secret else signed_request(url),
        "example": signed_example(secret, timestamp=int(timezone.now().timestamp())) if secret else None,
    }
    return render(request, "sources/generic_signed.html", context, status=status)
