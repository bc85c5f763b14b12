"""What single vendors, feeds and described lists become, and what is refused on the way."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import requests
import yaml
from jmespath.exceptions import JMESPathTypeError
from msgspec import UNSET

from sources.connectors import Account, ConnectorError, Engine, catalogue, connectors
from sources.connectors.catalogue import FOLDER
from sources.connectors.configured import connector_of
from sources.connectors.expressions import OPTIONS, compiled
from sources.connectors.feeds import read_feed
from sources.connectors.filling import fill, fill_path
from sources.connectors.mapping import TEMPLATE, map_row
from sources.connectors.positions import parse_time
from sources.items import RawItem
from tests.sources.connectors.communities import Discord, Slack
from tests.sources.connectors.desks import Intercom, Zendesk
from tests.sources.connectors.loopback import Answer, FakeClock, Request, Vendor, serving
from tests.sources.connectors.reading import Store, engine_for, read_all
from tests.sources.connectors.sales import Salesforce


def mapped(kind: str, stream: str, row: dict[str, Any], **settings: Any) -> Any:
    values = {"settings": settings, "each": {"key": "k"}}
    return map_row(connectors()[kind].streams[stream], row | values, values)


def test_agents_and_bots_are_told_from_customers_and_carry_no_user_id() -> None:
    author = {"type": "user", "id": "u1", "name": "Jane", "email": "jane@example.com"}
    parts = [
        {"id": "1", "part_type": "comment", "body": "It fails", "author": author, "created_at": 1},
        {"id": "2", "part_type": "note", "body": "Known", "author": {"type": "admin", "id": "9", "name": "Ana"}},
        {"id": "3", "part_type": "comment", "body": "Try again", "author": {"type": "bot", "id": "7", "name": "Fin"}},
    ]
    full = {"source": {"body": "Hello"}, "conversation_parts": {"conversation_parts": parts}}
    row = {"id": "5", "created_at": 1, "source": {"body": "<p>Hello</p>", "author": author}, "full": [full]}
    item = mapped("intercom", "conversations", row).item
    assert [part.metadata["role"] for part in item.conversation_parts] == ["customer", "agent", "bot"]
    assert [part.user_id for part in item.conversation_parts] == ["u1", None, None]
    assert item.conversation_parts[1].metadata["internal"] is True
    assert item.metadata["role"] == "customer"


def test_a_conversation_that_an_agent_began_is_no_customers() -> None:
    admin = {"type": "admin", "id": "9", "name": "Ana", "email": "ana@acme.example"}
    item = mapped("intercom", "conversations", {"id": "5", "source": {"body": "Sale!", "author": admin}}).item
    assert (item.metadata["role"], item.user_id) == ("agent", None)


def test_redacted_words_are_forgotten() -> None:
    parts = [{"id": "1", "redacted": True, "body": "removed"}, {"id": "2", "body": "Kept", "author": {"type": "user"}}]
    full = {"conversation_parts": {"conversation_parts": parts}}
    found = mapped(
        "intercom", "conversations", {"id": "5", "source": {"body": "gone", "redacted": True}, "full": [full]}
    )
    assert (found.item.body, found.deleted_parts) == (None, ["1"])
    alone = mapped("intercom", "conversations", {"id": "5", "source": {"body": "gone", "redacted": True}, "full": []})
    assert alone.deleted == ["5"]


def test_every_answer_of_a_g2_review_is_read_whatever_its_question() -> None:
    answers = {
        "love": {"text": "What do you like?", "value": "Speed"},
        "tags": {"value": ["small", "cheap"]},
        "old": "Plain",
    }
    row = {"id": 8, "attributes": {"title": "Good", "answers": answers, "star_rating": 4.5}}
    item = mapped("g2", "reviews", row).item
    assert (item.body, item.rating) == ("Good\nSpeed\nsmall\ncheap\nPlain", 4.5)


def test_a_slack_thread_becomes_one_item_with_its_answers() -> None:
    vendor = Slack(FakeClock())
    store = Store()
    with serving(vendor):
        row = vendor.add(1, replies=3)[0]
        read_all(vendor, store)
    assert list(store.items) == [vendor.unique_id(row)]
    assert [part["body"] for part in store.parts.values()] == [reply.text for reply in row.replies]


def test_a_discord_thread_that_has_nothing_more_is_not_asked_for() -> None:
    vendor = Discord(FakeClock())
    store = Store()
    with serving(vendor):
        vendor.add(3, replies=2)
        read_all(vendor, store)
        vendor.clock.time += 60
        before = len(vendor.log)
        read_all(vendor, store)
    asked = [request.path for request in vendor.log[before:] if request.path.endswith("/messages")]
    assert len(asked) == 1


def test_a_forum_post_is_an_item_and_what_follows_its_parts() -> None:
    author = {"id": "5", "username": "jo", "global_name": "Jo"}
    post = {
        "id": "900",
        "channel_id": "900",
        "content": "It fails",
        "author": author,
        "timestamp": "2026-09-07T13:37:00Z",
    }
    stream = connectors()["discord"].streams["threads"]
    values = {"settings": {"guild": "1"}, "each": {"key": "900"}}
    item = map_row(stream, post | values, values).item
    assert item is not None
    assert (item.unique_id, item.body, item.author, item.conversation_parts) == ("900", "It fails", "Jo", UNSET)
    answer = map_row(stream, post | {"id": "901", "content": "Same here"} | values, values).item
    assert answer is not None
    assert (answer.unique_id, answer.body) == ("900", UNSET)
    assert [part.body for part in answer.conversation_parts or ()] == ["Same here"]


def test_a_used_up_daily_allowance_ends_the_run_at_once() -> None:
    vendor = Salesforce(FakeClock())
    with serving(vendor):
        vendor.add(3)
        used_up = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}]
        vendor.fail(Answer(used_up, 403), times=5)
        with pytest.raises(ConnectorError) as refused:
            read_all(vendor, Store())
    assert (refused.value.permanent, refused.value.retry_after) == (False, 3600)
    assert len(vendor.log) == 1


def test_a_salesforce_comment_that_left_its_case_unmoved_is_read() -> None:
    vendor = Salesforce(FakeClock())
    store = Store()
    comment = {
        "attributes": {"type": "CaseComment"}, "Id": "00a9", "ParentId": vendor.unique_id, "CommentBody": "Late",
        "IsDeleted": False, "SystemModstamp": "2026-11-02T11:00:00.000+0000",
        "CreatedDate": "2026-11-02T11:00:00.000+0000",
    }  # fmt: skip
    with serving(vendor):
        row = vendor.add(1)[0]
        comment["ParentId"] = vendor.unique_id(row)
        answer = {"totalSize": 1, "done": True, "records": [comment]}
        vendor.fail(Answer(answer), where=lambda request: "FROM CaseComment " in request.query.get("q", ""))
        vendor.before = lambda count, request: None
        faulty = vendor.handle
        vendor.handle = lambda request: (  # type: ignore[method-assign]
            faulty(request) if "FROM CaseComment " in request.query.get("q", "") else Vendor.handle(vendor, request)
        )
        read_all(vendor, store)
    assert store.items[vendor.unique_id(row)]["body"] == row.text
    assert store.parts["00a9"]["item"] == vendor.unique_id(row)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("zendesk", {"subdomain": "evil.example/#"}),
        ("zendesk", {"subdomain": "acme.zendesk.com@evil"}),
        ("freshdesk", {"domain": "evil.example?"}),
        ("salesforce", {"login_url": "https://login.salesforce.com.evil.example"}),
        ("gong", {"api_url": "https://evil.example/.gong.io"}),
        ("intercom", {"region": "evil.example/"}),
        ("discourse", {"url": "http://forum.example.com"}),
        ("discourse", {"url": "https://jo:pass@forum.example.com"}),
        ("github", {"repositories": ["acme/app/../../user"]}),
        ("reddit", {"subreddits": ["acme/../me"], "user_agent": "x"}),
    ],
)
def test_a_setting_cannot_lead_the_credential_elsewhere(kind: str, settings: dict[str, Any]) -> None:
    secrets = dict.fromkeys(("api_token", "api_key", "access_token", "client_id", "client_secret"), "secret")
    secrets |= {"access_key": "a", "access_key_secret": "b"}
    with pytest.raises(ConnectorError) as refused:
        read_once(kind, Account(settings=settings, secrets=secrets))
    assert refused.value.permanent
    assert refused.value.message != "The address cannot be used. Check it.", "a request was tried"


def read_once(kind: str, account: Account) -> None:
    """Read one batch of every list, by a session that can reach nothing."""
    session = requests.Session()
    session.adapters.clear()
    engine = Engine(connectors()[kind], account, clock=FakeClock(), session=session)
    for stream in engine.streams:
        for record in engine.keys(stream):
            next(engine.walk(stream, record, {}))


def test_an_address_that_a_token_answer_names_must_be_the_vendors() -> None:
    vendor = Salesforce(FakeClock())
    with serving(vendor):
        vendor.add(1)
        grant = {"access_token": vendor.token, "instance_url": "https://evil.example"}
        vendor.fail(Answer({}, 401))
        vendor.grant = lambda request: Answer(grant) if "token" in request.path else None  # type: ignore[method-assign]
        store = Store()
        engine = engine_for(vendor, store)
        engine.account.settings = {**engine.account.settings, "loopback": ""}
        engine.client.auth.base_url = "https://evil.example"
        with pytest.raises(ConnectorError, match="not an address of this application"):
            list(engine.walk("cases", {"key": ""}, {}))
    assert vendor.log == []


def test_times_are_read_however_they_are_written() -> None:
    moment = datetime(2026, 9, 7, 13, 37, tzinfo=UTC)
    written = [
        "2026-09-07T13:37:00Z", "2026-09-07T06:37:00-07:00", "2026-09-07T13:37:00.000+0000", "2026-09-07T13:37:00",
        "1788788220", 1788788220, 1788788220.0, 1788788220000, "Mon, 07 Sep 2026 13:37:00 GMT",
    ]  # fmt: skip
    assert [parse_time(text) for text in written] == [moment] * len(written)
    assert parse_time("1788788220.000216") == moment + timedelta(microseconds=216)
    assert parse_time("2026-09-07T06:37:00-07:00") == datetime(2026, 9, 7, 6, 37, tzinfo=timezone(timedelta(hours=-7)))
    assert [parse_time(text) for text in ("yesterday", "", None, True, "9" * 40)] == [None] * 5
    # What programs write for "none" is no moment that a page could show in every time zone.
    assert [parse_time(text) for text in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")] == [None] * 2


def test_templates_never_run_as_formats_and_quote_paths() -> None:
    values = {"row": {"id": "a/../b?c#d", "n": 5}}
    assert fill("{row.id} {row.__class__} {0} %s", values) == "a/../b?c#d  {0} %s"
    assert fill({"n": "{row.n}", "none": "{row.x}", "list": ["{row.n}"]}, values) == {"n": 5, "list": [5]}
    assert fill_path("/x/{row.id}", values) == "/x/a%2F..%2Fb%3Fc%23d"
    with pytest.raises(ConnectorError):
        fill_path("/x/{row.missing}/y", values)
    with pytest.raises(ConnectorError):
        fill_path("/x/{row.dots}/y", {"row": {"dots": ".."}})


def test_what_is_too_long_or_has_nul_fits_what_can_be_stored() -> None:
    row = {"id": 1, "description": "a\x00" + "b" * 200_000, "subject": "s" * 5_000, "requester": {"name": "n" * 999}}
    item = mapped("zendesk", "tickets", row, subdomain="acme").item
    assert isinstance(item, RawItem)
    assert isinstance(item.body, str)
    assert (len(item.body), item.body[:2]) == (100_000, "ab")
    assert isinstance(item.author, str)
    assert len(item.author) == 256
    assert isinstance(item.metadata, dict)
    assert len(item.metadata["subject"]) == 1_000


RSS = b"""<?xml version="1.0"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>News</title>
<item><title>Export</title><guid>7</guid><link>https://example.com/7</link>
<description>&lt;p&gt;It fails&lt;/p&gt;</description>
<dc:creator>Jo</dc:creator><pubDate>Mon, 07 Sep 2026 13:37:00 GMT</pubDate></item></channel></rss>"""
ATOM = b"""<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><entry><id>urn:7</id><title>Export</title>
<link href="https://example.com/7"/><author><name>Jo</name><email>jo@example.com</email></author>
<updated>2026-09-07T13:37:00Z</updated><content type="html">&lt;p&gt;It fails&lt;/p&gt;</content></entry></feed>"""


class Feed(Vendor):
    """One file."""

    kind = "rss"
    content = b""

    def handle(self, request: Request) -> Answer:
        self.log.append(request)
        return Answer(raw=self.content, headers={"Content-Type": "application/xml"})


@pytest.fixture
def feed() -> Iterator[Feed]:
    vendor = Feed(FakeClock())
    with serving(vendor):
        yield vendor


@pytest.mark.parametrize(("content", "unique_id"), [(RSS, "7"), (ATOM, "urn:7")])
def test_feeds_are_read(feed: Feed, content: bytes, unique_id: str) -> None:
    feed.content = content
    store = Store()
    read_all(feed, store, url="https://example.com/feed.xml?all=1")
    assert feed.log[0].url.endswith("/feed.xml?all=1")
    item = store.items[unique_id]
    assert (item["body"], item["author"], item["url"]) == ("Export\nIt fails", "Jo", "https://example.com/7")
    assert item["created_at"] == datetime(2026, 9, 7, 13, 37, tzinfo=UTC)


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><rss><channel><item><guid>&c;</guid></item></channel>'
        b"</rss>",
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><rss/>',
        b"<html><body>Sign in</body></html>",
        b"<rss><channel>",
        b"",
    ],
)
def test_what_is_no_plain_feed_is_refused(content: bytes) -> None:
    with pytest.raises(ConnectorError):
        read_feed(content)


class Described(Vendor):
    """A list of somebody's own."""

    kind = "rest"
    settings = {
        "url": "https://api.example.com/v1/notes", "parameters": ["from={since}", "limit=2"], "rows": "data.notes",
        "map_unique_id": "nr", "map_body": "text", "map_email": "who.mail", "map_created_at": "at",
        "next_by": "token", "next_at": "data.next", "next_into": "after", "cursor_field": "at",
        "cursor_kind": "epoch",
    }  # fmt: skip
    secrets = {"access_token": "first-token"}
    size = 2

    def answer(self, request: Request) -> Answer:
        since = float(request.query["from"])
        found, token = self.cut(self.oldest_first(since), request.query.get("after"))
        notes = [{"nr": row.id, "text": row.text, "at": row.updated, "who": {"mail": row.email}} for row in found]
        return Answer({"data": {"notes": notes, "next": token}})


