"""What people change about insights, one or several at once; each act can be undone."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_GET, require_POST

from config.errors import DomainError
from insights import corrections
from insights.forms import MergeForm
from insights.listing import count_insight, count_together
from insights.models import Correction, Insight
from insights.quotes import best_quotes
from insights.views.detail import live_insight
from insights.views.query import address, read_period
from insights.visits import last_look
from projects.console import toast
from projects.members import member
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.vocabulary import KINDS, STATUSES

MOST_AT_ONCE = 100
CHANGED_WORDS: dict[str, Callable[[Any], str]] = {
    "title": lambda value: f"Renamed to “{value}”.",
    "kind": lambda value: f"The kind is now {KINDS[value].word.lower()}.",
    "area": lambda value: f"Put into the area “{value}”." if value else "Taken out of its area.",
    "status": lambda value: f"The status is now {STATUSES[value].word.lower()}.",
    "owner_id": lambda value: "Given to a member." if value else "Taken from its member.",
    "locked": lambda value: "Locked: later analysis leaves it as it is." if value else "Unlocked.",
}


def back(request: ProjectRequest, fallback: str) -> HttpResponse:
    """Go where the form said it came from, if that is a page of this site."""
    target = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(target if target.startswith("/") and is_ours else fallback)


def tell(request: ProjectRequest, text: str, made: list[Correction]) -> None:
    """Say what was done, with its way back."""
    url = reverse("insight_undo", args=[request.project.slug])
    ids = urlencode({"correction": [correction.pk for correction in made]}, doseq=True)
    toast(request, text, undo_url=f"{url}?{ids}" if made else "")


def _tell_each(request: ProjectRequest, made: list[Correction]) -> None:
    for correction in made:
        name = next((name for name in correction.after if name != "locked"), "locked")
        tell(request, CHANGED_WORDS[name](correction.after[name]), [correction])


def chosen_insights(request: ProjectRequest, data: QueryDict) -> list[Insight]:
    """Return the live insights that a form names, in its order. Raises DomainError for none or too many."""
    try:
        ids = list(dict.fromkeys(UUID(text) for text in data.getlist("insight")))
    except ValueError:
        raise Http404("No such insight.") from None
    if not ids or len(ids) > MOST_AT_ONCE:
        raise DomainError(f"Choose 1 to {MOST_AT_ONCE} insights.", code="bad_choice")
    insights = Insight.objects.live().visible_to(request.user).filter(project=request.project)
    found = insights.select_related("project").in_bulk(ids)
    if len(found) != len(ids):
        raise Http404("No such insight.")
    return [found[pk] for pk in ids]


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def change_insight(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Change the title, kind, area, status, owner or lock of one insight."""
    _tell_each(request, _change(request, live_insight(request, pk)))
    return back(request, reverse("insight_detail", args=[request.project.slug, pk]))


