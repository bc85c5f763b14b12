"""How much an uploaded file may ask of the machine, and the error that refuses one."""

from dataclasses import dataclass

from config.errors import DomainError

MEGABYTE = 1024 * 1024


class FileRefused(DomainError):
    """The file as a whole cannot be read; the message says why and what to do about it."""

    def __init__(self, message: str, code: str, *, status: int = 400) -> None:
        super().__init__(message, code=code, status=status)


@dataclass(frozen=True, slots=True)
class Limits:
    """Upper bounds; sizes in bytes unless the name says characters."""

    file_bytes: int = 50 * MEGABYTE
    rows: int = 200_000
    columns: int = 1_000
    body_characters: int = 100_000
    # A record longer than this is an unclosed quotation mark, not something a customer wrote.
    record_characters: int = 1_000_000
    zip_bytes: int = 200 * MEGABYTE
    zip_ratio: int = 200
    zip_members: int = 5_000
    # An XML tree takes about 150 bytes of memory an element, whatever the size of the file.
    xml_elements: int = 400_000
    xml_depth: int = 200
    xml_bytes: int = 16 * MEGABYTE


DEFAULT_LIMITS = Limits()


def too_many_rows(limit: int) -> FileRefused:
    """The refusal of a file with more records than `limit`."""
    return FileRefused(
        f"The file has more than {limit:,} rows. Split it into smaller files and upload them one by one.",
        "too_many_rows",
    )


def too_large(limit: int) -> FileRefused:
    """The refusal of a file or text of more than `limit` bytes."""
    megabytes = limit / MEGABYTE
    return FileRefused(
        f"The file is larger than {megabytes:g} MB. Split it into smaller files and upload them one by one.",
        "too_large",
        status=413,
    )