def test_a_list_that_a_person_describes_is_read_and_read_on() -> None:
    vendor = Described(FakeClock())
    store = Store()
    with serving(vendor):
        vendor.add(5)
        _read_described(vendor, store)
        assert {key: item["body"] for key, item in store.items.items()} == {
            str(row.id): row.text for row in vendor.rows.values()
        }
        assert store.items["1"]["email"] == vendor.rows[1].email
        vendor.clock.time += 40 * 86_400
        vendor.add(1)
        before = len(vendor.log)
        _read_described(vendor, store)
    assert "6" in store.items
    assert len(vendor.log) - before <= 3


def _read_described(vendor: Described, store: Store) -> None:
    settings = {**vendor.settings, "loopback": vendor.base}
    account = Account(settings=settings, secrets=dict(vendor.secrets))
    engine = Engine(connector_of("rest", settings), account, clock=vendor.clock)
    for batch in engine.walk("rows", {"key": ""}, store.states.get(("rows", ""), {})):
        store.take("rows", "", batch)


def test_an_expression_that_cannot_be_read_is_told() -> None:
    with pytest.raises(ConnectorError, match="not an expression"):
        connector_of("rest", {"map_unique_id": "id", "map_body": "text]["})


def test_the_catalogue_says_in_words_what_a_person_needs() -> None:
    entries = {entry.kind: entry for entry in catalogue()}
    assert {
        "zendesk", "intercom", "salesforce", "gong", "g2", "trustpilot", "appstore", "googleplay", "reddit",
        "discord",
        "x", "slack", "hubspot", "freshdesk", "github", "discourse", "rest", "rss",
    } == set(entries)  # fmt: skip
    for entry in entries.values():
        assert entry.title
        assert entry.tags
        assert entry.setup
        assert len(entry.summary.split()) > 4
        assert all(field.label for field in (*entry.settings, *entry.secrets))
    assert entries["zendesk"].sign_in
    assert not entries["discord"].sign_in


