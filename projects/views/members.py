"""Who is in a project, as what, and who is invited."""

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.errors import DomainError
from projects import services
from projects.console import toast
from projects.forms import InvitationForm, RoleForm
from projects.models import Invitation, Membership
from projects.pages import ProjectRequest, project_page
from projects.roles import ROLE_PERMISSIONS, ROLE_SUMMARIES, Permission, Role
from projects.settings_tabs import render_settings

PERMISSION_WORDS: Final = {
    Permission.VIEW: "Read insights and feedback",
    Permission.MANAGE: "Review answers",
    Permission.EDIT_INSIGHTS: "Correct insights",
    Permission.MANAGE_SOURCES: "Manage sources",
    Permission.MANAGE_PRIVACY: "Delete people's data",
    Permission.MANAGE_MEMBERS: "Manage members, keys and settings",
    Permission.VIEW_PERSONAL_DATA: "See who said it",
}

REMOVAL_EFFECTS: Final = ("Their next request is refused.", "Their tokens for this project are revoked.")


@require_GET
@project_page(Permission.VIEW)
def members(request: ProjectRequest) -> HttpResponse:
    """List members with their roles, and open invitations for who may invite."""
    return _page(request, InvitationForm())


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def invite_member(request: ProjectRequest) -> HttpResponse:
    """Invite somebody; where no mail goes out, show the link to hand on."""
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        sent = services.invite(
            request.project, form.cleaned_data["email"], Role(form.cleaned_data["role"]), actor=request.user
        )
    except DomainError as error:
        form.add_error("email", error.message)
        return _page(request, form, status=422)
    if not sent.is_mailed:
        return _page(request, InvitationForm(), sent=sent)
    toast(request, f"An invitation is on its way to {sent.invitation.email}.")
    return redirect("settings_members", slug=request.project.slug)


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def withdraw_invitation(request: ProjectRequest, pk: int) -> HttpResponse:
    """Take an invitation back: its link stops working at once."""
    invitation = get_object_or_404(_open_invitations(request), pk=pk)
    services.withdraw_invitation(invitation, actor=request.user)
    toast(request, f"The invitation of {invitation.email} is withdrawn.")
    return redirect("settings_members", slug=request.project.slug)


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def change_role(request: ProjectRequest, pk: int) -> HttpResponse:
    """Give a member another role."""
    membership = _membership(request, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        raise DomainError("There is no such role.", code="unknown_role")
    changed = services.change_role(membership, Role(form.cleaned_data["role"]), actor=request.user)
    toast(request, f"{membership.user} is {Role(changed.role).label} now.")
    return redirect("settings_members", slug=request.project.slug)


@require_POST
@project_page(Permission.MANAGE_MEMBERS)
def remove_member(request: ProjectRequest, pk: int) -> HttpResponse:
    """Take a member out of the project."""
    membership = _membership(request, pk)
    services.remove_member(membership, actor=request.user)
    toast(request, f"{membership.user} is no longer in this project.")
    if membership.user_id == request.user.pk:
        return redirect("home")
    return redirect("settings_members", slug=request.project.slug)


def _membership(request: ProjectRequest, pk: int) -> Membership:
    memberships = Membership.objects.visible_to(request.user, Permission.MANAGE_MEMBERS)
    return get_object_or_404(memberships.filter(project=request.project).select_related("user", "project"), pk=pk)


def _open_invitations(request: ProjectRequest) -> Any:
    invitations = Invitation.objects.visible_to(request.user, Permission.MANAGE_MEMBERS)
    return invitations.filter(project=request.project, accepted_at=None, expires_at__gt=timezone.now())


def _page(
    request: ProjectRequest,
    form: InvitationForm,
    *,
    sent: services.SentInvitation | None = None,
    status: int = 200,
) -> HttpResponse:
    manages = Permission.MANAGE_MEMBERS in request.permissions
    memberships = request.project.memberships.select_related("user").order_by("user__name", "user__email")
    context = {
        "page_title": "Members",
        "form": form,
        "sent": sent,
        "manages": manages,
        "members": memberships,
        "sole_owner": _sole_owner(memberships),
        "invitations": _open_invitations(request).select_related("invited_by").order_by("-created_at"),
        "roles": [_described(role) for role in Role],
        "effects": REMOVAL_EFFECTS,
    }
    return render_settings(request, "projects/settings/members.html", context, status=status)


def _sole_owner(memberships: Any) -> int | None:
    owners = [each.pk for each in memberships if each.role == Role.OWNER]
    return owners[0] if len(owners) == 1 else None


def _described(role: Role) -> dict[str, Any]:
    held = ROLE_PERMISSIONS[role]
    return {
        "value": role.value,
        "label": role.label,
        "summary": ROLE_SUMMARIES[role],
        "may": [words for permission, words in PERMISSION_WORDS.items() if permission in held],
    }
