"""How agents, versions, runs and verdicts read on the wire."""

from typing import Any

from review.management_api.representation import masked
from review.models import Agent, AgentSchema, AgentVersion, Feedback, FeedbackAnnotation, Run
from review.services.agents import COLUMNS
from review.services.tokens import mint_token


def registered_agent(schema: AgentSchema) -> dict[str, Any]:
    """Return an agent with the number of one of its schemas."""
    return agent(schema.agent) | {
        "schema_id": schema.number,
        "variant_id": schema.hash[:32],
        "tenant_uid": schema.project_id,
    }


def agent(named: Agent) -> dict[str, Any]:
    """Return an agent."""
    return {"id": named.slug, "uid": named.pk, "name": named.name}


def version(known: AgentVersion) -> dict[str, Any]:
    """Return a version with all its properties; those that are not set are left out."""
    set_here = {name: getattr(known, name) for name in COLUMNS}
    properties = {name: value for name, value in set_here.items() if value not in (None, "")}
    return {"id": known.hash, "semver": str(known), "properties": properties | known.properties}


def run_response(run: Run) -> dict[str, Any]:
    """Return a run that gave an answer, as the run endpoint does: without what is null."""
    return given(
        {
            "id": run.pk,
            "task_output": run.output if run.output is not None else {},
            "version": version(run.version) if run.version else None,
            "duration_seconds": run.duration_seconds,
            "cost_usd": float(run.cost_usd),
            "metadata": run.metadata or None,
            "conversation_id": run.conversation_id,
            "feedback_token": mint_token(run),
        }
    )


def listed_run(run: Run) -> dict[str, Any]:
    """Return a run as lists and pages show it."""
    return run_response(run) | given(
        {
            "task_input": run.input,
            "status": run.status,
            "error": run.error,
            "environment": run.environment or None,
            "model": run.model or None,
            "examples": [str(key) for key in run.examples] or None,
            "created_at": run.created_at,
        }
    )


def feedback(verdict: Feedback, annotation: FeedbackAnnotation | None, *, personal: bool) -> dict[str, Any]:
    """Return a verdict as the dashboard lists it; without `personal` its author is masked."""
    author = verdict.external_user_id or None
    return {
        "id": verdict.uuid,
        "outcome": verdict.sentiment,
        "user_id": author if personal else masked(author),
        "created_at": verdict.created_at,
        "comment": verdict.comment,
        "run_id": verdict.run_id,
        "annotation": annotation.annotation if annotation else None,
    }


def given(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null."""
    return {name: value for name, value in fields.items() if value is not None}
