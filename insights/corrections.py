"""What people correct in the taxonomy: each act is an event in the ledger, with its way back."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from config.errors import DomainError
from insights import counts
from insights.locking import lock_insights
from insights.models import AnalysisWake, Correction, Insight, Mention
from projects import audit
from projects.access import can, require
from projects.models import Project, User
from projects.roles import Permission

UNDO_PERIOD = timedelta(days=30)
EDITABLE = ("title", "kind", "area", "status")
LOCKABLE = ["title", "kind", "area"]
# A mention that a person put somewhere is certain, and re-analysis leaves it there.
BY_HAND = {"moved_by_hand": True, "unsure": False}
Act = Correction.Act
ACT_OF_FIELD = {"title": Act.RENAME, "kind": Act.REKIND, "area": Act.REKIND, "status": Act.SET_STATUS}


def _begin(project: Project, actor: User) -> None:
    require(actor, Permission.EDIT_INSIGHTS, project)
    lock_insights(project.pk)


def _record(act: Act, insight: Insight, actor: User, **fields: Any) -> Correction:
    correction = Correction.objects.create(project=insight.project, act=act, insight=insight, actor=actor, **fields)
    audit.record(f"insight.{act}", insight, actor=actor, project=insight.project, correction=correction.pk)
    return correction


def _touch_revision(insights: Sequence[Insight]) -> None:
    """Let every worker's picture of these insights be renewed."""
    for project_id in {insight.project_id for insight in insights}:
        wake, _ = AnalysisWake.objects.select_for_update().get_or_create(project_id=project_id)
        wake.revision += 1
        wake.save(update_fields=["revision"])
        Insight.objects.filter(pk__in=[insight.pk for insight in insights]).update(revision=wake.revision)


def _gone() -> DomainError:
    return DomainError("Somebody changed this meanwhile. Load the page again.", code="conflict", status=409)


@transaction.atomic
def change_insight(insight: Insight, *, actor: User, **changes: str) -> list[Correction]:
    """Set title, kind, area or status; what a person set is locked against re-analysis.

    Raises DomainError for a blank title, an unknown value, or a title that only repeats the kind or area.
    """
    _begin(insight.project, actor)
    insight = Insight.objects.select_for_update().get(pk=insight.pk)
    made = []
    for name, value in changes.items():
        value = _valid(insight, name, value.strip())
        before = getattr(insight, name)
        if value == before:
            continue
        locked_before = list(insight.locked)
        setattr(insight, name, value)
        if name != "status" and name not in insight.locked:
            insight.locked = [*insight.locked, name]
        insight.save(update_fields=[name, "locked"])
        made.append(
            _record(
                ACT_OF_FIELD[name],
                insight,
                actor,
                before={name: before, "locked": locked_before},
                after={name: value, "locked": list(insight.locked)},
            )
        )
    if made:
        _touch_revision([insight])
    return made


@transaction.atomic
def assign_insight(insight: Insight, owner: User | None, *, actor: User) -> list[Correction]:
    """Give an insight to a member who looks after it, or to nobody. Raises DomainError for who is no member."""
    _begin(insight.project, actor)
    if owner and not can(owner, Permission.VIEW, insight.project):
        raise DomainError("Only members of the project can look after its insights.", code="not_a_member")
    return _set(insight, Act.ASSIGN, "owner_id", owner.pk if owner else None, actor)


@transaction.atomic
def lock_insight(insight: Insight, *, locked: bool, actor: User) -> list[Correction]:
    """Keep title, kind and area from being changed by later analysis, or let it change them again."""
    _begin(insight.project, actor)
    made = _set(insight, Act.LOCK, "locked", LOCKABLE if locked else [], actor)
    if made:
        _touch_revision([insight])
    return made


def _set(insight: Insight, act: Correction.Act, name: str, value: Any, actor: User) -> list[Correction]:
    insight = Insight.objects.select_for_update().get(pk=insight.pk)
    before = getattr(insight, name)
    if value == before:
        return []
    Insight.objects.filter(pk=insight.pk).update(**{name: value})
    return [_record(act, insight, actor, before={name: before}, after={name: value})]


def _valid(insight: Insight, name: str, value: str) -> str:
    if name not in EDITABLE:
        raise DomainError(f"{name} cannot be changed.", code="not_editable")
    if name == "title":
        taken = {insight.get_kind_display().casefold(), insight.area.casefold()}
        if not value or value.casefold() in taken:
            raise DomainError("Give a name that says more than the kind or the area.", code="bad_title")
        return value[:120]
    if name == "area":
        return value[:80]
    allowed = Insight.Kind.values if name == "kind" else Insight.Status.values
    if value not in allowed:
        raise DomainError(f"{name} must be one of {', '.join(allowed)}.", code=f"bad_{name}")
    return value


