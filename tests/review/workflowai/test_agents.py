"""Agents: registering what they take and give, numbering their versions, deploying them."""

from typing import Any

import pytest
from django.test import Client

from projects.models import AuditEvent
from tests.factories import Member
from tests.model_server import ModelServer
from tests.review.workflowai.calling import AGENT, ANSWER, QUESTION, answering, call, register, run

pytestmark = pytest.mark.django_db


def save(client: Client, member: Member, **properties: Any) -> Any:
    return call(client, member, f"agents/{AGENT}/schemas/1/versions", {"properties": properties})


def deploy(client: Client, member: Member, version: str, environment: str = "production") -> Any:
    return call(client, member, f"agents/{AGENT}/versions/{version}/deploy", {"environment": environment})


def test_an_agent_is_answered_as_published(client: Client, reviewer: Member) -> None:
    body = register(client, reviewer, name="Support")
    assert body.keys() == {"id", "uid", "name", "schema_id", "variant_id", "tenant_uid"}
    assert (body["id"], body["name"], body["schema_id"]) == (AGENT, "Support", 1)
    assert body["tenant_uid"] == reviewer.project.pk


def test_the_same_schemas_keep_their_number_and_others_get_the_next(client: Client, reviewer: Member) -> None:
    first = register(client, reviewer)
    reordered = {"required": ["question"], "properties": QUESTION["properties"], "type": "object"}
    assert register(client, reviewer, input_schema=reordered) == first
    second = register(client, reviewer, output_schema=ANSWER | {"description": "Short"})
    assert (second["schema_id"], second["uid"]) == (2, first["uid"])
    assert register(client, reviewer)["schema_id"] == 1


def test_agents_are_listed_with_their_number(client: Client, reviewer: Member, stranger: Member) -> None:
    register(client, reviewer)
    register(client, reviewer, "other-agent")
    listed = call(client, reviewer, "agents").json()
    assert ([agent["id"] for agent in listed["items"]], listed["count"]) == (["other-agent", AGENT], 2)
    assert call(client, stranger, "agents").json() == {"items": [], "count": 0}


@pytest.mark.parametrize("slug", ["a b", "../x", "", "é", "-x", "x" * 121])
def test_an_id_that_fits_into_no_address_is_refused(client: Client, reviewer: Member, slug: str) -> None:
    body = {"id": slug, "input_schema": QUESTION, "output_schema": ANSWER}
    assert call(client, reviewer, "agents", body).status_code in (400, 422)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "no-such-type"},
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"properties": {"a": {"items": {"$ref": "file:///etc/passwd"}}}},
        {"description": "x" * 300_000},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(client: Client, reviewer: Member, schema: dict[str, Any]) -> None:
    body = {"id": AGENT, "input_schema": QUESTION, "output_schema": schema}
    answer = call(client, reviewer, "agents", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_json_schema")


@pytest.mark.parametrize(
    "schema", [{"$ref": "#"}, {"$ref": "#/$defs/missing"}, {"properties": {"question": {"$ref": "#/$defs/gone"}}}]
)
def test_a_schema_that_refers_to_nothing_fails_without_an_error_of_ours(
    client: Client, reviewer: Member, schema: dict[str, Any]
) -> None:
    register(client, reviewer, input_schema=schema)
    answer = run(client, reviewer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_json_schema")


def test_a_pattern_that_never_ends_is_not_tried(client: Client, reviewer: Member, model: ModelServer) -> None:
    model.model = answering
    endless = {"type": "string", "pattern": "^(a+)+$"}
    schema = {
        "type": "object",
        "properties": {"question": endless},
        "patternProperties": {"^(a+)+$": {}},
        "additionalProperties": False,
    }
    register(client, reviewer, input_schema=schema)
    assert run(client, reviewer, "a" * 50 + "!").status_code == 200


def test_the_same_properties_are_the_same_version_and_another_model_a_minor_one(
    client: Client, reviewer: Member
) -> None:
    register(client, reviewer)
    first = save(client, reviewer, model="one", instructions="Be brief.")
    assert (first.status_code, first.json()["semver"]) == (201, "1.1")
    assert save(client, reviewer, instructions="Be brief.", model="one").json() == first.json()
    assert save(client, reviewer, model="two", instructions="Be brief.").json()["semver"] == "1.2"
    assert save(client, reviewer, model="two", instructions="Be long.").json()["semver"] == "2.1"
    assert save(client, reviewer, model="two", instructions="Be long.", top_p=0.5).json()["semver"] == "3.1"


def test_a_version_is_run_by_number_hash_environment_or_properties(
    client: Client, reviewer: Member, model: ModelServer
) -> None:
    model.model = answering
    register(client, reviewer)
    versions = [save(client, reviewer, model=name, instructions="Be brief.").json() for name in ("one", "two")]
    assert deploy(client, reviewer, "1.1").status_code == 200
    deploy(client, reviewer, versions[1]["id"], "dev")
    wanted: list[tuple[Any, str]] = [
        (1, "two"),
        ("1.1", "one"),
        (versions[0]["id"], "one"),
        ("production", "one"),
        ("dev", "two"),
        ({"model": "three"}, "three"),
    ]
    for version, named in wanted:
        answer = run(client, reviewer, version=version, use_cache="never")
        assert answer.json()["version"]["properties"]["model"] == named
    assert run(client, reviewer, use_cache="never").json()["version"]["properties"]["model"] == "one"
    assert [asked.body["model"] for asked in model.requests[:4]] == ["two", "one", "one", "one"]


def test_a_deployment_moves_an_environment_to_another_version(client: Client, reviewer: Member) -> None:
    register(client, reviewer)
    for name in ("one", "two"):
        save(client, reviewer, model=name)
        deploy(client, reviewer, "1")
    listed = call(client, reviewer, f"agents/{AGENT}/versions").json()
    assert [(each["semver"], [where["environment"] for where in each["deployments"]]) for each in listed["items"]] == [
        ("1.2", ["production"]),
        ("1.1", []),
    ]
    assert AuditEvent.objects.filter(verb="agent.deployed").count() == 2


def test_tools_are_refused_and_not_ignored(client: Client, reviewer: Member) -> None:
    register(client, reviewer)
    assert run(client, reviewer, version={"model": "m", "enabled_tools": ["@search"]}).status_code == 400
