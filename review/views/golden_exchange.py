"""Golden examples out to files, and in from them."""

from uuid import UUID

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.errors import DomainError
from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from projects.vocabulary import STATUSES, term
from review.exchange import importing
from review.exchange.reading import LIMITS
from review.exchange.writing import Format, export_examples, exportable, leak_of
from review.golden_forms import ExportForm, ImportForm
from review.models import GoldenExample, GoldenImport
from sources.files.limits import MEGABYTE

SHOWN = 50
FORMAT_WORDS = ("Chat", "Preferences", "Evaluation", "CSV")


@require_GET
@project_page(Permission.MANAGE)
def golden_export(request: ProjectRequest) -> HttpResponseBase:
    """Show what can be exported; once it is chosen, stream it."""
    form = ExportForm(request.GET if "form" in request.GET else None)
    warning = ""
    if form.is_bound and form.is_valid():
        chosen = form.cleaned_data
        kind, split = Format(chosen["form"]), chosen["split"]
        warning = leak_of(kind, split)
        if not warning or chosen["accept_leak"]:
            lines = export_examples(
                request.project, kind, split, actor=request.user, system=chosen["system"],
                accept_leak=chosen["accept_leak"],
            )  # fmt: skip
            answer = StreamingHttpResponse(lines, content_type=kind.content_type)
            answer["Content-Disposition"] = f'attachment; filename="{request.project.slug}-{kind.filename}"'
            answer["Cache-Control"] = "no-store"
            return answer
    splits = GoldenExample.Split.values
    sizes = [
        (word, [exportable(request.project, kind, split).count() for split in splits])
        for kind, word in zip(Format, FORMAT_WORDS, strict=True)
    ]
    context = {
        "page_title": "Export golden examples",
        "form": form,
        "warning": warning,
        "sizes": sizes,
        "splits": [term(STATUSES, split).word for split in splits],
    }
    return render(request, "golden/export.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE)
def golden_import(request: ProjectRequest) -> HttpResponse:
    """Take a file; what it would become is shown before anything is made."""
    form = ImportForm(request.POST or None, request.FILES or None) if request.method == "POST" else ImportForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            staged = importing.stage_import(
                request.project, file, file.name, actor=request.user, split=form.cleaned_data["split"]
            )
        except DomainError as error:
            form.add_error("file", error.message)
        else:
            return redirect("golden_import_review", request.project.slug, staged.pk)
    context = {
        "page_title": "Import golden examples",
        "form": form,
        "rows": LIMITS.rows,
        "megabytes": LIMITS.file_bytes // MEGABYTE,
    }
    return render(request, "golden/import.html", context, status=422 if form.is_bound else 200)


@require_GET
@project_page(Permission.MANAGE)
def golden_import_review(request: ProjectRequest, staged_pk: UUID) -> HttpResponse:
    """Show what each row of a file would become."""
    staged = _staged(request, staged_pk)
    seen = importing.preview(staged)
    context = {
        "page_title": "Look at the import",
        "staged": staged,
        "seen": seen,
        "shown": seen.new[:SHOWN],
        "refused": seen.refused[:SHOWN],
    }
    return render(request, "golden/import_review.html", context)


@require_POST
@project_page(Permission.MANAGE)
def golden_import_run(request: ProjectRequest, staged_pk: UUID) -> HttpResponse:
    """Make examples of the new rows; of a large file, as many as one request has time for."""
    done = importing.run_import(_staged(request, staged_pk), actor=request.user)
    said = f"{done.made} golden example{'' if done.made == 1 else 's'} imported"
    if done.left:
        toast(request, f"{said}, {done.left} are left.")
        return redirect("golden_import_review", request.project.slug, staged_pk)
    toast(request, f"{said}.")
    return redirect("golden_list", request.project.slug)


@require_POST
@project_page(Permission.MANAGE)
def golden_import_discard(request: ProjectRequest, staged_pk: UUID) -> HttpResponse:
    """Forget a file."""
    _staged(request, staged_pk).delete()
    toast(request, "Nothing was imported.")
    return redirect("golden_import", request.project.slug)


def _staged(request: ProjectRequest, pk: UUID) -> GoldenImport:
    staged: GoldenImport = get_object_or_404(GoldenImport.objects.filter(project=request.project), pk=pk)
    staged.project = request.project
    return staged
