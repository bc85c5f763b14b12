"""Everything that changes projects, members, keys and invitations."""

import logging
import smtplib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import Permission as GrantedPermission
from django.contrib.contenttypes.models import ContentType
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from guardian.models import UserObjectPermission

from config.errors import DomainError
from projects import audit, changes, credentials
from projects.access import forget_grants, require
from projects.models import (
    ApiKey,
    Invitation,
    Membership,
    Organization,
    Project,
    SignInLink,
    TrackedAgent,
    User,
)
from projects.roles import ROLE_PERMISSIONS, Permission, Role

INVITATION_LIFE = timedelta(days=7)
SIGN_IN_LINK_LIFE = timedelta(hours=24)
# What the audit trail may repeat: numbers and names of zones and languages, never what a person wrote.
TOLD_IN_AUDIT: Final = frozenset({"time_zone", "language", "retention_days", "daily_token_budget"})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key together with its secret, which is shown this once."""

    key: ApiKey
    secret: str


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """An invitation with its link; where no mail could be sent, the link is handed on by the inviter."""

    invitation: Invitation
    link: str
    is_mailed: bool


def free_slug(name: str) -> str:
    """Return a slug for `name` that no project has."""
    stem = slugify(name)[:50] or "project"
    slug, number = stem, 1
    while Project.objects.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug


@transaction.atomic
def create_project(name: str, *, owner: User, is_sample: bool = False) -> Project:
    """Create a project in its owner's organization (or a first one), with `owner` as its owner."""
    membership = Membership.objects.filter(user=owner, role=Role.OWNER).select_related("project").first()
    organization = membership.project.organization if membership else Organization.objects.create(name=name[:120])
    project = Project.objects.create(
        organization=organization, name=name[:120], slug=free_slug(name), is_sample=is_sample
    )
    TrackedAgent.objects.create(project=project, name="Assistant")
    grant_role(project, owner, Role.OWNER)
    audit.record("project.created", project, actor=owner, project=project)
    return project


def may_open_project(user: User) -> bool:
    """Tell whether a person may create projects: owners may, operators, and who is in no project at all."""
    roles = set(Membership.objects.filter(user=user).values_list("role", flat=True))
    return user.is_staff or not roles or Role.OWNER in roles


def open_project(name: str, *, actor: User) -> Project:
    """Create a project for a person. Raises DomainError (403) for who is only a member of others' projects."""
    if not may_open_project(actor):
        raise DomainError("Only owners create projects. Ask an owner of yours.", code="permission_denied", status=403)
    return create_project(name, owner=actor)


@transaction.atomic
def change_project(project: Project, *, actor: User, **fields: Any) -> Project:
    """Change a project's settings; a change of time zone moves its days everywhere. Raises DomainError (403)."""
    require(actor, Permission.MANAGE_MEMBERS, project)
    stored: Project = Project.objects.select_for_update().get(pk=project.pk)
    before = {name: getattr(stored, name) for name in fields if getattr(stored, name) != fields[name]}
    if not before:
        return stored
    for name in before:
        setattr(stored, name, fields[name])
    stored.save(update_fields=before)
    told = {name: [old, fields[name]] for name, old in before.items() if name in TOLD_IN_AUDIT}
    audit.record("project.changed", stored, actor=actor, project=stored, fields=sorted(before), **told)
    if "time_zone" in before:
        changes.time_zone_changed(stored)
    return stored


@transaction.atomic
def remove_sample_project(project: Project, *, actor: User) -> None:
    """Delete the sample project with all its rows; its audit trail stays. Raises DomainError for a real one."""
    require(actor, Permission.MANAGE_MEMBERS, project)
    if not project.is_sample:
        raise DomainError("Only the sample project can be removed.", code="not_a_sample")
    # Rows that workers would add meanwhile wait for this lock, and then find no project.
    Project.objects.select_for_update().get(pk=project.pk)
    audit.record("project.removed", project, actor=actor, project=project)
    grants = UserObjectPermission.objects.filter(permission__content_type__app_label=Project._meta.app_label)
    grants.filter(content_type__model=Project._meta.model_name, object_pk=str(project.pk)).delete()
    project.delete()


def grant_role(project: Project, user: User, role: Role) -> Membership:
    """Make `user` a `role` of `project`: the membership and exactly that role's object permissions."""
    with transaction.atomic():
        membership, _ = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
        _let_hold(project, user, ROLE_PERMISSIONS[role])
    return membership


