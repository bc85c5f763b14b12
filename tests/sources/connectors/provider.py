"""A Zendesk on loopback with pages to sign in at, in place of the real one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import msgspec
import pytest

from sources.connectors import connectors
from tests.sources.connectors.desks import Zendesk
from tests.sources.connectors.loopback import Answer, FakeClock, Request, serving

TOKEN = "canary-token-4711"
CONSENT = b'<!doctype html><title>Allow</title><h1>Allow Earshot to read?</h1><a href="%s">Allow</a>'
# What is left of an address that is made of a setting.
HEADERS = {"X-Account": "{settings.subdomain}"}


class Provider(Zendesk):
    """Shows a page at which a person allows the access, and hands out a token for its code."""

    def grant(self, request: Request) -> Answer | None:
        if request.path == "/oauth/authorizations/new":
            back = f"{request.query['redirect_uri']}?{urlencode({'state': request.query['state'], 'code': 'the-code'})}"
            return Answer(raw=CONSENT % back.replace("&", "&amp;").encode(), headers={"Content-Type": "text/html"})
        if request.path != "/oauth/tokens":
            return None
        if request.form.get("code", "the-code") != "the-code":
            return Answer({"error": "invalid_grant"}, 400)
        return Answer({"access_token": TOKEN, "token_type": "bearer"})


@contextmanager
def providing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """Serve it, two hours behind the clock of the product, and lead the connector there."""
    made = Provider(FakeClock())
    made.clock.time = time.time() - 7200
    made.token = TOKEN
    with serving(made) as base:
        real = connectors()["zendesk"]
        assert real.oauth is not None
        oauth = msgspec.structs.replace(
            real.oauth, authorize_url=f"{base}/oauth/authorizations/new", token_url=f"{base}/oauth/tokens"
        )
        placed = msgspec.structs.replace(real, base_url=base, host_pattern="", oauth=oauth, headers=HEADERS)
        monkeypatch.setitem(connectors(), "zendesk", placed)
        yield made
