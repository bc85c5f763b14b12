"""What is done to a connection that exists: changed, tried, read now or again, given a webhook address."""

from datetime import date
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from config.errors import DomainError
from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import connecting, credentials, drafts, endpoints, oauth
from sources.connection_forms import ConnectionForm
from sources.connectors.configured import REST
from sources.connectors.spec import Connector
from sources.drafts import Draft
from sources.models import Source
from sources.views.connecting import answer_words, connector_or_404, leave, preview_context, redirect_uri
from sources.views.lookups import address, source_of


def _connected(request: ProjectRequest, pk: UUID) -> Source:
    """Return a source that has a connection. Raises Http404."""
    source = source_of(request, pk)
    if source.status == Source.Status.DELETED or not hasattr(source, "connection"):
        raise Http404("No such connection.")
    return source


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def connection_page(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show what can be changed; save it, try it, or sign in again with it."""
    source = _connected(request, pk)
    if source.application == REST:
        return redirect(address("source_rest", request, pk))
    connector = connector_or_404(source.application)
    stored = _stored_names(source)
    form = ConnectionForm(
        request.POST if request.method == "POST" else None,
        connector=connector,
        given=source.connection.settings,
        known=stored,
        initial={"every": source.connection.every},
    )
    if request.method == "POST" and form.is_valid():
        try:
            return _submitted(request, source, connector, form)
        except DomainError as error:
            form.add_error(None, error.message)
    return _page(request, source, connector, form, status=422 if request.method == "POST" else 200)


def _stored_names(source: Source) -> list[str]:
    try:
        return list(credentials.unseal(source.connection.secrets))
    except DomainError:
        return []


def _page(
    request: ProjectRequest, source: Source, connector: Connector, form: ConnectionForm, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "page_title": f"Connection of “{source.name}”",
        "source": source,
        "connector": connector,
        "form": form,
        "redirect_uri": redirect_uri(),
        "has_app": oauth.operator_client(connector.kind) is not None,
        **endpoint_context(source),
        **more,
    }
    return render(request, "sources/connection.html", context, status=status)


def endpoint_context(source: Source) -> dict[str, Any]:
    """What a page says of the address at which a source's application pushes."""
    kind = endpoints.kind_of(source)
    if not kind:
        return {}
    return {
        "instruction": endpoints.INSTRUCTIONS[kind],
        "endpoint": getattr(source, "endpoint", None),
        "endpoint_url": endpoints.address_of(source),
    }


def _submitted(request: ProjectRequest, source: Source, connector: Connector, form: ConnectionForm) -> HttpResponse:
    # How far back to read is no field here: it stays as it is, and so does what only tests set.
    values = source.connection.settings | form.settings
    if "sign_in" in request.POST:
        draft = Draft(kind=connector.kind, project=request.project.pk, source=source.pk, settings=values)
        draft.keep_secrets({name: form.secrets.get(name, "") for name in ("client_id", "client_secret")})
        if not draft.sealed and not oauth.operator_client(connector.kind):
            stored = credentials.stored(source.pk)
            draft.keep_secrets({name: stored.get(name, "") for name in ("client_id", "client_secret")})
        drafts.keep(request.session, draft)
        return leave(request, connector, draft)
    if "try" in request.POST:
        seen = connecting.try_connection(source, actor=request.user, settings=values, secrets=form.secrets)
        return _page(request, source, connector, form, answered=answer_words(connector, seen), **preview_context(seen))
    every = form.cleaned_data["every"]
    connecting.change_connection(source, actor=request.user, settings=values, secrets=form.secrets, every=every)
    toast(request, "Saved. The application is read soon.")
    return redirect(address("source", request, source.pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def read_now(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Have the application read with the next round."""
    source = _connected(request, pk)
    connecting.read_now(source, actor=request.user)
    toast(request, f"“{source.name}” is read within a minute.")
    return redirect(address("source", request, pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def read_again(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Read the application again from a day on."""
    source = _connected(request, pk)
    try:
        since = date.fromisoformat(request.POST.get("since", ""))
    except ValueError as error:
        raise DomainError("Choose the day from which to read again.", code="bad_date") from error
    connecting.read_again(source, since, actor=request.user)
    toast(request, f"“{source.name}” is read again from {since:%-d %B %Y}. What is stored already stays.")
    return redirect(address("source", request, pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def open_hook(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Make an address for the application to push to, and show its secret this once."""
    source = _connected(request, pk)
    secret = endpoints.open_endpoint(source, actor=request.user, secret=request.POST.get("secret", ""))
    instruction = endpoints.INSTRUCTIONS[endpoints.kind_of(source)]
    context = {
        "page_title": "Webhook address",
        "source": source,
        "instruction": instruction,
        "endpoint_url": endpoints.address_of(source, secret),
        "secret": "" if instruction.given or endpoints.kind_of(source) == "trustpilot" else secret,
        "site_url": settings.SITE_URL,
    }
    response = render(request, "sources/hook.html", context)
    response["Cache-Control"] = "no-store"
    return response
