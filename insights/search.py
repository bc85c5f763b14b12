"""Finds what customers said about something, in the words of the question or in others."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from django.contrib.postgres.search import SearchQuery
from django.db.models import Prefetch

from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.querysets import ItemQuerySet
from feedback_ingest.speakers import Staff, roles_in_thread, voices_of
from insights.embedding import ENCODED_LANGUAGES, Vector, encoder, unit
from insights.evidence import quote_of
from insights.local.encoder import EncoderUnavailable
from insights.local.relevance import Sentence, asked_for, relevance, stem
from insights.local.sentences import split_sentences
from insights.local.words import spelling
from insights.models import Insight, Mention
from projects.models import Project

MOST_ASKED = 200
MOST_FOUND = 50
# Among so many items are the most relevant looked for: newest first of those that hold the words, and evidence
# of the insights that are nearest in meaning.
BY_WORDS = 40
NEAREST_INSIGHTS = 10
OF_EACH = 4
# A transcript is long: so many of its sentences are compared, those that hold a word asked for before others.
COMPARED = 12
KEPT_VECTORS = 8_192

Text = FeedbackItem | ConversationPart


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence of a customer: code points `start` to `end` of an item's body, or of one of its parts."""

    item: FeedbackItem
    part: ConversationPart | None
    start: int
    end: int

    @property
    def text(self) -> Text:
        """What it stands in."""
        return self.part or self.item

    @property
    def quote(self) -> str:
        """Its exact words."""
        return (self.text.body or "")[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Found:
    """The sentence of an item that answers best, how well (0 to 1), and the insights that it is evidence for."""

    passage: Passage
    score: float
    insights: list[Insight] = field(default_factory=list)


def read_question(typed: str) -> str:
    """Return what was typed, without what surrounds it and the one character that PostgreSQL has no text with."""
    return typed.replace("\x00", "").strip()


def search_feedback(project: Project, items: ItemQuerySet, question: str, *, limit: int = MOST_FOUND) -> list[Found]:
    """Return the passages among `items` of `project` that say most about a question, one an item, the best first.

    At most MOST_FOUND are found. Without an encoder, and in languages that it does not know, words alone decide.
    """
    asked = asked_for(question)
    if not asked:
        return []
    vector = _vector(question)
    places = [*_holding(items, question, asked), *_meaning(project, vector)]
    rows = items.filter(pk__in=set(places)).select_related("source", "person", "person__account").defer("search")
    parts = ConversationPart.objects.defer("search").select_related("person", "person__account")
    rows = rows.prefetch_related(Prefetch("parts", parts.order_by("created_at", "pk")))
    said = [passages for passages in _said(project, rows, asked) if passages]
    texts = [[_sentence(passage, vector) for passage in passages] for passages in said]
    answers = [
        Found(passages[answer.sentence], answer.score)
        for passages, answer in zip(said, relevance(question, texts), strict=True)
        if answer is not None
    ]
    answers.sort(key=lambda found: (-found.score, -found.passage.item.pk))
    return _with_insights(answers[: min(limit, MOST_FOUND)])


def _holding(items: ItemQuerySet, question: str, asked: Sequence[str]) -> Iterator[int]:
    """Yield the newest items that hold all words asked for, and where these are few, those that hold some."""
    written = spelling(question)
    beginnings = {word: {stem(word), shown} for word, shown in written.items() if stem(word) in asked}
    either = ["(" + " | ".join(f"'{each}':*" for each in sorted(group)) + ")" for group in beginnings.values()]
    for joint in (" & ", " | ") if len(either) > 1 else (" & ",):
        query = SearchQuery(joint.join(either), config="simple", search_type="raw")
        found = list(items.holding(query).newest_first().values_list("pk", flat=True)[:BY_WORDS])
        yield from found
        if len(found) == BY_WORDS:
            return


def _meaning(project: Project, vector: Vector | None) -> Sequence[int]:
    """Return the items of the newest evidence of the insights nearest in meaning."""
    if vector is None:
        return []
    insights = Insight.objects.live().filter(project=project, language__in=ENCODED_LANGUAGES).nearest(vector)
    mentions = Mention.objects.live().filter(project=project)
    newest = [
        mentions.filter(insight=insight).newest_first().values_list("item", flat=True)[:OF_EACH]
        for insight in insights.values_list("pk", flat=True)[:NEAREST_INSIGHTS]
    ]
    return list(newest[0].union(*newest[1:])) if newest else []


def _said(project: Project, items: Iterable[FeedbackItem], asked: Sequence[str]) -> Iterator[list[Passage]]:
    """Yield, for each item, what is compared of it."""
    staff = Staff.of(project)
    beginnings = tuple(asked)
    for item in items:
        passages = list(_customer_sentences(item, staff))
        if len(passages) > COMPARED:
            # The sort is stable: among equals the first sentences come first.
            passages.sort(key=lambda each: not _holds(each.quote, beginnings))
        yield passages[:COMPARED]


def _holds(text: str, beginnings: tuple[str, ...]) -> bool:
    return any(word.startswith(beginnings) for word in spelling(text))


def _customer_sentences(item: FeedbackItem, staff: Staff) -> Iterator[Passage]:
    parts = list(item.parts.all())
    opener, roles = roles_in_thread(staff, *voices_of(item, parts))
    turns: list[tuple[ConversationPart | None, str]] = [(None, opener), *zip(parts, roles, strict=True)]
    for part, role in turns:
        if role == ConversationPart.Role.CUSTOMER:
            body = (part or item).body or ""
            yield from (Passage(item, part, each.start, each.end) for each in split_sentences(body))


def _sentence(passage: Passage, asked: Vector | None) -> Sentence:
    if asked is None or passage.item.language not in ENCODED_LANGUAGES:
        return Sentence(passage.quote, None)
    vector = _vector(passage.quote)
    return Sentence(passage.quote, None if vector is None else float(vector @ asked))


@lru_cache(maxsize=KEPT_VECTORS)
def _vector(text: str) -> Vector | None:
    try:
        return unit(encoder().encode([text])[0])
    except EncoderUnavailable:
        return None


def _with_insights(found: Sequence[Found]) -> list[Found]:
    """Bring along the insights whose verified evidence shares words with what was found."""
    mentions = Mention.objects.live().with_words().filter(item__in=[each.passage.item.pk for each in found])
    proven: dict[tuple[int, int | None], list[Mention]] = {}
    for mention in mentions.filter(insight__deleted_at=None, insight__merged_into=None).order_by("start", "pk"):
        if quote_of(mention):
            proven.setdefault((mention.item_id, mention.part_id), []).append(mention)
    return [Found(each.passage, each.score, list(_sharing(each.passage, proven))) for each in found]


def _sharing(passage: Passage, proven: Mapping[tuple[int, int | None], Sequence[Mention]]) -> Iterator[Insight]:
    part = passage.part.pk if passage.part else None
    shared = {
        mention.insight_id: mention.insight
        for mention in proven.get((passage.item.pk, part), ())
        if mention.start < passage.end and passage.start < mention.end
    }
    yield from shared.values()
