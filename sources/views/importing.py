"""The page of one import: how it is to be read, its progress, its report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from projects.console import toast
from projects.pages import ProjectRequest, project_page
from projects.roles import Permission
from sources import importers, imports
from sources.exports import ExampleResult, Shape
from sources.files import FileRefused, Mapping, RowResult, csv_rows
from sources.forms import LayoutForm, ReadingForm
from sources.models import FileImport
from sources.reading import Look, Reading, fingerprint, first_rows, look_at, remembered, stored_reading
from sources.uploads import open_upload
from sources.views.lookups import address, import_of, is_fragment, may_manage, submitted

DELIMITER_WORDS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person is shown before an upload is read; without `look` only its layout can be changed."""

    layout: LayoutForm
    look: Look | None = None
    form: ReadingForm | None = None
    rows: Sequence[RowResult] | Sequence[ExampleResult] = ()
    refusal: str = ""
    is_remembered: bool = False

    @property
    def fingerprint(self) -> str:
        """Name the columns that the form is about, which another layout changes."""
        return fingerprint(self.look.headers) if self.look else ""

    @property
    def layout_words(self) -> str:
        """Say how the table is read now."""
        if self.look is None or not self.look.encoding:
            return ""
        separated = DELIMITER_WORDS.get(self.look.delimiter)
        columns = f"columns separated by {separated}" if separated else "one column"
        return f"{self.look.encoding.upper()}, {columns}, {'with' if self.look.has_header else 'without'} a header row"

    @property
    def refused_rows(self) -> int:
        """How many of the rows shown will not be taken."""
        return sum(row.is_refused for row in self.rows)

    @property
    def shape(self) -> Shape | None:
        """The export that is read as its application means it."""
        return self.look.guessed.shape if self.look else None


def confirmation(file_import: FileImport, data: QueryDict | None) -> Confirmation:
    """Look at an upload as `data` says it is read, or as it looks."""
    layout = LayoutForm(data if data is not None else layout_values(stored_reading(file_import)))
    try:
        with open_upload(file_import.path) as stream:
            kind = FileImport.Format(file_import.format)
            look = look_at(stream, kind, layout.layout, counted=file_import.rows_total)
    except FileRefused as refused:
        return Confirmation(layout, refusal=refused.message)
    known = remembered(file_import.source, look)
    reading = _laid_out(known or look.guessed, layout.layout)
    is_same = data is not None and data.get("fingerprint") == fingerprint(look.headers)
    form = ReadingForm(
        data if is_same else None, look=look, form=FileImport.Format(file_import.format), reading=reading
    )
    if form.is_bound and not form.is_valid():
        return Confirmation(layout, look, form)
    try:
        zone = ZoneInfo(file_import.project.time_zone)
        rows = first_rows(file_import, form.reading if form.is_bound else reading, zone)
    except FileRefused as refused:
        return Confirmation(layout, look, form, refusal=refused.message)
    return Confirmation(layout, look, form, rows, is_remembered=known is not None and not form.is_bound)


def layout_values(reading: Reading) -> dict[str, str]:
    """Return what was overruled of a table's layout, as the form has it."""
    columns = reading.columns or Mapping()
    header = {None: "", True: "yes", False: "no"}[columns.has_header]
    return {"encoding": columns.encoding or "", "delimiter": columns.delimiter or "", "has_header": header}


def _laid_out(reading: Reading, layout: Mapping) -> Reading:
    if reading.columns is None:
        return reading
    columns = msgspec.structs.replace(
        reading.columns, encoding=layout.encoding, delimiter=layout.delimiter, has_header=layout.has_header
    )
    return msgspec.structs.replace(reading, columns=columns)


def _report(request: ProjectRequest, file_import: FileImport) -> dict[str, object]:
    """What the report of an import needs; one of examples leads to where they went."""
    receiver = importers.receiver() if stored_reading(file_import).holds_examples else None
    return {"import": file_import, "examples_url": receiver.address(request.project) if receiver else ""}


@require_http_methods(["GET", "POST"])
@project_page(Permission.VIEW)
def import_page(request: ProjectRequest, pk: UUID, import_pk: UUID) -> HttpResponse:
    """Show where an import stands: its reading is to be confirmed, it is being read, or it has ended."""
    file_import = import_of(request, pk, import_pk)
    context = {"page_title": file_import.filename, "manages": may_manage(request), **_report(request, file_import)}
    if file_import.status != FileImport.Status.MAPPING or not may_manage(request):
        return render(request, "sources/import.html", context)
    shown = confirmation(file_import, submitted(request))
    template = "sources/_confirmation.html" if is_fragment(request) else "sources/mapping.html"
    return render(request, template, context | {"shown": shown})


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def begin_import(request: ProjectRequest, pk: UUID, import_pk: UUID) -> HttpResponse:
    """Have an upload read as the form says; one that cannot be read like that shows why."""
    file_import = import_of(request, pk, import_pk)
    if file_import.status != FileImport.Status.MAPPING:
        return redirect(address("source_import", request, pk, import_pk))
    shown = confirmation(file_import, request.POST)
    if shown.form is None or not shown.form.is_bound or shown.form.errors or shown.refusal or shown.look is None:
        context = {"page_title": file_import.filename, "import": file_import, "manages": True, "shown": shown}
        return render(request, "sources/mapping.html", context, status=422)
    reading = shown.form.reading
    imports.begin_import(file_import, reading, rows=shown.look.rows, actor=request.user)
    imports.remember_reading(file_import.source, shown.look, reading)
    return redirect(address("source_import", request, pk, import_pk))


@require_GET
@project_page(Permission.VIEW)
def import_progress(request: ProjectRequest, pk: UUID, import_pk: UUID) -> HttpResponse:
    """Answer the part of the page that changes while the import is read."""
    context = {"manages": may_manage(request), **_report(request, import_of(request, pk, import_pk))}
    return render(request, "sources/_import.html", context)


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def discard_import(request: ProjectRequest, pk: UUID, import_pk: UUID) -> HttpResponse:
    """Forget an upload that was not read."""
    file_import = import_of(request, pk, import_pk)
    imports.discard_import(file_import, actor=request.user)
    toast(request, f"“{file_import.filename}” is discarded.")
    return redirect(address("source", request, pk))


@require_POST
@project_page(Permission.MANAGE_SOURCES)
def retry_import(request: ProjectRequest, pk: UUID, import_pk: UUID) -> HttpResponse:
    """Go on with a failed import."""
    imports.retry_import(import_of(request, pk, import_pk), actor=request.user)
    return redirect(address("source_import", request, pk, import_pk))


@require_GET
@project_page(Permission.VIEW)
def refused_rows(request: ProjectRequest, pk: UUID, import_pk: UUID) -> HttpResponse:
    """Answer the refused rows that were kept, with their reasons, as CSV."""
    file_import = import_of(request, pk, import_pk)
    table = b"".join(csv_rows(_refused(file_import), byte_order_mark=True))
    disposition = f'attachment; filename="refused-rows-{file_import.pk}.csv"'
    return HttpResponse(table, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition})


def _refused(file_import: FileImport) -> Iterator[Sequence[object]]:
    yield ("row", "reason")
    for refused in file_import.rejections:
        yield (refused["row"], refused["reason"])
