"""Measures the review queue over HTTP, small and large: `python -m benchmarks.review_queue [--rows 1000000]`."""

import argparse
import contextlib
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks.product import ROOT, measured_database

if TYPE_CHECKING:
    from projects.models import Project

REVIEWERS = 8
DECISIONS = 800
EXAMPLES = 20_000

# The shares are those of the published statistics sample, with a longer queue.
LOAD = """
    INSERT INTO feedback_ingest_conversation (project_id, agent_id, conversation_id, environment, metadata, is_used,
        is_marked, started_at)
    SELECT %(project)s, %(agent)s, 'chat-' || n, 'production', '{}', true, false, now()
    FROM generate_series(1, %(rows)s / 20) n;
    INSERT INTO feedback_ingest_message (project_id, conversation_id, sender, content, metadata, sent_at)
    SELECT %(project)s, conversation.id, 'agent', 'It takes ' || n || ' hours on average.', '{}', now()
    FROM feedback_ingest_conversation conversation, generate_series(1, 20) n
    WHERE conversation.project_id = %(project)s;
    INSERT INTO review_feedback (uuid, project_id, kind, sentiment, origin, channel, message_id, conversation_id,
        tracked_agent_id, environment, model, external_user_id, metadata, original_query, original_response, reason,
        status, reviewed_at, created_at, updated_at)
    SELECT gen_random_uuid(), %(project)s, 'message', CASE WHEN n %% 10 < 7 THEN 'positive' ELSE 'negative' END,
        'customer', 'agentsight', message.id, message.conversation_id, %(agent)s, 'production', '', '', '{}',
        'How long does incident ' || n %% 9973 || ' take to resolve?', message.content,
        CASE WHEN n %% 10 >= 7 THEN 'The answer about case ' || n %% 7919 || ' was wrong' END, status,
        CASE WHEN status IN ('reviewed', 'dismissed') THEN now() END, now() - n * interval '30 seconds', now()
    FROM (SELECT *, row_number() OVER () n FROM feedback_ingest_message WHERE project_id = %(project)s) message,
        LATERAL (SELECT CASE WHEN n %% 10 < 7 THEN 'auto_approved' WHEN n %% 30 < 9 THEN 'pending'
            WHEN n %% 30 < 12 THEN 'dismissed' ELSE 'reviewed' END AS status) decided;
"""


