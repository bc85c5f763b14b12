"""Deliveries from applications: genuine ones are read, forged and old ones are not."""

import base64
import hmac
import json
from typing import Any

import pytest

from sources.items import RawPart
from sources.webhooks import VERIFIERS, Delivery, News, fingerprint, is_genuine, read_delivery

NOW = 1_793_577_600.0
SECRET = "a-secret-of-the-connection"
BODY = b'{"type": "ticket.created", "detail": {"id": "35436"}}'
URL = f"https://feedback.example.com/in/hooks/{SECRET}"


def mac(message: bytes, algorithm: str = "sha256", secret: str = SECRET) -> bytes:
    return hmac.new(secret.encode(), message, algorithm).digest()


def signed(kind: str, body: bytes = BODY, *, at: float = NOW, secret: str = SECRET) -> Delivery:
    """Sign as the application does."""
    stamp = str(int(at))
    iso = "2026-11-02T00:00:00Z" if at == NOW else "2026-11-01T00:00:00Z"
    milliseconds = stamp + "000"
    hubspot = b"POST" + URL.encode() + body + milliseconds.encode()
    headers = {
        "zendesk": {
            "x-zendesk-webhook-signature-timestamp": iso,
            "x-zendesk-webhook-signature": base64.b64encode(mac(iso.encode() + body, secret=secret)).decode(),
        },
        "intercom": {"x-hub-signature": "sha1=" + mac(body, "sha1", secret).hex()},
        "trustpilot": {},
        "slack": {
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": "v0=" + mac(b"v0:" + stamp.encode() + b":" + body, secret=secret).hex(),
        },
        "github": {"x-hub-signature-256": "sha256=" + mac(body, secret=secret).hex()},
        "discourse": {"x-discourse-event-signature": "sha256=" + mac(body, secret=secret).hex()},
        "hubspot": {
            "x-hubspot-request-timestamp": milliseconds,
            "x-hubspot-signature-v3": base64.b64encode(mac(hubspot, secret=secret)).decode(),
        },
        "json": {
            "x-earshot-timestamp": stamp,
            "x-earshot-signature": mac(stamp.encode() + b"." + body, secret=secret).hex(),
        },
    }[kind]
    return Delivery(URL.replace(SECRET, secret), headers, body)


