"""The newest requests of a source: how each ended, an outline without its words, and nothing in the sender's way."""

import base64
import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from projects.models import Project
from projects.services import issue_project_key
from sources import received
from sources.models import ReceivedRequest, Source
from tests.factories import make_source


@pytest.fixture(autouse=True)
def every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "PAUSE", 0)


@pytest.fixture
def source(project: Project) -> Source:
    return make_source(project)


@pytest.fixture
def authorization(project: Project) -> str:
    issued = issue_project_key(project, "tests")
    return "Basic " + base64.b64encode(f"{issued.key.public}:{issued.secret}".encode()).decode()


def test_a_request_is_listed_with_its_end_and_an_outline(source: Source) -> None:
    body = json.dumps({"source_id": "x", "items": [{"unique_id": 1, "body": "Jane said so", "ok": True, "n": None}]})
    received.note(source.pk, 200, body=body.encode(), items=1, refused=2)
    [request] = received.newest(source)
    assert (request.status, request.items, request.refused, request.size) == (200, 1, 2, len(body))
    assert request.outline == "{source_id: text, items: [{unique_id: number, body: text, ok: yes/no, n: null}] × 1}"


@pytest.mark.parametrize(
    ("body", "outline"),
    [
        (b"", ""),
        (b"{half", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"jane@customer.example": 1, "a b": 2}', "{…: number, …: number}"),
        (b"[" * 9 + b"]" * 9, "[[[[[[] × 1] × 1] × 1] × 1] × 1] × 1"),
        (b'"' + b"x" * received.LONGEST_OUTLINED + b'"', ""),
    ],
)
def test_an_outline_holds_no_values(body: bytes, outline: str) -> None:
    assert received.outline_of(body) == outline


def test_only_the_newest_of_each_source_are_kept(source: Source, project: Project) -> None:
    other = make_source(project)
    received.note(other.pk, 200)
    for number in range(received.KEPT + 5):
        received.note(source.pk, 200, items=number)
    assert ReceivedRequest.objects.filter(source=source).count() == received.KEPT
    assert [request.items for request in received.newest(source)] == list(range(24, 14, -1))
    assert len(received.newest(other)) == 1


def test_of_many_requests_at_once_one_is_written(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(received, "PAUSE", 60)
    received.note(source.pk, 200)
    with CaptureQueriesContext(connection) as queries:
        for _ in range(100):
            received.note(source.pk, 200)
    assert len(queries) == 0
    received.note(source.pk, 429)
    assert [request.status for request in received.newest(source)] == [429, 200]


def send(source: Source, authorization: str, *items: dict[str, Any]) -> Any:
    return Client().post(
        "/api/1/ai-feedback/ingest",
        {"source_id": str(source.pk), "items": list(items)},
        content_type="application/json",
        headers={"Authorization": authorization},
    )


def test_the_ingest_api_lists_what_it_takes_and_why_it_refuses(source: Source, authorization: str) -> None:
    send(source, authorization, {"unique_id": "1", "body": "Too slow"}, {"unique_id": "2", "body": 7})
    source.status = Source.Status.PAUSED
    source.save()
    send(source, authorization, {"unique_id": "3", "body": "Still too slow"})
    refused, taken = received.newest(source)
    assert (taken.status, taken.items, taken.refused) == (200, 1, 1)
    assert (refused.status, refused.items) == (409, 0)
    assert "paused" in refused.reason
    assert not any("slow" in text for request in (refused, taken) for text in (request.reason, request.outline))
