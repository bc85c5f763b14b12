"""Measures lists, filters, totals and pages over HTTP at 10,000 and at 1,000,000 items with three mentions each.

`python -m benchmarks.lists [--rows 1000000]`; performance figures P5 to P8.
"""

import argparse
import http.client
import json
import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from benchmarks.product import measured_database, percentile, report
from benchmarks.review_queue import server

if TYPE_CHECKING:
    from projects.models import Project

SMALL = 10_000
TIMES = 80
DAYS = 365

# Items of a year, the newest last, evenly over four sources; people and accounts have five and twenty each.
ITEMS = """
SELECT setseed(0.5);
INSERT INTO feedback_ingest_account (project_id, key, name, properties, created_at)
SELECT %(project)s, 'account ' || n, 'Account ' || n, '{}', now() FROM generate_series(1, %(rows)s / 20) n;
INSERT INTO feedback_ingest_person (project_id, amplitude_id, name, properties, account_id, created_at)
SELECT %(project)s, n, 'Person ' || n, '{}', first.id + n %% (%(rows)s / 20), now()
FROM generate_series(1, %(rows)s / 5) n,
    (SELECT min(id) AS id FROM feedback_ingest_account WHERE project_id = %(project)s) AS first;
INSERT INTO feedback_ingest_feedbackitem (project_id, source_id, unique_id, body, author, created_at, received_at,
    person_id, language, sentiment, inbox, state, set_aside_reason, attempts, keep, given)
SELECT %(project)s, (%(sources)s::uuid[])[1 + n %% 4], 'item-' || n,
    'The export of report ' || n %% 9973 || ' is slow since the update of week ' || n %% 52 || '. We tried ticket'
        || n %% 50021 || ' twice and it helped nobody on our team.',
    'Person ' || n %% 977, now() - (%(rows)s - n) * interval '1 day' * %(days)s / %(rows)s, now(),
    first.id + (n * 7919::bigint) %% (%(rows)s / 5), CASE WHEN n %% 10 < 8 THEN 'en' ELSE 'de' END, n %% 3 - 1,
    CASE WHEN n %% 10 < 6 THEN 'unread' WHEN n %% 10 < 9 THEN 'read' ELSE 'archived' END,
    CASE WHEN n %% 50 = 0 THEN 'waiting' WHEN n %% 50 < 5 THEN 'set_aside' ELSE 'used' END,
    CASE WHEN n %% 50 BETWEEN 1 AND 4 THEN 'low_signal' END, 1, false, 0
FROM generate_series(1, %(rows)s) n,
    (SELECT min(id) AS id FROM feedback_ingest_person WHERE project_id = %(project)s) AS first;
INSERT INTO sources_sourcetally (source_id, used, set_aside, waiting, updated, unchanged, rejected, suppressed, removed)
SELECT source_id, count(*) FILTER (WHERE state = 'used'), count(*) FILTER (WHERE state = 'set_aside'),
    count(*) FILTER (WHERE state = 'waiting'), 0, 0, 0, 0, 0
FROM feedback_ingest_feedbackitem WHERE project_id = %(project)s GROUP BY 1;
"""
# Few insights have most of the mentions, as in life.
MENTIONS = """
INSERT INTO insights_mention (project_id, insight_id, item_id, source_id, start, "end", quote_hash, kind, statement,
    feature, statement_hash, person_id, account_id, sentiment, language, confidence, unsure, moved_by_hand, created_at,
    day)
SELECT item.project_id, (%(insights)s::uuid[])[1 + floor(cardinality(%(insights)s::uuid[]) * random() ^ 3)::int],
    item.id, item.source_id, place.start, place.start + 9, sha256(convert_to(substr(item.body, place.start + 1, 9),
    'UTF8')), 'bug', substr(item.body, place.start + 1, 9), '', ''::bytea, item.person_id, person.account_id,
    item.sentiment, item.language, 1, false, false, item.created_at, (item.created_at AT TIME ZONE 'UTC')::date
FROM feedback_ingest_feedbackitem item
JOIN feedback_ingest_person person ON person.id = item.person_id, (VALUES (0), (10), (20)) AS place (start)
WHERE item.project_id = %(project)s AND item.state = 'used';
"""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A project full of feedback, and what its filters are asked for."""

    project: "Project"
    source: str
    person: int
    token: str


def load(rows: int) -> Loaded:
    """Fill a project with `rows` items and their mentions, and count them as the product does."""
    from django.db import connection, transaction

    from feedback_ingest.models import FeedbackItem
    from insights import counts
    from insights.models import Insight
    from projects.roles import Role
    from sources.models import Source
    from tests.factories import make_member, make_project, make_source

    project = make_project()
    kinds = (Source.Kind.WEBHOOK, Source.Kind.FILE, Source.Kind.TEXT, Source.Kind.WEBHOOK)
    sources = [make_source(project, kind=kind) for kind in kinds]
    number = min(3_000, rows // 20)
    insights = Insight.objects.bulk_create(
        Insight(project=project, kind=Insight.Kind.values[n % 8], title=f"Report {n} is slow") for n in range(number)
    )
    ids = [insight.pk for insight in insights]
    parameters: dict[str, Any] = {
        "project": project.pk,
        "rows": rows,
        "days": DAYS,
        "sources": [source.pk for source in sources],
        "insights": ids,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ITEMS, parameters)
        with counts.rebuilt(project.pk, ids):
            cursor.execute(MENTIONS, parameters)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    person = FeedbackItem.objects.filter(project=project).newest_first().values_list("person", flat=True)[5]
    return Loaded(project, str(sources[0].pk), person, make_member(project, Role.OWNER).token)


class Client:
    """One connection that stays open."""

    def __init__(self, port: int, token: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: Any) -> Any:
        """Read `/api/v1/<path>`. Raises RuntimeError unless the answer is a 200."""
        self.connection.request("GET", f"/api/v1/{path}?{urlencode(query)}", headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path} {query}: {answer.status} {body[:300]!r}")
        return json.loads(body)


def reads(loaded: Loaded) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return what is asked for, by its name."""
    from datetime import timedelta

    from django.utils import timezone

    today = timezone.now().date()
    month = {"from": f"{today - timedelta(days=60)}T00:00:00Z", "to": f"{today - timedelta(days=30)}T00:00:00Z"}
    quarter = {"from": str(today - timedelta(days=89)), "to": str(today + timedelta(days=1))}
    return {
        "items, newest": ("items/", {}),
        "items of a source": ("items/", {"source": loaded.source}),
        "items set aside": ("items/", {"state": "set_aside"}),
        "items, negative": ("items/", {"sentiment": "-1"}),
        "items, unread": ("items/", {"inbox": "unread"}),
        "items of a month": ("items/", month),
        "items of a person": ("items/", {"person": loaded.person}),
        "items, source and state": ("items/", {"source": loaded.source, "state": "waiting"}),
        "items, in German": ("items/", {"language": "de"}),
        "items, rare word": ("items/", {"q": "ticket4711"}),
        "items, common words": ("items/", {"q": "export slow"}),
        "items, word of nobody": ("items/", {"q": "zeppelin"}),
        "search": ("search/", {"q": "slow exports since ticket4711"}),
        "search, rare word": ("search/", {"q": "ticket4711"}),
        "sources": ("sources/", {}),
        "insights": ("insights/", quarter),
        "insights, all time": ("insights/", {}),
        "insights of a kind": ("insights/", quarter | {"kind": "bug"}),
        "insights of a source": ("insights/", quarter | {"source": loaded.source}),
        "insights of a source type": ("insights/", quarter | {"source_type": "webhook"}),
        "insights, negative": ("insights/", quarter | {"sentiment": "-1"}),
        "insights in German": ("insights/", quarter | {"language": "de"}),
        "insights, a word": ("insights/", quarter | {"q": "report 17"}),
        "insights by change": ("insights/", quarter | {"ordering": "-change"}),
    }


