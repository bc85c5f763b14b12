"""What people do with single items: read, archive, set aside, restore, retry."""

from collections.abc import Sequence
from functools import partial

from django.db import transaction

from config.errors import DomainError
from feedback_ingest import events
from feedback_ingest.models import FeedbackItem
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from sources import tallies

State = FeedbackItem.State


def _project_of(items: Sequence[FeedbackItem]) -> Project:
    projects = {item.project_id: item.project for item in items}
    if len(projects) != 1:
        raise DomainError("Choose items of one project.", code="bad_choice")
    return next(iter(projects.values()))


@transaction.atomic
def move_in_inbox(items: Sequence[FeedbackItem], inbox: str, *, actor: User) -> list[FeedbackItem]:
    """Put items among the unread, read or archived."""
    project = _project_of(items)
    require(actor, Permission.EDIT_INSIGHTS, project)
    FeedbackItem.objects.filter(pk__in=[item.pk for item in items]).update(inbox=inbox)
    for item in items:
        item.inbox = inbox
    audit.record("items.moved_in_inbox", project, actor=actor, project=project, inbox=inbox, items=len(items))
    return list(items)


@transaction.atomic
def mark_read(item: FeedbackItem) -> None:
    """Note that somebody opened an item; what is archived stays so."""
    FeedbackItem.objects.filter(pk=item.pk, inbox=FeedbackItem.Inbox.UNREAD).update(inbox=FeedbackItem.Inbox.READ)


@transaction.atomic
def set_aside(items: Sequence[FeedbackItem], *, actor: User) -> int:
    """Set items aside by hand; their mentions go. Returns how many were not aside before."""
    project = _project_of(items)
    require(actor, Permission.EDIT_INSIGHTS, project)
    ids = [item.pk for item in items]
    moved = _move(ids, (State.USED, State.WAITING), State.SET_ASIDE, reason=FeedbackItem.SetAside.BY_HAND, keep=False)
    if moved:
        events.set_aside(project.pk, moved)
    audit.record("items.set_aside", project, actor=actor, project=project, items=moved)
    return len(moved)


@transaction.atomic
def restore(items: Sequence[FeedbackItem], *, actor: User) -> int:
    """Bring items back that were set aside; they are analysed again. Returns how many."""
    project = _project_of(items)
    require(actor, Permission.EDIT_INSIGHTS, project)
    return _reopen(items, project, actor, "items.restored", keep=True)


@transaction.atomic
def retry(items: Sequence[FeedbackItem], *, actor: User) -> int:
    """Analyse dead-lettered items again. Returns how many."""
    project = _project_of(items)
    require(actor, Permission.MANAGE_SOURCES, project)
    dead = [item for item in items if item.set_aside_reason == FeedbackItem.SetAside.FAILED]
    return _reopen(dead, project, actor, "items.retried", keep=False)


@transaction.atomic
def read_again(project: Project, ids: Sequence[int]) -> int:
    """Have items analysed again whose speakers changed, except those that a person set aside or whose analysis failed.

    An analysis that is under way is not stored: it read the speakers as they were. Returns how many items.
    """
    reasons = (FeedbackItem.SetAside.BY_HAND, FeedbackItem.SetAside.FAILED)
    readable = FeedbackItem.objects.filter(pk__in=ids).exclude(set_aside_reason__in=reasons)
    moved = _move(list(readable.values_list("pk", flat=True)), tuple(State), State.WAITING, reason=None, keep=None)
    if moved:
        transaction.on_commit(partial(events.stored, project.pk))
    return len(moved)


def _reopen(items: Sequence[FeedbackItem], project: Project, actor: User, verb: str, *, keep: bool) -> int:
    moved = _move([item.pk for item in items], (State.SET_ASIDE,), State.WAITING, reason=None, keep=keep)
    audit.record(verb, project, actor=actor, project=project, items=moved)
    if moved:
        transaction.on_commit(partial(events.stored, project.pk))
    return len(moved)


def _move(ids: list[int], allowed: tuple[State, ...], to: State, *, reason: str | None, keep: bool | None) -> list[int]:
    """Move items between states and the counters with them; return the ids that moved. `keep` None leaves it."""
    rows = list(
        FeedbackItem.objects.select_for_update()
        .filter(pk__in=ids, state__in=allowed)
        .order_by("source", "unique_id")  # the order in which ingest locks them
        .values_list("pk", "source_id", "state")
    )
    kept = {} if keep is None else {"keep": keep}
    FeedbackItem.objects.filter(pk__in=[pk for pk, _, _ in rows]).update(
        state=to, set_aside_reason=reason, attempts=0, lease_until=None, last_error=None, **kept
    )
    for source_id in sorted({source_id for _, source_id, _ in rows}, key=str):
        states = [state for _, source, state in rows if source == source_id]
        left = [state for state in states if state != to]
        tallies.count(source_id, {state: -left.count(state) for state in set(left)} | {to: len(left)})
    return [pk for pk, _, _ in rows]
