"""Files that are sent with messages: what is accepted, and where the bytes are kept."""

import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction

from config.errors import DomainError
from feedback_ingest.models import Attachment, Conversation, Message
from feedback_ingest.services.tracking import Said, create_message
from sources import uploads

FOLDER: Final = "attachments"
MOST_BYTES: Final = 10 * 1024 * 1024
MOST_FILES: Final = 10
MOST_NAME_CHARACTERS: Final = 255

_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
# By how a file of this type begins; what is no file of its type is refused.
_BEGINNINGS: Final = {
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/gif": (b"GIF87a", b"GIF89a"),
    "image/webp": (b"RIFF",),
    "application/pdf": (b"%PDF-",),
    "application/zip": (b"PK\x03\x04", b"PK\x05\x06"),
}
_PROGRAMS: Final = (b"\x7fELF", b"\xfe\xed\xfa", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_PROGRAM_TYPES: Final = re.compile(r"x-(executable|msdownload|msdos-program|dosexec|sharedlib|mach-binary|elf)$")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as a client sent it."""

    filename: str
    mime_type: str
    content: bytes


def checked(filename: str, mime_type: str, content: bytes) -> SentFile:
    """Return a file with a plain name and type. Raises DomainError for one that is not accepted."""
    name = plain_name(filename)
    kind = mime_type.partition(";")[0].strip().lower()
    if not _MIME.fullmatch(kind):
        raise _refused(name, "its type is not a MIME type such as image/png.")
    if len(content) > MOST_BYTES:
        raise _refused(name, f"it has more than {MOST_BYTES // 1024 // 1024} MB.")
    if _PROGRAM_TYPES.search(kind) or _is_program(content):
        raise _refused(name, "programs are not accepted.")
    if kind in _BEGINNINGS and not content.startswith(_BEGINNINGS[kind]):
        raise _refused(name, f"it is not {kind}.")
    return SentFile(name, kind, content)


def plain_name(filename: str) -> str:
    """Return the last part of a file name without control characters; it is shown, and never a path of ours."""
    last = re.split(r"[/\\]", filename)[-1]
    plain = "".join(letter for letter in last if letter.isprintable()).strip().lstrip(".")
    stem, dot, extension = plain.rpartition(".")
    if len(plain) > MOST_NAME_CHARACTERS and dot:
        return f"{stem[: MOST_NAME_CHARACTERS - 21]}.{extension[:20]}"
    return plain[:MOST_NAME_CHARACTERS] or "attachment"


def track_attachments(
    conversation: Conversation, files: Sequence[SentFile], *, said: Said, message: Message | None = None
) -> tuple[Message, list[Attachment]]:
    """Store files with a message, else with one of their own; all of them, or nothing."""
    rows: list[Attachment] = []
    try:
        with transaction.atomic():
            carrier = message or create_message(conversation, said)
            for file in files:
                rows.append(_row(carrier, file))
                with uploads.create(rows[-1].path) as target:
                    target.write(file.content)
            return carrier, Attachment.objects.bulk_create(rows)
    except BaseException:
        for row in rows:
            uploads.remove(row.path)
        raise


def read_attachment(attachment: Attachment) -> bytes:
    """Return what a stored file holds. Raises FileRefused where it is gone."""
    with uploads.open_upload(attachment.path) as file:
        return file.read()


def forget_orphans(*, older_than: float = 86_400) -> int:
    """Delete files older than so many seconds whose rows are gone, with their conversation; return how many."""
    folder = settings.MEDIA_ROOT / FOLDER
    old = {f"{FOLDER}/{file.name}" for file in folder.glob("*") if file.stat().st_mtime < time.time() - older_than}
    orphans = old - set(Attachment.objects.filter(path__in=old).values_list("path", flat=True))
    for path in orphans:
        uploads.remove(path)
    return len(orphans)


def _row(message: Message, file: SentFile) -> Attachment:
    return Attachment(
        project_id=message.project_id,
        message=message,
        filename=file.filename,
        mime_type=file.mime_type,
        size_bytes=len(file.content),
        path=f"{FOLDER}/{secrets.token_hex(16)}",
    )


def _is_program(content: bytes) -> bool:
    # A text may begin with MZ; the header of a Windows program has zeros.
    return content.startswith(_PROGRAMS) or (content.startswith(b"MZ") and b"\x00" in content[:64])


def _refused(name: str, why: str) -> DomainError:
    return DomainError(f"{name} is refused: {why}", code="attachment_refused")
