"""The list of golden examples, and writing one by hand."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from config.errors import DomainError
from projects.console import toast
from projects.models import Project
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.golden_filters import GoldenFilter
from review.golden_forms import NewExampleForm, checks_formset, checks_of, members_of
from review.models import GoldenExample
from review.querysets import GoldenQuerySet
from review.services import counts, golden
from review.views.golden_paging import page_of, without

FILTERS = ("source_type", "approval_type", "split", "is_active", "attention", "owner", "q")
UNLISTED = ("search", "vector", "answer_vector", "original_response", "checks", "provenance")
IN_USE = {"True": "In use", "False": "Switched off"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter that is set, in words, and the address without it."""

    name: str
    value: str
    remove_url: str


def examples_of(request: ProjectRequest) -> GoldenQuerySet:
    """Return the project's examples, without what no page shows."""
    rows: GoldenQuerySet = GoldenExample.objects.visible_to(request.user).filter(project=request.project)
    return rows.defer("search", "vector", "answer_vector")


def tabs(request: ProjectRequest, active: str) -> list[dict[str, Any]]:
    """Return the tabs of the section."""
    slug = request.project.slug
    waiting = GoldenExample.objects.filter(project=request.project).exclude(attention="").count()
    shown = (
        ("golden_list", "Examples", None),
        ("golden_conflicts", "Needs a look", waiting),
        ("knowledge_list", "Knowledge", None),
        ("checks_list", "Runs of checks", None),
    )
    return [
        {"label": label, "url": reverse(name, args=[slug]), "active": name == active, "count": count}
        for name, label, count in shown
    ]


def may_manage(request: ProjectRequest) -> bool:
    """Tell whether the visitor may write."""
    return Permission.MANAGE in request.permissions


@require_GET
@project_page()
def golden_list(request: ProjectRequest) -> HttpResponse:
    """Show the golden examples of a project, or why there are none."""
    narrowed = GoldenFilter(request.GET, examples_of(request))
    form = _filter_form(narrowed, request.project)
    chips = _chips(form, request)
    page = page_of(narrowed.qs.select_related("owner").defer(*UNLISTED), request.GET)
    total = counts.capped(narrowed.qs) if chips else counts.golden_total(request.project)
    context = {
        "page_title": "Golden examples",
        "sees_people": request.sees_people,
        "may_manage": may_manage(request),
        "tabs": tabs(request, "golden_list"),
        "page": page,
        "total": total,
        "more_than": total if chips and total == counts.MOST_COUNTED else None,
        "form": form,
        "chips": chips,
        "clear_url": without(request.GET, *FILTERS),
        "hidden": [(name, value) for name in FILTERS[:-1] for value in request.GET.getlist(name) if value],
        "now": timezone.now(),
        "has_examples": bool(chips) or bool(total),
    }
    return render(request, "golden/list.html", context)


def _filter_form(narrowed: GoldenFilter, project: Project) -> forms.Form:
    """Return the form of the filters, in which owners are chosen by name."""
    form: forms.Form = narrowed.form
    owners = [("", "Anybody"), *((str(user.pk), str(user)) for user in members_of(project))]
    form.fields["owner"].widget = forms.Select(choices=owners)
    form.fields["is_active"].widget = forms.Select(choices=[("", "In use or not"), *IN_USE.items()])
    labels = {
        "source_type": "Comes from", "approval_type": "Approved", "split": "Used", "is_active": "State",
        "attention": "Needs a look", "owner": "Owner",
    }  # fmt: skip
    for name, label in labels.items():
        form.fields[name].label = label
        form.fields[name].required = False
    return form


def _chips(form: forms.Form, request: ProjectRequest) -> list[Chosen]:
    form.is_valid()
    chips = []
    for name in FILTERS:
        value = form.cleaned_data.get(name)
        if value in (None, ""):
            continue
        field = form.fields[name]
        words = dict(getattr(field.widget, "choices", ())).get(str(value), str(value))
        chips.append(Chosen(str(field.label if name != "q" else "Words"), str(words), without(request.GET, name)))
    return chips


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE)
def golden_new(request: ProjectRequest) -> HttpResponse:
    """Write an example by hand."""
    data = request.POST if request.method == "POST" else None
    form, checks = NewExampleForm(data), checks_formset(data, [])
    if data is not None and form.is_valid() and checks.is_valid():
        try:
            example = golden.create_example(
                request.project,
                actor=request.user,
                original_query=form.cleaned_data["original_query"],
                golden_response=form.cleaned_data["golden_response"],
                checks=checks_of(checks),
                split=form.cleaned_data["split"] or None,
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            said = "Saved, and frozen: it contradicts another." if example.attention else "Saved."
            toast(request, said)
            return redirect("golden_detail", request.project.slug, example.pk)
    context = {"page_title": "New golden example", "form": form, "checks": checks}
    return render(request, "golden/new.html", context, status=422 if data is not None else 200)
