"""DOCX files become items in document order, and files that attack are refused."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from msgspec import UNSET

from sources.files import (
    FileRefused,
    Limits,
    Mapping,
    RowResult,
    Split,
    document_items,
    inspect_document,
    preview_document,
)
from tests.sources.measuring import measure

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def saved(document: Any) -> io.BytesIO:
    stream = io.BytesIO()
    document.save(stream)
    return stream


def paragraphs(*texts: str) -> io.BytesIO:
    document = docx.Document()
    for text in texts:
        document.add_paragraph(text)
    return saved(document)


def add_table(document: Any, *rows: tuple[str, ...]) -> None:
    table = document.add_table(rows=0, cols=len(rows[0]))
    for row in rows:
        for cell, text in zip(table.add_row().cells, row, strict=True):
            cell.text = text


def read(stream: io.BytesIO, **options: Any) -> list[RowResult]:
    return list(document_items(stream, now=NOW, **options))


def bodies(stream: io.BytesIO, **options: Any) -> list[object]:
    return [result.item.body for result in read(stream, **options) if result.item]


def test_a_call_is_one_item_with_a_part_for_each_turn() -> None:
    stream = paragraphs(
        "Call with Acme",
        "Ann: Hello",
        "Ben (00:12): It crashes",
        "every day",
        "",
        "Ann: When?",
        "[01:02:03] Ben: Daily",
    )
    assert inspect_document(stream).split is Split.TRANSCRIPT
    [result] = read(stream)
    assert result.item is not None
    assert result.item.body is UNSET
    assert result.item.metadata == {"title": "Call with Acme"}
    parts = result.item.conversation_parts
    assert isinstance(parts, list)
    assert [(part.author, part.body) for part in parts] == [
        ("Ann", "Hello"),
        ("Ben", "It crashes\nevery day"),
        ("Ann", "When?"),
        ("Ben", "Daily"),
    ]
    assert [part.metadata for part in parts] == [UNSET, {"clock": "00:12"}, UNSET, {"clock": "01:02:03"}]
    assert read(stream) == [result]


def test_speakers_on_lines_of_their_own_are_read_as_meeting_programs_write_them() -> None:
    stream = paragraphs("Ann Lee   0:03\nHello there.", "Ben Ray   0:07\nIt crashes.", "Ann Lee   0:09\nWhen?")
    [result] = read(stream)
    assert result.item is not None
    assert [(part.author, part.body) for part in result.item.conversation_parts or []] == [
        ("Ann Lee", "Hello there."),
        ("Ben Ray", "It crashes."),
        ("Ann Lee", "When?"),
    ]


def test_paragraphs_without_blank_ones_between_are_items() -> None:
    stream = paragraphs("The search is slow.", "Love the editor!", "Add dark mode.")
    assert bodies(stream) == ["The search is slow.", "Love the editor!", "Add dark mode."]


def test_blank_paragraphs_and_headings_separate_items_and_a_heading_is_kept_beside() -> None:
    document = docx.Document()
    document.add_heading("Interviews", level=0)
    document.add_paragraph("Nobody finds the export.")
    document.add_paragraph("Not even we do.")
    document.add_paragraph("")
    document.add_paragraph("The search is slow.")
    document.add_heading("Praise", level=2)
    document.add_paragraph("The editor is lovely.")
    results = read(saved(document))
    assert [(result.item.body, result.item.metadata) for result in results if result.item] == [
        ("Nobody finds the export.\nNot even we do.", {"heading": "Interviews"}),
        ("The search is slow.", {"heading": "Interviews"}),
        ("The editor is lovely.", {"heading": "Praise"}),
    ]


def test_list_points_are_items() -> None:
    document = docx.Document()
    document.add_paragraph("What we heard:")
    for text in ("The search is slow", "Add dark mode", "Crashes on start"):
        document.add_paragraph(text, style="List Bullet")
    assert bodies(saved(document)) == [
        "What we heard:",
        "The search is slow",
        "Add dark mode",
        "Crashes on start",
    ]


def test_a_document_of_headings_alone_loses_none_of_them() -> None:
    document = docx.Document()
    for text in ("The search is slow", "Add dark mode"):
        document.add_heading(text)
    assert bodies(saved(document)) == ["The search is slow", "Add dark mode"]


def test_a_person_can_overrule_the_split() -> None:
    stream = paragraphs("One.", "Two.", "", "Three.")
    assert bodies(stream) == ["One.\nTwo.", "Three."]
    assert bodies(stream, split=Split.LINES) == ["One.", "Two.", "Three."]
    assert bodies(stream, split=Split.WHOLE) == ["One.\n\nTwo.\n\nThree."]


def test_a_table_with_a_header_is_read_like_a_csv_file_and_the_order_is_kept() -> None:
    document = docx.Document()
    document.add_paragraph("What follows came by mail.")
    add_table(
        document,
        ("Customer", "Feedback", "Date", "Plan"),
        ("Ann", "The search is slow.", "03/15/2026", "pro"),
        ("Ben", "", "03/16/2026", "free"),
        ("Cid", "Love the editor!", "04/05/2026", ""),
    )
    document.add_paragraph("And this was said at lunch.")
    stream = saved(document)
    summary = inspect_document(stream)
    assert summary.headers == ("Customer", "Feedback", "Date", "Plan")
    assert summary.guessed_mapping == Mapping(
        feedback=("Feedback",), author="Customer", created_at="Date", metadata=("Plan",)
    )
    results = read(stream)
    assert [result.item and result.item.body for result in results] == [
        "What follows came by mail.",
        "The search is slow.",
        None,
        "Love the editor!",
        "And this was said at lunch.",
    ]
    assert results[1].item is not None
    assert (results[1].item.author, results[1].item.metadata) == ("Ann", {"Plan": "pro"})
    assert results[1].item.created_at == datetime(2026, 3, 15, tzinfo=UTC)
    assert [result.number for result in results] == [1, 2, 3, 4, 5]
    assert results[2].reasons == ("The feedback is empty.",)
    chosen = read(stream, mapping=Mapping(feedback=("Plan",)))
    assert chosen[1].item is not None
    assert chosen[1].item.body == "pro"
    assert preview_document(stream, limit=2, now=NOW) == results[:2]


def test_merged_cells_stand_in_every_row_and_move_no_other_out_of_its_column() -> None:
    document = docx.Document()
    add_table(
        document,
        ("Survey of March", "", "", ""),
        ("Customer", "Company", "Feedback", "Date"),
        ("Ann", "Acme", "The search is slow.", "2026-03-15"),
        ("", "Acme", "Love the editor!", "2026-03-16"),
        ("Cid, on his own", "", "Too expensive for me.", "2026-03-17"),
    )
    [table] = document.tables
    table.cell(0, 0).merge(table.cell(0, 3))
    table.cell(2, 0).merge(table.cell(3, 0))
    table.cell(4, 0).merge(table.cell(4, 1))
    read_items = [result.item for result in read(saved(document)) if result.item]
    assert [(item.body, item.author, item.metadata, item.created_at) for item in read_items] == [
        ("The search is slow.", "Ann", {"account": "Acme"}, datetime(2026, 3, 15, tzinfo=UTC)),
        ("Love the editor!", "Ann", {"account": "Acme"}, datetime(2026, 3, 16, tzinfo=UTC)),
        ("Too expensive for me.", "Cid, on his own", UNSET, datetime(2026, 3, 17, tzinfo=UTC)),
    ]


def test_a_mapping_that_fits_no_table_is_refused() -> None:
    with pytest.raises(FileRefused) as refused:
        document_items(paragraphs("Text"), mapping=Mapping(feedback=("Feedback",)))
    assert refused.value.code == "missing_column"


def test_a_table_that_only_arranges_text_loses_none_of_it() -> None:
    document = docx.Document()
    add_table(document, ("4", "5"), ("2026-03-15", "7"))
    assert bodies(saved(document)) == ["4\t5", "2026-03-15\t7"]


def test_text_in_links_insertions_boxes_and_controls_is_read_and_deleted_text_is_not() -> None:
    document = docx.Document()
    run = '<w:r><w:t xml:space="preserve">{}</w:t></w:r>'
    xml = (
        f'<w:sdt xmlns:w="{WORD}"><w:sdtContent><w:p>'
        + run.format("Before ")
        + f"<w:hyperlink>{run.format('link ')}</w:hyperlink>"
        + f'<w:ins w:id="1" w:author="x">{run.format("inserted ")}</w:ins>'
        + '<w:del w:id="2" w:author="x"><w:r><w:delText>deleted</w:delText></w:r></w:del>'
        + f"<w:smartTag>{run.format('tagged')}</w:smartTag>"
        + "<w:r><w:tab/><w:t>after</w:t><w:br/><w:t>end</w:t></w:r>"
        + "</w:p></w:sdtContent></w:sdt>"
    )
    document.element.body.insert(0, parse_xml(xml))
    assert bodies(saved(document)) == ["Before link inserted tagged\tafter\nend"]


def test_repeated_paragraphs_stay_apart_and_keep_their_ids() -> None:
    stream = paragraphs("Slow.", "Nice.", "Slow.")
    ids = [result.item.unique_id for result in read(stream) if result.item]
    assert len(set(ids)) == 3
    assert [result.item.unique_id for result in read(stream) if result.item] == ids


def test_an_external_relationship_is_neither_followed_nor_kept() -> None:
    document = docx.Document()
    document.add_paragraph("Text beside a link")
    for kind in (RELATIONSHIP_TYPE.HYPERLINK, RELATIONSHIP_TYPE.IMAGE, RELATIONSHIP_TYPE.STYLES):
        document.part.relate_to("http://127.0.0.1:9/x", kind, is_external=True)
    assert bodies(saved(document)) == ["Text beside a link"]


def test_a_main_part_outside_the_document_is_refused() -> None:
    rels = members(paragraphs("x"))["_rels/.rels"].decode()
    outside = rels.replace('Target="word/document.xml"', 'Target="file:///etc/passwd" TargetMode="External"')
    assert refused_code(repacked({"_rels/.rels": outside.encode()})) == "not_docx"


def members(stream: io.BytesIO) -> dict[str, bytes]:
    with zipfile.ZipFile(stream) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def repacked(changes: dict[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**members(paragraphs("Some feedback")), **changes}.items():
            archive.writestr(name, data)
    return stream


def refused_code(stream: io.BytesIO, **limits: int) -> str:
    with pytest.raises(FileRefused) as refused:
        list(document_items(stream, limits=Limits(**limits)))
    assert refused.value.message.endswith(".")
    return refused.value.code


def body_xml(text: str, *, before: str = "") -> bytes:
    document = f'<w:document xmlns:w="{WORD}"><w:body>{text}</w:body></w:document>'
    return f'<?xml version="1.0"?>{before}{document}'.encode()


ENTITY = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize("declaration", [ENTITY, OUTSIDE, "<!DOCTYPE x>"])
@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml", "_rels/.rels", "[Content_Types].xml"])
def test_declarations_of_types_and_entities_are_refused(part: str, declaration: str) -> None:
    original = members(paragraphs("x"))[part].decode()
    head, _, rest = original.partition("?>")
    assert refused_code(repacked({part: f"{head}?>{declaration}{rest}".encode()})) == "unsafe_xml"


def test_a_declaration_does_not_hide_in_another_encoding() -> None:
    data = body_xml("<w:p/>", before=ENTITY).decode().replace("?>", ' encoding="utf-16"?>', 1).encode("utf-16")
    assert refused_code(repacked({"word/document.xml": data})) == "unsafe_xml"
    utf7 = b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE x+AD4-<a/>'
    assert refused_code(repacked({"word/document.xml": utf7})) == "damaged"


@pytest.mark.parametrize(
    "name",
    ["../evil.xml", "/etc/evil", "word/../../evil", "word\\..\\evil", "C:/evil", "word/..", "a\x00b.xml"],
)
def test_names_that_lead_out_of_the_document_are_refused(name: str) -> None:
    stream = repacked({"word/placeholder-of-a-name": b"x"})
    placeholder = "word/placeholder-of-a-name"
    padded = name.ljust(len(placeholder), "x") if "\x00" in name else name
    if "\x00" not in name:
        stream = repacked({name: b"x"})
    else:
        stream = io.BytesIO(stream.getvalue().replace(placeholder.encode(), padded.encode()))
    assert refused_code(stream) == "unsafe_name"


@pytest.mark.parametrize("name", ["word/more.zip", "word/embeddings/a.docx", "x.7z"])
def test_an_archive_inside_is_refused(name: str) -> None:
    assert refused_code(repacked({name: b"PK\x03\x04"})) == "nested_archive"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "not_docx"),
        (b"plain text", "not_docx"),
        (b"\xd0\xcf\x11\xe0 an old document", "not_docx"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"PK\x03\x04" + b"PK\x05\x06" + b"\xff" * 18, "too_many_members"),
    ],
)
def test_what_is_no_document_is_refused(data: bytes, code: str) -> None:
    assert refused_code(io.BytesIO(data)) == code


def test_other_packages_and_empty_documents_are_refused_with_advice() -> None:
    assert refused_code(repacked({"_rels/.rels": b"<Relationships/>"})) == "not_docx"
    assert refused_code(repacked({"word/document.xml": b"<workbook/>"})) == "not_docx"
    assert refused_code(repacked({"word/styles.xml": b"<workbook/>"})) == "not_docx"
    assert refused_code(repacked({"word/document.xml": b"<w:document"})) == "damaged"
    assert refused_code(paragraphs("", " ")) == "empty"


def test_every_truncation_of_a_document_is_refused() -> None:
    whole = paragraphs("Some feedback").getvalue()
    for length in range(0, len(whole), 997):
        assert refused_code(io.BytesIO(whole[:length])) in ("not_docx", "damaged")


def test_every_flipped_bit_is_read_or_refused() -> None:
    whole = paragraphs("Some feedback").getvalue()
    for position in range(0, len(whole), 499):
        damaged = bytearray(whole)
        damaged[position] ^= 0xFF
        try:
            list(document_items(io.BytesIO(bytes(damaged))))
        except FileRefused:
            continue


def test_limits_hold_for_bytes_members_and_depth() -> None:
    assert refused_code(paragraphs("x"), file_bytes=100) == "too_large"
    assert refused_code(paragraphs("x"), zip_members=3) == "too_many_members"
    assert refused_code(paragraphs("x"), zip_bytes=100) == "expands_too_far"
    assert refused_code(paragraphs("x"), xml_elements=3) == "too_long"
    assert refused_code(paragraphs("x", "y", "z"), rows=2) == "too_many_rows"
    deep = body_xml("<w:sdt>" * 300 + "</w:sdt>" * 300)
    assert refused_code(repacked({"word/document.xml": deep})) == "too_long"


def deflated_zeros(size: int) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = bytes(1 << 20)
    pieces = [compressor.compress(block) for _ in range(size >> 20)]
    return b"".join(pieces) + compressor.flush()


def bomb(path: Path) -> None:
    """300 MB in 300 kB; a larger one only takes longer to make."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members(paragraphs("x")).items():
            if name != "word/document.xml":
                archive.writestr(name, data)
        with archive.open("word/document.xml", "w", force_zip64=True) as member:
            for _ in range(300):
                member.write(bytes(1 << 20))


