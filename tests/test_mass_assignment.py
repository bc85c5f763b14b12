"""Fields of our models that a request may not set: sent with every write, they change nothing."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client

from insights.models import Insight
from projects.models import Project
from projects.roles import Permission
from tests.factories import make_insight, make_project, make_source, make_user
from tests.surface import ADDRESSES, KNOWN, Row, World

OURS = ("feedback", "privacy", "sources", "feedback_ingest", "insights", "review")
# What no row of the product holds by itself: numbers, ids and times that somebody sent.
TAINTED = 987_654_321
TAINTED_UUID = "99999999-9999-4999-8999-999999999999"
TAINTED_TIME = "1999-09-09T09:09:09Z"
TRACES = (str(TAINTED), TAINTED_UUID, "1999-09-09", "tainted")
VARIANTS = 4

Body = dict[str, Any]


def another_insight(world: World) -> str:
    """Return the id of the insight that the addresses are not about."""
    return str(Insight.objects.filter(project=world.project).exclude(pk=world.ids["insight"]).get().pk)


# A request as documented; what else may be said in it stands behind.
DOCUMENTED: dict[str, tuple[Callable[[World], Body], str]] = {
    "post api-golden-move": (lambda world: {"split": "few_shot"}, ""),
    "put api-golden-cites": (lambda world: {"documents": [str(world.ids["knowledge"])]}, ""),
    "post api-golden-still-right": (lambda world: {}, ""),
    "post api-golden-list": (
        lambda world: {"original_query": "How?", "golden_response": "So."},
        "original_response checks split",
    ),
    "patch api-golden-detail": (
        lambda world: {"golden_response": "So."},
        "original_query is_active checks version owner expires_at",
    ),
    "post api-knowledge-list": (
        lambda world: {"title": "t", "text": "t"},
        "kind reference url application severity started_at resolved_at",
    ),
    "patch api-knowledge-detail": (
        lambda world: {"title": "other"},
        "kind reference text url application severity started_at resolved_at",
    ),
    "post api-source-pause": (lambda world: {}, ""),
    "post api-source-list": (lambda world: {"name": "s"}, "kind purpose"),
    "patch api-source-detail": (lambda world: {"name": "s"}, "purpose"),
    "patch api-source-connection": (lambda world: {"every": 60, "secrets": {"access_token": "x"}}, "settings"),
    "post api-item-inbox": (lambda world: {"inbox": "archived"}, ""),
    "post api-item-set-aside": (lambda world: {}, ""),
    "post api-insight-merge": (lambda world: {"insights": [another_insight(world)]}, ""),
    "post api-insight-split": (lambda world: {"title": "t", "mentions": [world.ids["mention"]]}, ""),
    "post api-insight-different": (lambda world: {"insights": [another_insight(world)]}, ""),
    "patch api-insight-detail": (lambda world: {"title": "t"}, "kind area status owner locked"),
    "post api-mention-confirm": (lambda world: {}, ""),
    "post api-mention-move": (lambda world: {"insight": another_insight(world)}, ""),
    "post api-correction-undo": (lambda world: {}, ""),
    "put feedback-settings": (
        lambda world: {"require_reason_negative": True},
        "auto_approve_positive auto_approve_negative require_reason_positive",
    ),
    "post feedback-resolve": (lambda world: {"golden_response": "So."}, ""),
    "post feedback-dismiss": (lambda world: {"reason": "spam"}, ""),
    "post feedback-submit": (
        lambda world: {"message_id": world.ids["agentsight-message"], "feedback_type": "negative"},
        "reason",
    ),
    "post golden-examples": (
        lambda world: {"original_query": "How?", "golden_response": "So."},
        "original_response",
    ),
    "put golden-example": (lambda world: {"golden_response": "So."}, "is_active"),
    "patch agentsight-rename": (lambda world: {"name": "n"}, ""),
    "post agentsight-mark": (lambda world: {"is_marked": True}, ""),
    "patch agentsight-update": (
        lambda world: {"name": "n"},
        "is_marked customer_id device language metadata",
    ),
    "post agentsight-track": (
        lambda world: {"conversation_id": "c", "content": "x", "sender": "agent"},
        "conversation timestamp metadata",
    ),
    "post agentsight-action-logs": (
        lambda world: {"conversation_id": "c", "action_name": "a"},
        "conversation timestamp started_at ended_at duration_ms tools_used response error_msg metadata",
    ),
    "post agentsight-buttons": (
        lambda world: {"conversation_id": "c", "button_event": "b", "label": "l", "value": "v"},
        "conversation timestamp metadata",
    ),
    "post agentsight-attachments": (
        lambda world: {
            "conversation_id": "c",
            "attachments": [{"filename": "a.txt", "mime_type": "text/plain", "data": "aGk="}],
        },
        "conversation timestamp sender metadata message",
    ),
    "post agentsight-conversation-feedbacks": (
        lambda world: {"conversation": world.ids["agentsight-conversation"], "sentiment": "positive"},
        "conversation_id comment metadata",
    ),
    "post agentsight-conversations": (
        lambda world: {"conversation_id": "another"},
        "timestamp customer_id customer_ip_address device source language name environment metadata is_used",
    ),
    "patch agentsight-message": (lambda world: {"metadata": {"a": 1}}, ""),
    "post agentsight-feedbacks": (
        lambda world: {"kind": "message", "message": world.ids["agentsight-message"], "sentiment": "negative"},
        "comment metadata topic reason conversation conversation_id agent environment",
    ),
    "patch agentsight-feedback": (lambda world: {"sentiment": "negative"}, "comment topic reason"),
    "post agentsight-actions": (lambda world: {"name": "another"}, "display_name description"),
    "patch agentsight-action": (lambda world: {"name": "another"}, "display_name description"),
    "post agents": (
        lambda world: {"id": "another", "input_schema": {"type": "object"}, "output_schema": {"type": "object"}},
        "name",
    ),
    "post agent-schema-versions": (lambda world: {"properties": {"model": "m"}}, ""),
    "post agent-deploy": (lambda world: {"environment": "production"}, "schema_id"),
    "post agent-annotate": (lambda world: {"annotation": "resolved"}, "comment"),
    "post agent-runs": (
        lambda world: {"task_input": {"a": 1}, "task_output": "x"},
        "id schema_id version model metadata conversation_id duration_seconds cost_usd created_at",
    ),
}  # fmt: skip
# Where there is nothing that a model's field could be taken for, or a body of another kind.
ELSEWHERE = {
    "post api-golden-import-file": "a file",
    "post api-golden-settle": "takes one of two words, where there is a conflict",
    "post api-source-resume": "as to pause",
    "post api-source-restore": "as to pause",
    "post api-source-sync": "only enqueues",
    "post api-source-read-again": "only enqueues",
    "post api-item-restore": "as to set aside",
    "post api-item-retry": "as to set aside",
    "post feedback-restore": "as to dismiss",
    "post feedback-generate": "needs a model",
    "post agent-run": "needs a model",
    "post chat-completions": "needs a model",
}
WRITES = [
    *(row for row in KNOWN if row.method in ("post", "put", "patch") and not ADDRESSES[row.name].startswith("p/")),
    Row("feedback-submit", "post", None),
]


def named(row: Row) -> str:
    return f"{row.method} {row.name}"


def test_every_write_of_the_apis_is_tried_or_says_why_not() -> None:
    assert {named(row) for row in WRITES} == DOCUMENTED.keys() | ELSEWHERE.keys()


def wishes(field: "models.Field[Any, Any]") -> list[Any]:
    """Return values of a field's kind that somebody might want to set."""
    if field.choices:
        return [value for value, _ in field.flatchoices][:VARIANTS]
    if isinstance(field, models.ForeignKey):
        return [TAINTED_UUID if isinstance(field.target_field, models.UUIDField) else TAINTED]
    by_kind: dict[type[Any], list[Any]] = {
        models.BooleanField: [True, False],
        models.DateTimeField: [TAINTED_TIME],
        models.DateField: ["1999-09-09"],
        models.UUIDField: [TAINTED_UUID],
        models.JSONField: [{"tainted": 1}],
        models.IntegerField: [TAINTED],
        models.FloatField: [float(TAINTED)],
        models.DecimalField: [str(TAINTED)],
    }
    return next((values for kind, values in by_kind.items() if isinstance(field, kind)), ["tainted"])


