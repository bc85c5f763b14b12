"""Tables that leave as CSV without a cell that a spreadsheet would run, and their way back in."""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from numbers import Number

CHUNK_CHARACTERS = 64 * 1024

# What spreadsheets may skip, up to a character that starts a formula: ASCII, full-width, small, or a control.
FORMULA = re.compile(r"[\s'\"`‘’“”\u200b\u2060\ufeff]*[=+\-@＝＋－＠﹦﹢﹣﹫−\t\r\n]")
GUARD = "'"


def safe_cell(value: object) -> str:
    """Write one value as text; text that a spreadsheet could take for a formula gets a leading apostrophe.

    Numbers are left alone, negative ones too: they are numbers to a spreadsheet, not formulas.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    text = str(value)
    if isinstance(value, Number):
        return text
    return GUARD + text if FORMULA.match(text) else text


def restore_cell(text: str) -> str:
    """Undo `safe_cell`: for every text, what was made safe is restored to exactly that text.

    It is exact because an apostrophe is itself something to skip, so that a text that looks guarded is
    guarded again.
    """
    return text[1:] if text.startswith(GUARD) and FORMULA.match(text, 1) else text


def csv_rows(rows: Iterable[Sequence[object]], *, byte_order_mark: bool = False) -> Iterator[bytes]:
    """Encode rows as UTF-8 CSV in chunks of about 64 kB, every cell made safe.

    Excel reads UTF-8 only behind a byte order mark.
    """
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    if byte_order_mark:
        yield b"\xef\xbb\xbf"
    for row in rows:
        writer.writerow([safe_cell(value) for value in row])
        if buffer.tell() >= CHUNK_CHARACTERS:
            yield _drain(buffer)
    if buffer.tell():
        yield _drain(buffer)


def _drain(buffer: io.StringIO) -> bytes:
    chunk = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return chunk