def lying_bomb(path: Path) -> None:
    """The directory claims a kilobyte where 250 MB are."""
    data = deflated_zeros(250 << 20)
    stream = repacked({"word/document.xml": b"A" * 1000})
    with zipfile.ZipFile(stream) as archive:
        info = archive.getinfo("word/document.xml")
    plain = stream.getvalue()
    start = info.header_offset + 30 + len(info.filename)
    grown = bytearray(plain[:start] + data + plain[start + info.compress_size :])
    shift = len(data) - info.compress_size
    end = grown.rfind(b"PK\x05\x06")
    [directory] = struct.unpack_from("<I", grown, end + 16)
    struct.pack_into("<I", grown, end + 16, directory + shift)
    entry = grown.find(b"PK\x01\x02", directory + shift)
    while entry >= 0:
        [offset] = struct.unpack_from("<I", grown, entry + 42)
        if offset == info.header_offset:
            struct.pack_into("<I", grown, entry + 20, len(data))
        elif offset > info.header_offset:
            struct.pack_into("<I", grown, entry + 42, offset + shift)
        entry = grown.find(b"PK\x01\x02", entry + 46)
    path.write_bytes(grown)


def many_members(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(100_000):
            archive.writestr(f"word/{number}.xml", b"")


def unrelated_bomb(path: Path) -> None:
    """The text is harmless, a picture beside it is not."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members(paragraphs("x")).items():
            archive.writestr(name, data)
        with archive.open("word/media/image1.png", "w") as member:
            for _ in range(300):
                member.write(bytes(1 << 20))


def many_elements(path: Path) -> None:
    path.write_bytes(
        repacked(
            {"word/document.xml": body_xml("".join(f'<w:p w:rsidR="{number:x}"/>' for number in range(500_000)))}
        ).getvalue()
    )


def many_attributes(path: Path) -> None:
    attributes = " ".join(f'a{number}="1"' for number in range(900_000))
    path.write_bytes(repacked({"word/document.xml": body_xml(f"<w:p {attributes}/>")}).getvalue())


def long_text(path: Path) -> None:
    text = f"<w:p><w:r><w:t>{random.Random(1).randbytes(9_000_000).hex()}</w:t></w:r></w:p>"
    path.write_bytes(repacked({"word/document.xml": body_xml(text)}).getvalue())


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (bomb, "expands_too_far"),
        (lying_bomb, "damaged"),
        (many_members, "too_many_members"),
        (unrelated_bomb, "expands_too_far"),
        (many_elements, "too_long"),
        (many_attributes, "too_long"),
        (long_text, "too_long"),
    ],
)
def test_a_document_that_attacks_is_refused_fast_and_in_little_memory(
    tmp_path: Path, write: Callable[[Path], None], code: str
) -> None:
    path = tmp_path / "bomb.docx"
    write(path)
    measured = measure(path)
    assert measured.code == code
    assert measured.seconds < 2
    assert measured.megabytes < 100
    assert list(tmp_path.iterdir()) == [path]


def test_a_large_document_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.docx"
    paragraph = "<w:p><w:r><w:t>The search number {} is slow and we all suffer from it.</w:t></w:r></w:p>"
    text = "".join(map(paragraph.format, range(90_000)))
    path.write_bytes(repacked({"word/document.xml": body_xml(text)}).getvalue())
    measured = measure(path)
    assert (measured.code, measured.rows) == (None, 90_000)
    assert measured.megabytes < 150
