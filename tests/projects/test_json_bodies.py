"""JSON bodies that are too deep, too large or cannot be repeated are refused, and never a server error."""

from typing import Any

import pytest
from django.test import Client

from tests.factories import Member, make_insight

SIGN_IN = "/api/token/"


def send(client: Client, url: str, body: bytes | str, **headers: str) -> Any:
    return client.post(url, body, "application/json", headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"a":' * 3_000 + "1" + "}" * 3_000,
        '{"email": ' + "[" * 101 + "]" * 101 + "}",
        '{"email": NaN}',
        b"\xff",
    ],
    ids=["never closed", "deep objects", "a deep list", "not a number", "not UTF-8"],
)
def test_what_cannot_be_worked_with_is_400(client: Client, db: None, body: bytes | str) -> None:
    answer = send(client, SIGN_IN, body)
    assert answer.status_code == 400
    assert "JSON parse error" in answer.json()["detail"]


def test_a_hundred_levels_are_read(client: Client, db: None) -> None:
    answer = send(client, SIGN_IN, '{"email": "a@example.com", "password": ' + "[" * 99 + "]" * 99 + "}")
    assert list(answer.json()) == ["password"]


def test_a_body_beyond_the_limit_is_413(client: Client, db: None, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    assert send(client, SIGN_IN, '{"email": "' + "x" * 1_000 + '"}').status_code == 413


def test_half_a_character_is_refused_in_words_that_can_be_sent(client: Client, owner: Member) -> None:
    insight = make_insight(owner.project)
    url, headers = f"/api/v1/insights/{insight.pk}/", {"Authorization": f"Bearer {owner.token}"}
    answer = client.patch(url, '{"kind": "\\ud800"}', "application/json", headers=headers)
    assert answer.status_code == 400
    assert list(answer.json()["error"]["fields"]) == ["kind"]
