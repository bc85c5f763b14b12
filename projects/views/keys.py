"""Keys of programs and a person's own tokens: made, shown once, revoked."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from config.errors import DomainError
from projects import services
from projects.console import toast
from projects.forms import KeyForm
from projects.models import ApiKey
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.settings_tabs import render_settings

SECTIONS: Final = (
    (ApiKey.Kind.PROJECT, "API keys", "Programs that send feedback or delete people use a key with its secret."),
    (ApiKey.Kind.AGENT, "Agent keys", "The users of your AI assistant are heard through an agent key."),
    (ApiKey.Kind.PERSONAL, "Your tokens", "A token may do in this project what you may. Only you see yours."),
)

REVOCATION_EFFECTS: Final = ("What uses it is refused from the next request on.", "It cannot be brought back.")


@require_GET
@project_page(Permission.VIEW)
def keys(request: ProjectRequest) -> HttpResponse:
    """List the person's tokens and, for owners, the project's keys."""
    return _page(request)


# The secret goes straight into this one answer: kept for a page after a redirect, it would have to be stored.
@never_cache
@require_POST
@project_page(Permission.VIEW)
def create_key(request: ProjectRequest) -> HttpResponse:
    """Make a key and show its secret, this once."""
    form = KeyForm(request.POST)
    if not form.is_valid():
        if "kind" in form.errors:
            raise DomainError("There is no such kind of key.", code="unknown_kind")
        return _page(request, refused=form, status=422)
    kind = ApiKey.Kind(form.cleaned_data["kind"])
    issued = services.create_key(request.project, kind, form.cleaned_data["name"], actor=request.user)
    return _page(request, issued=issued)


@require_POST
@project_page(Permission.VIEW)
def revoke_key(request: ProjectRequest, pk: int) -> HttpResponse:
    """End a key at once."""
    key = get_object_or_404(_seen(request), pk=pk, revoked_at=None)
    services.revoke_key(key, actor=request.user)
    toast(request, f"“{key.name}” is revoked: it is refused from now on.")
    return redirect("settings_keys", slug=request.project.slug)


def _seen(request: ProjectRequest) -> Any:
    """A person's own tokens and, for owners, the keys that belong to nobody."""
    every = ApiKey.objects.visible_to(request.user).filter(project=request.project)
    own = every.filter(user=request.user)
    return own | every.filter(user=None) if Permission.MANAGE_MEMBERS in request.permissions else own


def _page(
    request: ProjectRequest,
    *,
    issued: services.IssuedKey | None = None,
    refused: KeyForm | None = None,
    status: int = 200,
) -> HttpResponse:
    stored = list(_seen(request).order_by("-created_at", "-pk"))
    refused_kind = refused.data["kind"] if refused else None
    sections = [
        {
            "kind": kind,
            "title": title,
            "text": text,
            "live": [key for key in stored if key.kind == kind and key.revoked_at is None],
            "revoked": [key for key in stored if key.kind == kind and key.revoked_at is not None],
            "effects": REVOCATION_EFFECTS,
            "form": refused if kind == refused_kind else KeyForm(initial={"kind": kind}, auto_id=f"{kind}_%s"),
        }
        for kind, title, text in SECTIONS
        if kind == ApiKey.Kind.PERSONAL or Permission.MANAGE_MEMBERS in request.permissions
    ]
    context = {"page_title": "Keys", "sections": sections, "issued": issued, "site_url": settings.SITE_URL}
    return render_settings(request, "projects/settings/keys.html", context, status=status)
