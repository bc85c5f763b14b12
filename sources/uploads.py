"""Uploaded files on disk: streamed to a random name below the media folder, never past the size limit."""

import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopFutureHandlers
from django.http import HttpRequest

from sources.files.limits import FileRefused, too_large

FOLDER: Final = "uploads"
# What a form holds beside its file: the token, a name, multipart headers.
FORM_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """A file below the media folder; `size` is in bytes."""

    path: str
    size: int


class StoredUpload(UploadedFile):  # type: ignore[type-arg]  # generic in its stub only
    """A file of a request that is stored already."""

    def __init__(self, name: str, stored: Stored) -> None:
        super().__init__(None, name, size=stored.size)
        self.stored = stored

    def close(self) -> None:
        """Do nothing: the file was closed when it was complete."""


class MediaUploadHandler(FileUploadHandler):
    """Writes each file of a request where it stays; what grows past the limit is dropped while it arrives."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.too_large: list[str] = []
        self.file: BinaryIO | None = None
        self._path = ""
        self._written = 0

    def new_file(self, *args: object, **kwargs: object) -> None:
        """Open the place of the next file; no other handler sees it."""
        super().new_file(*args, **kwargs)  # type: ignore[arg-type]
        self._path, self._written = new_path(), 0
        self.file = create(self._path)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Write a chunk. Raises SkipFile past the limit; the rest is then read and thrown away."""
        self._written += len(raw_data)
        if self._written > settings.UPLOAD_BYTES:
            self._drop()
            self.too_large.append(self.file_name or "")
            raise SkipFile
        self._open_file().write(raw_data)

    def file_complete(self, file_size: int) -> StoredUpload:
        """Return what was stored."""
        self._open_file().close()
        return StoredUpload(self.file_name or "", Stored(self._path, file_size))

    def upload_interrupted(self) -> None:
        """Leave nothing of a file whose sender went away."""
        self._drop()

    def _open_file(self) -> BinaryIO:
        return cast(BinaryIO, self.file)

    def _drop(self) -> None:
        if self.file is not None:
            self.file.close()
            remove(self._path)


def accept_uploads(request: HttpRequest) -> MediaUploadHandler:
    """Let the files of a request be stored as they arrive; must come before anything reads its body.

    Raises FileRefused, with nothing read, for a request that is too long by its own account.
    """
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length) > settings.UPLOAD_BYTES + FORM_BYTES:
        raise too_large(settings.UPLOAD_BYTES)
    handler = MediaUploadHandler(request)
    request.upload_handlers = [handler]
    return handler


def store_text(text: str) -> Stored:
    """Store a pasted text as a file. Raises FileRefused past the size limit."""
    content = text.encode("utf-8", "replace")
    if len(content) > settings.UPLOAD_BYTES:
        raise too_large(settings.UPLOAD_BYTES)
    path = new_path()
    with create(path) as file:
        file.write(content)
    return Stored(path, len(content))


def new_path() -> str:
    """Return a path below the media folder that nothing outside can know or influence."""
    return f"{FOLDER}/{secrets.token_hex(16)}"


def create(path: str) -> BinaryIO:
    """Open a file that does not exist yet, for its owner alone."""
    full = settings.MEDIA_ROOT / path
    full.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(full, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def open_upload(path: str) -> BinaryIO:
    """Open a stored file. Raises FileRefused where it is gone."""
    try:
        return cast(BinaryIO, (settings.MEDIA_ROOT / path).open("rb"))
    except (FileNotFoundError, IsADirectoryError):
        raise FileRefused("The file is not kept any more. Upload it again.", "gone", status=410) from None


def remove(path: str) -> None:
    """Delete a stored file, if it is there."""
    if path:
        Path(settings.MEDIA_ROOT / path).unlink(missing_ok=True)


def remove_older_than(seconds: float) -> int:
    """Delete the files that were stored longer ago than that, whoever forgot them; return how many."""
    folder = settings.MEDIA_ROOT / FOLDER
    old = [path for path in folder.glob("*") if path.stat().st_mtime < time.time() - seconds]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
