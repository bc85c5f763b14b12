"""JSON web tokens: given for a password, accepted as a bearer, and ended with it."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from pytest_django import Settings
from rest_framework_simplejwt.tokens import AccessToken

from tests.factories import Member

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


def obtain(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/api/token/", {"email": email, "password": password}, "application/json")


def statistics(client: Client, token: str) -> Any:
    return client.get("/feedback/admin/stats", headers={"Authorization": f"Bearer {token}"})


def test_a_password_gives_a_token_that_opens_the_surface(client: Client, owner: Member) -> None:
    tokens = obtain(client, owner.user.email)
    assert tokens.status_code == 200
    assert statistics(client, tokens.json()["access"]).status_code == 200


def test_the_refresh_token_gives_another_and_opens_nothing_itself(client: Client, owner: Member) -> None:
    refresh = obtain(client, owner.user.email).json()["refresh"]
    again = client.post("/api/token/refresh/", {"refresh": refresh}, "application/json")
    assert statistics(client, again.json()["access"]).status_code == 200
    assert statistics(client, refresh).status_code == 401


def test_a_wrong_password_and_an_unknown_person_read_alike(client: Client, owner: Member) -> None:
    for answer in (obtain(client, owner.user.email, "wrong"), obtain(client, "nobody@example.com")):
        assert answer.status_code == 401
        assert answer.json()["detail"] == "No active account found with the given credentials"


def test_a_changed_password_ends_earlier_tokens(client: Client, owner: Member) -> None:
    token = obtain(client, owner.user.email).json()["access"]
    owner.user.set_password("another good passphrase")
    owner.user.save()
    assert statistics(client, token).status_code == 401


def test_a_second_factor_is_not_walked_around(client: Client, owner: Member) -> None:
    Authenticator.objects.create(user=owner.user, type=Authenticator.Type.TOTP, data={"secret": "x"})
    answer = obtain(client, owner.user.email)
    assert answer.status_code == 401
    assert "personal token" in answer.json()["detail"]


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_token_that_was_touched_opens_nothing(client: Client, owner: Member, part: int) -> None:
    words = str(AccessToken.for_user(owner.user)).split(".")
    words[part] = words[part][:-2] + ("AA" if words[part][-2:] != "AA" else "BB")
    assert statistics(client, ".".join(words)).status_code == 401


def test_guessing_locks_the_account_for_a_while_and_no_other(
    client: Client, owner: Member, viewer: Member, settings: Settings
) -> None:
    settings.AXES_ENABLED = True
    for _ in range(settings.AXES_FAILURE_LIMIT):
        obtain(client, owner.user.email, "wrong")
    assert obtain(client, owner.user.email).status_code == 401
    assert obtain(client, viewer.user.email).status_code == 200


def test_an_address_that_guesses_at_many_accounts_has_to_wait(client: Client, owner: Member) -> None:
    assert {obtain(client, f"person{number}@example.com").status_code for number in range(10)} == {401}
    refused = obtain(client, owner.user.email)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "60")
    elsewhere = {"email": owner.user.email, "password": PASSWORD}
    assert client.post("/api/token/", elsewhere, "application/json", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_right_passwords_are_not_counted(client: Client, owner: Member) -> None:
    assert {obtain(client, owner.user.email).status_code for _ in range(12)} == {200}


def test_a_closed_account_gets_no_token(client: Client, owner: Member) -> None:
    owner.user.is_active = False
    owner.user.save()
    assert obtain(client, owner.user.email).status_code == 401
