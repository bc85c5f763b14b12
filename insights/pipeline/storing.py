"""Writing what an analysis found: mentions, insights, counters and item states in one transaction."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.utils import timezone
from msgspec import json

from feedback_ingest.models import ConversationPart, FeedbackItem, Person
from feedback_ingest.people import Author, identify
from insights import counts, titles
from insights.analyst import Analysis, Compared, Statement, compared
from insights.embedding import MeasureName, Vector, as_text, compared_hash
from insights.evidence import quote_hash
from insights.locking import lock_insights
from insights.matching import Centroid, Matcher, Shelf
from insights.models import AnalysisWake, Insight, Mention
from insights.pipeline.claims import Claim
from insights.pipeline.reading import Thread
from projects.models import Project
from sources import tallies

Vectors = dict[MeasureName, dict[Compared, Vector]]
MOVE_CENTROIDS = """
UPDATE insights_insight AS insight SET centroid = row.centroid::vector, weight = row.weight, revision = %(revision)s
FROM unnest(%(ids)s::uuid[], %(centroids)s::text[], %(weights)s::int[]) AS row (id, centroid, weight)
WHERE insight.id = row.id
"""

FINISH_ITEMS = """
UPDATE feedback_ingest_feedbackitem AS item SET state = row.state, set_aside_reason = row.reason,
    language = row.language, sentiment = row.sentiment, person_id = row.person, analysed_at = %(now)s,
    lease_until = NULL, last_error = NULL
FROM jsonb_to_recordset(%(rows)s::jsonb)
    AS row (id bigint, state text, reason text, language text, sentiment smallint, person bigint)
