"""Feedback from DOCX files: conversations, tables and paragraphs, in the order of the document."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from itertools import groupby, islice
from typing import Any, BinaryIO

from docx.oxml.ns import qn

from sources.files.columns import Mapping, guess_mapping
from sources.files.delimited import Record, starts_with_header, unique_headers
from sources.files.identity import ContentIds, clean_text
from sources.files.limits import DEFAULT_LIMITS, FileRefused, Limits, too_many_rows
from sources.files.packages import open_document
from sources.files.results import RowResult
from sources.files.tables import check_mapping, rows_of_cells
from sources.files.text import Split, body_row, transcript_row, without_bullet
from sources.files.transcripts import Transcript, parse_transcript

PARAGRAPH, TABLE, ROW, CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
PROPERTIES, PARAGRAPH_STYLE, NUMBERING = qn("w:pPr"), qn("w:pStyle"), qn("w:numPr")
CELL_PROPERTIES, GRID_SPAN, VERTICAL_MERGE = qn("w:tcPr"), qn("w:gridSpan"), qn("w:vMerge")
MOST_SPANNED = 63  # columns of a table in Word
STYLE, STYLE_ID, STYLE_NAME, VALUE = qn("w:style"), qn("w:styleId"), qn("w:name"), qn("w:val")
TEXT_OF = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
TEXT = qn("w:t")
# Deleted and moved text is not in the document any more; a fallback repeats what stands beside it; the tabs
# among the properties of a paragraph are tab stops.
FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
SKIPPED = frozenset((FALLBACK, *map(qn, ("w:del", "w:moveFrom", "w:pPr", "w:rPr", "w:sectPr"))))
HEADING_STYLES = ("heading", "title", "subtitle")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph; a heading names what follows and is no feedback itself."""

    text: str
    heading: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The cells of a table that has a header row with a column of feedback."""

    headers: tuple[str, ...]
    records: tuple[Record, ...]
    guessed_mapping: Mapping


Block = Paragraph | Table


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What a document turned out to be: how its text is best cut, and its first table, if it has one."""

    split: Split
    items: int
    headers: tuple[str, ...]
    guessed_mapping: Mapping | None