def _change(request: ProjectRequest, insight: Insight) -> list[Correction]:
    """Change what the form names."""
    given = request.POST
    changes = {name: given[name] for name in corrections.EDITABLE if name in given}
    with transaction.atomic():
        made = corrections.change_insight(insight, actor=request.user, **changes)
        if "owner" in given:
            pk = int(given["owner"]) if given["owner"].isdecimal() and len(given["owner"]) < 19 else None
            made += corrections.assign_insight(insight, member(request.project, pk), actor=request.user)
        if "lock" in given:
            made += corrections.lock_insight(insight, locked=given["lock"] == "on", actor=request.user)
    return made


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def change_row(request: ProjectRequest) -> HttpResponse:
    """Rename, give away, lock, archive or set the status of one row of the list."""
    archived = request.POST.get("archive")
    (insight,) = chosen_insights(request, QueryDict(f"insight={archived}") if archived else request.POST)[:1]
    if archived:
        made = corrections.change_insight(insight, actor=request.user, status=Insight.Status.ARCHIVED.value)
    else:
        made = _change(request, insight)
    _tell_each(request, made)
    return back(request, reverse("insight_list", args=[request.project.slug]))


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def delete_insight(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Delete an insight and go back to the list."""
    made = corrections.delete_insight(live_insight(request, pk), actor=request.user)
    tell(request, "Deleted. The same words will not bring it back.", [made])
    return redirect("insight_list", slug=request.project.slug)


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def change_chosen(request: ProjectRequest) -> HttpResponse:
    """Do to all chosen insights what the pressed button says: merge, export, delete, or set area or status."""
    insights = chosen_insights(request, request.POST)
    action = request.POST.get("action", "")
    listed = reverse("insight_list", args=[request.project.slug])
    if action in ("merge", "export"):
        target = reverse(f"insight_{action}", args=[request.project.slug])
        return HttpResponseRedirect(target + _with_choice(request, insights))
    with transaction.atomic():
        made = [correction for insight in insights for correction in _act(request, action, insight)]
    number = f"{len(insights):,} insight{'' if len(insights) == 1 else 's'}"
    done = {"delete": f"Deleted {number}.", "area": f"Set the area of {number}.", "status": f"Changed {number}."}
    if made:
        tell(request, done[action], made)
    return back(request, listed)


def _with_choice(request: ProjectRequest, insights: list[Insight]) -> str:
    """Return the state of the list that the form stood in, with the chosen insights."""
    data = QueryDict(request.POST.get("next", "").partition("?")[2], mutable=True)
    data.setlist("insight", [str(insight.pk) for insight in insights])
    return address(data)


def _act(request: ProjectRequest, action: str, insight: Insight) -> list[Correction]:
    if action == "delete":
        return [corrections.delete_insight(insight, actor=request.user)]
    if action in ("area", "status"):
        changes = {action: request.POST.get(action, "")}
        return corrections.change_insight(insight, actor=request.user, **changes)
    raise DomainError("Choose what to do with the insights.", code="bad_action")


@require_GET
@project_page(Permission.EDIT_INSIGHTS)
def merge_preview(request: ProjectRequest) -> HttpResponse:
    """Show what merging the chosen insights would give, before it is done."""
    insights = chosen_insights(request, request.GET)
    period = read_period(request.project, request.GET, last_look(request))
    counted = [(insight, count_insight(insight, period.within)) for insight in insights]
    counted.sort(key=lambda each: -each[1].people)
    together = count_together(request.project, insights, period.within)
    quotes = best_quotes(request.project, insights, period.within.end)
    context = {
        "page_title": "Merge insights",
        "sees_people": request.sees_people,
        "period": period,
        "choices": [{"insight": each, "counts": counts, "quote": quotes.get(each.pk)} for each, counts in counted],
        "together": together,
        "in_several": sum(counts.people for _, counts in counted) - together.people,
        "kinds": list(dict.fromkeys(insight.kind for insight in insights)),
        "next": request.GET.get("next", ""),
    }
    return render(request, _in_drawer(request, "insights/merge.html", "insights/_merge.html"), context)


def _in_drawer(request: ProjectRequest, page: str, fragment: str) -> str:
    return fragment if request.headers.get("HX-Target") == "drawer-body" else page


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def merge_insights(request: ProjectRequest) -> HttpResponse:
    """Merge the chosen insights into one of them, under its name or a typed one."""
    insights = {insight.pk: insight for insight in chosen_insights(request, request.POST)}
    form = MergeForm(request.POST)
    into = insights.pop(form.cleaned_data["into"], None) if form.is_valid() else None
    if into is None:
        raise DomainError("Choose which of the insights stays.", code="bad_merge")
    with transaction.atomic():
        made = corrections.merge_insights(into, list(insights.values()), actor=request.user)
        if title := form.cleaned_data["title"].strip():
            made += corrections.change_insight(into, actor=request.user, title=title)
            into.refresh_from_db(fields=["title"])
    tell(request, f"Merged into “{into.title}”.", made)
    return redirect("insight_detail", slug=request.project.slug, pk=into.pk)


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def mark_different(request: ProjectRequest) -> HttpResponse:
    """Remember that the two chosen insights are not the same."""
    insights = chosen_insights(request, request.POST)
    if len(insights) != 2:
        raise DomainError("Choose two insights.", code="bad_pair")
    made = corrections.mark_different(insights[0], insights[1], actor=request.user)
    tell(request, "Kept apart. They are not proposed as one again.", [made])
    return back(request, reverse("insight_list", args=[request.project.slug]))


@require_POST
@project_page(Permission.EDIT_INSIGHTS)
def undo(request: ProjectRequest) -> HttpResponse:
    """Take acts back, the newest first: all of them or none."""
    named = [*request.GET.getlist("correction"), *request.POST.getlist("correction")][: 2 * MOST_AT_ONCE]
    ids = [int(text) for text in named if text.isdecimal() and len(text) < 19]
    rows = Correction.objects.visible_to(request.user).filter(project=request.project, pk__in=ids)
    acts: list[Any] = list(rows.select_related("project").order_by("-pk"))
    if not acts or len(acts) != len(set(ids)):
        raise Http404("No such correction.")
    try:
        with transaction.atomic():
            for correction in acts:
                corrections.undo(correction, actor=request.user)
    except DomainError as error:
        toast(request, error.message, level=messages.ERROR)
    else:
        toast(request, "Undone.")
    return back(request, reverse("insight_list", args=[request.project.slug]))