WHERE item.id = row.id
"""

FINISH_PARTS = """
UPDATE feedback_ingest_conversationpart AS part SET role = row.role, person_id = row.person
FROM jsonb_to_recordset(%(rows)s::jsonb) AS row (id bigint, role text, person bigint)
WHERE part.id = row.id AND (part.role, part.person_id) IS DISTINCT FROM (row.role, row.person)
"""

MentionKey = tuple[int | None, int, int, str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """A thread with what the analyst said of it."""

    thread: Thread
    analysis: Analysis


def store(project: Project, claim: Claim, findings: Sequence[Finding], vectors: Vectors, matcher: Matcher) -> int:
    """Store the findings of the items that are still claimed; return how many items that was."""
    with transaction.atomic():
        lock_insights(project.pk)
        still = _still_claimed(claim)
        findings = [finding for finding in findings if finding.thread.item.pk in still]
        if not findings:
            return 0
        matcher.refresh()
        _Batch(project, findings, vectors, matcher).store()
    return len(findings)


def _still_claimed(claim: Claim) -> set[int]:
    """Return the claimed items that nobody changed since; locked, so that nobody does until the commit."""
    rows = FeedbackItem.objects.select_for_update(skip_locked=True).filter(
        pk__in=claim.ids, lease_until=claim.lease, state=FeedbackItem.State.WAITING
    )
    return set(rows.values_list("pk", flat=True))


class _Batch:
    """One batch of findings on its way into the tables."""

    def __init__(self, project: Project, findings: Sequence[Finding], vectors: Vectors, matcher: Matcher) -> None:
        self.project = project
        self.zone = ZoneInfo(project.time_zone)
        self.findings = findings
        self.vectors = vectors
        self.matcher = matcher
        self.people: dict[Author, Person] = {}
        self.fresh: list[Mention] = []
        self.stale: list[Mention] = []
        self.wanted: set[int] = set()

    def store(self) -> None:
        """Compare with what is stored, then write the differences."""
        self._identify()
        stored: dict[int, dict[MentionKey, Mention]] = {finding.thread.item.pk: {} for finding in self.findings}
        for mention in Mention.objects.filter(item__in=stored):
            stored[mention.item_id][_key_of(mention)] = mention
        for finding in self.findings:
            self._compare(finding, stored[finding.thread.item.pk])
        self._write_insights()
        touches = [counts.Touch.of(mention) for mention in (*self.fresh, *self.stale) if mention.deleted_at is None]
        with counts.kept(self.project.pk, touches):
            Mention.objects.filter(pk__in=[mention.pk for mention in self.stale]).delete()
            Mention.objects.bulk_create(self.fresh)
        titles.refresh(self.project, {mention.insight_id for mention in self.fresh})
        self._write_items()

    def _identify(self) -> None:
        authors = [
            finding.thread.author_of(text)
            for finding in self.findings
            for text in (finding.thread.item, *finding.thread.texts.values())
        ]
        self.people = identify(self.project, authors)

    def _compare(self, finding: Finding, stored: dict[MentionKey, Mention]) -> None:
        thread, seen = finding.thread, set()
        for statement in finding.analysis.statements:
            text = thread.texts.get(statement.passage)
            body = (text.body or "") if text else ""
            if text is None or not 0 <= statement.start < statement.end <= len(body):
                continue  # evidence that cannot be verified is not stored
            part_id = text.pk if isinstance(text, ConversationPart) else None
            key = (part_id, statement.start, statement.end, str(statement.kind), (statement.feature or "")[:120])
            if key in seen:
                continue
            seen.add(key)
            expected = quote_hash(body, statement.start, statement.end)
            kept = stored.get(key)
            if kept and bytes(kept.quote_hash) == expected:
                self.wanted.add(thread.item.pk)
                continue
            if kept:
                self.stale.append(kept)
            self._add(finding, statement, text, expected)
        self.stale += [mention for key, mention in stored.items() if key not in seen]

    def _add(
        self, finding: Finding, statement: Statement, text: FeedbackItem | ConversationPart, expected: bytes
    ) -> None:
        language = finding.analysis.language
        shelf = Shelf.of(statement.kind, language)
        match = self.matcher.match(shelf, self.vectors[shelf.measure][compared(statement)])
        if match.is_deleted:
            return
        thread = finding.thread
        self.wanted.add(thread.item.pk)
        person = self.people[thread.author_of(text)]
        self.fresh.append(
            Mention(
                project=self.project,
                insight_id=match.insight,
                item=thread.item,
                part=text if isinstance(text, ConversationPart) else None,
                source_id=thread.item.source_id,
                start=statement.start,
                end=statement.end,
                quote_hash=expected,
                kind=statement.kind,
                statement=statement.text[:400],
                feature=(statement.feature or "")[:120],
                statement_hash=compared_hash(compared(statement)),
                person=person,
                account_id=person.account_id,
                sentiment=statement.sentiment,
                language=language,
                confidence=statement.confidence,
                unsure=match.is_unsure,
                created_at=text.created_at,
                day=self._day(text),
            )
        )

    def _day(self, text: FeedbackItem | ConversationPart) -> date:
        return text.created_at.astimezone(self.zone).date()

    def _write_insights(self) -> None:
        if not self.matcher.changed:
            return
        wake = AnalysisWake.objects.select_for_update().get(project=self.project)
        wake.revision += 1
        wake.save(update_fields=["revision"])
        firsts = {mention.insight_id: mention for mention in reversed(self.fresh)}
        Insight.objects.bulk_create(
            _founded(self.project, row, firsts[row.insight], wake.revision) for row in self.matcher.centroids(new=True)
        )
        moved = list(self.matcher.centroids(new=False))
        parameters: dict[str, Any] = {
            "revision": wake.revision,
            "ids": [row.insight for row in moved],
            "centroids": [as_text(row.mean) for row in moved],
            "weights": [row.weight for row in moved],
        }
        with connection.cursor() as cursor:
            cursor.execute(MOVE_CENTROIDS, parameters)
        self.matcher.revision = wake.revision

    def _write_items(self) -> None:
        items = [self._item_row(finding) for finding in self.findings]
        parts = [
            self._part_row(finding.thread, part, role)
            for finding in self.findings
            for part, role in zip(finding.thread.parts, finding.thread.roles, strict=True)
        ]
        with connection.cursor() as cursor:
            cursor.execute(FINISH_ITEMS, {"rows": json.encode(items).decode(), "now": timezone.now()})
            if parts:
                cursor.execute(FINISH_PARTS, {"rows": json.encode(parts).decode()})
        self._count(items)

    def _item_row(self, finding: Finding) -> dict[str, Any]:
        reason = self._set_aside(finding)
        return {
            "id": finding.thread.item.pk,
            "source": finding.thread.item.source_id,
            "state": FeedbackItem.State.SET_ASIDE if reason else FeedbackItem.State.USED,
            "reason": reason,
            "language": finding.analysis.language[:8],
            "sentiment": finding.analysis.sentiment,
            "person": self._person_of(finding.thread).pk,
        }

    def _part_row(self, thread: Thread, part: ConversationPart, role: str) -> dict[str, Any]:
        person = self.people.get(thread.author_of(part)) if role == ConversationPart.Role.CUSTOMER else None
        return {"id": part.pk, "role": role, "person": person.pk if person else None}

    def _person_of(self, thread: Thread) -> Person:
        """The customer that the item is by: its opener, or the first customer of a thread that staff opened."""
        opener = next(iter(thread.texts.values()), thread.item)
        return self.people[thread.author_of(opener)]

    def _set_aside(self, finding: Finding) -> str | None:
        item, analysis = finding.thread.item, finding.analysis
        if item.keep:
            return None
        if not finding.thread.texts:
            return FeedbackItem.SetAside.EMPTY
        if analysis.set_aside:
            return str(analysis.set_aside)
        if analysis.statements and item.pk not in self.wanted:
            return FeedbackItem.SetAside.NOT_WANTED
        return None

    def _count(self, items: list[dict[str, Any]]) -> None:
        ended: Counter[tuple[UUID, str]] = Counter((row["source"], str(row["state"])) for row in items)
        for source in sorted({source for source, _ in ended}):
            used, aside = ended[source, "used"], ended[source, "set_aside"]
            tallies.count(source, {"waiting": -used - aside, "used": used, "set_aside": aside})


def _key_of(mention: Mention) -> MentionKey:
    return (mention.part_id, mention.start, mention.end, mention.kind, mention.feature)


def _founded(project: Project, centroid: Centroid, first: Mention, revision: int) -> Insight:
    return Insight(
        id=centroid.insight,
        project=project,
        kind=first.kind,
        language=first.language,
        title=titles.provisional(first),
        centroid=centroid.mean,
        weight=centroid.weight,
        titled_at_weight=1,
        revision=revision,
    )
