"""Writing what the assistant may look up: articles and incidents, from forms, programs and files."""

from datetime import datetime
from typing import Any, BinaryIO, Final, TypedDict, Unpack

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.errors import DomainError
from insights.embedding import text_hash
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.models import GoldenCitation, KnowledgeDocument
from review.services.attention import look_again
from review.services.twins import lock_examples
from sources.files.documents import Paragraph, read_blocks
from sources.files.encodings import detect_encoding
from sources.files.identity import clean_text
from sources.files.limits import MEGABYTE, FileRefused, Limits

TEXT_CHARACTERS: Final = 500_000
FILE_LIMITS: Final = Limits(file_bytes=10 * MEGABYTE)
TITLE_CHARACTERS: Final = 300
EDITABLE: Final = (
    "kind", "reference", "title", "text", "url", "application", "severity", "started_at", "resolved_at",
)  # fmt: skip


class Fields(TypedDict, total=False):
    """What a person says of a document."""

    kind: str
    reference: str | None
    title: str
    text: str
    url: str
    application: str
    severity: str
    started_at: datetime | None
    resolved_at: datetime | None


def add_document(project: Project, *, actor: User, **fields: Unpack[Fields]) -> KnowledgeDocument:
    """Store an article or an incident. Raises DomainError: 403, 400 for blank texts and a reference that is taken."""
    require(actor, Permission.MANAGE, project)
    document = KnowledgeDocument(
        project=project, created_by=actor, **{"kind": KnowledgeDocument.Kind.ARTICLE, **fields}
    )
    _check(document)
    with transaction.atomic():
        _save(document)
        audit.record("knowledge.added", document, actor=actor, project=project, kind=document.kind)
    return document


def change_document(document: KnowledgeDocument, *, actor: User, **fields: Unpack[Fields]) -> KnowledgeDocument:
    """Change what is given; answers that rest on the text wait for a person once it is another.

    Raises DomainError: 403, 404, 400 as `add_document` does.
    """
    require(actor, Permission.MANAGE, document.project)
    with transaction.atomic():
        lock_examples(document.project)
        locked = KnowledgeDocument.objects.select_for_update().filter(pk=document.pk).first()
        if locked is None:
            raise not_found()
        given: dict[str, Any] = {name: value for name, value in fields.items() if name in EDITABLE}
        changed = [name for name, value in given.items() if value != getattr(locked, name)]
        for name in changed:
            setattr(locked, name, given[name])
        _check(locked)
        if changed:
            locked.updated_at = timezone.now()
            _save(locked)
            look_again(document.project, _citing(locked))
            audit.record("knowledge.changed", locked, actor=actor, project=document.project, fields=changed)
    return locked


def delete_document(document: KnowledgeDocument, *, actor: User) -> int:
    """Remove a document; answers that rest on it wait for a person. Return how many. Raises DomainError: 403, 404."""
    require(actor, Permission.MANAGE, document.project)
    with transaction.atomic():
        lock_examples(document.project)
        citing = _citing(document)
        _, deleted = KnowledgeDocument.objects.filter(pk=document.pk).delete()
        if not deleted:
            raise not_found()
        look_again(document.project, citing)
        audit.record("knowledge.deleted", document, actor=actor, project=document.project)
    return len(citing)


def read_file(stream: BinaryIO, filename: str) -> str:
    """Return the text of a .txt, .md or .docx file. Raises FileRefused for anything else, and what is too large."""
    if filename.lower().endswith(".docx"):
        blocks = read_blocks(stream, limits=FILE_LIMITS)
        text = "\n\n".join(
            block.text
            if isinstance(block, Paragraph)
            else "\n".join("\t".join(record.cells or ()) for record in block.records)
            for block in blocks
        )
    elif filename.lower().endswith((".txt", ".md")):
        encoding = detect_encoding(stream, FILE_LIMITS)
        stream.seek(0)
        text = clean_text(stream.read().decode(encoding, errors="replace"))
    else:
        raise FileRefused("Choose a .txt, .md or .docx file.", "unknown_format")
    if len(text) > TEXT_CHARACTERS:
        raise FileRefused(f"A document has at most {TEXT_CHARACTERS:,} characters. Split it.", "too_large")
    return text.strip()


def not_found() -> DomainError:
    """Return the error for a document that is not there."""
    return DomainError("Document not found", code="not_found", status=404)


def _check(document: KnowledgeDocument) -> None:
    document.title = document.title.strip()
    document.reference = (document.reference or "").strip() or None
    for text, name in ((document.title, "title"), (document.text, "text")):
        if not text.strip():
            raise DomainError(f"A document needs a {name}.", code="blank")
    if len(document.text) > TEXT_CHARACTERS:
        raise DomainError(f"A document has at most {TEXT_CHARACTERS:,} characters. Split it.", code="too_long")
    if document.started_at and document.resolved_at and document.resolved_at < document.started_at:
        raise DomainError("An incident ends after it began.", code="bad_times")
    document.content_hash = text_hash(f"{document.title}\n{document.text}")


def _save(document: KnowledgeDocument) -> None:
    try:
        with transaction.atomic():
            document.save()
    except IntegrityError as error:
        raise DomainError("Another document has this reference.", code="reference_taken") from error


def _citing(document: KnowledgeDocument) -> list[Any]:
    return list(GoldenCitation.objects.filter(document=document).values_list("example", flat=True))
