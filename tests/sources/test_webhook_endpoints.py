"""Applications push to an address of their own: only what is genuine is taken, once, and nothing of it is lost."""

import hmac
import json
import threading
import time
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client, RequestFactory

from config.errors import DomainError
from feedback_ingest import hook_api
from feedback_ingest.models import ConversationPart, FeedbackItem
from projects.models import AuditEvent, Project
from sources import credentials, endpoints, services
from sources.connectors import connectors
from sources.models import Connection, Source, WebhookDelivery
from sources.webhooks import VERIFIERS
from tests.factories import Member, make_source

pytestmark = pytest.mark.django_db
NOW_TEXT = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
ISSUE = {"id": 1, "number": 7, "title": "Export", "body": "It fails", "user": {"login": "jo", "id": 5, "type": "User"},
         "updated_at": NOW_TEXT}  # fmt: skip
OPENED = {"action": "opened", "issue": ISSUE, "repository": {"full_name": "acme/app"}}
MAPPING = {"rows": "answers", "unique_id": "id", "body": "text", "email": "who"}


def connected(project: Project, kind: str, **settings: Any) -> Source:
    source = make_source(project, kind=Source.Kind.CONNECTOR, application=kind, name=kind)
    Connection.objects.create(source=source, settings=settings, secrets=credentials.seal({}))
    return source


@pytest.fixture
def github(project: Project) -> Source:
    return connected(project, "github", repositories=["acme/app"])


@pytest.fixture
def generic(project: Project) -> Source:
    return make_source(project, settings={"mapping": MAPPING})


def send(source: Source, body: bytes, **headers: str) -> Any:
    named = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
    return Client().post(f"/hooks/{source.pk}/", body, content_type="application/json", **named)  # type: ignore[arg-type]


def push(source: Source, secret: str, document: Any = OPENED, event: str = "issues") -> Any:
    body = json.dumps(document).encode()
    signature = "sha256=" + hmac.new(secret.encode(), body, "sha256").hexdigest()
    return send(source, body, x_hub_signature_256=signature, x_github_event=event)


def send_signed(source: Source, secret: str, document: Any, at: float | None = None) -> Any:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    stamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()
    return send(source, body, x_earshot_timestamp=stamp, x_earshot_signature=signature)


def _fail(*arguments: Any) -> None:
    raise RuntimeError("the disk is full")


