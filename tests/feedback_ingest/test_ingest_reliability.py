"""The ingest API under retries, races and nonsense: nothing lost, nothing doubled, never a 5xx."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedback_ingest.ingest_api import ingest
from feedback_ingest.models import FeedbackItem
from projects.models import Project
from projects.services import issue_project_key
from sources.models import SourceCount
from tests.factories import make_project, make_source
from tests.feedback_ingest.test_ingest_api import URL, Sender, basic

pytestmark = pytest.mark.slow

GOOD = {"unique_id": "g", "body": "The export is broken."}
BAD: list[Any] = [
    {"unique_id": "", "body": "x"},
    {"unique_id": "b", "body": 1},
    {"unique_id": "b", "body": "x", "email": "no"},
    {"unique_id": "b", "body": "x", "created_at": "never"},
    {"unique_id": "b"},
    None,
    7,
    [],
]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.django_db
def test_every_bad_item_is_named_once_and_every_good_one_is_stored(data: st.DataObject) -> None:
    sender = Sender(make_project())
    bad = data.draw(st.lists(st.sampled_from(BAD), max_size=8))
    good = [GOOD | {"unique_id": f"g{number}"} for number in range(data.draw(st.integers(0, 8)))]
    items = data.draw(st.permutations([*bad, *good]))
    if not items:
        return
    answer = sender.post(items).json()
    assert (answer["ingested"], answer["failed"], len(answer["errors"])) == (len(good), len(bad), len(bad))
    stored = FeedbackItem.objects.filter(source=sender.source).values_list("unique_id", flat=True)
    assert sorted(stored) == sorted(item["unique_id"] for item in good)
    assert sender.count.attempts == len(items)


@pytest.mark.django_db(transaction=True)
def test_many_writers_of_the_same_keys_neither_deadlock_nor_double(settings: Any) -> None:
    settings.INGEST_REQUESTS_PER_SECOND = settings.INGEST_ITEMS_PER_SECOND = 1_000_000
    project = make_project()
    source, key = make_source(project), issue_project_key(project, "tests")
    chance = random.Random(7)
    ids = [f"item-{number}" for number in range(300)]
    batches = [
        [
            {
                "unique_id": name,
                "body": f"version {turn}",
                "conversation_parts": [{"unique_id": f"{name}-part", "body": f"part {turn}"}],
            }
            for name in chance.sample(ids, 40)
        ]
        for turn in range(48)
    ]

    def send(items: list[dict[str, Any]]) -> int:
        try:
            body = json.dumps({"source_id": str(source.pk), "items": items})
            headers = {"Authorization": basic(key)}
            return Client().post(URL, body, content_type="application/json", headers=headers).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, batches))
    assert set(statuses) == {200}
    sent = {item["unique_id"] for items in batches for item in items}
    assert FeedbackItem.objects.count() == len(sent)
    count = SourceCount.objects.get(source=source)
    assert (count.received, count.waiting) == (len(sent), len(sent))
    assert count.attempts == sum(len(items) for items in batches)


def malformed(chance: random.Random, source_id: str) -> bytes:
    """Return one body that is wrong in some way."""
    envelope = json.dumps({"source_id": source_id, "items": [GOOD]}).encode()
    kind = chance.randrange(10)
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        return envelope[: chance.randrange(len(envelope))]
    if kind == 2:
        at = chance.randrange(len(envelope))
        return envelope[:at] + bytes([chance.randrange(256)]) + envelope[at + 1 :]
    if kind == 3:
        return b"[" * chance.randrange(1, 20_000)
    if kind == 4:
        return b'{"source_id":' * chance.randrange(1, 3_000)
    if kind == 5:
        nonsense = chance.choice(
            [b"NaN", b"1e999", b"-0", b"null", b'"\\ud800"', b'"\\u0000"', b"{}", b"[[]]", b"true"]
        )
        return b'{"source_id":"' + source_id.encode() + b'","items":[{"unique_id":"x","body":' + nonsense + b"}]}"
    if kind == 6:
        return json.dumps({"source_id": source_id, "items": [GOOD] * chance.choice([0, 101, 500])}).encode()
    if kind == 7:
        field = chance.choice(["unique_id", "author", "created_at", "metadata", "url", "conversation_parts", "rating"])
        value = chance.choice([[], {}, 1, -1.5, True, "\x00", "é" * 5_000, [[]], [None], {"a": {"b": []}}])
        return json.dumps({"source_id": source_id, "items": [GOOD | {field: value}]}).encode()
    if kind == 8:
        return b'{"source_id":"a","source_id":"' + source_id.encode() + b'","items":[{"unique_id":"d","unique_id":5}]}'
    return json.dumps({"source_id": chance.choice(["", "x" * 200, "../..", "%00", "0"]), "items": [GOOD]}).encode()


def test_ten_thousand_malformed_bodies_never_give_a_server_error(project: Project, settings: Any) -> None:
    settings.INGEST_REQUESTS_PER_SECOND = settings.INGEST_ITEMS_PER_SECOND = 1_000_000
    sender, requests = Sender(project), RequestFactory()
    headers = {"Authorization": basic(sender.key)}
    chance = random.Random(5)
    types = ["application/json"] * 9 + ["text/plain"]
    statuses: dict[int, int] = {}
    for _ in range(10_000):
        body = malformed(chance, str(sender.source.pk))
        request = requests.post(URL, body, content_type=chance.choice(types), headers=headers)
        answer = ingest(request)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        assert answer["Content-Type"] == "application/json"
    assert set(statuses) <= {200, 400, 404, 415}, statuses
    assert statuses[400] > 1_000