@transaction.atomic
def delete_mention(mention: Mention, *, actor: User) -> Correction:
    """Take a mention out of its insight; re-analysis does not bring it back."""
    _begin(mention.project, actor)
    mention = Mention.objects.select_for_update().get(pk=mention.pk)
    if mention.deleted_at:
        raise _gone()
    with counts.kept(mention.project_id, [counts.Touch.of(mention)]):
        mention.deleted_at = timezone.now()
        mention.save(update_fields=["deleted_at"])
    return _record(Act.DELETE_MENTION, mention.insight, actor, mention=mention)


@transaction.atomic
def delete_insight(insight: Insight, *, actor: User) -> Correction:
    """Delete an insight: it stays as a tombstone that refuses the same statements from then on."""
    _begin(insight.project, actor)
    now = timezone.now()
    if not Insight.objects.filter(pk=insight.pk, deleted_at=None).update(deleted_at=now):
        raise _gone()
    _touch_revision([insight])
    return _record(Act.DELETE_INSIGHT, insight, actor, after={"deleted_at": now.isoformat()})


@transaction.atomic
def move_mention(mention: Mention, to: Insight, *, actor: User) -> Correction:
    """Move a mention to another insight of the project, where re-analysis leaves it."""
    _begin(mention.project, actor)
    mention = Mention.objects.select_for_update().get(pk=mention.pk)
    if mention.deleted_at or not to.is_live or to.project_id != mention.project_id:
        raise _gone()
    origin = mention.insight
    before = {"insight": str(origin.pk), "marks": _marks([mention])}
    _move([mention], to, by_hand=True)
    return _record(Act.MOVE_MENTION, to, actor, other=origin, mention=mention, before=before)


@transaction.atomic
def merge_insights(into: Insight, others: Sequence[Insight], *, actor: User) -> list[Correction]:
    """Merge insights into one: their mentions move, their ids lead to it; people are counted once."""
    _begin(into.project, actor)
    if not others or any(other.pk == into.pk or other.project_id != into.project_id for other in others):
        raise DomainError("Choose other insights of the same project.", code="bad_merge")
    into = Insight.objects.select_for_update().get(pk=into.pk)
    made = []
    for other in others:
        other = Insight.objects.select_for_update().get(pk=other.pk)
        if not other.is_live or not into.is_live:
            raise _gone()
        moved = list(other.mentions.all())
        _move(moved, into, by_hand=False)
        other.merged_into = into
        other.save(update_fields=["merged_into"])
        made.append(_record(Act.MERGE, into, actor, other=other, before={"mentions": [row.pk for row in moved]}))
    _touch_revision([into, *others])
    return made


@transaction.atomic
def split_insight(insight: Insight, mentions: Sequence[Mention], title: str, *, actor: User) -> Correction:
    """Make an insight of its own out of some mentions of another."""
    _begin(insight.project, actor)
    rows = list(Mention.objects.select_for_update().filter(pk__in=[row.pk for row in mentions], insight=insight))
    if not rows or len(rows) != len({row.pk for row in mentions}):
        raise DomainError("Choose mentions of this insight.", code="bad_split")
    part = Insight(project=insight.project, kind=insight.kind, area=insight.area, language=insight.language)
    part.title = _valid(part, "title", title.strip())
    part.locked = ["title"]
    part.save(force_insert=True)
    before = {"mentions": [row.pk for row in rows], "marks": _marks(rows)}
    _move(rows, part, by_hand=True)
    _touch_revision([insight, part])
    return _record(Act.SPLIT, part, actor, other=insight, before=before)


@transaction.atomic
def mark_different(insight: Insight, other: Insight, *, actor: User) -> Correction:
    """Remember that two insights are not the same, so that nobody proposes it again."""
    _begin(insight.project, actor)
    if insight.pk == other.pk or insight.project_id != other.project_id:
        raise DomainError("Choose another insight of the same project.", code="bad_pair")
    return _record(Act.DIFFERENT, insight, actor, other=other)


@transaction.atomic
def confirm_mention(mention: Mention, *, actor: User) -> Correction:
    """Say that a doubtful mention is where it belongs."""
    _begin(mention.project, actor)
    mention = Mention.objects.select_for_update().get(pk=mention.pk)
    before = {"marks": _marks([mention])}
    Mention.objects.filter(pk=mention.pk).update(**BY_HAND)
    return _record(Act.CONFIRM, mention.insight, actor, mention=mention, before=before)


def _marks(mentions: Sequence[Mention]) -> list[tuple[int, bool, bool]]:
    """Return what BY_HAND overwrites, to be put back when the act is undone."""
    return [(mention.pk, mention.moved_by_hand, mention.unsure) for mention in mentions]


def _put_marks_back(correction: Correction, mentions: Sequence[Mention]) -> None:
    still_there = {mention.pk for mention in mentions}
    marked = [
        Mention(pk=pk, moved_by_hand=moved_by_hand, unsure=unsure)
        for pk, moved_by_hand, unsure in correction.before.get("marks", [])
        if pk in still_there
    ]
    Mention.objects.bulk_update(marked, list(BY_HAND))


