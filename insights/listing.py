"""The list of insights with its numbers: one query for every page, export, digest and answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import connection

from insights import kept_counts
from insights.kept_counts import Counting
from insights.models import Insight
from insights.ranges import Range
from projects.models import Project
from sources.models import Source

ORDERINGS: tuple[str, ...] = ("-people", "-mentions", "-change", "change", "-last_seen", "-first_seen")

COUNTED_BY_DAY = """
SELECT insight_id, sum(people)::bigint AS people, sum(accounts)::bigint AS accounts, sum(mentions)::bigint AS mentions,
    sum(people_before)::bigint AS people_before
FROM (
    SELECT insight_id,
        coalesce(sum(reached) FILTER (WHERE unit = 'person' AND day >= %(start)s AND previous_day < %(start)s), 0)
            AS people,
        coalesce(sum(reached) FILTER (WHERE unit = 'account' AND day >= %(start)s AND previous_day < %(start)s), 0)
            AS accounts,
        coalesce(sum(reached) FILTER (WHERE unit = 'person' AND day < %(start)s AND previous_day < %(before)s), 0)
            AS people_before,
        0 AS mentions
    FROM insights_dailyreach
    WHERE project_id = %(project)s AND source_id IS NOT DISTINCT FROM %(source)s AND day >= %(before)s
        AND day < %(end)s AND unit IN ('person', 'account') {insight}
    GROUP BY insight_id
    UNION ALL
    SELECT insight_id, 0, 0, 0, sum(mentions) FROM insights_dailycount
    WHERE project_id = %(project)s AND day >= %(start)s AND day < %(end)s {source} {insight}
    GROUP BY insight_id
) AS parts
GROUP BY insight_id
"""

# Everybody is brought down to one row first: that is cheaper than to count distinct people in all rows.
COUNTED_BY_MENTION = """
SELECT insight_id, count(*) FILTER (WHERE unit = 'person' AND said > 0) AS people,
    count(*) FILTER (WHERE unit = 'account' AND said > 0) AS accounts,
    count(*) FILTER (WHERE unit = 'person' AND said_before > 0) AS people_before,
    coalesce(sum(said) FILTER (WHERE unit = 'mention'), 0)::bigint AS mentions
FROM (
    SELECT insight_id, unit.name AS unit, unit.who, count(*) FILTER (WHERE {at} >= %(start)s) AS said,
        count(*) FILTER (WHERE {at} < %(start)s) AS said_before
    FROM insights_mention
    CROSS JOIN LATERAL (VALUES ('person', person_id), ('account', account_id), ('mention', 0)) AS unit (name, who)
    WHERE project_id = %(project)s AND deleted_at IS NULL AND {at} >= %(before)s AND {at} < %(end)s
        AND unit.who IS NOT NULL {narrowed} {insight}
    GROUP BY insight_id, unit.name, unit.who
) AS each
GROUP BY insight_id
"""

# Insights lead and their numbers are looked up beside them: whatever the planner believes of numbers that were just
# kept, it then reads both once.
LISTED = """
SELECT insight.id, insight.kind, counted.people, counted.accounts, counted.mentions, counted.people_before,
    (counted.people - counted.people_before) AS change,
    extract(epoch FROM insight.last_seen) AS last_seen, extract(epoch FROM insight.first_seen) AS first_seen
FROM insights_insight AS insight LEFT JOIN ({counted}) AS counted ON counted.insight_id = insight.id
WHERE insight.project_id = %(project)s AND insight.deleted_at IS NULL AND insight.merged_into_id IS NULL
    AND coalesce(counted.mentions + counted.people_before, 0) > 0 {where}
"""

# Which of them a list shows. What fades may have fallen silent; everything else was spoken of in the range.
TRENDS = {
    "": "mentions > 0",
    "new": "mentions > 0 AND first_seen >= extract(epoch FROM %(first_moment)s::timestamptz)",
    "growing": "mentions > 0 AND people_before > 0 AND change > 0",
    "fading": "change < 0",
    "back": "mentions > 0 AND people_before = 0 AND first_seen < extract(epoch FROM %(moment_before)s::timestamptz)",
}

# One pass over the counts gives the page and, beside it, how many each trend would list.
PAGE = """
WITH listed AS MATERIALIZED ({listed}), tallies AS (SELECT {tallies} FROM listed)
SELECT tallies.*, page.* FROM tallies LEFT JOIN (
    SELECT * FROM listed WHERE {trend} {place} ORDER BY {order} {direction}, id {direction} LIMIT %(limit)s
) AS page ON true ORDER BY page.{order} {direction}, page.id {direction}
"""
TALLY = {trend: f"tally_{trend}" for trend in TRENDS}
HIGHLIGHTS = """
WITH listed AS ({listed})
(SELECT 'rising' AS name, * FROM listed WHERE change > 0 ORDER BY change DESC, people DESC, id DESC LIMIT 1)
UNION ALL
(SELECT 'bug', * FROM listed WHERE kind = 'bug' AND mentions > 0 ORDER BY people DESC, id DESC LIMIT 1)
UNION ALL
(SELECT 'loved', * FROM listed WHERE kind = 'loved_feature' AND mentions > 0 ORDER BY people DESC, id DESC LIMIT 1)
"""
TOGETHER = """
SELECT count(DISTINCT person_id) AS people, count(DISTINCT account_id) AS accounts, count(*) AS mentions,
    0 AS people_before