def _let_hold(project: Project, user: User, permissions: frozenset[Permission]) -> None:
    """Make these, and no others, the permissions of a person on a project."""
    kind = ContentType.objects.get_for_model(Project)
    grant = {"user": user, "content_type": kind, "object_pk": str(project.pk)}
    UserObjectPermission.objects.filter(**grant).exclude(permission__codename__in=permissions).delete()
    granted = GrantedPermission.objects.filter(content_type=kind, codename__in=permissions)
    UserObjectPermission.objects.bulk_create(
        [UserObjectPermission(permission=permission, **grant) for permission in granted], ignore_conflicts=True
    )
    forget_grants()


@transaction.atomic
def change_role(membership: Membership, role: Role, *, actor: User) -> Membership:
    """Give a member another role. Raises DomainError for the last owner."""
    require(actor, Permission.MANAGE_MEMBERS, membership.project)
    before = membership.role
    if before == Role.OWNER and role != Role.OWNER:
        _refuse_last_owner(membership)
    changed = grant_role(membership.project, membership.user, role)
    audit.record("member.role_changed", membership.user, actor=actor, project=membership.project, old=before, new=role)
    return changed


@transaction.atomic
def remove_member(membership: Membership, *, actor: User) -> None:
    """Take a member's grants and tokens of this project away. Raises DomainError for the last owner."""
    require(actor, Permission.MANAGE_MEMBERS, membership.project)
    if membership.role == Role.OWNER:
        _refuse_last_owner(membership)
    _let_hold(membership.project, membership.user, frozenset())
    ApiKey.objects.filter(project=membership.project, user=membership.user, revoked_at=None).update(
        revoked_at=timezone.now()
    )
    audit.record("member.removed", membership.user, actor=actor, project=membership.project)
    membership.delete()


def _refuse_last_owner(membership: Membership) -> None:
    owners = Membership.objects.select_for_update().filter(project=membership.project, role=Role.OWNER)
    if len(owners) == 1:
        raise DomainError("A project needs an owner. Make somebody else one first.", code="last_owner")


def issue_project_key(project: Project, name: str) -> IssuedKey:
    """Make an API key and secret for programs that send feedback."""
    secret = credentials.make_project_key()
    return _issue(secret, project=project, kind=ApiKey.Kind.PROJECT, name=name)


def issue_agent_key(agent: TrackedAgent, name: str) -> IssuedKey:
    """Make a key by which the users of `agent` are heard."""
    secret = credentials.make_agent_key()
    return _issue(secret, project=agent.project, kind=ApiKey.Kind.AGENT, name=name, agent=agent)


def issue_personal_token(user: User, project: Project, name: str) -> IssuedKey:
    """Make a bearer token that may do in `project` what `user` may."""
    secret = credentials.make_personal_token()
    return _issue(secret, project=project, kind=ApiKey.Kind.PERSONAL, name=name, user=user)


def _issue(
    secret: credentials.Secret,
    *,
    project: Project,
    kind: ApiKey.Kind,
    name: str,
    user: User | None = None,
    agent: TrackedAgent | None = None,
) -> IssuedKey:
    key = ApiKey.objects.create(
        project=project,
        kind=kind,
        name=name[:120],
        public=secret.public,
        secret_hash=secret.hashed,
        user=user,
        agent=agent,
    )
    return IssuedKey(key, secret.shown)


@transaction.atomic
def create_key(project: Project, kind: ApiKey.Kind, name: str, *, actor: User) -> IssuedKey:
    """Make a key by hand: a token of one's own needs only sight of the project, the others its owner."""
    if kind == ApiKey.Kind.PERSONAL:
        require(actor, Permission.VIEW, project)
        issued = issue_personal_token(actor, project, name)
    else:
        require(actor, Permission.MANAGE_MEMBERS, project)
        if kind == ApiKey.Kind.AGENT:
            issued = issue_agent_key(project.tracked_agents.order_by("pk")[0], name)
        else:
            issued = issue_project_key(project, name)
    audit.record("key.created", issued.key, actor=actor, project=project, kind=kind)
    return issued


@transaction.atomic
def revoke_key(key: ApiKey, *, actor: User) -> None:
    """End a key at once: one's own token, or any as who manages members."""
    if key.user_id != actor.pk:
        require(actor, Permission.MANAGE_MEMBERS, key.project)
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    audit.record("key.revoked", key, actor=actor, project=key.project, kind=key.kind)