def _move(mentions: Sequence[Mention], to: Insight, *, by_hand: bool) -> None:
    """Move mentions and keep the counts of both sides; by hand they are certain, and stay where they are put."""
    touches = [counts.Touch.of(mention) for mention in mentions if mention.deleted_at is None]
    touches += [counts.Touch(to.pk, touch.person, touch.account, touch.day) for touch in touches]
    with counts.kept(to.project_id, touches):
        marks = BY_HAND if by_hand else {}
        Mention.objects.filter(pk__in=[mention.pk for mention in mentions]).update(insight=to, **marks)


@transaction.atomic
def undo(correction: Correction, *, actor: User) -> None:
    """Take an act back. Raises DomainError after 30 days, or where later acts stand in the way."""
    _begin(correction.project, actor)
    correction = (
        Correction.objects.select_for_update(of=("self",)).select_related("insight", "other").get(pk=correction.pk)
    )
    if correction.undone_at:
        raise DomainError("This is undone already.", code="conflict", status=409)
    if correction.created_at < timezone.now() - UNDO_PERIOD:
        raise DomainError("This is older than 30 days and cannot be undone.", code="too_late", status=409)
    _UNDO[Act(correction.act)](correction)
    correction.undone_at, correction.undone_by = timezone.now(), actor
    correction.save(update_fields=["undone_at", "undone_by"])
    _touch_revision([row for row in (correction.insight, correction.other) if row])
    audit.record(
        "insight.undone", correction.insight, actor=actor, project=correction.project, correction=correction.pk
    )


def _undo_fields(correction: Correction) -> None:
    insight = Insight.objects.select_for_update().get(pk=correction.insight_id)
    for name, value in correction.before.items():
        is_side_effect = name == "locked" and correction.act != Act.LOCK
        if not is_side_effect and getattr(insight, name) != correction.after[name]:
            raise DomainError("It was changed again since. Undo the later change first.", code="conflict", status=409)
        setattr(insight, name, value)
    insight.save(update_fields=list(correction.before))


def _undo_delete_mention(correction: Correction) -> None:
    mention = correction.mention
    if mention is None or mention.deleted_at is None:
        raise _gone()
    with counts.kept(mention.project_id, [counts.Touch.of(mention)]):
        mention.deleted_at = None
        mention.save(update_fields=["deleted_at"])


def _undo_delete_insight(correction: Correction) -> None:
    Insight.objects.filter(pk=correction.insight_id).update(deleted_at=None)


def _undo_move(correction: Correction) -> None:
    mention, origin = correction.mention, correction.other
    if mention is None or origin is None or mention.insight_id != correction.insight_id:
        raise _gone()
    _move([mention], origin, by_hand=False)
    _put_marks_back(correction, [mention])


def _undo_confirm(correction: Correction) -> None:
    mention = correction.mention
    if mention is None or mention.insight_id != correction.insight_id:
        raise _gone()
    _put_marks_back(correction, [mention])


def _undo_regrouping(correction: Correction) -> None:
    """Undo a merge or a split: what was moved then and is still there goes back."""
    other = correction.other
    if other is None:
        raise _gone()
    rows = list(Mention.objects.filter(pk__in=correction.before["mentions"], insight=correction.insight_id))
    _move(rows, other, by_hand=False)
    _put_marks_back(correction, rows)
    if correction.act == Act.MERGE:
        Insight.objects.filter(pk=other.pk, merged_into=correction.insight_id).update(merged_into=None)
    elif not Mention.objects.filter(insight=correction.insight_id).exists():
        Insight.objects.filter(pk=correction.insight_id).update(merged_into=other)


def _undo_nothing(correction: Correction) -> None:
    """A mark has no effect beyond itself."""


_UNDO = {
    Act.RENAME: _undo_fields,
    Act.REKIND: _undo_fields,
    Act.SET_STATUS: _undo_fields,
    Act.ASSIGN: _undo_fields,
    Act.LOCK: _undo_fields,
    Act.DELETE_MENTION: _undo_delete_mention,
    Act.DELETE_INSIGHT: _undo_delete_insight,
    Act.MOVE_MENTION: _undo_move,
    Act.CONFIRM: _undo_confirm,
    Act.MERGE: _undo_regrouping,
    Act.SPLIT: _undo_regrouping,
    Act.DIFFERENT: _undo_nothing,
}


def current(insight_id: UUID, project_id: int) -> UUID:
    """Follow an old id to the insight of the project that it was merged into."""
    seen: set[UUID] = set()
    while insight_id not in seen:
        seen.add(insight_id)
        insights = Insight.objects.filter(pk=insight_id, project=project_id)
        target = insights.values_list("merged_into", flat=True).first()
        if target is None:
            break
        insight_id = target
    return insight_id
