"""Jobs of the feedback_ingest app."""

from uuid import UUID

from django_q.tasks import async_task

from feedback_ingest import idempotency, retention
from feedback_ingest.imports import bury_dead_imports, run_import
from feedback_ingest.services import attachments
from sources.imports import forget_abandoned_uploads
from sources.models import FileImport


def ask_for_import(file_import_id: UUID) -> None:
    """Queue the job that reads an import."""
    async_task("feedback_ingest.tasks.import_file", str(file_import_id))


def import_file(file_import_id: str) -> None:
    """Read an import for a while; ask again where something is left."""
    if run_import(UUID(file_import_id)):
        ask_for_import(UUID(file_import_id))


def sweep_imports() -> None:
    """Ask anew for imports that were queued or broken off, and end those that never get on."""
    bury_dead_imports()
    for file_import_id in FileImport.objects.claimable().values_list("pk", flat=True):
        ask_for_import(file_import_id)


def forget_old_keys() -> None:
    """Forget idempotency keys that are no longer honoured."""
    idempotency.forget_old_keys()


def forget_uploads() -> None:
    """Remove files that nobody went on with."""
    forget_abandoned_uploads()


def forget_expired() -> None:
    """Delete what is older than projects keep it."""
    retention.forget_expired()


def forget_attachments() -> None:
    """Delete files whose conversations are gone."""
    attachments.forget_orphans()
