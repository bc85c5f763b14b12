"""Whatever character set a request names, it is read as UTF-8."""

from typing import Any

import pytest
from django.test import RequestFactory

from config.wsgi import application


@pytest.mark.parametrize("charset", ["rot13", "zip", "undefined", "utf-8", "no-such-thing", '"hex"; boundary=x'])
@pytest.mark.parametrize("kind", ["text/plain", "application/json", "application/x-www-form-urlencoded"])
def test_no_character_set_is_a_server_error(db: None, kind: str, charset: str) -> None:
    statuses: list[str] = []

    def start_response(status: str, *_: Any) -> Any:
        statuses.append(status)

    environ = dict(RequestFactory().post("/healthz?a=%41%ff", b"a=%ff", content_type=kind).META)
    list(application(environ | {"CONTENT_TYPE": f"{kind}; Charset={charset}"}, start_response))
    assert statuses == ["200 OK"]
