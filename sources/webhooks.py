"""What applications push: who signed it, whether it is fresh, and which feedback or deletion it carries."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import msgspec

from sources.connectors.catalogue import connectors
from sources.connectors.expressions import search
from sources.connectors.mapping import map_row
from sources.connectors.positions import parse_time
from sources.connectors.spec import Stream
from sources.generic_mapping import RowError, map_rows, mapping_in
from sources.items import RawItem

REPLAY_SECONDS = 300
# Deliveries are known again for longer than this, so that an old one is never taken for what is said now.
OLD_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as it arrived: `url` with its query, `headers` in lower case, the body byte for byte."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"

    def header(self, name: str) -> str:
        """Return a header, or an empty text."""
        return self.headers.get(name, "")


@dataclass(slots=True)
class News:
    """What a delivery says: items, ids that are gone, and whether the list should be read soon.

    `errors` are rows that could not be taken. `challenge` is what has to be answered word for word where an
    application checks the address.
    """

    items: list[RawItem] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    deleted_parts: list[str] = field(default_factory=list)
    read_soon: bool = False
    errors: list[RowError] = field(default_factory=list)
    challenge: str = ""


Verifier = Callable[[Delivery, str, float], bool]


def is_genuine(kind: str, delivery: Delivery, secret: str, now: float) -> bool:
    """Whether the delivery was signed with `secret` and, where the time is signed too, within five minutes of `now`.

    An application without a known signature, or an empty secret, is never genuine.
    """
    verify = VERIFIERS.get(kind)
    return bool(secret and verify is not None and verify(delivery, secret, now))


def _digest(secret: str, message: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.new(secret.encode(), message, algorithm).digest()


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _is_fresh(moment: str, now: float) -> bool:
    parsed = parse_time(moment)
    return parsed is not None and abs(parsed.timestamp() - now) <= REPLAY_SECONDS


def _zendesk(delivery: Delivery, secret: str, now: float) -> bool:
    moment = delivery.header("x-zendesk-webhook-signature-timestamp")
    expected = base64.b64encode(_digest(secret, moment.encode() + delivery.body)).decode()
    return _is_fresh(moment, now) and _same(expected, delivery.header("x-zendesk-webhook-signature"))


def _intercom(delivery: Delivery, secret: str, now: float) -> bool:
    expected = "sha1=" + _digest(secret, delivery.body, "sha1").hex()
    return _same(expected, delivery.header("x-hub-signature"))


def _slack(delivery: Delivery, secret: str, now: float) -> bool:
    moment = delivery.header("x-slack-request-timestamp")
    expected = "v0=" + _digest(secret, b"v0:" + moment.encode() + b":" + delivery.body).hex()
    return _is_fresh(moment, now) and _same(expected, delivery.header("x-slack-signature"))


def _github(delivery: Delivery, secret: str, now: float) -> bool:
    expected = "sha256=" + _digest(secret, delivery.body).hex()
    return _same(expected, delivery.header("x-hub-signature-256"))


def _discourse(delivery: Delivery, secret: str, now: float) -> bool:
    expected = "sha256=" + _digest(secret, delivery.body).hex()
    return _same(expected, delivery.header("x-discourse-event-signature"))


def _hubspot(delivery: Delivery, secret: str, now: float) -> bool:
    moment = delivery.header("x-hubspot-request-timestamp")
    message = (delivery.method + unquote(delivery.url)).encode() + delivery.body + moment.encode()
    expected = base64.b64encode(_digest(secret, message)).decode()
    return _is_fresh(moment, now) and _same(expected, delivery.header("x-hubspot-signature-v3"))


def _secret_in_url(delivery: Delivery, secret: str, now: float) -> bool:
    """Trustpilot signs nothing: the address itself is the secret, so what it says is only a reason to read."""
    return _same(secret, delivery.url.partition("?")[0].rstrip("/").rsplit("/", 1)[-1])


def _signed_json(delivery: Delivery, secret: str, now: float) -> bool:
    """Our own form for anybody: HMAC-SHA256 over the timestamp, a full stop and the body, in hexadecimal."""
    moment = delivery.header("x-earshot-timestamp")
    expected = _digest(secret, moment.encode() + b"." + delivery.body).hex()
    return _is_fresh(moment, now) and _same(expected, delivery.header("x-earshot-signature"))


VERIFIERS: dict[str, Verifier] = {
    "zendesk": _zendesk,
    "intercom": _intercom,
    "trustpilot": _secret_in_url,
    "slack": _slack,
    "github": _github,
    "discourse": _discourse,
    "hubspot": _hubspot,
    "json": _signed_json,
}


def fingerprint(kind: str, delivery: Delivery) -> bytes:
    """Return what a delivery is known by when it comes again: its body, and where our own form is used its time.

    Applications repeat a delivery with the same body; headers that nothing signs could be changed by anybody.
    """
    stamp = delivery.header("x-earshot-timestamp") if kind == "json" else ""
    return hashlib.sha256(stamp.encode() + b"\n" + delivery.body).digest()


def read_delivery(kind: str, delivery: Delivery, settings: Mapping[str, Any], *, now: float | None = None) -> News:
    """Return what a genuine delivery says. What is not JSON, or says nothing known, is no news.

    Words that were changed more than a week before `now` are read from the list instead: such a delivery is
    a late repeat, and its words may not be the last.
    """
    try:
        body = msgspec.json.decode(delivery.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return News()
    reader = READERS.get(kind)
    news = reader(delivery, body, settings) if reader else News(read_soon=True)
    changed = parse_time(search(UPDATED[kind], body)) if kind in UPDATED and news.items else None
    if changed is not None and (time.time() if now is None else now) - changed.timestamp() > OLD_SECONDS:
        return News(read_soon=True)
    return news


# Where those that sign no time say when the words were last changed.
UPDATED = {"github": "(comment || issue).updated_at", "discourse": "post.updated_at"}


def _read_zendesk(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    """Ticket events name the ticket; its words come with the list."""
    kind, number = str(search("type", body) or ""), search("detail.id || subject", body)
    gone = ("ticket.soft_deleted", "ticket.permanently_deleted", "ticket.marked_as_spam")
    if kind.endswith(gone) and number:
        return News(deleted=[str(number).rpartition(":")[2]])
    return News(read_soon=True)


def _read_intercom(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    if search("topic", body) == "conversation.deleted":
        found = search("data.item.id || data.item.conversation_id", body)
        return News(deleted=[str(found)] if found else [])
    return News(read_soon=True)


def _read_trustpilot(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    """A deletion is believed, since only who knows the address can tell of it; everything else is read again."""
    gone = search("events[?eventName == 'service-review-deleted'].eventData.id", body)
    return News(deleted=[str(found) for found in gone or []], read_soon=True)


def _read_slack(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    if search("type", body) == "url_verification":
        return News(challenge=str(search("challenge", body) or ""))
    event = search("event", body) or {}
    channel = str(event.get("channel"))
    if event.get("type") != "message" or channel not in (settings.get("channels") or []):
        return News()
    if event.get("subtype") == "message_deleted":
        return _slack_deletion(channel, event)
    message = event.get("message") if event.get("subtype") == "message_changed" else event
    return _mapped_slack(channel, dict(message or {}), settings)


def _slack_deletion(channel: str, event: Mapping[str, Any]) -> News:
    unique_id = f"{channel}:{event.get('deleted_ts')}"
    parent = search("previous_message.thread_ts", event)
    if parent and parent != event.get("deleted_ts"):
        return News(deleted_parts=[unique_id])
    return News(deleted=[unique_id])


def _mapped_slack(channel: str, message: dict[str, Any], settings: Mapping[str, Any]) -> News:
    """Map a message, or an answer in a thread as the part of its first message."""
    stream = connectors()["slack"].streams["messages"]
    if not search(stream.where, message):
        return News()
    thread = message.get("thread_ts")
    if thread and thread != message.get("ts"):
        message = {"ts": thread, "replies": [message]}
        stream = msgspec.structs.replace(stream, map={"unique_id": stream.map["unique_id"]})
    return _news(stream, message, {"settings": settings, "each": {"key": channel}})


def _read_github(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    repository = search("repository.full_name", body)
    event, action = delivery.header("x-github-event"), search("action", body)
    if repository not in (settings.get("repositories") or []) or event not in ("issues", "issue_comment"):
        return News()
    stream = connectors()["github"].streams["issues" if event == "issues" else "comments"]
    row = search("issue" if event == "issues" else "comment", body)
    if not isinstance(row, dict) or (stream.where and not search(stream.where, row)):
        return News()
    if action in ("deleted", "transferred"):
        number = row.get("number")
        return (
            News(deleted=[f"{repository}#{number}"])
            if event == "issues"
            else News(deleted_parts=[f"comment-{row['id']}"])
        )
    return _news(stream, row, {"settings": settings, "each": {"key": repository}})


def _read_discourse(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    post = search("post", body)
    if not delivery.header("x-discourse-event").startswith("post_") or not isinstance(post, dict):
        return News()
    if delivery.header("x-discourse-event") == "post_destroyed":
        post = post | {"user_deleted": True}
    stream = connectors()["discourse"].streams["posts"]
    return _news(stream, post, {"settings": settings, "each": {"key": ""}, "base_url": settings.get("url")})


def _read_json(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    """Rows found by the expressions that a person typed in; without any, nothing can be taken."""
    mapping = mapping_in(settings)
    if mapping is None:
        return News(errors=[RowError(1, "This source does not say yet which field is what.")])
    items, errors = map_rows(body, mapping)
    return News(items=items, errors=errors)


def _read_hubspot(delivery: Delivery, body: Any, settings: Mapping[str, Any]) -> News:
    """Events name what they are about; its words come with the list."""
    gone = search("[?contains(['conversation.deletion', 'ticket.deletion'], subscriptionType)]", body) or []
    prefixes = {"conversation.deletion": "thread", "ticket.deletion": "ticket"}
    ids = [f"{prefixes[event['subscriptionType']]}-{event['objectId']}" for event in gone if event.get("objectId")]
    return News(deleted=ids, read_soon=True)


def _news(stream: Stream, row: dict[str, Any], values: dict[str, Any]) -> News:
    mapped = map_row(stream, row | {"each": values["each"], "settings": values["settings"]}, values)
    return News(items=[mapped.item] if mapped.item else [], deleted=mapped.deleted, deleted_parts=mapped.deleted_parts)


Reader = Callable[[Delivery, Any, Mapping[str, Any]], News]
READERS: dict[str, Reader] = {
    "zendesk": _read_zendesk,
    "intercom": _read_intercom,
    "trustpilot": _read_trustpilot,
    "slack": _read_slack,
    "github": _read_github,
    "discourse": _read_discourse,
    "hubspot": _read_hubspot,
    "json": _read_json,
}
