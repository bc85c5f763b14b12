"""Connecting an application on its page, step by step, and what its source's page says of it afterwards."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_ingest.models import FeedbackItem
from projects.models import Project
from projects.roles import Role
from projects.services import grant_role
from sources import credentials, drafts, rounds
from sources.connectors import connectors
from sources.models import Connection, Source, StreamCursor, SyncRun, WebhookEndpoint
from sources.services import make_source
from tests.factories import Member, make_member, make_project
from tests.sources.connectors.provider import TOKEN, Provider, providing

pytestmark = pytest.mark.django_db


@pytest.fixture
def vendor(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    with providing(monkeypatch) as made:
        yield made


@pytest.fixture
def console(owner: Member) -> Client:
    return signed_in(owner)


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


def page(project: Project, *parts: object) -> str:
    return "/".join(["/p", project.slug, "sources", *map(str, parts), ""])


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


ACCESS = {"step": "connect", "subdomain": "acme", "email": "agent@acme.example", "api_token": TOKEN}


def choice(**changed: Any) -> dict[str, Any]:
    since = (timezone.localdate() - timedelta(days=30)).isoformat()
    chosen = {"step": "choose", "name": "Support", "purpose": "Tickets", "since": since, "every": "15"}
    return chosen | {"exports_per_minute": "10", "ratings": "no"} | changed


def connect(console: Client, project: Project) -> Source:
    """Go through all the steps."""
    url = page(project, "connect", "zendesk")
    for step in (ACCESS, choice(), {"step": "map"}, {"step": "backfill"}):
        answer = console.post(url, step)
        assert answer.status_code == 302, words(answer)
    source: Source = Source.objects.get(kind=Source.Kind.CONNECTOR)
    assert answer["Location"] == page(project, source.pk)
    return source


def test_an_application_is_connected_in_four_steps(console: Client, project: Project, vendor: Provider) -> None:
    vendor.add(3, replies=1)
    vendor.rows[1].text = "Write to jane@acme.example"
    url = page(project, "connect", "zendesk")
    assert "Connect</a>" in console.get(page(project, "add")).content.decode()
    first = words(console.get(url))
    assert "switch on token access" in first
    assert "Read tickets" in first
    assert console.post(url, ACCESS).status_code == 302
    second = words(console.get(url))
    assert "Zendesk answered in" in second
    assert "with 3 items" in second
    console.post(url, choice())
    third = words(console.get(url))
    assert "The first 3 items" in third
    assert "1 e-mail address → masked before a model reads them" in third
    assert "Customer 1" in third
    console.post(url, {"step": "map"})
    assert "does not say how much there is" in words(console.get(url))
    assert not Source.objects.exists()
    assert console.post(url, {"step": "backfill"}).status_code == 302
    source = Source.objects.get()
    assert (source.name, source.purpose, source.application) == ("Support", "Tickets", "zendesk")
    assert (source.connection.every, source.connection.settings["history_days"]) == (15, 30)
    assert rounds.begin_round() == 1
    assert drafts.find(console.session, f"{project.pk}:zendesk") is None


def test_a_wrong_key_is_told_before_anything_is_kept(console: Client, project: Project, vendor: Provider) -> None:
    answer = console.post(page(project, "connect", "zendesk"), ACCESS | {"api_token": "canary-wrong-key"})
    assert answer.status_code == 422
    assert "credential was refused" in words(answer)
    assert "canary-wrong-key" not in answer.content.decode()
    nothing = console.post(page(project, "connect", "freshdesk"), {"step": "connect", "domain": "acme"})
    assert "This field is required" in words(nothing)
    neither = console.post(page(project, "connect", "intercom"), {"step": "connect", "region": "api"})
    assert "A key, token or sign-in is missing" in words(neither)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"since": "2999-01-01"}, "day in the past"),
        ({"name": ""}, "required"),
        ({"purpose": "x" * 401}, "at most 400"),
        ({"every": "1"}, "not one of the available"),
        ({"exports_per_minute": "many"}, "whole number"),
    ],
)
def test_a_choice_that_cannot_be_is_told_in_its_place(
    console: Client, project: Project, vendor: Provider, changed: dict[str, str], said: str
) -> None:
    url = page(project, "connect", "zendesk")
    console.post(url, ACCESS)
    answer = console.post(url, choice(**changed))
    assert answer.status_code == 422
    assert said in words(answer)


def test_steps_cannot_be_left_out_and_done_ones_can_be_opened_again(
    console: Client, project: Project, vendor: Provider
) -> None:
    url = page(project, "connect", "zendesk")
    assert console.post(url, {"step": "backfill"}).status_code == 422
    assert 'name="api_token"' in console.get(url, {"step": "backfill"}).content.decode()
    console.post(url, ACCESS)
    again = console.get(url, {"step": "connect"}).content.decode()
    assert 'value="agent@acme.example"' in again
    assert "Saved. Leave it blank to keep it." in again
    assert TOKEN not in again
    assert console.post(url, ACCESS | {"api_token": ""}).status_code == 302
    assert console.post(url, {"step": "nonsense"}).status_code == 422


def test_history_can_wait_for_the_night(console: Client, project: Project, vendor: Provider) -> None:
    url = page(project, "connect", "zendesk")
    for step in (ACCESS, choice(), {"step": "map"}, {"step": "backfill", "when": "tonight"}):
        console.post(url, step)
    assert rounds.begin_round() == 0
    due = Connection.objects.get().due_at.astimezone(timezone.zoneinfo.ZoneInfo(project.time_zone))  # type: ignore[attr-defined]
    assert (due.hour, due.minute) == (2, 0)


def sign_in(console: Client, project: Project, **more: str) -> str:
    """Go as far as the application's own page, and return the state it was given."""
    form = {
        "step": "connect",
        "subdomain": "acme",
        "client_id": "app",
        "client_secret": "canary-app-secret",
        "sign_in": "yes",
    }
    left = console.post(page(project, "connect", "zendesk"), form | more)
    assert left.status_code == 200
    url = left["Refresh"].partition("url=")[2]
    away = console.get(url)
    assert away.status_code == 302
    query = {name: values[0] for name, values in parse_qs(urlsplit(away["Location"]).query).items()}
    assert query["code_challenge_method"] == "S256"
    assert query["redirect_uri"].endswith("/sources/signed-in/")
    return query["state"]


