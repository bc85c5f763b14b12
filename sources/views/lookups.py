"""Finding what the address of a page names, and the addresses of other pages."""

from uuid import UUID

from django.http import Http404, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse

from projects.pages import ProjectRequest
from projects.roles import Permission
from sources.models import FileImport, Source
from sources.querysets import SourceQuerySet


def sources_of(request: ProjectRequest) -> SourceQuerySet:
    """Return the sources of the project, deleted ones included."""
    sources: SourceQuerySet = Source.objects.visible_to(request.user)
    return sources.filter(project=request.project).with_counts().select_related("project")


def source_of(request: ProjectRequest, pk: UUID) -> Source:
    """Return a source of the project, deleted or not. Raises Http404."""
    source: Source = get_object_or_404(sources_of(request), pk=pk)
    return source


def import_of(request: ProjectRequest, pk: UUID, import_pk: UUID) -> FileImport:
    """Return an import of a source of the project that is not deleted. Raises Http404."""
    imports = FileImport.objects.visible_to(request.user).filter(project=request.project, source=pk)
    found: FileImport = get_object_or_404(imports.select_related("source__count", "project"), pk=import_pk)
    if found.source.deleted_at is not None:
        raise Http404("The source is deleted.")
    return found


def may_manage(request: ProjectRequest) -> bool:
    """Tell whether the visitor may change sources."""
    return Permission.MANAGE_SOURCES in request.permissions


def address(name: str, request: ProjectRequest, *keys: UUID) -> str:
    """Return the address of a page about sources in this project."""
    return reverse(name, args=[request.project.slug, *keys])


def is_fragment(request: ProjectRequest) -> bool:
    """Tell whether only the part that htmx will put in place is asked for."""
    return "HX-Request" in request.headers and "HX-Boosted" not in request.headers


def submitted(request: ProjectRequest) -> QueryDict | None:
    """Return what was filled in, also where that is nothing at all; None where the form is only asked for."""
    return request.POST if request.method == "POST" else None
