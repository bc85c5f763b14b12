"""The corrections of an insight, in words."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from insights.corrections import UNDO_PERIOD
from insights.models import Correction, Insight
from projects.vocabulary import KINDS, STATUSES, term

SHOWN = 20
Act = Correction.Act


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, what it did, and whether it can still be taken back."""

    correction: Correction
    words: str
    can_undo: bool


def history_of(insight: Insight) -> list[Entry]:
    """Return the newest acts on an insight, or between it and another."""
    rows = Correction.objects.filter(Q(insight=insight) | Q(other=insight), project=insight.project_id)
    rows = rows.select_related("actor", "insight", "other").defer("insight__centroid", "other__centroid")
    oldest = timezone.now() - UNDO_PERIOD
    return [
        Entry(row, _words(row, insight), can_undo=row.undone_at is None and row.created_at > oldest)
        for row in rows.order_by("-created_at", "-pk")[:SHOWN]
    ]


def _words(row: Correction, insight: Insight) -> str:
    other = row.other if row.insight_id == insight.pk else row.insight
    title = f"“{other.title}”" if other else "another insight"
    is_target = row.insight_id == insight.pk
    match row.act:
        case Act.RENAME:
            return f"renamed it from “{row.before['title']}” to “{row.after['title']}”"
        case Act.REKIND:
            return _rekind_words(row)
        case Act.SET_STATUS:
            return f"set the status to {term(STATUSES, row.after['status']).word.lower()}"
        case Act.ASSIGN:
            return "gave it to a member" if row.after["owner_id"] else "took it from its member"
        case Act.LOCK:
            return "locked name, kind and area" if row.after["locked"] else "unlocked it"
        case Act.MERGE:
            return f"merged {title} into this" if is_target else f"merged this into {title}"
        case Act.SPLIT:
            return f"split this off {title}" if is_target else f"split {title} off this"
        case Act.MOVE_MENTION:
            return f"moved a quote here from {title}" if is_target else f"moved a quote to {title}"
        case Act.CONFIRM:
            return "confirmed a doubtful quote"
        case Act.DELETE_MENTION:
            return "removed a quote for good"
        case Act.DIFFERENT:
            return f"said that this and {title} are different"
        case _:
            return "deleted it"


def _rekind_words(row: Correction) -> str:
    if "kind" in row.after:
        return f"changed the kind to {term(KINDS, row.after['kind']).word.lower()}"
    area = row.after.get("area")
    return f"put it into the area “{area}”" if area else "took it out of its area"
