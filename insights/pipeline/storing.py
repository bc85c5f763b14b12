"""Writing what an analysis found: mentions, insights, counters and item states in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from feedback_ingest.models import ConversationPart, FeedbackItem, Person
from feedback_ingest.people import Author, identify
from insights import counts, titles
from insights.analyst import Analysis, Statement
from insights.embedding import MeasureName, Vector, measure_of, text_hash
from insights.evidence import quote_hash
from insights.locking import lock_insights
from insights.matching import Centroid, Matcher
from insights.models import AnalysisWake, Insight, Mention
from insights.pipeline.claims import Claim
from insights.pipeline.reading import Thread
from projects.models import Project
from sources.models import SourceCount

Vectors = dict[MeasureName, dict[str, Vector]]
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
        match = self.matcher.match(statement.kind, language, self.vectors[measure_of(language)][statement.text])
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
                statement_hash=text_hash(statement.text),
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
        Insight.objects.bulk_update(
            [
                Insight(id=row.insight, centroid=row.mean, weight=row.weight, revision=wake.revision)
                for row in self.matcher.centroids(new=False)
            ],
            ["centroid", "weight", "revision"],
        )
        self.matcher.revision = wake.revision

    def _write_items(self) -> None:
        now = timezone.now()
        items, parts = [], []
        for finding in self.findings:
            items.append(self._finish(finding, now))
            for part, role in zip(finding.thread.parts, finding.thread.roles, strict=True):
                part.role = role
                person = self.people.get(finding.thread.author_of(part))
                part.person = person if role == ConversationPart.Role.CUSTOMER else None
                parts.append(part)
        FeedbackItem.objects.bulk_update(
            items,
            [
                "state",
                "set_aside_reason",
                "language",
                "sentiment",
                "person",
                "analysed_at",
                "lease_until",
                "last_error",
            ],
        )
        ConversationPart.objects.bulk_update(parts, ["role", "person"], batch_size=500)
        self._count()

    def _finish(self, finding: Finding, now: datetime) -> FeedbackItem:
        item, analysis = finding.thread.item, finding.analysis
        reason = self._set_aside(finding)
        item.state = FeedbackItem.State.SET_ASIDE if reason else FeedbackItem.State.USED
        item.set_aside_reason = reason
        item.language = analysis.language[:8]
        item.sentiment = analysis.sentiment
        item.person = self._person_of(finding.thread)
        item.analysed_at = now
        item.lease_until = item.last_error = None
        return item

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

    def _count(self) -> None:
        tally: dict[UUID, list[int]] = {}
        for finding in self.findings:
            item = finding.thread.item
            used, aside = tally.setdefault(item.source_id, [0, 0])
            is_used = item.state == FeedbackItem.State.USED
            tally[item.source_id] = [used + is_used, aside + (not is_used)]
        for source_id in sorted(tally, key=str):
            used, aside = tally[source_id]
            SourceCount.objects.filter(source=source_id).update(
                waiting=F("waiting") - used - aside, used=F("used") + used, set_aside=F("set_aside") + aside
            )


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
        revision=revision,
    )
