"""Everything that changes imports on the console's side: taking a file or text in, and setting its reading off."""

from dataclasses import dataclass
from functools import partial

from django.db import transaction

from config.errors import DomainError
from projects import audit
from projects.access import require
from projects.models import User
from projects.roles import Permission
from sources import importers, uploads
from sources.files import FileRefused
from sources.models import FileImport, Source
from sources.querysets import UPLOADS_KEPT_FOR
from sources.reading import Look, Reading, fingerprint, format_of, look_at, remembered
from sources.uploads import Stored

MAPPINGS_KEPT = 20
ABANDONED = "Nobody went on with this upload for a week, so its file was removed."


@dataclass(frozen=True, slots=True)
class Examined:
    """A stored file that can be read."""

    stored: Stored
    filename: str
    form: FileImport.Format
    look: Look


def examine(stored: Stored, filename: str, form: FileImport.Format | None = None) -> Examined:
    """Find out whether and how a stored file can be read. Raises FileRefused; the file is then not kept."""
    try:
        form = form or format_of(filename)
        with uploads.open_upload(stored.path) as stream:
            return Examined(stored, filename, form, look_at(stream, form))
    except FileRefused:
        uploads.remove(stored.path)
        raise


def add_file(source: Source, file: Examined, *, actor: User) -> FileImport:
    """Take an uploaded file in, to be read once a person has confirmed how.

    Raises DomainError (409) where the source takes no feedback.
    """
    require(actor, Permission.MANAGE_SOURCES, source.project)
    _refuse_closed(source)
    reading = remembered(source, file.look) or file.look.guessed
    return _add(source, file, reading, actor=actor)


@transaction.atomic
def add_text(source: Source, text: str, reading: Reading, *, name: str, actor: User) -> FileImport:
    """Take a pasted text in and set its reading off. Raises FileRefused, and DomainError as `add_file` does."""
    require(actor, Permission.MANAGE_SOURCES, source.project)
    _refuse_closed(source)
    file = examine(uploads.store_text(text), name, FileImport.Format.TEXT)
    file_import = _add(source, file, reading, actor=actor)
    begin_import(file_import, reading, rows=None, actor=actor)
    return file_import


def _refuse_closed(source: Source) -> None:
    if not source.takes_feedback:
        raise DomainError("This source is paused or deleted: resume it first.", code="source_closed", status=409)


@transaction.atomic
def _add(source: Source, file: Examined, reading: Reading, *, actor: User) -> FileImport:
    file_import = FileImport.objects.create(
        project_id=source.project_id,
        source=source,
        format=file.form,
        filename=file.filename[:200],
        path=file.stored.path,
        size=file.stored.size,
        mapping=reading.stored(),
        rows_total=file.look.rows,
        created_by=actor,
    )
    audit.record("import.added", file_import, actor=actor, project=source.project, format=file.form)
    return file_import


@transaction.atomic
def begin_import(file_import: FileImport, reading: Reading, *, rows: int | None, actor: User) -> None:
    """Queue an import to be read as a person confirmed, and remember that for the same columns.

    `rows` is how many there will be, where that is known. Raises DomainError (409) where it has begun already,
    and (403) for examples that the person may not add.
    """
    require(actor, Permission.MANAGE_SOURCES, file_import.project)
    if reading.holds_examples:
        require(actor, _receiver().permission, file_import.project)
    changed = FileImport.objects.filter(pk=file_import.pk, status=FileImport.Status.MAPPING).update(
        status=FileImport.Status.QUEUED, mapping=reading.stored(), rows_total=rows
    )
    if not changed:
        raise DomainError("This import has begun already.", code="conflict", status=409)
    audit.record("import.begun", file_import, actor=actor, project=file_import.project)
    transaction.on_commit(partial(importers.start, file_import.pk))


def _receiver() -> importers.ExampleReceiver:
    receiver = importers.receiver()
    if receiver is None:
        raise DomainError("Nothing here takes examples.", code="no_receiver", status=409)
    return receiver


def remember_reading(source: Source, look: Look, reading: Reading) -> None:
    """Keep how these columns are read, so that the next upload of the same table is ready at once."""
    if not look.headers:
        return
    with transaction.atomic():
        locked = Source.objects.select_for_update().get(pk=source.pk)
        mappings = {
            key: kept for key, kept in locked.settings.get("mappings", {}).items() if key != fingerprint(look.headers)
        }
        newest = dict(list(mappings.items())[1 - MAPPINGS_KEPT :])
        locked.settings["mappings"] = newest | {fingerprint(look.headers): reading.stored()}
        locked.save(update_fields=["settings"])


@transaction.atomic
def discard_import(file_import: FileImport, *, actor: User) -> None:
    """Forget an upload that was not read. Raises DomainError (409) where it was."""
    require(actor, Permission.MANAGE_SOURCES, file_import.project)
    unread = FileImport.objects.filter(pk=file_import.pk, status=FileImport.Status.MAPPING)
    audit.record("import.discarded", file_import, actor=actor, project=file_import.project)
    if not unread.delete()[0]:
        raise DomainError("This import has begun already.", code="conflict", status=409)
    transaction.on_commit(partial(uploads.remove, file_import.path))


@transaction.atomic
def retry_import(file_import: FileImport, *, actor: User) -> None:
    """Go on with a failed import from where it stopped. Raises DomainError (409) where that cannot be."""
    require(actor, Permission.MANAGE_SOURCES, file_import.project)
    _refuse_closed(file_import.source)
    changed = (
        FileImport.objects.filter(pk=file_import.pk, status=FileImport.Status.FAILED)
        .exclude(path="")
        .update(status=FileImport.Status.QUEUED, error="", attempts=0, finished_at=None)
    )
    if not changed:
        raise DomainError("The file is not kept any more. Upload it again.", code="conflict", status=409)
    audit.record("import.retried", file_import, actor=actor, project=file_import.project)
    transaction.on_commit(partial(importers.start, file_import.pk))


def forget_abandoned_uploads() -> int:
    """Remove the files that nobody went on with for a week, and what leftovers lie beside them; return how many."""
    abandoned = list(FileImport.objects.abandoned())
    for file_import in abandoned:
        FileImport.objects.filter(pk=file_import.pk).update(path="", status=FileImport.Status.FAILED, error=ABANDONED)
        uploads.remove(file_import.path)
    return len(abandoned) + uploads.remove_older_than(UPLOADS_KEPT_FOR.total_seconds())