FROM insights_mention
WHERE project_id = %(project)s AND deleted_at IS NULL AND insight_id = ANY(%(insights)s)
    AND created_at >= %(start)s AND created_at < %(end)s
"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Which insights, and whose mentions of them are counted; `trend` is a key of TRENDS."""

    kinds: Sequence[str] = ()
    areas: Sequence[str] = ()
    statuses: Sequence[str] = ()
    q: str = ""
    sources: Sequence[UUID] = ()
    source_types: Sequence[str] = ()
    sentiment: int | None = None
    language: str = ""
    insight: UUID | None = None
    ids: Sequence[UUID] = ()
    trend: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of one insight in a range; `change` is in people against the range before."""

    people: int = 0
    accounts: int = 0
    mentions: int = 0
    people_before: int = 0

    @property
    def change(self) -> int:
        """How many more people than in the range before."""
        return self.people - self.people_before


@dataclass(slots=True)
class Listed:
    """An insight with its numbers, and the place from which the next page begins."""

    insight: Insight
    counts: Counts
    place: tuple[float, UUID]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of insights, where the next begins and the one before ends, and how many each trend would list."""

    rows: list[Listed]
    total: int
    next: tuple[float, UUID] | None
    previous: tuple[float, UUID] | None
    tallies: dict[str, int]


@dataclass(frozen=True, slots=True)
class Highlight:
    """What is worth saying first: `name` is rising, bug or loved."""

    name: str
    insight: Insight
    counts: Counts


@dataclass(slots=True)
class _Query:
    listed: str
    parameters: dict[str, Any] = field(default_factory=dict)


def list_insights(
    project: Project,
    within: Range,
    filters: Filters,
    *,
    ordering: str = "-people",
    limit: int = 50,
    after: tuple[float, UUID] | None = None,
    before: tuple[float, UUID] | None = None,
) -> Page:
    """Return the insights that were spoken of in a range, with the numbers of that range.

    A page follows the place `after`, or ends before the place `before`.
    """
    query = _query(project, within, filters)
    order = ordering.removeprefix("-")
    tallies, found = _fetch(query, filters.trend, ordering, limit=limit + 1, after=after, before=before)
    more, found = len(found) > limit, found[:limit]
    if before:
        found.reverse()
    insights = Insight.objects.select_related("owner").defer("centroid", "search")
    known = insights.in_bulk([row["id"] for row in found])
    rows = [Listed(known[row["id"]], _counts(row), (float(row[order] or 0), row["id"])) for row in found]
    has_next, has_previous = (True, more) if before else (more, after is not None)
    return Page(
        rows,
        tallies[filters.trend],
        rows[-1].place if rows and has_next else None,
        rows[0].place if rows and has_previous else None,
        tallies,
    )


def _fetch(
    query: "_Query",
    trend: str,
    ordering: str,
    *,
    limit: int,
    after: tuple[float, UUID] | None,
    before: tuple[float, UUID] | None,
) -> tuple[dict[str, int], list[dict[str, Any]]]:
    """Fetch what each trend would list, and the rows after a place, or those before it, which come nearest first."""
    place = before or after
    order = ordering.removeprefix("-")
    falls = ordering.startswith("-") != bool(before)
    sign, direction = ("<", "DESC") if falls else (">", "ASC")
    statement = PAGE.format(
        listed=query.listed,
        tallies=", ".join(f"count(*) FILTER (WHERE {TRENDS[each]}) AS {name}" for each, name in TALLY.items()),
        trend=TRENDS[trend],
        place=f"AND ({order}, id) {sign} (%(place)s, %(place_id)s)" if place else "",
        order=order,
        direction=direction,
    )
    value, row_id = place or (0.0, None)
    rows = _rows(statement, query.parameters | {"limit": limit, "place": value, "place_id": row_id})
    tallies = {each: rows[0][name] for each, name in TALLY.items()}
    return tallies, [row for row in rows if row["id"]]


