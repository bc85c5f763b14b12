"""Which character encoding a text file was saved in."""

import codecs
from collections.abc import Iterator
from typing import BinaryIO

from sources.files.limits import FileRefused, Limits, too_large

CHUNK = 1024 * 1024
HEAD = 8 * 1024
LEGACY_SAMPLE = 32 * 1024
LEGACY_LINE = 4 * 1024
CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b"))

# Longest first: the UTF-32 mark begins with the UTF-16 one.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

OTHER_FORMATS = (
    (b"PK\x03\x04", "This is an Excel workbook or a zip archive. Save the sheet as CSV and upload that."),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel or Word file. Save it as CSV or DOCX and upload that."),
    (b"%PDF", "This is a PDF. Copy its text and paste it, or save it as DOCX."),
    (b"\x1f\x8b", "This file is compressed. Unpack it and upload the file inside."),
)

# The characters that make up most of the non-ASCII text of a language, by the encoding that writes them.
# Lower case only: the wrong Cyrillic or Chinese encoding yields capitals. Order breaks ties.
COMMON_CHARACTERS = {
    "cp1252": (
        "àâçéèêëîïôùûüœæ",
        "äöüß",
        "áéíóúüñ",
        "áâãàçéêíóôõú",
        "àèéìòù",
        "åäöæøé",
        "éëïöü",
        "áðéíóúýþæö",
    ),
    "cp1250": ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áéíóöőúüű", "ăâîşţ", "čćđšž"),
    "cp1254": ("çğıöşüâ",),
    "cp1251": ("оеаинтсрвлкм", "оаинвеіртслк"),
    "koi8_r": ("оеаинтсрвлкм",),
    "cp1253": ("αοιετνσρκπηυλςάέήίόύώ",),
    "cp1255": ("יוהלאמרתבשנחדקםפעכ",),
    "cp1256": ("الينمورتبعةد",),
    "cp874": ("ารนอก่เง้มยลวดทสตะปบค็ี",),
    "cp932": (
        "のにはをたがでてとしれさいうるなもすりこらんかまあきくっよだけどお"
        "ンスルトアイリーラクシプレドフタッジコ日本語画面検索",
    ),
    "euc_jp": (
        "のにはをたがでてとしれさいうるなもすりこらんかまあきくっよだけどお"
        "ンスルトアイリーラクシプレドフタッジコ日本語画面検索",
    ),
    "gb18030": ("的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会用可请很太好能没快常",),
    "big5": ("的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會用可請很太好能沒快常",),
    "cp949": ("이다는을를에의가은고요한하지도로서기어나아해시사니라리스들게안만있습자제요주수세너무앱",),
}
TYPOGRAPHY = frozenset("“”‘’–—…€£«»°©®™´¿¡\u00a0、。，！？「」")


def detect_encoding(stream: BinaryIO, limits: Limits) -> str:
    """Name the codec that reads `stream`, checked against all of its bytes.

    Raises FileRefused when the file is empty, too large or not text. Leaves the stream anywhere.
    """
    stream.seek(0)
    head = stream.read(HEAD)
    if not head.strip(b"\x00\t\r\n "):
        raise FileRefused("The file is empty.", "empty")
    for magic, message in OTHER_FORMATS:
        if head.startswith(magic):
            raise FileRefused(message, "not_text")
    marked = next((name for mark, name in BYTE_ORDER_MARKS if head.startswith(mark)), None)
    encoding = marked or _utf16_without_mark(head)
    if encoding:
        _check_size(stream, limits)
        return encoding
    _check_text(head)
    sample, damaged = _scan_utf8(stream, limits)
    return "utf-8" if not sample or damaged else _legacy_encoding(stream, sample)


def check_encoding(stream: BinaryIO, encoding: str, limits: Limits) -> str:
    """Accept an encoding that a person chose. Raises FileRefused for an unknown one and a file too large."""
    try:
        "".encode(encoding)
    except LookupError:
        raise FileRefused(f"There is no encoding “{encoding[:40]}”. Choose another.", "unknown_encoding") from None
    _check_size(stream, limits)
    return encoding


def _check_size(stream: BinaryIO, limits: Limits) -> None:
    stream.seek(0)
    for _ in _chunks(stream, limits):
        pass


def _chunks(stream: BinaryIO, limits: Limits) -> Iterator[bytes]:
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limits.file_bytes:
            raise too_large(limits.file_bytes)
        yield chunk


def _utf16_without_mark(head: bytes) -> str | None:
    """In UTF-16 every other byte of the punctuation and line ends is zero; in any other text none is."""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    zeros = even + odd
    if zeros * 50 < len(head):
        return None
    if odd > 9 * even:
        return "utf-16-le"
    if even > 9 * odd:
        return "utf-16-be"
    return None


def _check_text(head: bytes) -> None:
    """Text has next to no control characters, in any encoding but UTF-16; a few stray ones are forgiven."""
    controls = len(head) - len(head.translate(None, CONTROLS))
    if controls * 50 > len(head):
        raise FileRefused("This is not a text file. Save it as CSV and upload that.", "not_text")


def _scan_utf8(stream: BinaryIO, limits: Limits) -> tuple[bytes, bool]:
    """Return lines that are not ASCII when the file is not clean UTF-8, and whether it is damaged UTF-8.

    Damaged means that far more characters read well than badly, so that no other encoding explains it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    sample = bytearray()
    good = bad = 0
    stream.seek(0)
    for chunk in _chunks(stream, limits):
        text = decoder.decode(chunk)
        wrong = 0 if text.isascii() else text.count("\ufffd") - chunk.count(b"\xef\xbf\xbd")
        bad += max(wrong, 0)
        good += len(chunk) - len(text)
        if len(sample) < LEGACY_SAMPLE and not chunk.isascii():
            sample += _lines_beyond_ascii(chunk)
    bad += decoder.decode(b"", final=True).count("\ufffd")
    return (bytes(sample), good > 20 * bad) if bad else (b"", False)


def _lines_beyond_ascii(chunk: bytes) -> bytes:
    lines = (line[:LEGACY_LINE] for line in chunk.split(b"\n") if not line.isascii())
    return b"\n".join(lines)[:LEGACY_SAMPLE]


def _legacy_encoding(stream: BinaryIO, sample: bytes) -> str:
    scores = {name: _likeness(sample, name) for name in COMMON_CHARACTERS}
    # sorted() is stable, so equal scores keep the order of the table.
    ranked = sorted(scores, key=lambda name: -scores[name])
    return next((name for name in ranked if _decodes(stream, name)), "latin-1")


def _likeness(sample: bytes, encoding: str) -> float:
    """Share of the non-ASCII characters, read as `encoding`, that one of its languages uses all the time."""
    # The sample may begin or end inside a character.
    text = sample.decode(encoding, "ignore")
    characters = [character for character in text if character > "\x7f" and character not in TYPOGRAPHY]
    if not characters:
        return 1.0
    alphabets = map(frozenset, COMMON_CHARACTERS[encoding])
    return max(sum(map(alphabet.__contains__, characters)) for alphabet in alphabets) / len(characters)


def _decodes(stream: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    stream.seek(0)
    try:
        while chunk := stream.read(CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