def test_a_genuine_delivery_is_stored_before_it_is_acknowledged(github: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(github, actor=owner.user)
    answer = push(github, secret)
    assert (answer.status_code, answer.json()["ingested"]) == (200, 1)
    assert FeedbackItem.objects.get().body == "Export\nIt fails"
    github.endpoint.refresh_from_db()
    assert (github.endpoint.received, github.endpoint.refused) == (1, 0)


def test_a_forged_delivery_is_refused_and_counted(github: Source, owner: Member) -> None:
    endpoints.open_endpoint(github, actor=owner.user)
    assert push(github, "a-guess").status_code == 401
    assert send(github, json.dumps(OPENED).encode()).status_code == 401
    assert not FeedbackItem.objects.exists()
    github.endpoint.refresh_from_db()
    assert (github.endpoint.received, github.endpoint.refused) == (0, 2)


def test_a_repeated_delivery_takes_effect_once(github: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(github, actor=owner.user)
    push(github, secret)
    edited = OPENED | {"action": "edited", "issue": ISSUE | {"body": "It fails in Chrome"}}
    push(github, secret, edited)
    again = push(github, secret)
    assert (again.status_code, again.json()) == (200, {"ok": True, "repeated": True})
    assert FeedbackItem.objects.get().body == "Export\nIt fails in Chrome"
    assert WebhookDelivery.objects.count() == 2


def test_a_deletion_is_mirrored(github: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(github, actor=owner.user)
    comment = {
        "id": 9,
        "body": "Me too",
        "html_url": "https://github.com/acme/app/issues/7#9",
        "issue_url": "x/issues/7",
    }
    written = OPENED | {"action": "created", "comment": comment}
    push(github, secret)
    push(github, secret, written, "issue_comment")
    assert ConversationPart.objects.count() == 1
    push(github, secret, written | {"action": "deleted"}, "issue_comment")
    assert ConversationPart.objects.count() == 0
    push(github, secret, OPENED | {"action": "deleted"})
    assert not FeedbackItem.objects.exists()
    github.count.refresh_from_db()
    assert (github.count.received, github.count.removed) == (0, 1)


def test_a_thin_delivery_has_the_list_read_soon(project: Project, owner: Member) -> None:
    source = connected(project, "intercom")
    Connection.objects.update(due_at="2099-01-01T00:00:00Z")
    endpoints.open_endpoint(source, actor=owner.user, secret="client-secret")
    body = b'{"topic": "conversation.user.created"}'
    signature = "sha1=" + hmac.new(b"client-secret", body, "sha1").hexdigest()
    assert send(source, body, x_hub_signature=signature).status_code == 200
    source.connection.refresh_from_db()
    assert source.connection.due_at.year < 2099


def test_slack_gets_its_challenge_back_only_when_it_signed(project: Project, owner: Member) -> None:
    source = connected(project, "slack", channels=["C1"])
    endpoints.open_endpoint(source, actor=owner.user, secret="signing")
    body, stamp = b'{"type": "url_verification", "challenge": "abc"}', str(int(time.time()))
    signature = "v0=" + hmac.new(b"signing", b"v0:" + stamp.encode() + b":" + body, "sha256").hexdigest()
    answer = send(source, body, x_slack_request_timestamp=stamp, x_slack_signature=signature)
    assert (answer.status_code, answer.content) == (200, b"abc")
    assert send(source, body, x_slack_request_timestamp=stamp, x_slack_signature="v0=00").status_code == 401


def test_trustpilot_is_known_by_the_key_in_its_address(project: Project, owner: Member) -> None:
    source = connected(project, "trustpilot", business_units=["b1"])
    key = endpoints.open_endpoint(source, actor=owner.user)
    gone = json.dumps({"events": [{"eventName": "service-review-deleted", "eventData": {"id": "r1"}}]})
    address = endpoints.address_of(source, key)
    path = address[address.index("/hooks/") :]
    assert Client().post(path, gone, content_type="application/json").status_code == 200
    assert Client().post(f"/hooks/{source.pk}/wrong/", gone, content_type="application/json").status_code == 401
    assert Client().post(f"/hooks/{source.pk}/", gone, content_type="application/json").status_code == 401


def test_anybodys_signed_json_is_mapped_and_bad_rows_are_named(generic: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    rows = [{"id": 1, "text": "Nice", "who": "a@example.com"}, {"id": 2}]
    answer = send_signed(generic, secret, {"answers": rows})
    assert answer.json() == {
        "ok": True,
        "ingested": 1,
        "failed": 1,
        "errors": [{"row": 2, "error": "The feedback is empty."}],
    }
    generic.count.refresh_from_db()
    assert (generic.count.received, generic.count.rejected) == (1, 1)


def test_an_old_or_replayed_signed_delivery_has_no_effect(generic: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    document = {"answers": [{"id": 1, "text": "Nice"}]}
    at = time.time()
    assert send_signed(generic, secret, document, at).json()["ingested"] == 1
    assert send_signed(generic, secret, document, at).json() == {"ok": True, "repeated": True}
    assert send_signed(generic, secret, document, at - 600).status_code == 401


@pytest.mark.parametrize("body", [b"", b"\xff{", b"[" * 100_000, b'{"answers": 1e999}', b'"\\ud800"'])
def test_no_body_makes_it_fail(generic: Source, owner: Member, body: bytes) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    assert send_signed(generic, secret, body).status_code == 200
    assert not FeedbackItem.objects.exists()


def test_an_oversized_delivery_is_refused_whatever_length_it_declares(generic: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    large = b"x" * (hook_api.MAX_BYTES + 1)
    assert send_signed(generic, secret, large).status_code == 413
    request = RequestFactory().post("/", large, content_type="application/json")
    request.META["CONTENT_LENGTH"] = ""
    assert hook_api.receive(request, generic.pk).status_code == 413


def test_too_many_deliveries_are_asked_to_come_later(generic: Source, owner: Member, settings: Any) -> None:
    settings.INGEST_REQUESTS_PER_SECOND = 1
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    codes = {send_signed(generic, secret, {"answers": [{"id": n, "text": "Nice"}]}).status_code for n in range(12)}
    assert codes == {200, 429}


def test_forged_deliveries_do_not_use_up_what_the_project_may_send(
    generic: Source, owner: Member, settings: Any
) -> None:
    settings.INGEST_REQUESTS_PER_SECOND = 1
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    for _ in range(5):
        assert send_signed(generic, "a-guess", {}).status_code == 401
    assert send_signed(generic, secret, {"answers": [{"id": 1, "text": "Nice"}]}).status_code == 200


def test_a_paused_source_asks_for_the_delivery_again(generic: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    services.pause_source(generic, actor=owner.user)
    document, at = {"answers": [{"id": 1, "text": "Nice"}]}, time.time()
    answer = send_signed(generic, secret, document, at)
    assert (answer.status_code, answer["Retry-After"]) == (503, "3600")
    services.resume_source(generic, actor=owner.user)
    assert send_signed(generic, secret, document, at).json()["ingested"] == 1


def test_a_delivery_that_cannot_be_stored_is_not_acknowledged_and_is_taken_when_it_comes_again(
    generic: Source, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    document, at = {"answers": [{"id": 1, "text": "Nice"}]}, time.time()
    with monkeypatch.context() as broken:
        broken.setattr(hook_api, "remove_items", _fail)
        with pytest.raises(RuntimeError):
            send_signed(generic, secret, document, at)
    assert not FeedbackItem.objects.exists()
    assert send_signed(generic, secret, document, at).json()["ingested"] == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_delivery_arriving_eight_times_at_once_takes_effect_once(generic: Source, owner: Member) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    document, at = {"answers": [{"id": 1, "text": "Nice"}]}, time.time()
    answers: list[dict[str, Any]] = []

    def deliver() -> None:
        answers.append(send_signed(generic, secret, document, at).json())
        connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.get("repeated", False) for answer in answers) == [False, *[True] * 7]
    generic.count.refresh_from_db()
    assert generic.count.attempts == 1


def test_a_secret_that_cannot_be_read_any_more_asks_for_the_delivery_again(
    generic: Source, owner: Member, settings: Any
) -> None:
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    settings.SECRET_KEY = "another-key"
    assert send_signed(generic, secret, {}).status_code == 503


def test_there_is_no_address_without_an_endpoint(generic: Source, owner: Member) -> None:
    assert send_signed(generic, "x", {}).status_code == 404
    assert Client().post(f"/hooks/{uuid4()}/", b"{}", content_type="application/json").status_code == 404
    secret = endpoints.open_endpoint(generic, actor=owner.user)
    assert Client().get(f"/hooks/{generic.pk}/").status_code == 405
    services.delete_source(generic, actor=owner.user)
    assert send_signed(generic, secret, {}).status_code == 404


def test_another_secret_replaces_the_first_and_closing_ends_it(generic: Source, owner: Member) -> None:
    first = endpoints.open_endpoint(generic, actor=owner.user)
    second = endpoints.open_endpoint(generic, actor=owner.user)
    assert send_signed(generic, first, {}).status_code == 401
    assert send_signed(generic, second, {}).status_code == 200
    endpoints.close_endpoint(generic, actor=owner.user)
    assert send_signed(generic, second, {}).status_code == 404
    assert set(AuditEvent.objects.values_list("verb", flat=True)) >= {"source.webhook_opened", "source.webhook_closed"}


def test_who_may_not_manage_sources_makes_no_address(generic: Source, viewer: Member) -> None:
    with pytest.raises(DomainError):
        endpoints.open_endpoint(generic, actor=viewer.user)


def test_a_secret_that_the_application_makes_has_to_be_pasted(project: Project, owner: Member) -> None:
    source = connected(project, "slack", channels=["C1"])
    with pytest.raises(DomainError, match="Signing secret"):
        endpoints.open_endpoint(source, actor=owner.user)
    with pytest.raises(DomainError, match="does not push"):
        endpoints.open_endpoint(connected(project, "gong"), actor=owner.user)


def test_every_application_that_pushes_says_what_to_do_there() -> None:
    pushing = {connector.webhook for connector in connectors().values() if connector.webhook}
    assert pushing | {"json"} == set(endpoints.INSTRUCTIONS) == set(VERIFIERS)
