"""Foreign JSON in the console: expressions tried on a sample, REST lists connected, signed requests taken."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import pytest
from django.test import Client
from django.urls import reverse

from feedback_ingest.models import FeedbackItem
from projects.models import Project
from sources import credentials, received
from sources.connecting import connect
from sources.connectors import connectors
from sources.mappings import problem_of
from sources.models import Connection, Source
from sources.signing import BODY, signed_example
from tests.factories import Member, make_item, make_source

SAMPLE = {
    "data": [
        {"id": 1, "text": "Too slow", "user": {"name": "Jane"}},
        {"id": 2, "text": "", "user": {"name": "Joe"}},
        {"text": "Love it", "user": {"name": "Ann"}},
    ]
}
MAPPING = {"rows": "data", "map_body": "text", "map_unique_id": "id", "map_author": "user.name"}


@pytest.fixture(autouse=True)
def every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "PAUSE", 0)


@pytest.fixture
def console(owner: Member) -> Client:
    client = Client()
    client.force_login(owner.user)
    return client


@pytest.fixture
def webhook(project: Project) -> Source:
    return make_source(project, name="Survey tool")


def at(name: str, project: Project, *args: object) -> str:
    return reverse(name, args=[project.slug, *args])


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


class _List(BaseHTTPRequestHandler):
    """A list that wants a token, and remembers which ones it was sent."""

    tokens: list[str | None] = []

    def do_GET(self) -> None:
        self.tokens.append(self.headers.get("Authorization"))
        is_known = self.headers.get("Authorization") == "Bearer let-me-in"
        content = json.dumps(SAMPLE if is_known else {"error": "who are you"}).encode()
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def listing(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    settings.ALLOW_LOOPBACK = True
    described = connectors()["rest"]
    fields = [msgspec.structs.replace(field, pattern="") for field in described.settings]
    monkeypatch.setitem(connectors(), "rest", msgspec.structs.replace(described, settings=fields))
    _List.tokens = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _List)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/reviews"
    server.shutdown()
    thread.join()
    server.server_close()


def rest(url: str, **changes: str) -> dict[str, str]:
    chosen = {"method": "GET", "next_by": "none", "cursor_kind": "iso", "cursor_order": "none", "history_days": "90"}
    return {"name": "Reviews", "url": url, **chosen, **MAPPING, **changes}


def test_a_sample_shows_the_rows_it_gives_with_what_is_wrong_beside_them(console: Client, project: Project) -> None:
    answer = console.post(at("source_generic_preview", project), MAPPING | {"sample": json.dumps(SAMPLE)})
    shown = words(answer)
    assert "Too slow" in shown
    assert "Jane" in shown
    assert "2 rows cannot be taken" in shown
    assert "2 The feedback is empty." in shown
    assert "3 The id is missing." in shown
    assert "Found in the first row: id , text , user.name" in shown


@pytest.mark.parametrize(
    ("sample", "problem"),
    [
        ('{"a": 1,\n "b" 2}', "line 2, character 6 cannot be read"),
        ("[1, 2]", "The feedback is empty."),
        ('{"other": []}', "Nothing is where the rows should be."),
        ("", "Paste a sample answer"),
        ("[" * 100_000, "cannot be read"),
    ],
)
def test_a_sample_that_gives_nothing_says_why(console: Client, project: Project, sample: str, problem: str) -> None:
    mapping = {"rows": "", "map_body": "text"} if sample == "[1, 2]" else MAPPING
    assert problem in words(console.post(at("source_generic_preview", project), mapping | {"sample": sample}))


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("user.name", ""),
        ("join(', ', tags)", ""),
        ("user.", "Something is missing at its end."),
        ("user..name", "At character 6, “.” does not belong here."),
        ("user ? name", "Character 6, “?”, does not belong here."),
        ("shout(text)", "It calls a function that does not exist."),
        ("join(tags)", "It gives a function too few or too many values."),
        ("a" * 501, "It is longer than 500 characters."),
    ],
)
def test_what_is_wrong_with_an_expression_is_said_in_words(expression: str, problem: str) -> None:
    assert problem_of(expression) == problem


def test_the_preview_names_the_expression_that_cannot_be_read(console: Client, project: Project) -> None:
    sent = MAPPING | {"map_author": "user..name", "sample": json.dumps(SAMPLE)}
    shown = words(console.post(at("source_generic_preview", project), sent))
    assert "Author’s name: At character 6, “.” does not belong here." in shown
    assert "Too slow" in shown


def test_a_page_is_fetched_as_the_sample_before_anything_is_mapped(
    console: Client, project: Project, listing: str
) -> None:
    sent = rest(listing, access_token="let-me-in", fetch="1") | {"map_body": "", "map_unique_id": "", "rows": ""}
    answer = console.post(at("source_rest_add", project), sent)
    assert answer.status_code == 200, answer.context["failure"]
    assert "Love it" in answer.context["shown"].sample["sample"].value()
    assert "let-me-in" not in answer.content.decode()
    assert Source.objects.filter(application="rest").count() == 0


def test_a_list_that_cannot_be_fetched_says_why(console: Client, project: Project, listing: str) -> None:
    answer = console.post(at("source_rest_add", project), rest(listing, access_token="wrong", fetch="1"))
    assert answer.status_code == 422
    assert "credential" in words(answer)


def test_a_described_list_is_connected_and_changed_without_showing_its_secret(
    console: Client, project: Project, listing: str
) -> None:
    console.post(at("source_rest_add", project), rest(listing, access_token="let-me-in", save="1"))
    source = Source.objects.get(application="rest")
    connection = Connection.objects.get(source=source)
    assert connection.settings["map_author"] == "user.name"
    assert credentials.unseal(connection.secrets) == {"access_token": "let-me-in"}

    page = console.get(at("source_rest", project, source.pk)).content.decode()
    assert "Set. Leave it blank to keep it." in page
    assert "let-me-in" not in page
    console.post(at("source_rest", project, source.pk), rest(listing, save="1", map_author="user"))
    connection.refresh_from_db()
    assert connection.settings["map_author"] == "user"
    assert credentials.unseal(connection.secrets) == {"access_token": "let-me-in"}


@pytest.mark.parametrize("button", ["fetch", "save"])
def test_a_stored_secret_is_not_sent_to_another_server(
    console: Client, project: Project, owner: Member, listing: str, button: str
) -> None:
    settings = {"url": "https://reviews.example/list", "map_body": "text", "map_unique_id": "id"}
    source = connect(
        project, "rest", "Reviews", actor=owner.user, settings=settings, secrets={"access_token": "let-me-in"}
    )
    answer = console.post(at("source_rest", project, source.pk), rest(listing, **{button: "1"}))
    assert answer.status_code == 422
    assert "These settings lead to another address." in words(answer)
    assert _List.tokens == []
    assert Connection.objects.get(source=source).settings["url"] == "https://reviews.example/list"


def test_an_address_without_encryption_is_refused_at_its_field(console: Client, project: Project) -> None:
    answer = console.post(at("source_rest_add", project), rest("http://reviews.example/list", save="1"))
    assert answer.status_code == 422
    assert "This is not written as it should be." in words(answer)


def test_expressions_that_cannot_be_read_are_not_saved(console: Client, project: Project, listing: str) -> None:
    answer = console.post(at("source_rest_add", project), rest(listing, save="1", map_body="text["))
    assert answer.status_code == 422
    assert "Something is missing at its end." in words(answer)
    assert not Source.objects.filter(application="rest").exists()


def test_a_signed_request_becomes_feedback_as_its_mapping_says(
    console: Client, project: Project, webhook: Source
) -> None:
    console.post(at("source_signed", project, webhook.pk), {"map_body": "text", "map_unique_id": "id", "save": "1"})
    answer = console.post(at("source_signed_open", project, webhook.pk))
    secret, example = answer.context["secret"], answer.context["example"]
    assert answer["Cache-Control"] == "no-store"
    assert secret in answer.content.decode()
    assert secret not in console.get(at("source_signed", project, webhook.pk)).content.decode()
    taken = Client().post(
        reverse("hook", args=[webhook.pk]),
        example.body,
        content_type="application/json",
        headers={"X-Earshot-Timestamp": str(example.timestamp), "X-Earshot-Signature": example.signature},
    )
    assert taken.status_code == 200, taken.content
    assert FeedbackItem.objects.get(source=webhook).body == "The export stops after 200 rows."

    shown = words(console.get(at("source_signed", project, webhook.pk)))
    assert "1 item received" in shown
    assert "{id: text, text: text, user: {name: text}}" in shown
    assert "Jane Doe" not in words(console.get(at("source_requests", project, webhook.pk)))


def test_a_request_with_a_wrong_signature_is_listed_as_refused(
    console: Client, project: Project, webhook: Source
) -> None:
    console.post(at("source_signed_open", project, webhook.pk))
    Client().post(reverse("hook", args=[webhook.pk]), BODY, content_type="application/json")
    shown = words(console.get(at("source_requests", project, webhook.pk)))
    assert "401" in shown
    assert "The signature is missing, wrong or too old." in shown
    assert "Waiting for the first item…" in shown


def test_the_list_stops_asking_once_the_first_item_is_there(console: Client, project: Project, webhook: Source) -> None:
    page = at("source_requests", project, webhook.pk)
    assert "hx-get" in console.get(page).content.decode()
    make_item(webhook)
    assert "hx-get" not in console.get(page).content.decode()


def test_the_command_to_copy_computes_the_signature_that_is_checked(
    console: Client, project: Project, webhook: Source
) -> None:
    answer = console.post(at("source_signed_open", project, webhook.pk))
    prepared, _, _ = answer.context["command"].partition("curl")
    shell = prepared.replace("NOW=$(date +%s)", "NOW=1767225600") + 'printf %s "$SIGNATURE"'
    ran = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert ran.stdout == signed_example(answer.context["secret"], timestamp=1767225600).signature


def test_the_page_of_a_source_lists_its_newest_requests(console: Client, project: Project, webhook: Source) -> None:
    received.note(webhook.pk, 429, reason="Too many requests or items a second. Send this again.")
    shown = words(console.get(at("source", project, webhook.pk)))
    assert "Newest requests" in shown
    assert "Too many requests or items a second." in shown


def test_an_address_that_is_closed_takes_nothing(console: Client, project: Project, webhook: Source) -> None:
    console.post(at("source_signed_open", project, webhook.pk))
    closed = console.post(at("source_hook_close", project, webhook.pk))
    assert closed["Location"] == at("source_signed", project, webhook.pk)
    assert Client().post(reverse("hook", args=[webhook.pk]), BODY, content_type="application/json").status_code == 404


def test_only_sources_that_programs_send_to_take_signed_requests(console: Client, project: Project) -> None:
    files = make_source(project, kind=Source.Kind.FILE)
    assert console.get(at("source_signed", project, files.pk)).status_code == 404
    assert console.get(at("source_rest", project, files.pk))["Location"] == at("source", project, files.pk)
