"""A person's e-mail addresses: only one that was confirmed can stand for them."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse

from tests.factories import Member

THEIRS = "somebody.else@example.com"


@pytest.fixture
def console(client: Client, owner: Member) -> Client:
    client.force_login(owner.user)
    client.post(reverse("account_email"), {"action_add": "", "email": THEIRS})
    return client


def make_primary(console: Client, email: str) -> str:
    answer = console.post(reverse("account_email"), {"action_primary": "", "email": email}, follow=True)
    return answer.content.decode()


def test_a_confirmed_address_can_be_made_the_primary_one(console: Client, owner: Member) -> None:
    EmailAddress.objects.filter(email=THEIRS).update(verified=True)
    make_primary(console, THEIRS.upper())
    owner.user.refresh_from_db()
    assert owner.user.email == THEIRS


def test_nobody_takes_the_address_of_somebody_else(console: Client, owner: Member) -> None:
    before = owner.user.email
    assert "Only an address that you have confirmed" in make_primary(console, THEIRS)
    owner.user.refresh_from_db()
    assert owner.user.email == before