def wanted() -> Iterator[Body]:
    """Yield bodies that together hold every field of every model, several times with other values."""
    values: dict[str, list[Any]] = {}
    for label in OURS:
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.concrete_fields:
                for name in {field.name, field.attname, f"{field.name}_id"}:
                    known = values.setdefault(name, [])
                    known += [value for value in wishes(field) if value not in known]
    for variant in range(VARIANTS):
        yield {name: known[variant % len(known)] for name, known in values.items()}


TABLES = [model._meta for label in OURS for model in apps.get_app_config(label).get_models()]
EVERYTHING = " UNION ALL ".join(
    f"SELECT '{meta.db_table}', r.{meta.pk.column}::text, to_jsonb(r) FROM \"{meta.db_table}\" r"
    for meta in TABLES
    if meta.pk and meta.managed and not meta.proxy
)
Rows = dict[tuple[str, str], Body]


def rows() -> Rows:
    """Read everything that is stored."""
    with connection.cursor() as cursor:
        cursor.execute(EVERYTHING)
        return {(table, key): json.loads(row) if isinstance(row, str) else row for table, key, row in cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a request was answered, and the rows that it made or changed."""

    status: int
    changed: Rows

    @property
    def values(self) -> dict[tuple[str, str], list[str]]:
        """The values in changed rows, by table and column."""
        found: dict[tuple[str, str], list[str]] = {}
        for (table, _), row in self.changed.items():
            for column, value in row.items():
                found.setdefault((table, column), []).append(json.dumps(value, sort_keys=True))
        return {place: sorted(values) for place, values in found.items()}


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody with all permissions in the one project, and none in the other."""

    world: World
    headers: dict[str, str]

    @classmethod
    def of(cls, world: World) -> "Writer":
        member = world.holding(*Permission)
        headers = {**member.headers, "X-Project": str(world.project.pk)}
        Client().get("/api/v1/items/", headers=headers)  # The first use of a token is noted at the token.
        return cls(world, headers)

    def send(self, row: Row, body: Body) -> Outcome:
        """Send a request, see what it changes, and take it back."""
        client = Client(raise_request_exception=False)
        with transaction.atomic():
            before = rows()
            answer = getattr(client, row.method)(
                self.world.url(row.name, ADDRESSES[row.name]), body, "application/json", headers=self.headers
            )
            changed = {key: value for key, value in rows().items() if before.get(key) != value}
            transaction.set_rollback(True)
        return Outcome(answer.status_code, changed)


@pytest.fixture
def writer(db: None) -> Writer:
    """A writer, and another tenant with numbers that are known by sight."""
    organization = make_project(make_user(pk=TAINTED)).organization
    elsewhere = Project.objects.create(pk=TAINTED, organization=organization, name="Elsewhere", slug="elsewhere")
    make_source(elsewhere, pk=TAINTED_UUID)
    make_insight(elsewhere, pk=TAINTED_UUID)
    return Writer.of(World())


@pytest.mark.parametrize("row", [row for row in WRITES if named(row) in DOCUMENTED], ids=named)
def test_only_documented_fields_change(writer: Writer, row: Row) -> None:
    body, documented = DOCUMENTED[named(row)]
    plain = body(writer.world)
    first, second = writer.send(row, plain), writer.send(row, plain)
    assert first.status in range(200, 300)
    # Times, keys and hashes differ from call to call by themselves.
    assert first.changed
    steady = {place for place, values in first.values.items() if second.values.get(place) == values}
    allowed = {*plain, *documented.split()}
    for wish in wanted():
        outcome = writer.send(row, {name: value for name, value in wish.items() if name not in allowed} | plain)
        if outcome.status in range(400, 500):
            assert outcome.changed == {}
            continue
        assert outcome.status == first.status
        assert {place: outcome.values.get(place) for place in steady} == {
            place: first.values[place] for place in steady
        }
        stored = json.dumps(list(outcome.changed.values()))
        assert [trace for trace in TRACES if trace in stored] == []
