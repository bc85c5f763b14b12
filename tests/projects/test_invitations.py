"""Invitations: offered by mail or by hand, accepted once by the one they are for, withdrawn."""

import re
import smtplib
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from projects import services
from projects.models import AuditEvent, Invitation, Membership, Project, User
from projects.roles import Permission, Role
from tests.factories import Member, make_user

PASSWORD = "seven unrelated words"
ACCOUNT = {"name": "Grace", "password": PASSWORD}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def console(owner: Member) -> Client:
    return signed_in(owner.user)


@pytest.fixture
def mail_server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.example"


def invite(owner: Member, email: str = "grace@example.org", role: Role = Role.EDITOR) -> str:
    """Invite somebody; return the path of the link."""
    link = services.invite(owner.project, email, role, actor=owner.user).link
    return "/" + link.split("/", 3)[3]


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


@pytest.mark.usefixtures("mail_server")
def test_an_invited_person_joins_with_an_account_of_their_own(
    console: Client, owner: Member, mailoutbox: list[Any]
) -> None:
    form = {"email": " Grace@Example.org ", "role": "editor"}
    answer = console.post(reverse("member_invite", args=[owner.project.slug]), form, follow=True)
    assert "on its way to grace@example.org" in words(answer)
    assert mailoutbox[0].to == ["grace@example.org"]
    assert "as Editor" in mailoutbox[0].body
    link = re.search(r"https?://[^/]+(/join/\S+)", mailoutbox[0].body)
    assert link is not None

    visitor = Client()
    page = words(visitor.get(link[1]))
    assert owner.project.name in page
    assert "corrects insights" in page
    answer = visitor.post(link[1], ACCOUNT)
    assert answer.headers["Location"] == f"/p/{owner.project.slug}/"
    grace = User.objects.get(email="grace@example.org")
    assert grace.name == "Grace"
    assert owner.project in Project.objects.visible_to(grace, Permission.EDIT_INSIGHTS)
    assert visitor.get(reverse("settings_general", args=[owner.project.slug])).status_code == 200
    assert visitor.login(email="grace@example.org", password=PASSWORD)


def test_a_link_works_once(owner: Member) -> None:
    link = invite(owner)
    Client().post(link, ACCOUNT)
    assert Client().get(link).status_code == 404
    assert Client().post(link, ACCOUNT).status_code == 404


def test_a_link_takes_nothing_from_who_has_become_a_member_meanwhile(owner: Member) -> None:
    link = invite(owner, role=Role.VIEWER)
    grace = User.objects.create_user("grace@example.org", PASSWORD)
    services.grant_role(owner.project, grace, Role.OWNER)
    answer = signed_in(grace).post(link)
    assert answer.status_code == 400
    assert "a member of this project already" in words(answer)
    assert Membership.objects.get(user=grace).role == Role.OWNER


def test_a_link_ends_after_a_week(owner: Member) -> None:
    link = invite(owner)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = Client().get(link)
    assert answer.status_code == 404
    assert "older than seven days" in words(answer)


def test_a_made_up_link_leads_nowhere(db: None) -> None:
    assert Client().get("/join/not-a-token").status_code == 404


def test_a_withdrawn_invitation_ends_its_link(console: Client, owner: Member) -> None:
    link = invite(owner)
    page = console.get(reverse("settings_members", args=[owner.project.slug]))
    assert "grace@example.org" in words(page)
    invitation = Invitation.objects.get(email="grace@example.org")
    url = reverse("invitation_withdraw", args=[owner.project.slug, invitation.pk])
    assert "is withdrawn" in words(console.post(url, follow=True))
    assert Client().get(link).status_code == 404
    assert AuditEvent.objects.filter(verb="member.invitation_withdrawn", actor_id=owner.user.pk).exists()


def test_inviting_again_replaces_the_earlier_link(owner: Member) -> None:
    first = invite(owner, role=Role.VIEWER)
    second = invite(owner, role=Role.EDITOR)
    assert Client().get(first).status_code == 404
    Client().post(second, ACCOUNT)
    assert Membership.objects.get(user__email="grace@example.org").role == Role.EDITOR


def test_without_a_mail_server_the_link_is_shown_to_hand_on(console: Client, owner: Member) -> None:
    form = {"email": "grace@example.org", "role": "viewer"}
    page = console.post(reverse("member_invite", args=[owner.project.slug]), form).content.decode()
    link = re.search(r"https?://[^/]+(/join/[\w-]+)", page)
    assert link is not None
    assert Client().get(link[1]).status_code == 200
    again = console.get(reverse("settings_members", args=[owner.project.slug])).content.decode()
    assert link[1] not in again


@pytest.mark.usefixtures("mail_server")
def test_a_mail_server_that_refuses_leaves_the_invitation_and_shows_its_link(
    console: Client, owner: Member, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"

    def refuse(*_args: Any, **_options: Any) -> None:
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    monkeypatch.setattr(smtplib, "SMTP", refuse)
    form = {"email": "grace@example.org", "role": "viewer"}
    page = console.post(reverse("member_invite", args=[owner.project.slug]), form)
    assert "No mail went out to grace@example.org." in words(page)
    assert Invitation.objects.filter(email="grace@example.org").exists()


def test_who_has_an_account_signs_in_to_join(owner: Member) -> None:
    grace = make_user(email="grace@example.org")
    link = invite(owner)
    page = Client().get(link).content.decode()
    assert f"{reverse('account_login')}?next={link}" in page
    assert Client().post(link, ACCOUNT).status_code == 400
    assert not Membership.objects.filter(user=grace).exists()
    theirs = signed_in(grace)
    assert "Join the project" in words(theirs.get(link))
    assert theirs.post(link).status_code == 302
    assert Membership.objects.get(user=grace).role == Role.EDITOR


def test_somebody_else_cannot_take_an_invitation(owner: Member) -> None:
    link = invite(owner)
    mallory = signed_in(make_user(email="mallory@example.org"))
    assert "signed in as somebody else" in words(mallory.get(link))
    assert mallory.post(link).status_code == 403
    assert not Membership.objects.filter(user__email="mallory@example.org").exists()


@pytest.mark.parametrize("password", ["short", "password1234", "grace@example.org"])
def test_a_password_that_is_easy_to_guess_makes_no_account(owner: Member, password: str) -> None:
    answer = Client().post(invite(owner), {"name": "Grace", "password": password})
    assert answer.status_code == 422
    assert not User.objects.filter(email="grace@example.org").exists()


def test_a_member_is_not_invited_again(console: Client, owner: Member, viewer: Member) -> None:
    form = {"email": viewer.user.email.upper(), "role": "owner"}
    answer = console.post(reverse("member_invite", args=[owner.project.slug]), form)
    assert answer.status_code == 422
    assert "is a member already" in words(answer)


def test_invitations_of_another_project_cannot_be_withdrawn(console: Client, owner: Member, stranger: Member) -> None:
    link = invite(stranger)
    invitation = Invitation.objects.get(project=stranger.project)
    url = reverse("invitation_withdraw", args=[owner.project.slug, invitation.pk])
    assert console.post(url).status_code == 404
    assert Client().get(link).status_code == 200


def test_only_a_hash_of_the_link_is_stored(owner: Member) -> None:
    token = invite(owner).removeprefix("/join/")
    stored = Invitation.objects.filter(email="grace@example.org").values().get()
    assert token not in str(stored)


def test_the_page_of_an_invitation_is_not_kept_by_browsers(owner: Member) -> None:
    assert "no-store" in Client().get(invite(owner)).headers["Cache-Control"]
