"""The log of requests holds nothing that gives access."""

import pytest
from django.test import Client, RequestFactory

from projects.middleware import RequestLogMiddleware


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/p/acme/sources/", "GET /p/acme/sources/"),
        ("/sources/signed-in/?code=secret-code&state=secret-state", "GET /sources/signed-in/"),
        (
            "/hooks/0190b0c4-7a4e-7cc0-8f00-0123456789ab/kZ3vQ-9f_2aLw8xY7uT5sR4qP1oN6mK0jH/",
            "GET /hooks/0190b0c4-7a4e-7cc0-8f00-0123456789ab/…/",
        ),
    ],
)
def test_queries_and_keys_in_paths_are_not_logged(path: str, logged: str) -> None:
    assert RequestLogMiddleware.format_request(RequestFactory().get(path)) == logged


def test_the_address_of_who_asks_is_not_logged(client: Client, db: None, caplog: pytest.LogCaptureFixture) -> None:
    client.get("/nowhere/", REMOTE_ADDR="203.0.113.77")
    assert "request_finished" in caplog.text
    assert "203.0.113.77" not in caplog.text