KINDS = sorted(VERIFIERS)
SIGNED = [kind for kind in KINDS if kind != "trustpilot"]
TIMED = ["zendesk", "slack", "hubspot", "json"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivery_signed_with_the_secret_is_genuine(kind: str) -> None:
    assert is_genuine(kind, signed(kind), SECRET, NOW)


@pytest.mark.parametrize("kind", KINDS)
def test_a_delivery_signed_with_another_secret_is_not(kind: str) -> None:
    assert not is_genuine(kind, signed(kind, secret="another-secret"), SECRET, NOW)
    assert not is_genuine(kind, signed(kind, secret=""), "", NOW)


@pytest.mark.parametrize("kind", SIGNED)
def test_a_changed_body_or_a_missing_signature_is_refused(kind: str) -> None:
    genuine = signed(kind)
    assert not is_genuine(kind, Delivery(genuine.url, genuine.headers, BODY + b" "), SECRET, NOW)
    assert not is_genuine(kind, Delivery(genuine.url, {}, BODY), SECRET, NOW)


@pytest.mark.parametrize("kind", TIMED)
def test_an_old_delivery_is_not_taken_again(kind: str) -> None:
    assert not is_genuine(kind, signed(kind, at=NOW - 86_400), SECRET, NOW)


def test_an_unknown_application_is_never_genuine() -> None:
    assert not is_genuine("gong", signed("github"), SECRET, NOW)


def delivery(document: Any, **headers: str) -> Delivery:
    return Delivery(
        URL, {name.replace("_", "-"): value for name, value in headers.items()}, json.dumps(document).encode()
    )


def first_part(news: News) -> RawPart:
    parts = news.items[0].conversation_parts
    assert isinstance(parts, list)
    return parts[0]


def test_a_deleted_zendesk_ticket_is_deleted_and_others_are_read_soon() -> None:
    gone = {"type": "zen:event-type:ticket.soft_deleted", "subject": "zen:ticket:35436", "detail": {"id": "35436"}}
    assert read_delivery("zendesk", delivery(gone), {}).deleted == ["35436"]
    assert read_delivery("zendesk", delivery({"type": "zen:event-type:ticket.created"}), {}).read_soon


def test_a_deleted_intercom_conversation_is_deleted() -> None:
    gone = {"topic": "conversation.deleted", "data": {"item": {"id": "503"}}}
    assert read_delivery("intercom", delivery(gone), {}).deleted == ["503"]


def test_a_deleted_trustpilot_review_is_deleted() -> None:
    gone = {"events": [{"eventName": "service-review-deleted", "eventData": {"id": "507f"}}]}
    assert read_delivery("trustpilot", delivery(gone), {}).deleted == ["507f"]


def test_slack_messages_answers_edits_and_deletions_are_read() -> None:
    settings = {"channels": ["C1"]}

    def news(**event: Any) -> Any:
        document = {"type": "event_callback", "event": {"type": "message", "channel": "C1"} | event}
        return read_delivery("slack", delivery(document), settings)

    message = news(user="U1", text="The export fails", ts="1793577000.000100")
    assert [(item.unique_id, item.body) for item in message.items] == [("C1:1793577000.000100", "The export fails")]
    answer = news(user="U2", text="Same here", ts="1793577100.000200", thread_ts="1793577000.000100")
    assert answer.items[0].unique_id == "C1:1793577000.000100"
    assert [part.body for part in answer.items[0].conversation_parts] == ["Same here"]
    edited = {"user": "U1", "text": "The CSV export fails", "ts": "1793577000.000100"}
    assert news(subtype="message_changed", message=edited).items[0].body == "The CSV export fails"
    assert news(subtype="message_deleted", deleted_ts="1793577000.000100").deleted == ["C1:1793577000.000100"]
    assert news(channel="C2", user="U1", text="Elsewhere", ts="1793577000.000100").items == []
    assert read_delivery("slack", delivery({"type": "url_verification", "challenge": "abc"}), {}).challenge == "abc"


def test_github_issues_and_comments_are_read_and_deleted() -> None:
    settings = {"repositories": ["acme/app"]}
    repository = {"full_name": "acme/app"}
    issue = {
        "id": 1,
        "number": 7,
        "title": "Export",
        "body": "It fails",
        "user": {"login": "jo", "id": 5, "type": "User"},
    }
    opened = {"action": "opened", "issue": issue, "repository": repository}
    item = read_delivery("github", delivery(opened, x_github_event="issues"), settings).items[0]
    assert (item.unique_id, item.body, item.author) == ("acme/app#7", "Export\nIt fails", "jo")
    gone = opened | {"action": "deleted"}
    assert read_delivery("github", delivery(gone, x_github_event="issues"), settings).deleted == ["acme/app#7"]
    comment = {
        "id": 9,
        "body": "Me too",
        "html_url": "https://github.com/acme/app/issues/7#9",
        "issue_url": "x/issues/7",
    }
    written = {"action": "created", "comment": comment, "issue": issue, "repository": repository}
    news = read_delivery("github", delivery(written, x_github_event="issue_comment"), settings)
    assert (news.items[0].unique_id, first_part(news).body) == ("acme/app#7", "Me too")
    elsewhere = opened | {"repository": {"full_name": "other/app"}}
    assert read_delivery("github", delivery(elsewhere, x_github_event="issues"), settings).items == []


def test_a_destroyed_discourse_post_is_deleted() -> None:
    post = {"id": 4, "topic_id": 2, "post_number": 3, "cooked": "<p>Hm</p>", "username": "jo"}
    settings = {"url": "https://forum.example.com"}
    created = read_delivery("discourse", delivery({"post": post}, x_discourse_event="post_created"), settings)
    assert (created.items[0].unique_id, first_part(created).body) == ("topic-2", "Hm")
    gone = read_delivery("discourse", delivery({"post": post}, x_discourse_event="post_destroyed"), settings)
    assert (gone.deleted, gone.deleted_parts) == ([], ["4"])


def test_any_json_is_mapped_by_the_expressions_typed_in() -> None:
    mapping = {"rows": "answers", "unique_id": "nr", "body": "said.text", "email": "who"}
    document = {"answers": [{"nr": 1, "said": {"text": "Nice"}, "who": "a@example.com"}, {"nr": None}]}
    news = read_delivery("json", delivery(document), {"mapping": mapping})
    assert [(item.unique_id, item.body, item.email) for item in news.items] == [("1", "Nice", "a@example.com")]
    assert [error.number for error in news.errors] == [2]
    assert read_delivery("json", delivery(document), {}).items == []


def test_what_hubspot_deleted_is_deleted_and_everything_else_is_read() -> None:
    events = [
        {"subscriptionType": "ticket.deletion", "objectId": 5},
        {"subscriptionType": "conversation.deletion", "objectId": 6},
        {"subscriptionType": "ticket.creation", "objectId": 7},
    ]
    news = read_delivery("hubspot", delivery(events), {})
    assert (news.deleted, news.read_soon) == (["ticket-5", "thread-6"], True)


@pytest.mark.parametrize(("days", "taken"), [(1, 1), (8, 0)])
def test_words_that_were_changed_long_ago_are_read_from_the_list_instead(days: int, taken: int) -> None:
    post = {"id": 4, "topic_id": 2, "post_number": 3, "cooked": "<p>Hm</p>", "updated_at": "2026-11-02T00:00:00Z"}
    arrived = delivery({"post": post}, x_discourse_event="post_edited")
    news = read_delivery("discourse", arrived, {"url": "https://f.example"}, now=NOW + days * 86_400)
    assert (len(news.items), news.read_soon) == (taken, not taken)


def test_a_delivery_is_known_again_by_what_was_signed() -> None:
    first = signed("github")
    again = Delivery(first.url, {**first.headers, "x-github-delivery": "another"}, first.body)
    assert fingerprint("github", first) == fingerprint("github", again)
    assert fingerprint("json", signed("json")) != fingerprint("json", signed("json", at=NOW + 1))


def test_what_is_no_json_is_no_news() -> None:
    for kind in KINDS:
        news = read_delivery(kind, Delivery(URL, {}, b"\xff{"), {})
        assert (news.items, news.deleted, news.read_soon) == ([], [], False)
