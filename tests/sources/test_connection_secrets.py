"""What gives access to applications is in no answer, no log and no dump, and is sent nowhere else."""

import json
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse

from config.errors import DomainError
from projects.models import Project
from sources import credentials, endpoints, rounds
from sources.connecting import change_connection, connect, preview, try_connection
from sources.connectors import connectors
from sources.models import Connection, Source
from sources.oauth import SignInFailed, begin
from tests.factories import Member
from tests.sources.connectors.loopback import Answer
from tests.sources.connectors.provider import TOKEN, Provider, providing
from tests.sources.test_connecting_pages import ACCESS, choice, page, sign_in

pytestmark = pytest.mark.django_db
CANARIES = (TOKEN, "canary-app-secret", "canary-refresh-1", "canary-wrong", "canary-signing-secret", "canary-code")


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


@pytest.fixture
def console(owner: Member) -> Client:
    client = Client()
    client.force_login(owner.user)
    return client


def everything_stored() -> str:
    """Return every row of every table as text, sessions and binary columns decoded as an attacker would."""
    found: list[str] = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = connection.ops.quote_name(model._meta.db_table)
            cursor.execute(f"SELECT row::text FROM {table} AS row")
            found += [text for (text,) in cursor.fetchall()]
            for field in model._meta.get_fields():
                if getattr(field, "get_internal_type", str)() == "BinaryField":
                    values = model._default_manager.values_list(field.name, flat=True)
                    found += [bytes(value).decode("latin-1") for value in values if value is not None]
    found += [json.dumps(session.get_decoded()) for session in Session.objects.all()]
    return "\n".join(found)


def test_no_secret_is_in_an_answer_a_log_or_a_dump(
    console: Client, project: Project, owner: Member, vendor: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    grant = vendor.grant

    def grant_both(request: Any) -> Answer | None:
        answer = grant(request)
        if answer is not None and answer.status == 200:
            answer.data["refresh_token"] = "canary-refresh-1"
        return answer

    vendor.grant = grant_both  # type: ignore[method-assign]
    vendor.add(2)
    answers: list[Any] = []
    state = sign_in(console, project)
    answers.append(everything_stored())
    answers.append(console.get(reverse("source_signed_in"), {"state": state, "code": "the-code"}).content.decode())
    url = page(project, "connect", "zendesk")
    for form in (ACCESS | {"api_token": "canary-wrong"}, ACCESS, choice(name=""), choice(), {"step": "map"}):
        answers.append(console.post(url, form).content.decode())
        answers.append(console.get(url).content.decode())
        answers.append(everything_stored())
    console.post(url, {"step": "backfill"})
    source = Source.objects.get()
    endpoints.open_endpoint(source, actor=owner.user, secret="canary-signing-secret")
    rounds.read_connection(source.pk)
    vendor.token = "another"
    rounds.read_connection(source.pk)
    for shown in ("", "connection"):
        answers.append(
            console.get(page(project, source.pk, shown) if shown else page(project, source.pk)).content.decode()
        )
    for shown in ("", "connection/", "runs/"):
        api = console.get(f"/api/v1/sources/{source.pk}/{shown}", headers={"X-Project": str(project.pk)})
        assert api.status_code == 200
        answers.append(api.content.decode())
    answers.append(everything_stored())
    assert "agent@acme.example" in answers[-1], "a dump that holds nothing proves nothing"
    assert credentials.stored(source.pk)["refresh_token"] == "canary-refresh-1"
    for canary in CANARIES:
        assert not any(canary in answer for answer in answers), canary
        assert canary not in caplog.text, canary


def test_an_error_page_of_the_provider_shows_no_secret(console: Client, project: Project, vendor: Provider) -> None:
    state = sign_in(console, project)
    answer = console.get(
        reverse("source_signed_in"),
        {"state": state, "code": "canary-code", "error_description": "<b>x</b>"},
        follow=True,
    )
    assert "canary" not in answer.content.decode()
    assert "<b>x</b>" not in answer.content.decode()


@pytest.fixture
def canary() -> Iterator[tuple[int, list[str]]]:
    """A server on loopback that must never be connected to, and who connected all the same."""
    seen: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.2)
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            try:
                accepted, address = listening.accept()
            except TimeoutError:
                continue
            seen.append(str(address))
            accepted.close()

    watching = threading.Thread(target=watch)
    watching.start()
    yield listening.getsockname()[1], seen
    over.set()
    watching.join()
    listening.close()


