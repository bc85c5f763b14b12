"""A whole conversation with the words lit that stand for insights."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from feedback_ingest.models import ConversationPart, FeedbackItem, Person
from feedback_ingest.speakers import Staff, roles_in_thread, voices_of
from insights.evidence import quote_of
from insights.models import Mention

Role = ConversationPart.Role


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text; `is_lit` where it is evidence, `is_focus` where it is the evidence that was asked for."""

    text: str
    is_lit: bool
    is_focus: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said at once, and what it is evidence for."""

    role: Role
    author: str
    person: Person | None
    when: datetime
    segments: list[Segment]
    mentions: list[Mention] = field(default_factory=list)


def read_conversation(focus: Mention) -> list[Turn]:
    """Return the turns of the conversation that a mention stands in, oldest first."""
    item = FeedbackItem.objects.select_related("project", "source", "person").get(pk=focus.item_id)
    parts = list(item.parts.select_related("person").order_by("created_at", "pk"))
    opener, roles = roles_in_thread(Staff.of(item.project), *voices_of(item, parts))
    mentions = _mentions_by_part(item)
    turns = []
    if item.body:
        turns.append(_turn(item, opener, mentions.get(None, []), focus))
    turns += [_turn(part, role, mentions.get(part.pk, []), focus) for part, role in zip(parts, roles, strict=True)]
    return turns


def _mentions_by_part(item: FeedbackItem) -> dict[int | None, list[Mention]]:
    found: dict[int | None, list[Mention]] = {}
    rows = Mention.objects.live().filter(item=item, insight__deleted_at=None)
    for mention in rows.select_related("insight", "item", "part").order_by("start", "pk"):
        if quote_of(mention):
            found.setdefault(mention.part_id, []).append(mention)
    return found


def _turn(text: FeedbackItem | ConversationPart, role: Role, mentions: list[Mention], focus: Mention) -> Turn:
    return Turn(
        role=role,
        author=text.author or text.email or "",
        person=text.person if role == Role.CUSTOMER else None,
        when=text.created_at,
        segments=list(_segments(text.body or "", mentions, focus)),
        mentions=mentions,
    )


def _segments(body: str, mentions: list[Mention], focus: Mention) -> Iterable[Segment]:
    """Cut a text wherever evidence begins or ends; the pieces join to exactly the text."""
    edges = sorted({0, len(body), *(edge for each in mentions for edge in (each.start, each.end))})
    for start, end in pairwise(edges):
        over = [each.pk for each in mentions if each.start <= start and end <= each.end]
        yield Segment(body[start:end], bool(over), focus.pk in over)