def inspect_document(stream: BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> DocumentSummary:
    """Describe a DOCX file. Raises FileRefused."""
    blocks = read_blocks(stream, limits=limits)
    split = _guess_split(blocks)
    table = next((block for block in blocks if isinstance(block, Table)), None)
    items = sum(1 for _ in _results(blocks, split, None, zone=UTC, limits=limits, now=datetime.now(UTC)))
    return DocumentSummary(split, items, table.headers if table else (), table.guessed_mapping if table else None)


def document_items(
    stream: BinaryIO,
    *,
    split: Split | None = None,
    mapping: Mapping | None = None,
    zone: tzinfo = UTC,
    limits: Limits = DEFAULT_LIMITS,
    now: datetime | None = None,
) -> Iterator[RowResult]:
    """Yield the items of a DOCX file.

    A conversation is one item with a part for each turn. A table with a feedback column gives an item a row,
    by `mapping` where its columns are those of the mapping. Other text is cut as `split` says: at blank
    paragraphs and headings, at every paragraph, or not at all. Raises FileRefused before the first item.
    """
    blocks = read_blocks(stream, limits=limits)
    if mapping is not None and not any(_fits(mapping, block) for block in blocks):
        raise FileRefused("No table of the document has these columns. Choose the columns again.", "missing_column")
    results = _results(
        blocks, split or _guess_split(blocks), mapping, zone=zone, limits=limits, now=now or datetime.now(UTC)
    )
    return (replace(result, number=number) for number, result in enumerate(results, start=1))


def preview_document(
    stream: BinaryIO,
    *,
    split: Split | None = None,
    mapping: Mapping | None = None,
    limit: int = 20,
    zone: tzinfo = UTC,
    limits: Limits = DEFAULT_LIMITS,
    now: datetime | None = None,
) -> list[RowResult]:
    """Return what `document_items` would yield first. Raises FileRefused."""
    results = document_items(stream, split=split, mapping=mapping, zone=zone, limits=limits, now=now)
    return list(islice(results, limit))


def read_blocks(stream: BinaryIO, *, limits: Limits = DEFAULT_LIMITS) -> list[Block]:
    """Return the paragraphs and tables of a DOCX file in document order. Raises FileRefused.

    A table without a header row or without a column of feedback only arranges text: its rows become
    paragraphs.
    """
    document = open_document(stream, limits)
    headings = _heading_styles(document)
    blocks: list[Block] = []
    for element in _outermost(document.element.body, (PARAGRAPH, TABLE)):
        if element.tag == TABLE:
            blocks += _table_blocks(element, limits)
        else:
            blocks.append(_paragraph(element, headings))
    if not any(isinstance(block, Table) or (block.text and not block.heading) for block in blocks):
        blocks = [Paragraph(block.text) for block in blocks if isinstance(block, Paragraph)]
    if not any(isinstance(block, Table) or block.text for block in blocks):
        raise FileRefused("The document has no text. Save it as DOCX in Word and upload that.", "empty")
    if len(blocks) > limits.rows:
        raise too_many_rows(limits.rows)
    return blocks


def _outermost(root: Any, tags: Sequence[str]) -> Iterator[Any]:
    """Walk below `root` and stop at each element with one of the tags, whatever wraps it."""
    waiting = list(reversed(root))
    while waiting:
        element = waiting.pop()
        if element.tag in tags:
            yield element
        elif element.tag not in SKIPPED:
            waiting.extend(reversed(element))


def _heading_styles(document: Any) -> frozenset[str]:
    # Ids of styles are translated, the names inside the file are English.
    names = {style.get(STYLE_ID): _value(style, STYLE_NAME) for style in document.styles.element.iter(STYLE)}
    return frozenset(style for style, name in names.items() if style and name.lower().startswith(HEADING_STYLES))


def _paragraph(element: Any, headings: frozenset[str]) -> Paragraph:
    properties = element.find(PROPERTIES)
    if properties is None:
        return Paragraph(_text(element))
    style = _value(properties, PARAGRAPH_STYLE)
    listed = properties.find(NUMBERING) is not None or style.startswith("List")
    return Paragraph(_text(element), style in headings, listed)


def _value(element: Any, tag: str) -> str:
    child = element.find(tag)
    return "" if child is None else child.get(VALUE, "")


def _text(element: Any) -> str:
    pieces: list[str] = []
    for leaf in _outermost(element, (TEXT, PARAGRAPH, *TEXT_OF)):
        if leaf.tag == PARAGRAPH:
            # The text of a box stands inside the paragraph that the box is tied to.
            pieces += ("\n", _text(leaf), "\n")
        else:
            pieces.append(TEXT_OF.get(leaf.tag) or leaf.text or "")
    return clean_text("".join(pieces)).strip()


def _table_blocks(element: Any, limits: Limits) -> list[Block]:
    cells = [list(_outermost(row, (CELL,))) for row in _outermost(element, (ROW,))]
    rows = [list(_grid_cells(row)) for row in cells]
    # A row that is one cell, above the first of several, is a title.
    titles = next((place for place, row in enumerate(cells) if len(row) > 1), 0)
    filled = list(_repeat_merged(row for row in rows[titles:] if any(row)))
    if len(filled) > 1 and starts_with_header(filled):
        headers = unique_headers(filled[0], named=True)
        guessed = guess_mapping(headers, filled[1:])
        if guessed.feedback and len(headers) <= limits.columns:
            records = tuple(Record(number, row) for number, row in enumerate(filled[1:], start=2))
            above = [Paragraph("".join(filter(None, row)), heading=True) for row in rows[:titles]]
            return [*above, Table(headers, records, guessed)]
    return [Paragraph("\t".join(filter(None, row))) for row in rows if any(row)]


def _grid_cells(cells: Iterable[Any]) -> Iterator[str | None]:
    """Yield a text for each column that the cells of a row take up; None where the cell above goes on."""
    for cell in cells:
        properties = cell.find(CELL_PROPERTIES)
        merged = None if properties is None else properties.find(VERTICAL_MERGE)
        yield None if merged is not None and merged.get(VALUE) != "restart" else _cell_text(cell)
        span = "" if properties is None else _value(properties, GRID_SPAN)
        yield from [""] * (min(int(span), MOST_SPANNED) - 1 if span.isdecimal() else 0)


def _repeat_merged(rows: Iterable[Sequence[str | None]]) -> Iterator[list[str]]:
    """Yield rows in which a cell that reaches over several stands in each of them."""
    above: list[str] = []
    for row in rows:
        above = [
            (above[place] if place < len(above) else "") if text is None else text for place, text in enumerate(row)
        ]
        yield above


def _cell_text(cell: Any) -> str:
    return "\n".join(filter(None, map(_text, _outermost(cell, (PARAGRAPH,)))))


def _guess_split(blocks: Sequence[Block]) -> Split:
    if _transcript(blocks) is not None:
        return Split.TRANSCRIPT
    paragraphs = [block for block in blocks if isinstance(block, Paragraph)]
    filled = [paragraph for paragraph in paragraphs if paragraph.text and not paragraph.heading]
    listed = sum(paragraph.listed for paragraph in filled)
    breaks = any(not paragraph.text for paragraph in _between(paragraphs))
    return Split.BLANK_LINES if breaks and listed * 2 < len(filled) else Split.LINES


def _between(paragraphs: Sequence[Paragraph]) -> Sequence[Paragraph]:
    filled = [index for index, paragraph in enumerate(paragraphs) if paragraph.text]
    return paragraphs[filled[0] : filled[-1]] if filled else []


def _transcript(blocks: Sequence[Block]) -> Transcript | None:
    if any(isinstance(block, Table) for block in blocks):
        return None
    return parse_transcript("\n".join(block.text for block in blocks if isinstance(block, Paragraph)))


def _fits(mapping: Mapping, block: Block) -> bool:
    return isinstance(block, Table) and set(mapping.columns()) <= set(block.headers)


def _results(
    blocks: Sequence[Block],
    split: Split,
    mapping: Mapping | None,
    *,
    zone: tzinfo,
    limits: Limits,
    now: datetime,
) -> Iterator[RowResult]:
    ids = ContentIds()
    transcript = _transcript(blocks) if split is Split.TRANSCRIPT else None
    if transcript is not None:
        yield transcript_row(transcript, ids, limits)
        return
    for is_text, run in groupby(blocks, key=lambda block: isinstance(block, Paragraph)):
        if is_text:
            paragraphs = [block for block in run if isinstance(block, Paragraph)]
            yield from _text_results(paragraphs, split, ids, limits)
            continue
        for table in run:
            if isinstance(table, Table):
                chosen = mapping if mapping is not None and _fits(mapping, table) else table.guessed_mapping
                check_mapping(chosen, table.headers)
                yield from rows_of_cells(
                    table.headers, table.records, chosen, ids=ids, zone=zone, limits=limits, now=now
                )


def _text_results(
    paragraphs: Sequence[Paragraph], split: Split, ids: ContentIds, limits: Limits
) -> Iterator[RowResult]:
    for number, (heading, body) in enumerate(_groups(paragraphs, split), start=1):
        row = body_row(number, body, ids, limits)
        if row.item is not None and heading:
            row.item.metadata = {"heading": heading}
        yield row


def _groups(paragraphs: Sequence[Paragraph], split: Split) -> Iterator[tuple[str, str]]:
    """Yield each body with the heading it stands under."""
    if split in (Split.WHOLE, Split.TRANSCRIPT):
        text = "\n\n".join(paragraph.text for paragraph in paragraphs if paragraph.text)
        if text:
            yield "", text
        return
    heading = ""
    group: list[str] = []
    for paragraph in paragraphs:
        if group and (split is Split.LINES or paragraph.heading or not paragraph.text):
            yield heading, "\n".join(group)
            group = []
        if paragraph.heading:
            heading = paragraph.text or heading
        elif paragraph.text:
            group.append(without_bullet(paragraph.text) if split is Split.LINES else paragraph.text)
    if group:
        yield heading, "\n".join(group)