def time_of(client: Client, path: str, query: dict[str, Any], times: int = TIMES) -> dict[str, float]:
    """Return the median and the 95th percentile of a request, in milliseconds."""
    act = partial(client.get, path, **{"limit": 20, **query})
    taken = []
    for number in range(times + 3):
        started = time.perf_counter()
        act()
        if number >= 3:
            taken.append((time.perf_counter() - started) * 1000)
    return {"p50": round(statistics.median(taken), 1), "p95": round(percentile(taken, 0.95), 1)}


def deep_page(client: Client, loaded: Loaded, rows: int) -> dict[str, Any]:
    """Return the query of the page that begins after nine tenths of the items."""
    from feedback_ingest.models import FeedbackItem
    from projects.pagination import encode

    ordered = FeedbackItem.objects.filter(project=loaded.project).newest_first().values_list("created_at", "pk")
    moment, row = ordered[rows * 9 // 10]
    return {"cursor": encode([moment.isoformat(), row])}


def measure(rows: int) -> list[dict[str, Any]]:
    """Load both sizes and return a row for each request."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    loaded = {}
    for size in (SMALL, rows):
        started = time.perf_counter()
        loaded[size] = load(size)
        print(f"{size} items loaded in {time.perf_counter() - started:.0f} s", flush=True)
    figures: dict[int, dict[str, dict[str, float]]] = {}
    with server() as port:
        for size, project in loaded.items():
            client = Client(port, project.token)
            figures[size] = {name: time_of(client, path, query) for name, (path, query) in reads(project).items()}
            figures[size]["items, deep page"] = time_of(client, "items/", deep_page(client, project, size))
    return [
        {
            "request": name,
            "p50 small": small["p50"],
            "p50": figures[rows][name]["p50"],
            "p95 small": small["p95"],
            "p95": figures[rows][name]["p95"],
            "ratio of p50": round(figures[rows][name]["p50"] / small["p50"], 2),
        }
        for name, small in figures[SMALL].items()
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_known_args()[0].rows
    with measured_database():
        found = measure(rows)
    report(f"lists at {SMALL} and {rows} items, milliseconds", found)


if __name__ == "__main__":
    main()
