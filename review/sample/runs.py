"""Loads four months of runs of the sample's assistant: a good version, a worse one, and the one that mended it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from feedback_ingest.models import Conversation
from feedback_ingest.sample import AssistantConversation
from projects.models import User
from review.models import AgentDeployment, AgentVersion, Feedback, Run
from review.rendering import render
from review.sample.agents import LoadedAgent
from review.services.runs import answer_hash

SEED = 4105
# Of a version: runs a day, and the share of content users.
PACE = ((1.4, 0.82), (2.0, 0.4), (4.0, 0.93))
JUDGED = 0.7
JUDGED_AFTER = timedelta(minutes=2)
# What is newer waits for a reviewer.
DECIDED_FROM = timedelta(days=12)
DECIDED_AFTER = timedelta(days=2)
DISMISSED_BECAUSE = "The same as one that is settled"


@dataclass(frozen=True, slots=True)
class _Asked:
    """One run to be: what was said, when, by which version, and whether its user was content, if they told."""

    said: AssistantConversation
    at: datetime
    version: AgentVersion
    is_liked: bool | None


def load_runs(loaded: LoadedAgent, said: Sequence[AssistantConversation], owner: User, now: datetime) -> None:
    """Load the runs and the verdicts on them; the same `now` gives the same ones."""
    chance = random.Random(SEED)  # noqa: S311 (a story to show, no secret)
    asked = list(_asked(loaded, said, now, chance))
    runs = Run.objects.bulk_create(_run(loaded, each, chance) for each in asked)
    judged = ((run, each) for run, each in zip(runs, asked, strict=True) if each.is_liked is not None)
    Feedback.objects.bulk_create(_verdict(run, each, owner, now) for run, each in judged)


def _asked(
    loaded: LoadedAgent, said: Sequence[AssistantConversation], now: datetime, chance: random.Random
) -> Iterator[_Asked]:
    versions = list(loaded.versions.values())
    ends = [*(version.created_at for version in versions[1:]), now]
    for version, end, (a_day, share) in zip(versions, ends, PACE, strict=True):
        at = version.created_at
        while (at := at + timedelta(days=chance.expovariate(a_day))) < end - JUDGED_AFTER:
            is_liked = chance.random() < share
            words = chance.choice(_like(said, version, is_liked=is_liked))
            yield _Asked(words, at, version, is_liked if chance.random() < JUDGED else None)


def _like(
    said: Sequence[AssistantConversation], version: AgentVersion, *, is_liked: bool
) -> list[AssistantConversation]:
    """Return exchanges that ended so, with this version where it had any."""
    verdict = "positive" if is_liked else "negative"
    ended_so = [each for each in said if each.verdict == verdict and each.environment == "production"]
    return [each for each in ended_so if each.agent_version == version.major] or ended_so


def _run(loaded: LoadedAgent, asked: _Asked, chance: random.Random) -> Run:
    output = {"answer": asked.said.answer, "articles": []}
    answer = render(output)
    return Run(
        project=loaded.agent.project,
        agent=loaded.agent,
        schema=loaded.schema,
        version=asked.version,
        environment=AgentDeployment.Environment.PRODUCTION,
        status=Run.Status.SUCCESS,
        input={"question": asked.said.question},
        output=output,
        answer=answer,
        answer_hash=answer_hash(answer),
        user_id=f"vf-{chance.randrange(2000, 5000)}",
        model=asked.version.model,
        input_tokens=chance.randrange(380, 900),
        output_tokens=len(answer) // 4,
        duration_seconds=round(chance.uniform(0.7, 3.2), 2),
        created_at=asked.at,
    )


def _verdict(run: Run, asked: _Asked, owner: User, now: datetime) -> Feedback:
    given = run.created_at + JUDGED_AFTER
    # Those who were content are approved as the settings say; their examples would all be copies of one another.
    fields: dict[str, Any] = {"status": Feedback.Status.AUTO_APPROVED if asked.is_liked else Feedback.Status.PENDING}
    if not asked.is_liked and given < now - DECIDED_FROM:
        fields = {
            "status": Feedback.Status.DISMISSED,
            "dismissal_reason": DISMISSED_BECAUSE,
            "reviewed_by": owner,
            "reviewed_at": given + DECIDED_AFTER,
        }
    return Feedback(
        project=run.project,
        kind=Feedback.Kind.RUN,
        sentiment=Feedback.Sentiment.POSITIVE if asked.is_liked else Feedback.Sentiment.NEGATIVE,
        origin=Feedback.Origin.CUSTOMER,
        channel=Feedback.Channel.TOKEN,
        run=run,
        agent=run.agent,
        version=run.version,
        environment=Conversation.Environment.PRODUCTION,
        model=run.model,
        external_user_id=run.user_id or "",
        original_query=render(run.input),
        original_response=run.answer,
        created_at=given,
        updated_at=given,
        **fields,
    )
