"""Loads the agents of the sample with the versions that they went through."""

from dataclasses import dataclass

from django.conf import settings

from feedback_ingest.sample import RunnableAgent
from projects.models import Project, User
from review.models import Agent, AgentDeployment, AgentSchema, AgentVersion
from review.services.agents import HASH_DIGITS, digest_of, register_agent

ENVIRONMENTS = {
    "production": AgentDeployment.Environment.PRODUCTION,
    "development": AgentDeployment.Environment.DEV,
}


@dataclass(frozen=True, slots=True)
class LoadedAgent:
    """An agent with its schema, and its versions by their number, the first first."""

    agent: Agent
    schema: AgentSchema
    versions: dict[int, AgentVersion]


def load_agent(project: Project, sample: RunnableAgent, owner: User) -> LoadedAgent:
    """Load an agent; its versions keep the numbers that the conversations name."""
    schema = register_agent(
        project, sample.id, sample.input_schema, sample.output_schema, actor=owner, name=sample.name
    )
    versions = {}
    for each in sample.versions:
        fields = {"model": settings.MODEL_NAME, "instructions": each.instructions, "temperature": each.temperature}
        versions[each.number] = version = AgentVersion.objects.create(
            project=project,
            agent=schema.agent,
            major=each.number,
            minor=1,
            hash=digest_of({**fields, "max_tokens": None, "properties": {}})[:HASH_DIGITS],
            created_by=owner,
            created_at=each.created_at,
            **fields,
        )
        for environment in each.environments:
            AgentDeployment.objects.create(
                project=project,
                agent=schema.agent,
                schema=schema,
                environment=ENVIRONMENTS[environment],
                version=version,
                deployed_by=owner,
                deployed_at=each.created_at,
            )
    Agent.objects.filter(pk=schema.agent_id).update(created_at=sample.versions[0].created_at)
    return LoadedAgent(schema.agent, schema, versions)
