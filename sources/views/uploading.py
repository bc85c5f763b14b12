"""Files and pasted texts on their way into a source."""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import imports, services, uploads
from sources.files import FileRefused, guess_split, text_items
from sources.files.limits import MEGABYTE, too_large
from sources.forms import LONGEST_PASTE, SPLITS, PasteForm, TargetForm, UploadForm
from sources.imports import Examined
from sources.models import Source
from sources.querysets import SourceQuerySet
from sources.reading import PREVIEW_ROWS
from sources.uploads import StoredUpload
from sources.views.lookups import address, sources_of, submitted

P = ParamSpec("P")


def _stores_files(
    view: Callable[Concatenate[ProjectRequest, P], HttpResponse],
) -> Callable[Concatenate[ProjectRequest, P], HttpResponse]:
    """Let a page's files be stored as they arrive.

    That must be arranged before the check for forgery reads the form, so the page is exempt from the one that
    comes first and gets its own here, after who asks is known.
    """

    protected = csrf_protect(view)

    def page(request: ProjectRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.method == "POST":
            uploads.accept_uploads(request)
        return protected(request, *args, **kwargs)

    return page


@csrf_exempt
@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
@_stores_files
def upload_files(request: ProjectRequest) -> HttpResponse:
    """Take CSV and DOCX files into a source; each is read once somebody has confirmed how."""
    targets = _targets(request, Source.Kind.FILE)
    form = UploadForm(submitted(request), sources=targets, initial={"source": request.GET.get("source")})
    if request.method != "POST":
        return _upload_page(request, form, [])
    files, problems = _readable(request)
    if not files or not form.is_valid():
        for file in files:
            uploads.remove(file.stored.path)
        return _upload_page(request, form, problems)
    source = _target(request, form, Source.Kind.FILE, PurePath(files[0].filename).stem)
    added = [imports.add_file(source, file, actor=request.user) for file in files]
    for problem in problems:
        toast(request, problem, level=messages.ERROR)
    if len(added) > 1:
        return redirect(address("source", request, source.pk))
    return redirect(address("source_import", request, source.pk, added[0].pk))


def _targets(request: ProjectRequest, kind: Source.Kind) -> SourceQuerySet:
    return sources_of(request).listed().filter(kind=kind).exclude(status=Source.Status.PAUSED).order_by("name")


def _target(request: ProjectRequest, form: TargetForm, kind: Source.Kind, fallback: str) -> Source:
    """Return the source that was chosen, else a new one with the name that was given or `fallback`."""
    chosen: Source | None = form.cleaned_data.get("source")
    return chosen or services.add_source(
        request.project, kind, form.cleaned_data["name"].strip() or fallback or kind.label, actor=request.user
    )


def _readable(request: ProjectRequest) -> tuple[list[Examined], list[str]]:
    """Return the files that can be read, and what is wrong with the others."""
    handler = request.upload_handlers[0]
    dropped = handler.too_large if isinstance(handler, uploads.MediaUploadHandler) else []
    problems = [f"{name}: {too_large(settings.UPLOAD_BYTES).message}" for name in dropped]
    readable: list[Examined] = []
    for file in request.FILES.getlist("files"):
        if isinstance(file, StoredUpload):
            try:
                readable.append(imports.examine(file.stored, file.name or ""))
            except FileRefused as refused:
                problems.append(f"{file.name}: {refused.message}")
    return readable, problems or ([] if readable else ["Choose a file first."])


def _upload_page(request: ProjectRequest, form: UploadForm, problems: Sequence[str]) -> HttpResponse:
    context = {
        "page_title": "Upload files",
        "form": form,
        "problems": problems,
        "limit": settings.UPLOAD_BYTES,
        "megabytes": settings.UPLOAD_BYTES // MEGABYTE,
    }
    return render(request, "sources/upload.html", context, status=422 if problems or form.errors else 200)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE_SOURCES)
def paste_text(request: ProjectRequest) -> HttpResponse:
    """Take a pasted text in; what it gives is shown while it is typed."""
    targets = _targets(request, Source.Kind.TEXT)
    form = PasteForm(submitted(request), sources=targets, initial={"source": request.GET.get("source")})
    context = {"page_title": "Paste text", "form": form, "longest": LONGEST_PASTE}
    if not form.is_valid():
        return render(request, "sources/paste.html", context, status=422 if form.is_bound else 200)
    preview = _preview(form)
    if "preview" in request.POST or preview["refusal"]:
        return render(request, "sources/paste.html", context | preview, status=422 if preview["refusal"] else 200)
    name = f"Pasted text, {date_format(timezone.localtime(), 'j M Y')}"
    source = _target(request, form, Source.Kind.TEXT, name)
    text = form.cleaned_data["text"]
    file_import = imports.add_text(source, text, form.reading, name=name, actor=request.user)
    return redirect(address("source_import", request, source.pk, file_import.pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def preview_paste(request: ProjectRequest) -> HttpResponse:
    """Answer what a text would give."""
    form = PasteForm(request.POST, sources=_targets(request, Source.Kind.TEXT))
    context = _preview(form) if form.is_valid() else _problem(form)
    return render(request, "sources/_paste_preview.html", context)


def _problem(form: PasteForm) -> dict[str, object]:
    """Return why there is nothing to show; an empty text is no mistake before it is sent."""
    return {"refusal": " ".join(map(str, form["text"].errors)) if form.data.get("text") else ""}


def _preview(form: PasteForm) -> dict[str, object]:
    text, chosen = form.cleaned_data["text"], form.reading.split
    try:
        rows = list(text_items(text, split=chosen))
    except FileRefused as refused:
        return {"refusal": refused.message}
    split = chosen or guess_split(text)
    return {"rows": rows[:PREVIEW_ROWS], "count": len(rows), "cut": SPLITS[split], "refusal": ""}
