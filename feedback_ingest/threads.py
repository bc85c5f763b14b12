"""A whole conversation by role, with the words lit that stand for something."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from feedback_ingest.highlights import Highlight
from feedback_ingest.models import ConversationPart, FeedbackItem, Person
from feedback_ingest.speakers import Staff, Voice, roles_in_thread, voices_of

Role = ConversationPart.Role


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of text, and whether it is lit."""

    text: str
    is_lit: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What one speaker said at once; `part` is None for the item's own words.

    `is_ruled` where a person said who the speaker is, `can_rule` where there is a name or e-mail to say it of;
    an internal note is staff's in any case.
    """

    part: int | None
    role: Role
    author: str
    person: Person | None
    when: datetime
    segments: list[Segment]
    highlights: list[Highlight]
    is_ruled: bool
    can_rule: bool


def read_thread(item: FeedbackItem, highlights: Iterable[Highlight]) -> list[Turn]:
    """Return the turns of an item's conversation, oldest first; the item's own words come before its parts."""
    staff = Staff.of(item.project)
    parts = list(item.parts.select_related("person").defer("search").order_by("created_at", "pk"))
    first, voices = voices_of(item, parts)
    opener, roles = roles_in_thread(staff, first, voices)
    found: dict[int | None, list[Highlight]] = {}
    for highlight in highlights:
        found.setdefault(highlight.part, []).append(highlight)
    turns = [_turn(staff, first, item, opener, found.get(None, []))] if item.body else []
    turns += [
        _turn(staff, voice, part, role, found.get(part.pk, []))
        for voice, part, role in zip(voices, parts, roles, strict=True)
    ]
    return turns


def _turn(
    staff: Staff, voice: Voice, text: FeedbackItem | ConversationPart, role: Role, highlights: list[Highlight]
) -> Turn:
    return Turn(
        part=text.pk if isinstance(text, ConversationPart) else None,
        role=role,
        author=text.author or text.email or "",
        person=text.person if role == Role.CUSTOMER else None,
        when=text.created_at,
        segments=list(_segments(text.body or "", highlights)),
        highlights=highlights,
        is_ruled=any(key in staff.rules for key in voice.keys) and not voice.is_internal,
        can_rule=bool(voice.keys) and not voice.is_internal,
    )


def _segments(body: str, highlights: Sequence[Highlight]) -> Iterable[Segment]:
    """Cut a text wherever lit words begin or end; the pieces join to exactly the text."""
    edges = sorted({0, len(body), *(edge for each in highlights for edge in (each.start, each.end))})
    for start, end in pairwise(edges):
        yield Segment(body[start:end], any(each.start <= start and end <= each.end for each in highlights))
