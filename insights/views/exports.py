"""Insights and their evidence as CSV: the numbers of the screen, people masked for who may not see them."""

from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

from insights.evidence import quote_of
from insights.listing import Filters, every_insight
from insights.models import Insight, Mention
from insights.ranges import Range
from projects.models import Project
from projects.vocabulary import KINDS, STATUSES
from sources.files.export import csv_rows

INSIGHT_COLUMNS = (
    "id", "kind", "title", "area", "status", "people", "accounts", "mentions", "change in people", "first seen",
    "last seen", "summary",
)  # fmt: skip
MENTION_COLUMNS = (
    "id", "date", "quote", "person", "account", "source", "language", "sentiment", "kind", "confidence", "item",
    "start", "end", "original",
)  # fmt: skip
Cells = Sequence[object]


def csv_answer(filename: str, rows: Iterable[Cells]) -> StreamingHttpResponse:
    """Answer with a CSV file that is written while it is read."""
    answer = StreamingHttpResponse(csv_rows(rows, byte_order_mark=True), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    answer["Cache-Control"] = "no-store"
    return answer


def insight_rows(project: Project, within: Range, filters: Filters, ordering: str) -> Iterator[Cells]:
    """Yield the list of insights, with a head."""
    yield INSIGHT_COLUMNS
    for row in every_insight(project, within, filters, ordering=ordering):
        insight, counts = row.insight, row.counts
        yield (
            insight.pk,
            KINDS[insight.kind].word,
            insight.title,
            insight.area,
            STATUSES[insight.status].word,
            counts.people,
            counts.accounts,
            counts.mentions,
            "" if within.is_open else counts.change,
            insight.first_seen,
            insight.last_seen,
            insight.summary,
        )


def mention_rows(insight: Insight, within: Range, filters: Filters, *, sees_people: bool) -> Iterator[Cells]:
    """Yield the verified evidence of an insight, newest first, with a head."""
    yield MENTION_COLUMNS
    mentions = Mention.objects.filter(insight=insight, deleted_at=None).said_in(within).narrowed(filters)
    for mention in mentions.with_words().newest_first().iterator(chunk_size=500):
        quote = quote_of(mention)
        if not quote:
            continue
        person = mention.person
        yield (
            mention.pk,
            mention.created_at,
            quote,
            "" if person is None else person.display_name if sees_people else f"Person {person.pk}",
            mention.account.name if mention.account else "",
            mention.source.name,
            mention.language,
            mention.sentiment,
            KINDS[mention.kind].word,
            mention.confidence,
            mention.item_id,
            mention.start,
            mention.end,
            (mention.part.url if mention.part else None) or mention.item.url,
        )
