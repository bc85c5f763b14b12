"""The rows of a JSON document or of JSON lines, read as a stream: one row in memory at a time."""

import codecs
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Final, NoReturn

from sources.files.identity import clean_text
from sources.files.limits import DEFAULT_LIMITS, FileRefused, Limits, too_many_rows

CHUNK_BYTES: Final = 256 * 1024
# A row longer than this, in characters, is no ticket with its comments but a mistake.
LONGEST_ROW: Final = 16 * 1024 * 1024
# The first line is read whole to tell JSON lines from a document; what is longer is a document.
LONGEST_FIRST_LINE: Final = 4 * 1024 * 1024
SAMPLE_ROWS: Final = 50
# Where documents keep their rows; the first of these wins over any other list.
ROW_NAMES: Final = ("tickets", "conversations", "scores", "items", "results", "rows", "reviews", "data")
SPACE: Final = " \t\r\n"
MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True, slots=True)
class JsonRow:
    """One row; `value` is None where it cannot be read. Rows count from 1, in JSON lines as lines do."""

    number: int
    value: dict[str, Any] | None


def json_rows(stream: BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[JsonRow]:
    """Yield the rows of a list, of the list in an object, or of JSON lines, in memory that does not grow.

    A line that cannot be read is a row without a value. Raises FileRefused, also while iterating, for a file
    without rows, and where a document is broken: nothing behind that place can be read.
    """
    for count, row in enumerate(_rows(_Text(stream))):
        if count == limits.rows:
            raise too_many_rows(limits.rows)
        yield row


def sample_rows(stream: BinaryIO) -> list[dict[str, Any]]:
    """Return the first readable rows. Raises FileRefused as `json_rows` does."""
    return [row.value for row in islice(json_rows(stream), SAMPLE_ROWS) if row.value is not None]


def _rows(text: "_Text") -> Iterator[JsonRow]:
    start = text.peek()
    if not start:
        raise FileRefused("The file is empty.", "empty")
    if start == "[":
        return _list_rows(text)
    if start != "{":
        raise FileRefused("The file is not JSON: it begins neither with { nor with [.", "not_json")
    return _line_rows(text) if text.first_line_is_row() else _document_rows(text)


def _list_rows(text: "_Text") -> Iterator[JsonRow]:
    for number, value in enumerate(_elements(text), start=1):
        yield JsonRow(number, _cleaned(value))


def _elements(text: "_Text") -> Iterator[Any]:
    """Yield the entries of the list that begins here."""
    text.take("[")
    if text.peek() == "]":
        text.take("]")
        return
    while True:
        yield text.value()
        if text.peek() != ",":
            break
        text.take(",")
    text.take("]")


def _document_rows(text: "_Text") -> Iterator[JsonRow]:
    """Yield the rows of the first list of objects at the top of a document; other values are passed over."""
    text.take("{")
    while text.peek() == '"':
        name = text.value()
        text.take(":")
        if text.peek() == "[" and (name in ROW_NAMES or text.begins_list_of_objects()):
            yield from _list_rows(text)
            return
        text.value()
        if text.peek() == ",":
            text.take(",")
    raise FileRefused("No list of rows was found in this JSON document.", "no_rows")


def _line_rows(text: "_Text") -> Iterator[JsonRow]:
    for number, line in enumerate(text.lines(), start=1):
        if line.strip(SPACE):
            yield JsonRow(number, _cleaned(_decoded(line)))


def _decoded(line: str) -> Any:
    try:
        return json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None


def _no_number(name: str) -> None:
    """NaN and the infinities are numbers to Python only."""


def _cleaned(value: Any) -> dict[str, Any] | None:
    if not isinstance(value, dict):
        return None
    try:
        cleaned: dict[str, Any] = _clean(value)
    except RecursionError:
        return None
    return cleaned


def _clean(value: Any) -> Any:
    """Take out of every text what no database stores."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(entry) for entry in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(entry) for key, entry in value.items()}
    return value


class _Text:
    """A window on the characters of a file that moves on as they are used."""

    def __init__(self, stream: BinaryIO) -> None:
        stream.seek(0)
        head = stream.read(4)
        stream.seek(0)
        encoding = next((name for mark, name in MARKS if head.startswith(mark)), "utf-8")
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._json = json.JSONDecoder(parse_constant=_no_number)
        self._buffer = ""
        self._place = 0
        self._is_complete = False

    def peek(self) -> str:
        """Return the next character that is no space, or nothing at the end."""
        while True:
            while self._place < len(self._buffer) and self._buffer[self._place] in SPACE:
                self._place += 1
            if self._place < len(self._buffer):
                return self._buffer[self._place]
            if not self._read_on():
                return ""

    def take(self, character: str) -> None:
        """Step over a character that has to stand here. Raises FileRefused where it does not."""
        if self.peek() != character:
            _refuse()
        self._place += 1

    def value(self) -> Any:
        """Return the value that begins here and step over it. Raises FileRefused where there is none."""
        self.peek()
        wanted = CHUNK_BYTES
        while True:
            try:
                value, end = self._json.raw_decode(self._buffer, self._place)
                # A number at the edge may go on behind it.
                if end < len(self._buffer) or self._is_complete:
                    self._place = end
                    return value
            except (ValueError, RecursionError):
                if self._is_complete or len(self._buffer) - self._place > LONGEST_ROW:
                    _refuse()
            # Twice as much each time: a long row is not parsed again for every chunk of it.
            wanted *= 2
            self._fill(wanted)

    def begins_list_of_objects(self) -> bool:
        """Whether the list here has an object as its first entry; nothing is stepped over."""
        self._fill(2 * CHUNK_BYTES)
        return self._buffer[self._place + 1 :].lstrip(SPACE).startswith("{")

    def first_line_is_row(self) -> bool:
        """Whether the first line is an object by itself that holds no list of rows; nothing is stepped over."""
        while "\n" not in self._buffer[self._place :] and len(self._buffer) < LONGEST_FIRST_LINE and self._read_on():
            pass
        value = _decoded(self._buffer[self._place :].partition("\n")[0])
        return isinstance(value, dict) and not any(_is_list_of_objects(value.get(name)) for name in ROW_NAMES)

    def lines(self) -> Iterator[str]:
        """Yield line after line. Raises FileRefused for one that is too long."""
        while True:
            end = self._buffer.find("\n", self._place)
            if end >= 0:
                yield self._buffer[self._place : end]
                self._place = end + 1
            elif len(self._buffer) - self._place > LONGEST_ROW:
                _refuse()
            elif not self._read_on():
                yield self._buffer[self._place :]
                return

    def _fill(self, characters: int) -> None:
        while len(self._buffer) - self._place < characters and self._read_on():
            pass

    def _read_on(self) -> bool:
        """Forget what is used and add the next chunk; tell whether there was one."""
        if self._is_complete:
            return False
        content = self._stream.read(CHUNK_BYTES)
        self._is_complete = not content
        self._buffer = self._buffer[self._place :] + self._decoder.decode(content, final=not content)
        self._place = 0
        return not self._is_complete or bool(self._buffer)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _refuse() -> NoReturn:
    megabytes = LONGEST_ROW // (1024 * 1024)
    raise FileRefused(
        f"The file is not whole or not JSON, or one of its rows is larger than {megabytes} MB. Export it again.",
        "not_json",
    )
