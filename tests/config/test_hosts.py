"""Requests for hosts that are not ours."""

import pytest
from django.test import Client


@pytest.mark.django_db
def test_a_foreign_host_is_a_400_and_no_server_error() -> None:
    client = Client(raise_request_exception=False)
    assert client.get("/account/login/", headers={"host": "evil.example"}).status_code == 400
