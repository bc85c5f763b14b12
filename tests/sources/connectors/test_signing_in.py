"""Connecting by signing in, against a provider on loopback that checks what OAuth promises."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sources.connectors import connectors
from sources.oauth import SignInFailed, begin, complete
from tests.sources.connectors.loopback import Answer, FakeClock, Request, Vendor, serving

REDIRECT = "https://feedback.example.com/sources/connected"


class Provider(Vendor):
    """Hands out one token for one code, to who can show the verifier."""

    kind = "x"
    challenge = ""

    def handle(self, request: Request) -> Answer:
        self.log.append(request)
        form = request.form
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        fits = base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.challenge
        if form.get("code") != "the-code" or not fits or form.get("redirect_uri") != REDIRECT:
            return Answer({"error": "invalid_grant"}, 400)
        return Answer(
            {"access_token": "access-1", "refresh_token": "refresh-1", "token_type": "bearer", "expires_in": 7200}
        )


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider(FakeClock())
    with serving(made):
        yield made


def start(provider: Provider, session: dict[str, Any], **changed: Any) -> str:
    """Begin, and return the state."""
    connector = connectors()["x"]
    given: dict[str, Any] = {"project_id": 1, "user_id": 2, "settings": {"loopback": provider.base}, "client_id": "app"}
    url = begin(session, connector, redirect_uri=REDIRECT, **given | changed)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert query["scope"] == "tweet.read users.read offline.access"
    provider.challenge = query["code_challenge"]
    return query["state"]


def end(session: dict[str, Any], state: str, **changed: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "project_id": 1, "user_id": 2, "client_id": "app", "client_secret": "app-secret",
        "answer": {"state": state, "code": "the-code"},
    }  # fmt: skip
    return complete(session, connectors()[changed.pop("kind", "x")], **given | changed)


def test_a_sign_in_gives_both_tokens(provider: Provider) -> None:
    session: dict[str, Any] = {}
    secrets = end(session, start(provider, session))
    assert secrets == {
        "access_token": "access-1", "refresh_token": "refresh-1", "client_id": "app", "client_secret": "app-secret",
    }  # fmt: skip
    assert provider.log[0].headers["authorization"].startswith("Basic ")


def test_a_state_works_once(provider: Provider) -> None:
    session: dict[str, Any] = {}
    state = start(provider, session)
    end(session, state)
    with pytest.raises(SignInFailed):
        end(session, state)
    assert len(provider.log) == 1


@pytest.mark.parametrize(
    "changed",
    [{"project_id": 9}, {"user_id": 9}, {"kind": "reddit"}, {"answer": {"state": "made-up", "code": "the-code"}}],
)
def test_a_state_is_bound_to_its_project_person_and_application(provider: Provider, changed: dict[str, Any]) -> None:
    session: dict[str, Any] = {}
    state = start(provider, session)
    with pytest.raises(SignInFailed):
        end(session, state, **changed)
    assert provider.log == []


def test_a_state_of_another_session_is_refused(provider: Provider) -> None:
    state = start(provider, {})
    with pytest.raises(SignInFailed):
        end({}, state)
    assert provider.log == []


def test_a_refusal_by_the_person_is_told(provider: Provider) -> None:
    session: dict[str, Any] = {}
    state = start(provider, session)
    with pytest.raises(SignInFailed, match="not granted"):
        end(session, state, answer={"state": state, "error": "access_denied"})


def test_a_wrong_code_gives_nothing(provider: Provider) -> None:
    session: dict[str, Any] = {}
    state = start(provider, session)
    with pytest.raises(SignInFailed, match="no access"):
        end(session, state, answer={"state": state, "code": "guessed"})


def test_a_setting_cannot_lead_the_sign_in_elsewhere() -> None:
    with pytest.raises(SignInFailed, match="Subdomain"):
        begin(
            {}, connectors()["zendesk"], project_id=1, user_id=2, settings={"subdomain": "evil.example/#"},
            client_id="app", redirect_uri=REDIRECT,
        )  # fmt: skip


def test_an_application_with_a_key_has_no_sign_in() -> None:
    with pytest.raises(SignInFailed, match="with a key"):
        begin(
            {}, connectors()["freshdesk"], project_id=1, user_id=2, settings={"domain": "acme"},
            client_id="app", redirect_uri=REDIRECT,
        )  # fmt: skip