def load(project: "Project", rows: int) -> None:
    """Fill a project with verdicts, in one go, and a part of them with golden examples."""
    from django.db import connection

    agent = project.tracked_agents.get()
    with connection.cursor() as cursor:
        cursor.execute(LOAD, {"project": project.pk, "agent": agent.pk, "rows": rows})
    make_examples(project, min(EXAMPLES, rows // 20))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def make_examples(project: "Project", number: int) -> None:
    """Give reviewed verdicts examples whose questions point in random directions."""
    import numpy as np
    from pgvector import HalfVector

    from review.models import Feedback, GoldenExample

    directions = np.random.default_rng(1).normal(size=(number, 384))
    reviewed = Feedback.objects.filter(project=project, status="reviewed").order_by("pk")[:number]
    GoldenExample.objects.bulk_create(
        (
            GoldenExample(
                project=project,
                feedback=feedback,
                source_type=feedback.sentiment,
                approval_type="manual",
                original_query=feedback.original_query or "",
                golden_response="Four hours.",
                split="few_shot",
                vector=HalfVector(direction / np.linalg.norm(direction)),
                vector_model="random",
                query_hash=os.urandom(32),
            )
            for feedback, direction in zip(reviewed, directions, strict=False)
        ),
        batch_size=500,
    )


class Reviewer:
    """One client with a connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = None if body is None else json.dumps(body)
        self.connection.request(method, f"/feedback/{path}", content, self.headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def milliseconds(act: Callable[[], tuple[int, Any]], times: int = 60) -> dict[str, float]:
    """Return the median and the 95th percentile of a request's time."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        status, _ = act()
        taken.append((time.perf_counter() - started) * 1000)
        if status != 200:
            raise RuntimeError(f"status {status}")
    return {"p50": round(statistics.median(taken), 1), "p95": round(statistics.quantiles(taken, n=20)[-1], 1)}


def measure_reads(reviewer: Reviewer, rows: int) -> dict[str, dict[str, float]]:
    """Time what a reviewer looks at."""
    reads = {
        "next 20 pending": "admin/list?status=pending&limit=20",
        "pending, negative": "admin/list?status=pending&type=negative&limit=20",
        "newest 20": "admin/list?limit=20",
        "deep page": f"admin/list?limit=20&offset={rows * 9 // 10}",
        "search": "admin/list?search=case+4711&limit=20",
        "statistics": "admin/stats",
    }
    found = {}
    for name, path in reads.items():
        act = partial(reviewer.call, "GET", path)
        for _ in range(5):
            act()
        found[name] = milliseconds(act)
    return found


def decide(port: int, token: str, seed: int) -> tuple[int, int]:
    """Take verdicts from the head of the queue, where all reviewers meet; return decisions and refusals."""
    reviewer, draw = Reviewer(port, token), random.Random(seed)
    decided = refused = 0
    while decided < DECISIONS // REVIEWERS:
        _, page = reviewer.call("GET", "admin/list?status=pending&limit=100")
        for item in draw.sample(page["items"], 10):
            action = draw.choice(("resolve", "dismiss"))
            body = {"golden_response": "Four hours."} if action == "resolve" else {}
            status, _ = reviewer.call("POST", f"admin/{item['id']}/{action}", body)
            decided, refused = decided + (status == 200), refused + (status == 400)
    return decided, refused


def measure_decisions(port: int, tokens: list[str]) -> dict[str, float]:
    """Let all reviewers work at once, and check that nothing was decided twice."""
    from projects.models import AuditEvent

    started = time.perf_counter()
    with ThreadPoolExecutor(len(tokens)) as pool:
        results = list(pool.map(decide, [port] * len(tokens), tokens, range(len(tokens))))
    seconds = time.perf_counter() - started
    decided = sum(result[0] for result in results)
    events = list(AuditEvent.objects.filter(verb__startswith="feedback.").values_list("target_id", "verb"))
    doubled = len(events) - len({target for target, _ in events})
    # Resolving what was dismissed is allowed, and no double decision.
    late = sum(("feedback.dismissed" in verbs) for verbs in _resolved_later(events))
    return {
        "decisions/s": round(decided / seconds, 1),
        "refused as already decided": sum(result[1] for result in results),
        "double decisions": doubled - late,
    }


def _resolved_later(events: list[tuple[str, str]]) -> list[list[str]]:
    verbs: dict[str, list[str]] = {}
    for target, verb in events:
        verbs.setdefault(target, []).append(verb)
    return [found for found in verbs.values() if len(found) > 1]


@contextlib.contextmanager
def server() -> Iterator[int]:
    """Serve on a free port with two processes of eight threads."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--workers", "2", "--threads", "8", "--worker-class", "gthread", "--bind", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--log-level", "error", "--keep-alive", "30"]
    process = subprocess.Popen([*command, *options], cwd=ROOT)
    try:
        for _ in range(100):
            time.sleep(0.2)
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        yield port
    finally:
        process.terminate()
        process.wait(30)


def measure(rows: int) -> dict[str, Any]:
    """Load a small and a large project, and return all figures."""
    import django

    django.setup()
    from django.core.management import call_command

    from projects.roles import Role
    from tests.factories import make_member, make_project

    call_command("migrate", verbosity=0)
    figures: dict[str, Any] = {}
    projects = {10_000: make_project(), rows: make_project()}
    for size, project in projects.items():
        started = time.perf_counter()
        load(project, size)
        print(f"{size} rows loaded in {time.perf_counter() - started:.0f} s", flush=True)
    tokens = [make_member(projects[rows], Role.REVIEWER).token for _ in range(REVIEWERS)]
    with server() as port:
        for size, project in projects.items():
            reviewer = Reviewer(port, make_member(project, Role.REVIEWER).token)
            figures[f"{size} rows, ms"] = measure_reads(reviewer, size)
        figures["decisions"] = measure_decisions(port, tokens)
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_known_args()[0].rows
    with measured_database():
        figures = measure(rows)
    for title, values in figures.items():
        print(title)
        for name, value in values.items():
            print(f"  {name:28} {value}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
