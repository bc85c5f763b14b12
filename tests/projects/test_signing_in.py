"""Signing in: by password with a throttle, by a link once, with a second factor; and what ends with a grant."""

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from guardian.shortcuts import remove_perm

from projects import services
from projects.models import SignInLink
from tests.factories import Member

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def no_earlier_attempts(db: None) -> None:
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": email, "password": password})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_person_signs_in_with_e_mail_and_password(client: Client, owner: Member) -> None:
    assert sign_in(client, owner.user.email.upper()).headers["Location"] == "/"
    assert is_signed_in(client)
    client.post(reverse("account_logout"))
    assert not is_signed_in(client)


def test_wrong_password_and_unknown_person_read_alike(client: Client, owner: Member) -> None:
    wrong, unknown = sign_in(client, owner.user.email, "no"), sign_in(client, "nobody@example.com", "no")
    said = "The email address and/or password you specified are not correct."
    assert said in words(wrong)
    assert said in words(unknown)


def test_the_ninth_attempt_is_refused_even_with_the_right_password(
    client: Client, owner: Member, viewer: Member, settings: Any
) -> None:
    settings.AXES_ENABLED = True
    for _ in range(8):
        sign_in(client, owner.user.email, "wrong password")
    ninth = sign_in(client, owner.user.email)
    assert ninth.status_code == 429
    assert "Too many wrong passwords" in words(ninth)
    assert not is_signed_in(client)
    assert sign_in(client, viewer.user.email).status_code == 302
    by_token = client.post("/api/token/", {"email": owner.user.email, "password": PASSWORD}, "application/json")
    assert by_token.status_code == 401


def test_a_name_too_long_to_note_is_a_wrong_one(client: Client, db: None, settings: Any) -> None:
    settings.AXES_ENABLED = True
    name = f"{'9' * 400}@example.com"
    assert sign_in(client, name).status_code == 200
    assert client.post("/api/token/", {"email": name, "password": PASSWORD}, "application/json").status_code == 401


def test_who_has_no_account_is_told_so_by_mail_alone(client: Client, owner: Member, mailoutbox: list[Any]) -> None:
    known, unknown = (
        client.post(reverse("account_reset_password"), {"email": email})
        for email in (owner.user.email, "nobody@example.com")
    )
    assert (known.status_code, known.headers["Location"]) == (unknown.status_code, unknown.headers["Location"])
    to_known, to_nobody = mailoutbox
    assert "/account/password/reset/key/" in to_known.body
    assert "no account with this address" in to_nobody.body
    assert "http" not in to_nobody.body


def test_an_open_sign_up_form_does_not_exist(client: Client) -> None:
    answer = client.get(reverse("account_signup"))
    assert "form method" not in answer.content.decode()


def test_a_sign_in_link_works_once_and_only_by_its_button(client: Client, owner: Member) -> None:
    link = services.make_sign_in_link(owner.user)
    assert "This link signs you in once." in words(client.get(link))
    assert not is_signed_in(client)
    assert client.post(link).headers["Location"] == "/"
    assert is_signed_in(client)
    other = Client()
    assert other.post(link).status_code == 404
    assert not is_signed_in(other)


def test_a_sign_in_link_ends_after_a_day(client: Client, owner: Member) -> None:
    link = services.make_sign_in_link(owner.user)
    SignInLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert client.post(link).status_code == 404
    assert link.rsplit("/", 1)[1] not in str(list(SignInLink.objects.values()))


def test_the_page_of_a_sign_in_link_is_named(client: Client, owner: Member) -> None:
    page = client.get(services.make_sign_in_link(owner.user)).content.decode()
    assert "<title>Sign in · Earshot</title>" in page
    assert page.count("<h1") == 1


def test_a_second_factor_is_set_up_without_mail(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    start = client.get(reverse("mfa_activate_totp"))
    page = client.post(start.headers["Location"], {"password": PASSWORD}, follow=True)
    assert page.request["PATH_INFO"] == reverse("mfa_activate_totp")
    assert page.context["form"].secret in page.content.decode()


def test_a_second_factor_is_asked_for(client: Client, owner: Member, settings: Any) -> None:
    settings.MFA_TOTP_TOLERANCE = 1  # the code may be asked for in the next half minute
    secret = "JBSWY3DPEHPK3PXP"
    TOTP.activate(owner.user, secret)
    answer = sign_in(client, owner.user.email)
    assert answer.headers["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(client)
    assert 'class="entrance' in client.get(reverse("mfa_authenticate")).content.decode()
    assert client.post(reverse("mfa_authenticate"), {"code": "000000"}).status_code == 200
    assert not is_signed_in(client)
    code = format_hotp_value(hotp_value(secret, list(yield_hotp_counters_from_time())[1]))
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert is_signed_in(client)
    assert Authenticator.objects.filter(user=owner.user, last_used_at__isnull=False).exists()


def test_a_persons_own_pages_are_reached_from_their_menu(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    page = client.get(reverse("settings_general", args=[owner.project.slug])).content.decode()
    for name in ("profile", "account_email", "mfa_index"):
        assert f'href="{reverse(name)}"' in page
        own = client.get(reverse(name), follow=True).content.decode()
        assert 'aria-label="Your account"' in own
        assert '<a href="/">Your projects</a>' in own


def test_without_a_provider_the_page_of_single_sign_on_says_so(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    page = client.get(reverse("socialaccount_connections")).content.decode()
    assert "<title>Single sign-on · Earshot</title>" in page
    assert "This installation has no single sign-on." in page


def test_a_closed_account_is_out_at_its_next_request(client: Client, owner: Member) -> None:
    client.force_login(owner.user)
    address = reverse("settings_general", args=[owner.project.slug])
    assert client.get(address).status_code == 200
    owner.user.is_active = False
    owner.user.save()
    assert client.get(address).status_code == 302
    assert Client().get("/api/v1/sources/", headers=owner.headers).status_code == 401


def test_without_the_grant_the_very_next_request_fails(client: Client, viewer: Member) -> None:
    client.force_login(viewer.user)
    address = reverse("settings_general", args=[viewer.project.slug])
    assert client.get(address).status_code == 200
    assert client.get("/api/v1/sources/", headers=viewer.headers).status_code == 200
    remove_perm("feedback.view", viewer.user, viewer.project)
    assert client.get(address).status_code == 404
    assert client.get("/api/v1/sources/", headers=viewer.headers).status_code == 404


def test_a_cookie_alone_changes_nothing(owner: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner.user)
    answer = client.post(reverse("create_project"), {"name": "Forged"})
    assert answer.status_code == 403