def test_signing_in_goes_to_the_application_and_comes_back_to_the_next_step(
    console: Client, project: Project, vendor: Provider
) -> None:
    vendor.add(2)
    state = sign_in(console, project)
    back = console.get(reverse("source_signed_in"), {"state": state, "code": "the-code"})
    assert back["Location"] == page(project, "connect", "zendesk")
    assert "Signed in at Zendesk." in words(console.get(back["Location"]))
    url = page(project, "connect", "zendesk")
    for step in (choice(), {"step": "map"}, {"step": "backfill"}):
        assert console.post(url, step).status_code == 302
    stored = credentials.stored(Source.objects.get().pk)
    assert (stored["access_token"], stored["client_id"]) == (TOKEN, "app")


def test_an_operators_app_is_used_where_there_is_one(
    console: Client, project: Project, vendor: Provider, settings: Any
) -> None:
    settings.OAUTH_CLIENTS = {"zendesk": "operators-app:operators-secret"}
    assert 'name="client_id"' not in console.get(page(project, "connect", "zendesk")).content.decode()
    sign_in(console, project, client_id="", client_secret="")
    state = sign_in(console, project)
    console.get(reverse("source_signed_in"), {"state": state, "code": "the-code"})
    assert vendor.log[-1].form["client_id"] == "operators-app"