def _rows(statement: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def every_insight(
    project: Project, within: Range, filters: Filters, *, ordering: str = "-people", step: int = 500
) -> Iterator[Listed]:
    """Yield all pages of `list_insights`, for exports."""
    after = None
    while True:
        page = list_insights(project, within, filters, ordering=ordering, limit=step, after=after)
        yield from page.rows
        if page.next is None:
            return
        after = page.next


def highlights(project: Project, within: Range, filters: Filters) -> list[Highlight]:
    """Return what rose most, the bug and the loved feature with most people: each insight once, what there is."""
    query = _query(project, within, filters)
    found = _rows(HIGHLIGHTS.format(listed=query.listed), query.parameters)
    if within.is_open:
        found = [row for row in found if row["name"] != "rising"]
    insights = Insight.objects.defer("centroid", "search").in_bulk({row["id"] for row in found})
    first = {row["id"]: row for row in reversed(found)}
    return [Highlight(row["name"], insights[row["id"]], _counts(row)) for row in found if first[row["id"]] is row]


def count_together(project: Project, insights: Sequence[Insight], within: Range) -> Counts:
    """Return what several insights would count as one: who spoke of two of them counts once."""
    parameters = {
        "project": project.pk,
        "insights": [insight.pk for insight in insights],
        "start": within.start,
        "end": within.end,
    }
    return _counts(_rows(TOGETHER, parameters)[0])


def count_insight(insight: Insight, within: Range, filters: Filters | None = None) -> Counts:
    """Return the numbers of one insight: the very numbers of its row in the list."""
    narrowed = replace(filters or Filters(), insight=insight.pk)
    query = _query(insight.project, within, narrowed)
    found = _rows(query.listed, query.parameters)
    return _counts(found[0]) if found else Counts()


def _counts(row: dict[str, Any]) -> Counts:
    return Counts(row["people"], row["accounts"], row["mentions"], row["people_before"])


def _query(project: Project, within: Range, filters: Filters) -> _Query:
    """Return the statement that lists insights with their numbers.

    One insight, and a range that ends within a day, are counted on the spot; a list over whole days reads the
    numbers that are kept, after those that are missing were counted.
    """
    counting = _counting(project, within, filters)
    parameters = counting.parameters | {"first_moment": within.start, "moment_before": within.before.start}
    counted = counting.counted("AND insight_id = %(insight)s" if filters.insight else "")
    if filters.insight is None and within.is_whole_days:
        parameters |= {"key": kept_counts.keep(project, within, counting)}
        counted = kept_counts.KEPT
    where = _narrow_insights(filters, parameters)
    return _Query(LISTED.format(counted=counted, where=where), parameters)


def _counting(project: Project, within: Range, filters: Filters) -> Counting:
    """Say how mentions are counted: by the daily tables where these know the filters, else one by one."""
    parameters: dict[str, Any] = {"project": project.pk, "insight": filters.insight}
    days = {"start": within.first_day, "end": within.end_day, "before": within.before.first_day}
    if within.is_whole_days and _is_daily(filters):
        source = filters.sources[0] if filters.sources else None
        by_source = "AND source_id = %(source)s" if source else ""
        return Counting(COUNTED_BY_DAY, parameters | days | {"source": source}, {"source": by_source})
    moments = {"start": within.start, "end": within.end, "before": within.before.start}
    narrowed = _narrow_mentions(project, filters, parameters)
    if within.is_whole_days:
        return Counting(COUNTED_BY_MENTION, parameters | days, {"at": "day", "narrowed": narrowed})
    return Counting(COUNTED_BY_MENTION, parameters | moments, {"at": "created_at", "narrowed": narrowed})


def _is_daily(filters: Filters) -> bool:
    return len(filters.sources) <= 1 and not filters.source_types and filters.sentiment is None and not filters.language


def _narrow_mentions(project: Project, filters: Filters, parameters: dict[str, Any]) -> str:
    clauses = []
    if filters.sources:
        clauses.append("AND source_id = ANY(%(sources)s)")
        parameters["sources"] = list(filters.sources)
    if filters.source_types:
        clauses.append("AND source_id = ANY(%(typed)s)")
        parameters["typed"] = [
            source.pk for source in Source.objects.filter(project=project) if source.type in filters.source_types
        ]
    if filters.sentiment is not None:
        clauses.append("AND sentiment = %(sentiment)s")
        parameters["sentiment"] = filters.sentiment
    if filters.language:
        clauses.append("AND language = %(language)s")
        parameters["language"] = filters.language
    return " ".join(clauses)


def _narrow_insights(filters: Filters, parameters: dict[str, Any]) -> str:
    clauses = []
    ids = [filters.insight] if filters.insight else filters.ids
    for column, values in (
        ("kind", filters.kinds),
        ("area", filters.areas),
        ("status", filters.statuses),
        ("id", ids),
    ):
        if values:
            clauses.append(f"AND insight.{column} = ANY(%({column}s)s)")
            parameters[f"{column}s"] = list(values)
    if filters.q:
        clauses.append("AND insight.search @@ websearch_to_tsquery('simple', %(q)s)")
        parameters["q"] = filters.q
    return " ".join(clauses)
