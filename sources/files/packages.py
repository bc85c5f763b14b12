"""DOCX files checked before anything trusts them, and reduced to the parts that hold text."""

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any, BinaryIO
from xml.parsers import expat

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.ns import qn

from sources.files.limits import MEGABYTE, FileRefused, Limits, too_large

END_OF_DIRECTORY = b"PK\x05\x06"
END_SIZE = 22
ZIP64_LOCATOR = b"PK\x06\x07"
ZIP64_LOCATOR_SIZE = 20
LONGEST_COMMENT = 65_535
# A directory entry is 46 bytes and a name; the names in a document are short.
DIRECTORY_ENTRY = 46 + 200
ENCRYPTED = 0x1
ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".bz2", ".xz", ".tar", ".jar", ".docx", ".docm")
READ_CHUNK = 256 * 1024
LONGEST_TAG = 256 * 1024

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONSHIPS = "http://schemas.openxmlformats.org/package/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"

Relationship = dict[str, str]


def open_document(stream: BinaryIO, limits: Limits) -> Any:
    """Open a DOCX as a python-docx document that holds its text and styles and nothing else.

    Pictures, embedded files and links to elsewhere are left behind, so that they are neither held in memory
    nor ever followed. Raises FileRefused for what is not a DOCX, is damaged, or passes a limit.
    """
    _check_envelope(stream, limits)
    try:
        with zipfile.ZipFile(stream) as archive:
            _check_members(archive.infolist(), limits)
            return _open_reduced(archive, limits)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError) as error:
        raise _damaged() from error


def _open_reduced(archive: zipfile.ZipFile, limits: Limits) -> Any:
    names = set(archive.namelist())
    _scan(_read(archive, "[Content_Types].xml", limits), limits)
    main = _target(_relationships(archive, "_rels/.rels", limits), "officeDocument", "")
    if main is None or main not in names:
        raise _not_a_document()
    document = _read(archive, main, limits)
    _scan(document, limits)
    folder, name = posixpath.split(main)
    related = posixpath.join(folder, "_rels", f"{name}.rels")
    styles = None
    if related in names:
        path = _target(_relationships(archive, related, limits), "styles", folder)
        styles = _read(archive, path, limits) if path in names else None
    if styles is not None:
        _scan(styles, limits)
    return _parse(_package(document, styles))


def _parse(package: BinaryIO) -> Any:
    try:
        document = docx.Document(package)
    except (OpcError, KeyError, ValueError) as error:
        raise _not_a_document() from error
    roots = (document.element.tag, document.styles.element.tag)
    if roots != (qn("w:document"), qn("w:styles")) or document.element.body is None:
        raise _not_a_document()
    return document


def _check_envelope(stream: BinaryIO, limits: Limits) -> None:
    """Judge the directory before zipfile builds an object for each of its entries."""
    size = stream.seek(0, io.SEEK_END)
    if size > limits.file_bytes:
        raise too_large(limits.file_bytes)
    stream.seek(0)
    if stream.read(4) != b"PK\x03\x04":
        raise _not_a_document()
    stream.seek(max(0, size - LONGEST_COMMENT - END_SIZE - ZIP64_LOCATOR_SIZE))
    tail = stream.read()
    end = tail.rfind(END_OF_DIRECTORY)
    if end < 0 or len(tail) - end < END_SIZE:
        raise _damaged()
    entries, directory_size = struct.unpack_from("<HI", tail, end + 10)
    is_zip64 = tail[max(0, end - ZIP64_LOCATOR_SIZE) :].startswith(ZIP64_LOCATOR)
    if is_zip64 or entries > limits.zip_members or directory_size > limits.zip_members * DIRECTORY_ENTRY:
        raise FileRefused(
            f"The document has more than {limits.zip_members:,} files inside. Save it again as DOCX in Word.",
            "too_many_members",
        )


def _check_members(members: Sequence[zipfile.ZipInfo], limits: Limits) -> None:
    if len(members) > limits.zip_members:
        raise _damaged()
    if len({member.filename.lower() for member in members}) < len(members):
        raise _damaged()
    for member in members:
        _check_member(member, limits)
    if sum(member.file_size for member in members) > limits.zip_bytes:
        raise _expands_too_far()