HOSTS = (
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0.0.0.0", "[::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "user@127.0.0.1", "127.0.0.1#@feeds.example",
    "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1", "[fd00::1]", "[fe80::1]", "168.63.129.16",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("kind", ["rss", "discourse", "rest"])
def test_no_address_of_a_connection_leads_inside(
    settings: Any, canary: tuple[int, list[str]], kind: str, host: str
) -> None:
    settings.ALLOW_LOOPBACK = False
    port, seen = canary
    for url in (f"https://{host}:{port}", f"http://{host}:{port}", f"https://{host}"):
        given = {"url": url, "map_body": "text", "loopback": f"http://127.0.0.1:{port}"}
        with pytest.raises(DomainError):
            preview(kind, given, {"api_key": TOKEN, "access_token": TOKEN})
    assert seen == []


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("zendesk", {"subdomain": "127.0.0.1:{port}/"}),
        ("zendesk", {"subdomain": "acme@127.0.0.1"}),
        ("salesforce", {"login_url": "https://127.0.0.1:{port}"}),
        ("salesforce", {"login_url": "https://127.0.0.1:{port}/.salesforce.com"}),
        ("gong", {"api_url": "https://127.0.0.1:{port}#.gong.io"}),
        ("hubspot", {"loopback": "http://127.0.0.1:{port}"}),
    ],
)
def test_no_sign_in_is_led_inside(
    settings: Any, canary: tuple[int, list[str]], kind: str, given: dict[str, str]
) -> None:
    settings.ALLOW_LOOPBACK = False
    port, seen = canary
    filled = {name: value.replace("{port}", str(port)) for name, value in given.items()}
    try:
        url = begin(
            {}, connectors()[kind], project_id=1, user_id=1, settings=filled, client_id="app", redirect_uri="https://e.example/"
        )  # fmt: skip
    except SignInFailed:
        url = ""
    assert "127.0.0.1" not in url
    assert seen == []


def test_a_token_answer_cannot_lead_the_connection_inside(settings: Any, canary: tuple[int, list[str]]) -> None:
    """Salesforce and Gong say with the token where to ask from then on."""
    settings.ALLOW_LOOPBACK = False
    port, seen = canary
    secrets = {"access_token": TOKEN, "refresh_token": "r", "client_id": "c", "client_secret": "s"}
    for kind in ("salesforce", "gong"):
        with pytest.raises(DomainError, match="address"):
            preview(kind, {}, secrets | {"base_url": f"https://127.0.0.1:{port}"})
    assert seen == []


def test_only_the_names_of_secrets_are_known_to_the_back_office(project: Project, owner: Member) -> None:
    from django.contrib import admin

    shown = {field.name for model in admin.site._registry for field in model._meta.get_fields() if model is Connection}
    assert shown == set()


def test_a_stored_secret_is_not_sent_to_another_workspace_of_the_same_application(
    project: Project, owner: Member
) -> None:
    settings = {"subdomain": "acme", "email": "agent@acme.example"}
    source = connect(
        project, "zendesk", "Desk", actor=owner.user, settings=settings, secrets={"api_token": "let-me-in"}
    )
    for act in (change_connection, try_connection):
        with pytest.raises(DomainError) as refused:
            act(source, actor=owner.user, settings=settings | {"subdomain": "mallory"}, secrets={})
        assert refused.value.code == "credentials_elsewhere"
    assert Connection.objects.get(source=source).settings["subdomain"] == "acme"
    change_connection(
        source, actor=owner.user, settings=settings | {"subdomain": "moved"}, secrets={"api_token": "another"}
    )
    assert credentials.stored(source.pk) == {"api_token": "another"}
