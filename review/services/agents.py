"""Agents that can be run: their schemas, their versions, and which version answers in an environment."""

import hashlib
import json
import re
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.json_schemas import refuse_unusable
from review.models import Agent, AgentDeployment, AgentSchema, AgentVersion
from review.storable import storable

SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")
COLUMNS = ("model", "instructions", "temperature", "max_tokens")
HASH_DIGITS = 32
PRODUCTION = AgentDeployment.Environment.PRODUCTION


def agent_named(project: Project, slug: str) -> Agent:
    """Return an agent by its id, in which case does not matter. Raises DomainError."""
    agent: Agent | None = Agent.objects.filter(project=project, slug=slug.lower()).first()
    if agent is None:
        raise DomainError(f"There is no agent {slug[:120]}.", code="agent_not_found", status=404)
    agent.project = project
    return agent


def schema_numbered(agent: Agent, number: int) -> AgentSchema:
    """Return one of an agent's pairs of schemas. Raises DomainError."""
    schema: AgentSchema | None = AgentSchema.objects.filter(project=agent.project, agent=agent, number=number).first()
    if schema is None:
        raise DomainError(f"Agent {agent.slug} has no schema {number}.", code="schema_not_found", status=404)
    schema.project, schema.agent = agent.project, agent
    return schema


def register_agent(
    project: Project,
    slug: str,
    input_schema: dict[str, Any],
    output_schema: dict[str, Any],
    *,
    actor: User,
    name: str = "",
) -> AgentSchema:
    """Make an agent known; the same two schemas keep their number. Raises DomainError: 403, 400."""
    require(actor, Permission.MANAGE, project)
    input_schema, output_schema = storable(input_schema), storable(output_schema)
    refuse_unusable(input_schema)
    refuse_unusable(output_schema)
    with transaction.atomic():
        agent = _locked(open_agent(project, slug, actor=actor, name=name))
        known = AgentSchema.objects.filter(project=project, agent=agent)
        digest = digest_of([input_schema, output_schema])
        schema: AgentSchema = known.filter(hash=digest).first() or AgentSchema.objects.create(
            project=project,
            agent=agent,
            number=(known.aggregate(last=Max("number"))["last"] or 0) + 1,
            input_schema=input_schema,
            output_schema=output_schema,
            hash=digest,
        )
    schema.project, schema.agent = project, agent
    return schema


def open_agent(project: Project, slug: str, *, actor: User, name: str = "") -> Agent:
    """Return the agent of this id, made on its first use. Raises DomainError: 403, 400 for what can be no id."""
    require(actor, Permission.MANAGE, project)
    slug = slug.strip().lower()
    if not SLUG.fullmatch(slug):
        raise DomainError("An agent's id is made of letters, digits, '.', '-' and '_'.", code="bad_request")
    shown = storable(name.strip())[:120] or slug
    agent, made = Agent.objects.get_or_create(project=project, slug=slug, defaults={"name": shown})
    if made:
        audit.record("agent.created", agent, actor=actor, project=project)
    agent.project = project
    return agent


def save_version(agent: Agent, properties: dict[str, Any], *, actor: User) -> AgentVersion:
    """Return the version with these properties, made on its first use.

    Only another model makes another minor version; anything else a major one. Raises DomainError: 403, 400.
    """
    require(actor, Permission.MANAGE, agent.project)
    fields = _version_fields(storable(properties))
    digest = digest_of(fields)[:HASH_DIGITS]
    versions = AgentVersion.objects.filter(project=agent.project, agent=agent)
    version: AgentVersion | None = versions.filter(hash=digest).first()
    if version is None:
        with transaction.atomic():
            _locked(agent)
            major, minor = _next_number(agent, fields)
            version, _ = AgentVersion.objects.get_or_create(
                project=agent.project,
                agent=agent,
                hash=digest,
                defaults={**fields, "major": major, "minor": minor, "created_by": actor},
            )
    version.project, version.agent = agent.project, agent
    return version


def find_version(agent: Agent, reference: str | int) -> AgentVersion:
    """Return a version by its major number (the latest of it), by `major.minor` or by its hash. Raises DomainError."""
    versions = AgentVersion.objects.filter(project=agent.project, agent=agent)
    text = str(reference)
    if re.fullmatch(r"[0-9a-f]{32}", text):
        found = versions.filter(hash=text)
    elif match := re.fullmatch(r"([0-9]{1,9})(?:\.([0-9]{1,9}))?", text):
        found = versions.filter(major=match[1]).order_by("-minor")
        found = found.filter(minor=match[2]) if match[2] else found
    else:
        found = versions.none()
    version: AgentVersion | None = found.first()
    if version is None:
        raise DomainError(f"Agent {agent.slug} has no version {text[:40]}.", code="version_not_found", status=404)
    version.project, version.agent = agent.project, agent
    return version


def deployed_version(schema: AgentSchema, environment: str, *, actor: User) -> AgentVersion:
    """Return the version that answers in an environment; before any is deployed, the bare model does in production.

    Raises DomainError where none is deployed elsewhere.
    """
    deployments = AgentDeployment.objects.filter(project=schema.project, schema=schema, environment=environment)
    if deployment := deployments.select_related("version").first():
        return deployment.version
    if environment == PRODUCTION:
        return save_version(schema.agent, {}, actor=actor)
    message = f"No version of agent {schema.agent.slug} is deployed to {environment}."
    raise DomainError(message, code="version_not_found", status=404)


def deploy_version(version: AgentVersion, schema: AgentSchema, environment: str, *, actor: User) -> AgentDeployment:
    """Let a version answer for a schema in an environment from now on. Raises DomainError: 403."""
    require(actor, Permission.MANAGE, schema.project)
    with transaction.atomic():
        deployment, _ = AgentDeployment.objects.update_or_create(
            project=schema.project,
            schema=schema,
            environment=environment,
            defaults={"agent": schema.agent, "version": version, "deployed_by": actor},
        )
        audit.record(
            "agent.deployed",
            schema.agent,
            actor=actor,
            project=schema.project,
            version=version.pk,
            schema=schema.number,
            environment=environment,
        )
    return deployment


def digest_of(value: Any) -> str:
    """Return the SHA-256 of JSON that is written in the one canonical way."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _version_fields(properties: dict[str, Any]) -> dict[str, Any]:
    if properties.get("enabled_tools"):
        raise DomainError("Agents that call tools are not supported.", code="bad_request")
    given = {name: value for name, value in properties.items() if value is not None and name != "enabled_tools"}
    fields: dict[str, Any] = {"model": settings.MODEL_NAME, "instructions": "", "temperature": 0.0, "max_tokens": None}
    fields |= {name: given.pop(name) for name in COLUMNS if name in given}
    return {**fields, "properties": given}


def _next_number(agent: Agent, fields: dict[str, Any]) -> tuple[int, int]:
    versions = AgentVersion.objects.filter(project=agent.project, agent=agent)
    alike = versions.filter(**{name: value for name, value in fields.items() if name != "model"})
    if latest := alike.order_by("-major", "-minor").first():
        return latest.major, latest.minor + 1
    return (versions.aggregate(last=Max("major"))["last"] or 0) + 1, 1


def _locked(agent: Agent) -> Agent:
    """Hold the agent, so that two numbers given at the same time differ."""
    Agent.objects.select_for_update(no_key=True).get(pk=agent.pk)
    return agent
