"""What needs a look: answers that contradict each other side by side, and those whose documents changed."""

from dataclasses import dataclass
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.diffs import Piece, word_diff
from review.models import GoldenExample
from review.services import conflicts
from review.services.conflicts import Conflict, conflicts_of
from review.views.golden import examples_of, may_manage, tabs
from review.views.golden_detail import example_of

MOST_GROUPS = 20
MOST_STALE = 50
# With fewer words in common two answers are easier to read one by one.
COMPARABLE = 0.5


@dataclass(frozen=True, slots=True)
class Side:
    """One answer of a conflict, compared with the oldest where they have much in common."""

    example: GoldenExample
    pieces: list[Piece]


@dataclass(frozen=True, slots=True)
class Group:
    """A conflict as it is shown."""

    question: str
    sides: list[Side]


@require_GET
@project_page()
def golden_conflicts(request: ProjectRequest) -> HttpResponse:
    """Show what nobody uses until a person has looked."""
    stale = examples_of(request).filter(attention=GoldenExample.Attention.STALE).newest_first()
    groups = [_group(conflict) for conflict in conflicts_of(request.project, limit=MOST_GROUPS)]
    context = {
        "page_title": "Golden examples to look at",
        "may_manage": may_manage(request),
        "tabs": tabs(request, "golden_conflicts"),
        "groups": groups,
        "may_be_more": len(groups) == MOST_GROUPS,
        "stale": list(stale.prefetch_related("citations__document")[:MOST_STALE]),
    }
    return render(request, "golden/conflicts.html", context)


@require_POST
@project_page(Permission.MANAGE)
def golden_settle(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Settle a conflict, or find a stale answer right."""
    example = example_of(request, pk)
    match request.POST.get("keep"):
        case "one":
            others = conflicts.keep_one(example, actor=request.user)
            toast(request, f"Kept. {others} switched off." if others else "Kept.")
        case "all":
            conflicts.keep_all(conflicts.group_of(example).examples, actor=request.user)
            toast(request, "All of them are used from now on.")
        case _:
            conflicts.find_still_right(example, actor=request.user)
            toast(request, "Still right: in use again.")
    return redirect("golden_conflicts", request.project.slug)


def _group(conflict: Conflict) -> Group:
    first, *others = conflict.examples
    sides = [Side(other, _compared(first.golden_response, other.golden_response)) for other in others]
    return Group(first.original_query, [Side(first, []), *sides])


def _compared(one: str, other: str) -> list[Piece]:
    pieces = word_diff(one, other)
    shared = sum(len(piece.text) for piece in pieces if piece.change == "same")
    return pieces if shared >= COMPARABLE * max(len(one), len(other)) else []
