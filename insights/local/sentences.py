"""Cuts a text into sentences and clauses with exact offsets, in time linear in its length."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

# A statement should fit on a card and in the encoder: what is longer is cut at the best clause boundary.
MAX_LENGTH = 280

# Each alternative repeats one class of characters at a time, so that matching cannot backtrack.
_BOUNDARY = re.compile(r"[\r\n\u2028\u2029\x0b\x0c\x85]+|[.!?…。！？｡؟۔।॥]+[\"'”’»)\]」』）]*|[•●▪◦■]")
_TOKEN = re.compile(r"\S+")
_CONTRAST = re.compile(
    r"[,;.–—-]?\s(?:but|however|although|though|except|yet|unfortunately"
    r"|mais|cependant|par\scontre|en\srevanche|malheureusement|dommage"
    r"|aber|jedoch|allerdings|leider|pero|sin\sembargo|aunque|però|tuttavia|porém|maar|helaas)\b",
    re.IGNORECASE,
)
_SOFT_BREAK = re.compile(r"[;:,、，；：،–—]+|\.{2,}|…|\s(?=(?:and|because|so|et|und|y|e|en)\s)")
_LIST_MARK = re.compile(r"\s*(?:[-*+>•●▪◦■–—]+\s+|[•●▪◦■]|\(?\d{1,2}[.)]\s+|\(?[a-z]\)\s+)")
# Emoji count as content: they may be all that a customer says.
_CONTENT = re.compile(r"[^\W_]|[\u2190-\u2bff\u3300-\U0010ffff]")
_FULL_WIDTH = frozenset("。！？｡۔।॥؟")
_LINE_BREAKS = frozenset("\r\n\u2028\u2029\x0b\x0c\x85")
_ABBREVIATION = re.compile(
    r"mrs?|ms|dr|prof|st|[js]r|vs|eg|ie|e\.g|i\.e|approx|nr|fig|vol|inc|ltd|dept|est|u\.[sk]"
    r"|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
    r"|bzw|usw|z\.b|d\.h|u\.a|inkl|zzgl|evtl|ggf|str|mme|mlle|m|cf|p\.ex|srt?a|uds?|p\.ej|dott",
    re.IGNORECASE,
)
_ABBREVIATION_LENGTH = 8
# A wrapped line is about as long as its neighbours; a shorter one was ended on purpose.
_WRAPPED_LINE = 60


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch `start:end` of a text, counted in Unicode code points."""

    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """Return the sentences of `text` in order: not overlapping, not blank, without outer white space."""
    found: list[Sentence] = []
    addresses = _addresses(text)
    address = next(addresses, (len(text), len(text)))
    start = 0
    content = _next_content(text, start)
    for match in _BOUNDARY.finditer(text):
        if match.end() <= content:
            continue
        while address[1] <= match.start() < len(text) and address[0] < len(text):
            address = next(addresses, (len(text), len(text)))
        if address[0] <= match.start() or not _ends_sentence(text, match, start):
            continue
        found.extend(_cut(text, start, match.end()))
        start = match.end()
        content = _next_content(text, start)
    found.extend(_cut(text, start, len(text)))
    return found


def split_clauses(text: str, sentence: Sentence) -> list[Sentence]:
    """Return the parts of a sentence on either side of words such as "but", each of two words or more."""
    clauses: list[Sentence] = []
    start = sentence.start
    for match in _CONTRAST.finditer(text, sentence.start, sentence.end):
        if _has_words(text, start, match.start()) and _has_words(text, match.start(), sentence.end):
            clauses.extend(_trimmed(text, start, match.start()))
            start = match.start() + 1
    clauses.extend(_trimmed(text, start, sentence.end))
    return clauses


def _has_words(text: str, start: int, end: int) -> bool:
    return len(text[start:end].split()) >= 2


def _next_content(text: str, start: int) -> int:
    match = _CONTENT.search(text, start)
    return match.start() if match else len(text)


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield, in order, the web and mail addresses: punctuation inside them ends nothing."""
    for token in _TOKEN.finditer(text):
        word = token.group()
        if "://" in word or "@" in word or word[:4].lower() == "www.":
            # Punctuation at the very end of an address belongs to the sentence around it.
            yield token.start(), token.start() + len(word.rstrip(".!?…\"')”"))


def _ends_sentence(text: str, match: re.Match[str], start: int) -> bool:
    mark = match.group()
    if mark[0] in _LINE_BREAKS:
        return _ends_line(text, match, start)
    if mark[0] in _FULL_WIDTH or mark[0] in "•●▪◦■":
        return True
    following = text[match.end() : match.end() + 2]
    if not following:
        return True
    if mark.startswith(("..", "…")):
        return following.lstrip()[:1].isupper() or following[0] in _LINE_BREAKS
    if mark[0] == ".":
        return _full_stop_ends(text, match, start, following)
    return following[0].isspace() or following[0].isalpha() or not following[0].isascii()


def _ends_line(text: str, match: re.Match[str], start: int) -> bool:
    wrapped = match.start() - start >= _WRAPPED_LINE and match.group() in ("\n", "\r\n")
    return not (wrapped and text[match.end() : match.end() + 1].islower())


def _full_stop_ends(text: str, match: re.Match[str], start: int, following: str) -> bool:
    before = text[max(start, match.start() - _ABBREVIATION_LENGTH) : match.start()]
    word = before.split()[-1] if before.split() else ""
    if not following[0].isspace():
        # "crashes.It" lacks a space; "Node.js", "4.2" and "U.S" do not.
        return len(word) > 1 and word[-1].islower() and following[0].isupper() and following[1:].islower()
    if _ABBREVIATION.fullmatch(word.lstrip("(\"'")) or (len(word) == 1 and word.isupper() and word != "I"):
        return False
    # "1. First point" numbers what follows.
    return not (word.isdigit() and len(word) <= 2 and not text[start : match.start() - len(word)].strip())


def _cut(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield `start:end`, in several pieces when it is too long for one statement."""
    while end - start > MAX_LENGTH:
        stop = _best_break(text, start, start + MAX_LENGTH)
        yield from _trimmed(text, start, stop)
        start = stop
    yield from _trimmed(text, start, end)


def _best_break(text: str, start: int, limit: int) -> int:
    floor = start + MAX_LENGTH // 3
    breaks = [match.end() for match in _SOFT_BREAK.finditer(text, floor, limit)]
    if breaks:
        return breaks[-1]
    spaces = [match.end() for match in re.finditer(r"\s", text[floor:limit])]
    return floor + spaces[-1] if spaces else limit


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    """Yield `start:end` without outer white space and list marks, unless nothing but marks remains."""
    if not _CONTENT.search(text, start, end):
        return
    mark = _LIST_MARK.match(text, start, end)
    if mark and _CONTENT.search(text, mark.end(), end):
        start = mark.end()
    piece = text[start:end]
    yield Sentence(end - len(piece.lstrip()), start + len(piece.rstrip()))
