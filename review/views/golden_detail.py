"""One golden example: its answer, checks and history, where it comes from, and what may be done with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.errors import DomainError
from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.diffs import Piece, word_diff
from review.golden_forms import CiteForm, ExampleForm, TendForm, checks_formset, checks_of
from review.models import GoldenExample, GoldenVersion, KnowledgeDocument
from review.services import conflicts, golden
from review.services.duplicates import duplicates_of
from review.services.protection import people_protected, protected_by
from review.views.golden import examples_of, may_manage

TITLE_CHARACTERS = 80
MOST_VERSIONS = 50
MOST_RESULTS = 5
MOST_DOCUMENTS = 200
Split = GoldenExample.Split


@dataclass(frozen=True, slots=True)
class Change:
    """A version, and how its answer differs from the one before."""

    version: GoldenVersion
    pieces: list[Piece]
    what: str


def example_of(request: ProjectRequest, pk: UUID) -> GoldenExample:
    """Return an example of the project. Raises Http404."""
    rows = examples_of(request).select_related("feedback", "owner", "created_by")
    example: GoldenExample = get_object_or_404(rows.defer("feedback__search"), pk=pk)
    example.project = request.project
    return example


@require_GET
@project_page()
def golden_detail(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show an example."""
    return _page(request, example_of(request, pk))


@require_POST
@project_page(Permission.MANAGE)
def golden_change(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Save question, answer and checks as a version."""
    example = example_of(request, pk)
    form, checks = ExampleForm(request.POST), checks_formset(request.POST, [])
    if form.is_valid() and checks.is_valid():
        try:
            changed = golden.update_example(
                example,
                actor=request.user,
                original_query=form.cleaned_data["original_query"],
                golden_response=form.cleaned_data["golden_response"],
                checks=checks_of(checks),
                version=form.cleaned_data["version"],
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            same = changed.version == example.version
            toast(request, "Nothing was changed." if same else f"Saved as version {changed.version}.")
            return redirect("golden_detail", request.project.slug, pk)
    return _page(request, example, form=form, checks=checks, status=422)


@require_POST
@project_page(Permission.MANAGE)
def golden_switch(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Use an example, or stop using it."""
    active = request.GET.get("active", request.POST.get("active")) == "true"
    golden.update_example(example_of(request, pk), actor=request.user, is_active=active)
    undo = reverse("golden_switch", args=[request.project.slug, pk]) + f"?active={str(not active).lower()}"
    toast(request, "In use again." if active else "Switched off: nothing uses it from now on.", undo_url=undo)
    return redirect("golden_detail", request.project.slug, pk)


@require_POST
@project_page(Permission.MANAGE)
def golden_tend(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Say who looks after an example, and until when it is used."""
    example = example_of(request, pk)
    form = TendForm(request.POST, project=request.project)
    if not form.is_valid():
        return _page(request, example, tend=form, status=422)
    golden.tend_example(example, actor=request.user, **form.cleaned_data)
    toast(request, "Saved.")
    return redirect("golden_detail", request.project.slug, pk)


@require_POST
@project_page(Permission.MANAGE)
def golden_move(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Put an example and its near-duplicates on the other side of the split."""
    example = example_of(request, pk)
    there = Split.FEW_SHOT if example.split == Split.EVALUATION else Split.EVALUATION
    moved = golden.move_to_split(example, there, actor=request.user)
    toast(
        request,
        f"{moved} now in {'tests' if there == Split.EVALUATION else 'prompts'}.",
        undo_url=reverse("golden_move", args=[request.project.slug, pk]),
    )
    return redirect("golden_detail", request.project.slug, pk)


@require_POST
@project_page(Permission.MANAGE)
def golden_cite(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Say on which documents an answer rests, as they read now."""
    example = example_of(request, pk)
    form = CiteForm(request.POST, documents=_documents(request))
    if not form.is_valid():
        return _page(request, example, cite=form, status=422)
    conflicts.cite(example, form.cleaned_data["documents"], actor=request.user)
    toast(request, "Saved, with the documents as they read now.")
    return redirect("golden_detail", request.project.slug, pk)


@require_POST
@project_page(Permission.MANAGE)
def golden_delete(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Remove an example and its history for good."""
    golden.delete_example(example_of(request, pk), actor=request.user)
    toast(request, "Deleted.")
    return redirect("golden_list", request.project.slug)


def _page(
    request: ProjectRequest,
    example: GoldenExample,
    *,
    form: ExampleForm | None = None,
    checks: Any = None,
    tend: TendForm | None = None,
    cite: CiteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    citations = list(example.citations.select_related("document").order_by("pk"))
    shown = {"original_query": example.original_query, "golden_response": example.golden_response}
    looked_after = {"owner": example.owner_id, "expires_at": example.expires_at}
    context = {
        "page_title": example.original_query[:TITLE_CHARACTERS] or "Golden example",
        "sees_people": request.sees_people,
        "may_manage": may_manage(request),
        "example": example,
        "expired": example.expires_at is not None and example.expires_at <= timezone.now(),
        "form": form or ExampleForm(initial=shown | {"version": example.version}),
        "checks": checks or checks_formset(None, example.checks),
        "tend": tend or TendForm(project=request.project, initial=looked_after),
        "cite": cite
        or CiteForm(documents=_documents(request), initial={"documents": [each.document_id for each in citations]}),
        "citations": [(each, each.document and each.document.content_hash != each.content_hash) for each in citations],
        "changes": _changes(list(example.versions.select_related("editor").order_by("-number")[: MOST_VERSIONS + 1])),
        "duplicates": duplicates_of(example),
        "protects": protected_by(example),
        "people_protected": people_protected(example),
        "results": list(example.results.select_related("run").order_by("-created_at")[:MOST_RESULTS]),
    }
    return render(request, "golden/detail.html", context, status=status)


def _documents(request: ProjectRequest) -> Any:
    rows = KnowledgeDocument.objects.filter(project=request.project).order_by("title", "pk")
    newest = rows.order_by("-updated_at").values("pk")[:MOST_DOCUMENTS]
    return rows.filter(pk__in=newest).only("title")


def _changes(versions: Sequence[GoldenVersion]) -> list[Change]:
    """Return the versions, the last first, each compared with the one before it."""
    changes = []
    for version, before in zip_longest(versions, versions[1:]):
        if before is None:
            changes.append(Change(version, [], "Written" if version.number == 1 else ""))
            continue
        differ = version.golden_response != before.golden_response
        pieces = word_diff(before.golden_response, version.golden_response) if differ else []
        changes.append(Change(version, pieces, _what(before, version)))
    return changes[:MOST_VERSIONS]


def _what(before: GoldenVersion, after: GoldenVersion) -> str:
    words = []
    if before.original_query != after.original_query:
        words.append("asked differently")
    if before.golden_response != after.golden_response:
        words.append("answered differently")
    if before.checks != after.checks:
        words.append("checks changed")
    if before.is_active != after.is_active:
        words.append("switched on" if after.is_active else "switched off")
    return ", ".join(words).capitalize() or "Confirmed"