def invite(project: Project, email: str, role: Role, *, actor: User) -> SentInvitation:
    """Offer `email` a role, by mail; an open offer to the same person is replaced.

    Raises DomainError where the person is a member already.
    """
    require(actor, Permission.MANAGE_MEMBERS, project)
    email = email.strip().lower()
    if Membership.objects.filter(project=project, user__email__iexact=email).exists():
        raise DomainError(f"{email} is a member already.", code="already_member")
    token = credentials.make_link_token()
    with transaction.atomic():
        Invitation.objects.filter(project=project, email=email, accepted_at=None).delete()
        invitation = Invitation.objects.create(
            project=project,
            email=email,
            role=role,
            token_hash=token.hashed,
            invited_by=actor,
            expires_at=timezone.now() + INVITATION_LIFE,
        )
        audit.record("member.invited", invitation, actor=actor, project=project, role=role)
    link = settings.SITE_URL + reverse("accept_invitation", args=[token.shown])
    return SentInvitation(invitation, link, is_mailed=_mail_invitation(invitation, link))


def _mail_invitation(invitation: Invitation, link: str) -> bool:
    """Say whether the mail server took the invitation."""
    if not settings.EMAIL_HOST:
        return False
    context = {"invitation": invitation, "role": Role(invitation.role).label, "link": link}
    subject = f"[Earshot] Join {' '.join(invitation.project.name.split())}"
    try:
        send_mail(subject, render_to_string("projects/mail/invitation.txt", context), None, [invitation.email])
    except (OSError, smtplib.SMTPException) as error:
        logger.warning("Invitation %s was not mailed: %s", invitation.pk, type(error).__name__)
        return False
    return True


def find_invitation(token: str) -> Invitation:
    """Return the open invitation of a token. Raises DomainError (404) where there is none."""
    invitation: Invitation | None = (
        Invitation.objects.filter(token_hash=credentials.digest(token), accepted_at=None, expires_at__gt=timezone.now())
        .select_related("project")
        .first()
    )
    if invitation is None:
        raise DomainError(
            "This invitation has been used, taken back, or is older than seven days. Ask for another.",
            code="invitation_gone",
            status=404,
        )
    return invitation


@transaction.atomic
def accept_invitation(invitation: Invitation, user: User) -> Membership:
    """Make the invited person a member. Raises DomainError for another e-mail, a member, and who is too late."""
    if user.email.lower() != invitation.email.lower():
        raise DomainError(
            f"This invitation is for {invitation.email}. Sign in as that person.",
            code="wrong_person",
            status=403,
        )
    if Membership.objects.filter(project=invitation.project, user=user).exists():
        raise DomainError("You are a member of this project already.", code="already_member")
    taken = Invitation.objects.filter(pk=invitation.pk, accepted_at=None).update(accepted_at=timezone.now())
    if not taken:
        raise DomainError("This invitation has been used.", code="invitation_gone", status=404)
    membership = grant_role(invitation.project, user, Role(invitation.role))
    audit.record("member.joined", user, actor=user, project=invitation.project, role=invitation.role)
    return membership


@transaction.atomic
def join_with_account(invitation: Invitation, *, name: str, password: str) -> User:
    """Make the invited person's account and membership. Raises DomainError where the e-mail has an account."""
    if User.objects.filter(email__iexact=invitation.email).exists():
        raise DomainError("You have an account already. Sign in to join.", code="account_exists")
    user = User.objects.create_user(invitation.email, password, name=name)
    accept_invitation(invitation, user)
    return user


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, actor: User) -> None:
    """Take an invitation back."""
    require(actor, Permission.MANAGE_MEMBERS, invitation.project)
    audit.record("member.invitation_withdrawn", invitation, actor=actor, project=invitation.project)
    invitation.delete()


def make_sign_in_link(user: User) -> str:
    """Return the path of a link that signs `user` in once within a day."""
    token = credentials.make_link_token()
    SignInLink.objects.create(user=user, token_hash=token.hashed, expires_at=timezone.now() + SIGN_IN_LINK_LIFE)
    return reverse("sign_in_link", args=[token.shown])


def use_sign_in_link(token: str) -> User:
    """Return the person a link signs in, spending it. Raises DomainError (404) for a spent or unknown one."""
    spent = SignInLink.objects.filter(token_hash=credentials.digest(token), used_at=None, expires_at__gt=timezone.now())
    link = spent.select_related("user").first()
    if link is None or not spent.filter(pk=link.pk).update(used_at=timezone.now()):
        raise DomainError(
            "This link has been used or is too old. Sign in with your password.", code="link_gone", status=404
        )
    return link.user