@pytest.mark.parametrize("answer", [{"code": "guessed"}, {"error": "access_denied"}])
def test_a_sign_in_that_fails_leads_back_and_says_so(
    console: Client, project: Project, vendor: Provider, answer: dict[str, str]
) -> None:
    state = sign_in(console, project)
    back = console.get(reverse("source_signed_in"), {"state": state} | answer, follow=True)
    assert back.request["PATH_INFO"] == page(project, "connect", "zendesk")
    assert "Begin again" in words(back)


def test_a_sign_in_is_completed_by_nobody_else(
    console: Client, project: Project, owner: Member, vendor: Provider
) -> None:
    state = sign_in(console, project)
    answer = {"state": state, "code": "the-code"}
    other = make_member(project, Role.OWNER)
    assert signed_in(other).get(reverse("source_signed_in"), answer).status_code == 400
    assert Client().get(reverse("source_signed_in"), answer).status_code == 302
    assert vendor.log == []
    assert console.get(reverse("source_signed_in"), answer).status_code == 302
    assert console.get(reverse("source_signed_in"), answer).status_code == 400


def test_who_loses_the_right_meanwhile_completes_nothing(
    console: Client, project: Project, owner: Member, vendor: Provider
) -> None:
    state = sign_in(console, project)
    grant_role(project, owner.user, Role.VIEWER)
    assert console.get(reverse("source_signed_in"), {"state": state, "code": "the-code"}).status_code == 404
    assert vendor.log == []


def test_a_draft_of_another_project_is_not_taken_along(console: Client, project: Project, owner: Member) -> None:
    sign_in_url = page(project, "connect", "sign-in")
    other = make_project()
    grant_role(other, owner.user, Role.OWNER)
    console.post(page(other, "connect", "zendesk"), {"step": "connect", "client_id": "app", "sign_in": "yes",
                                                     "subdomain": "acme"})  # fmt: skip
    assert console.get(sign_in_url, {"draft": f"{other.pk}:zendesk"}).status_code == 400


def test_the_page_of_a_source_says_how_its_connection_is_doing(
    console: Client, project: Project, vendor: Provider
) -> None:
    vendor.add(3)
    source = connect(console, project)
    assert "The first reading begins within a minute" in words(console.get(page(project, source.pk)))
    rounds.read_connection(source.pk)
    shown = words(console.get(page(project, source.pk)))
    assert "All read" in shown
    assert "3 items a day" in shown
    assert "Received 3 = Waiting to be read 3 + Read and set aside 0 + Read, in no insight 0 + In insights 0" in shown
    vendor.token = "another"
    rounds.read_connection(source.pk)
    Connection.objects.update(due_at=timezone.now())
    failed = words(console.get(page(project, source.pk)))
    assert "The credential was refused" in failed
    assert "Reconnect" in failed
    assert "not before you resume it" in failed


def test_an_overdue_connection_is_shown_on_its_page_and_in_the_list(
    console: Client, project: Project, vendor: Provider
) -> None:
    source = connect(console, project)
    SyncRun.objects.create(source=source, outcome=SyncRun.Outcome.WAITING, error="Zendesk is down.")
    Connection.objects.update(succeeded_at=timezone.now() - timedelta(hours=5))
    assert rounds.check_freshness() == 1
    shown = words(console.get(page(project, source.pk)))
    assert "Overdue. All of it was last read 5" in shown
    assert "The last try said: Zendesk is down." in shown
    assert "Overdue" in words(console.get(page(project)))