def _check_member(member: zipfile.ZipInfo, limits: Limits) -> None:
    name = member.orig_filename
    if name.startswith("/") or "\\" in name or "\x00" in name or ":" in name or ".." in name.split("/"):
        raise FileRefused(
            "The document has a file inside whose name leads out of it. Save it again as DOCX in Word.",
            "unsafe_name",
        )
    if name.lower().endswith(ARCHIVES):
        raise FileRefused(
            "The document has an archive inside. Take it out of the document and upload it again.",
            "nested_archive",
        )
    if member.flag_bits & ENCRYPTED:
        raise FileRefused("The document is encrypted. Remove its password and upload it again.", "encrypted")
    # Short runs compress well by nature: a ratio means something only past a megabyte.
    if member.file_size > max(MEGABYTE, limits.zip_ratio * member.compress_size):
        raise _expands_too_far()


def _read(archive: zipfile.ZipFile, name: str, limits: Limits) -> bytes:
    """Read one member without believing the size it declares."""
    data = bytearray()
    try:
        with archive.open(name) as member:
            while chunk := member.read(READ_CHUNK):
                data += chunk
                if len(data) > limits.xml_bytes:
                    raise _too_long()
    except KeyError:
        raise _not_a_document() from None
    return bytes(data)


def _relationships(archive: zipfile.ZipFile, name: str, limits: Limits) -> list[Relationship]:
    return _scan(_read(archive, name, limits), limits)


def _target(relationships: Sequence[Relationship], kind: str, folder: str) -> str | None:
    """Find the part inside the package that is related in this way; one outside is never looked at."""
    for relationship in relationships:
        internal = relationship.get("TargetMode") != "External"
        if internal and relationship.get("Type", "").rpartition("/")[2] == kind:
            target = relationship.get("Target", "")
            return posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/")
    return None


def _scan(data: bytes, limits: Limits) -> list[Relationship]:
    """Walk through XML without keeping it, and return the attributes of its `Relationship` elements.

    Raises FileRefused for a document type or entity declaration, and for too many or too deep elements.
    """
    found: list[Relationship] = []
    size = depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal size, depth
        size += 1 + len(attributes)
        depth += 1
        if size > limits.xml_elements or depth > limits.xml_depth:
            raise _too_long()
        if name == "Relationship":
            found.append(attributes)

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse_declaration(*_declaration: object) -> None:
        raise FileRefused(
            "The document declares a document type, which no word processor writes. Save it again as DOCX in Word.",
            "unsafe_xml",
        )

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse_declaration
    parser.EntityDeclHandler = refuse_declaration
    try:
        for fed in range(0, len(data), LONGEST_TAG):
            parser.Parse(data[fed : fed + LONGEST_TAG], False)
            # A parser collects a whole tag with all its attributes before it tells of it.
            if fed - parser.CurrentByteIndex > LONGEST_TAG:
                raise _too_long()
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise _damaged() from error
    return found


def _package(document: bytes, styles: bytes | None) -> io.BytesIO:
    """Write the smallest package that python-docx opens."""
    overrides = [("document", "document.main+xml")] + ([("styles", "styles+xml")] if styles else [])
    types = "".join(f'<Override PartName="/word/{name}.xml" ContentType="{WORD}.{kind}"/>' for name, kind in overrides)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{CONTENT_TYPES}"><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>',
        )
        archive.writestr("_rels/.rels", _relationship("officeDocument", "word/document.xml"))
        archive.writestr("word/document.xml", document)
        if styles is not None:
            archive.writestr("word/_rels/document.xml.rels", _relationship("styles", "styles.xml"))
            archive.writestr("word/styles.xml", styles)
    buffer.seek(0)
    return buffer


def _relationship(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{RELATIONSHIPS}">'
        f'<Relationship Id="rId1" Type="{OFFICE}/{kind}" Target="{target}"/></Relationships>'
    )


def _not_a_document() -> FileRefused:
    return FileRefused("This is not a Word document. Save it as DOCX and upload that.", "not_docx")


def _damaged() -> FileRefused:
    return FileRefused("The document is damaged. Open it in Word, save it as DOCX and upload that.", "damaged")


def _expands_too_far() -> FileRefused:
    return FileRefused(
        "The document is far larger than it looks once it is unpacked. Remove what is not text and upload it again.",
        "expands_too_far",
    )


def _too_long() -> FileRefused:
    return FileRefused("The document is too long. Split it into parts and upload them one by one.", "too_long")