def test_every_expression_of_every_connector_can_be_read() -> None:
    count = 0
    for path in sorted(FOLDER.glob("*.yaml")):
        for stream in yaml.safe_load(path.read_text())["streams"].values():
            for expression in _texts(stream.get("map"), stream.get("part"), stream.get("where"), stream.get("parts")):
                if not TEMPLATE.search(expression):
                    count += 1
                    with contextlib.suppress(JMESPathTypeError):
                        compiled(expression).search({"id": 1}, options=OPTIONS)
    assert count > 200


def _texts(*values: Any) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from _texts(*value.values())


def test_intercom_and_zendesk_links_lead_back() -> None:
    for vendor_type, start in (
        (Zendesk, "https://acme.zendesk.com/agent/tickets/1"),
        (Intercom, "https://app.intercom.com/"),
    ):
        vendor = vendor_type(FakeClock())
        store = Store()
        with serving(vendor):
            vendor.add(1)
            read_all(vendor, store)
        assert store.items["1"]["url"].startswith(start)


def test_a_source_takes_only_the_languages_and_tags_that_were_chosen() -> None:
    review = {"id": "1", "title": "Slow", "text": "Sehr langsam", "language": "de-AT", "tags": [{"value": "App"}]}
    for settings, taken in (
        ({}, True),
        ({"only_languages": ["DE"]}, True),
        ({"only_languages": ["en", "fr"]}, False),
        ({"only_tags": ["app", "web"]}, True),
        ({"only_tags": ["web"]}, False),
        ({"only_languages": ["de"], "only_tags": ["web"]}, False),
    ):
        found = mapped("trustpilot", "private", review, **settings)
        assert (found.item is not None, found.empty) == (taken, not taken), settings
    unknown = {**review, "language": None}
    assert mapped("trustpilot", "private", unknown, only_languages=["en"]).item is not None


def test_filters_are_offered_where_the_application_states_what_they_ask_for() -> None:
    offered = {kind: {field.name for field in connector.settings} for kind, connector in connectors().items()}
    assert {"only_languages", "only_tags"} <= offered["trustpilot"]
    assert "only_tags" in offered["zendesk"]
    assert "only_languages" not in offered["zendesk"]
    assert not {"only_languages", "only_tags"} & offered["slack"]