def test_a_dead_token_is_replaced_on_the_connections_page(console: Client, project: Project, vendor: Provider) -> None:
    vendor.add(1)
    source = connect(console, project)
    vendor.token = "canary-second"
    rounds.read_connection(source.pk)
    source.refresh_from_db()
    assert source.status == Source.Status.FAILED
    url = page(project, source.pk, "connection")
    shown = console.get(url).content.decode()
    assert TOKEN not in shown
    form = {
        "subdomain": "acme",
        "email": "agent@acme.example",
        "exports_per_minute": "10",
        "ratings": "no",
        "every": "60",
    }
    wrong = console.post(url, form | {"api_token": "canary-wrong", "try": "yes"})
    assert (wrong.status_code, "canary-wrong" in wrong.content.decode()) == (422, False)
    tried = words(console.post(url, form | {"api_token": "canary-second", "try": "yes"}))
    assert "with 1 item" in tried
    assert credentials.stored(source.pk)["api_token"] == TOKEN
    assert console.post(url, form | {"api_token": "canary-second"}).status_code == 302
    source.refresh_from_db()
    assert (source.status, credentials.stored(source.pk)["api_token"]) == (Source.Status.ACTIVE, "canary-second")


def test_signing_in_again_replaces_the_tokens_of_a_source(console: Client, project: Project, vendor: Provider) -> None:
    source = connect(console, project)
    url = page(project, source.pk, "connection")
    form = {"subdomain": "acme", "exports_per_minute": "10", "ratings": "no", "every": "60", "client_id": "app"}
    left = console.post(url, form | {"client_secret": "s", "sign_in": "yes"})
    away = console.get(left["Refresh"].partition("url=")[2])
    state = parse_qs(urlsplit(away["Location"]).query)["state"][0]
    back = console.get(reverse("source_signed_in"), {"state": state, "code": "the-code"})
    assert back["Location"] == page(project, source.pk)
    assert credentials.stored(source.pk)["access_token"] == TOKEN


def test_reading_now_again_and_pausing(console: Client, project: Project, vendor: Provider) -> None:
    vendor.add(2)
    source = connect(console, project)
    rounds.read_connection(source.pk)
    assert rounds.begin_round() == 0
    console.post(page(project, source.pk, "read"))
    assert rounds.begin_round() == 1
    since = (timezone.localdate() - timedelta(days=90)).isoformat()
    assert StreamCursor.objects.exists()
    console.post(page(project, source.pk, "read-again"), {"since": since})
    assert not StreamCursor.objects.exists()
    assert console.post(page(project, source.pk, "read-again"), {"since": "yesterday"}).status_code == 400
    rounds.read_connection(source.pk)
    assert FeedbackItem.objects.count() == 2
    console.post(page(project, source.pk, "pause"))
    assert console.post(page(project, source.pk, "read")).status_code == 409


def test_a_webhook_address_is_made_shown_once_and_closed(console: Client, project: Project) -> None:
    source = make_source(project, Source.Kind.CONNECTOR, "Code", application="github")
    Connection.objects.create(source=source, settings={"repositories": ["a/b"]}, secrets=credentials.seal({}))
    shown = console.post(page(project, source.pk, "hook", "open"))
    secret = credentials.unseal(WebhookEndpoint.objects.get().secret)["webhook"]
    assert secret in shown.content.decode()
    assert shown["Cache-Control"] == "no-store"
    for url in (page(project, source.pk), page(project, source.pk, "connection")):
        assert secret not in console.get(url).content.decode()
    console.post(page(project, source.pk, "hook", "close"))
    assert not WebhookEndpoint.objects.exists()


def test_any_application_of_the_catalogue_shows_its_form(console: Client, project: Project) -> None:
    for kind, connector in connectors().items():
        answer = console.get(page(project, "connect", kind))
        if kind == "rest":
            assert answer.status_code == 302
            continue
        assert answer.status_code == 200
        for field in connector.secrets:
            assert f'name="{field.name}"' in answer.content.decode()
    assert console.get(page(project, "connect", "fax")).status_code == 404


def test_every_connection_has_a_page_to_change_it(console: Client, project: Project) -> None:
    for kind in connectors():
        source = make_source(project, Source.Kind.CONNECTOR, kind, application=kind)
        Connection.objects.create(source=source, settings={}, secrets=credentials.seal({}))
        assert console.get(page(project, source.pk, "connection")).status_code == (302 if kind == "rest" else 200)
