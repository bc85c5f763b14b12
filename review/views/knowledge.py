"""What the assistant may look up: the list, one document, and writing, uploading and removing them."""

from pathlib import PurePath
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.errors import DomainError
from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from review.golden_filters import KnowledgeFilter
from review.golden_forms import DocumentForm, UploadForm
from review.models import KnowledgeDocument
from review.services import counts, knowledge
from review.views.golden import may_manage, tabs
from review.views.golden_paging import page_of, without
from sources.files.limits import MEGABYTE


@require_GET
@project_page()
def knowledge_list(request: ProjectRequest) -> HttpResponse:
    """Show the documents of a project, or why there are none."""
    rows = KnowledgeDocument.objects.filter(project=request.project).defer("search", "text")
    narrowed = KnowledgeFilter(request.GET, rows)
    chosen = {name: value for name in ("kind", "q") if (value := request.GET.get(name))}
    context = {
        "page_title": "Knowledge",
        "may_manage": may_manage(request),
        "tabs": tabs(request, "knowledge_list"),
        "page": page_of(narrowed.qs, request.GET),
        "total": counts.capped(narrowed.qs),
        "chosen": chosen,
        "kinds": [
            (word, without(request.GET, "kind") + (f"&kind={kind}" if kind else ""), chosen.get("kind", "") == kind)
            for kind, word in (("", "All"), *KnowledgeDocument.Kind.choices)
        ],
        "clear_url": without(request.GET, "kind", "q"),
        "has_documents": bool(chosen) or rows.exists(),
    }
    return render(request, "knowledge/list.html", context)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE)
def knowledge_new(request: ProjectRequest) -> HttpResponse:
    """Write or paste a document."""
    form = DocumentForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            document = knowledge.add_document(request.project, actor=request.user, **_fields(form))
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            toast(request, "Added: the assistant finds it from now on.")
            return redirect("knowledge_document", request.project.slug, document.pk)
    context = {"page_title": "New document", "form": form}
    return render(request, "knowledge/edit.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE)
def knowledge_upload(request: ProjectRequest) -> HttpResponse:
    """Make an article of a file."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        title = PurePath(file.name).stem[: knowledge.TITLE_CHARACTERS]
        try:
            text = knowledge.read_file(file, file.name)
            document = knowledge.add_document(request.project, actor=request.user, title=title, text=text)
        except DomainError as error:
            form.add_error("file", error.message)
        else:
            toast(request, "Added: the assistant finds it from now on.")
            return redirect("knowledge_document", request.project.slug, document.pk)
    context = {
        "page_title": "Upload a document",
        "form": form,
        "megabytes": knowledge.FILE_LIMITS.file_bytes // MEGABYTE,
    }
    return render(request, "knowledge/upload.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET"])
@project_page()
def knowledge_document(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Show a document, and which golden answers rest on it."""
    document = _document(request, pk)
    context = {
        "page_title": document.title,
        "may_manage": may_manage(request),
        "document": document,
        "cited_by": [citation.example for citation in document.cited_by.select_related("example")[:50]],
    }
    return render(request, "knowledge/document.html", context)


@require_http_methods(["GET", "POST"])
@project_page(Permission.MANAGE)
def knowledge_edit(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Change a document."""
    document = _document(request, pk)
    form = DocumentForm(request.POST if request.method == "POST" else None, instance=document)
    if form.is_bound and form.is_valid():
        try:
            knowledge.change_document(document, actor=request.user, **_fields(form))
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            toast(request, "Saved.")
            return redirect("knowledge_document", request.project.slug, pk)
    context = {"page_title": "Edit document", "form": form, "document": document}
    return render(request, "knowledge/edit.html", context, status=422 if form.is_bound else 200)


@require_POST
@project_page(Permission.MANAGE)
def knowledge_delete(request: ProjectRequest, pk: UUID) -> HttpResponse:
    """Remove a document for good."""
    waiting = knowledge.delete_document(_document(request, pk), actor=request.user)
    toast(request, f"Deleted. {waiting} golden answers need a re-check." if waiting else "Deleted.")
    return redirect("knowledge_list", request.project.slug)


def _document(request: ProjectRequest, pk: UUID) -> KnowledgeDocument:
    rows = KnowledgeDocument.objects.visible_to(request.user).filter(project=request.project).defer("search")
    document: KnowledgeDocument = get_object_or_404(rows, pk=pk)
    document.project = request.project
    return document


def _fields(form: DocumentForm) -> Any:
    return {name: form.cleaned_data[name] for name in knowledge.EDITABLE}
