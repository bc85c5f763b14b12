"""The rows of an export as examples: a question and the answer that it should get."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sources.connectors.expressions import search
from sources.exports.shapes import ExampleMap, Shape
from sources.files.identity import ContentIds
from sources.files.json_rows import JsonRow

LONGEST: Final = 100_000  # characters of a question or an answer
LONGEST_KEY: Final = 200


@dataclass(frozen=True, slots=True)
class Example:
    """A question with the answer it should get; `key` names it in its export, the same in every upload."""

    key: str
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class ExampleResult:
    """One row and its example; without one it is refused for `reasons`."""

    number: int
    example: Example | None
    reasons: tuple[str, ...] = ()

    @property
    def is_refused(self) -> bool:
        """Whether nothing comes of the row."""
        return self.example is None


def example_results(shape: Shape, rows: Iterable[JsonRow]) -> Iterator[ExampleResult]:
    """Yield every row as an example, or with the reason why it is none. The shape has to be one of examples."""
    if shape.example is None:
        raise ValueError(f"{shape.kind} holds no examples")
    ids = ContentIds()
    for row in rows:
        if row.value is None:
            yield ExampleResult(row.number, None, ("The row cannot be read.",))
        else:
            yield _result(shape, shape.example, row, ids)


def _result(shape: Shape, mapping: ExampleMap, row: JsonRow, ids: ContentIds) -> ExampleResult:
    value = shape.keyed(row.value or {})
    if mapping.gone and search(mapping.gone, value):
        return ExampleResult(row.number, None, (f"It is archived in {shape.title}.",))
    question, answer = _text(search(mapping.question, value)), _text(search(mapping.answer, value))
    if not question or not answer:
        missing = "question" if not question else "answer"
        return ExampleResult(row.number, None, (f"The {missing} is missing.",))
    if max(len(question), len(answer)) > LONGEST:
        return ExampleResult(row.number, None, (f"The row is longer than {LONGEST:,} characters.",))
    stated = search(mapping.key, value) if mapping.key else None
    key = str(stated)[:LONGEST_KEY] if stated not in (None, "") else ids.next_id([question])
    return ExampleResult(row.number, Example(f"{shape.kind}:{key}", question, answer))


def _text(value: Any) -> str:
    """Write a value as a person would ask or answer it: a text, the last message of a conversation, else as JSON."""
    if value is None or value == [] or value == {}:
        return ""
    if isinstance(value, str):
        return _decoded(value)
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return str(value[0]).strip()
    if isinstance(value, list) and all(isinstance(entry, dict) and "content" in entry for entry in value):
        return _last_message(value)
    if isinstance(value, dict) and len(value) == 1 and isinstance(only := next(iter(value.values())), str):
        return only.strip()
    return msgspec.json.encode(value).decode()


def _decoded(text: str) -> str:
    """A CSV writes JSON values as text."""
    text = text.strip()
    if text[:1] not in ("{", "[", '"'):
        return text
    try:
        return _text(decoded) if (decoded := msgspec.json.decode(text)) != text else text
    except msgspec.DecodeError:
        return text


def _last_message(messages: list[dict[str, Any]]) -> str:
    asked = [message for message in messages if message.get("role") != "system"] or messages
    content = asked[-1]["content"]
    if isinstance(content, list):
        content = "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return str(content or "").strip()
