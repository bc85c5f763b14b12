"""A cursor that is none of ours is refused, whatever is in it."""

import base64

import pytest
from django.test import Client

from tests.factories import Member


@pytest.mark.parametrize(
    "held", [b"", b"[" * 5_000, b"[1]", b'["\\u0000", 1]', b'["\\ud800", 1]', b"\xff", b'{"a": 1}']
)
def test_a_made_up_cursor_is_400(client: Client, owner: Member, held: bytes) -> None:
    cursor = base64.urlsafe_b64encode(held).decode()
    headers = {"Authorization": f"Bearer {owner.token}"}
    for listed in ("items", "insights"):
        answer = client.get(f"/api/v1/{listed}/", {"cursor": cursor or "="}, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_cursor")
