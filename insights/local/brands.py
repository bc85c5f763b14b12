"""Finds the names of companies and products in a sentence, and leaves apple pie and slacking off alone."""

import re
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from insights.local.language import function_words
from insights.local.tables import read_table

_TOKEN = re.compile(r"[^\W_][\w.&+-]*[^\W_]|[^\W_]")
# Words before a name which say that it is something one can use, leave or be like.
_LINKS = re.compile(
    r"(?:\b(?:to|from|in|into|on|with|via|using|use|uses|used|like|than|unlike|through|and|or|left|leave|by|over|for|versus|vs"
    r"|against|chose|cancelled|canceled|replaces|replaced|compared|my|our|de|sur|chez|avec|vers|par|quittons|comme|à|von|zu|bei|mit|nach|wie"
    r"|con|a|en|desde|como|dejamos|even|is|außer|the)|[,/(])\s*$",
    re.IGNORECASE,
)
# Words before an unknown capital name which only a rival or a tool comes after.
_RIVAL_LINKS = re.compile(
    r"\b(?:switch(?:ed|ing)?\s(?:over\s)?(?:from|to)|mov(?:ed|ing)\s(?:over\s)?(?:from|to)|migrat(?:ed|ing)\s(?:from|to)"
    r"|(?:going|went|go|came|coming|returned?)\s(?:back\s)?(?:from|to)|(?:we|i)\sleft|leaving|(?:better|worse|cheaper|easier|faster|slower)\sthan"
    r"|compared\s(?:to|with)|unlike|competitors?(?:\slike)?|alternatives?(?:\slike|\sto)?|instead\sof|replac(?:es|ed|ing)"
    r"|(?:import(?:ed|ing)?|export(?:ed|ing)?|payslips|rep|data|contacts|integrat(?:es?|ion|ed))\s(?:from|to|with)"
    r"|(?:looking\sat|trying(?:\sout)?|tried|considering|evaluating|demo\s(?:of|from|with)|came(?:\sover)?\sfrom|left)|(?:sister|brother|wife|husband|friend|colleague|team|company|competitor)\suses"
    r"|quitt(?:ons|é|er)|par\srapport\sà|gewechselt\szu|(?:besser|schlechter|billiger)\sals|(?:mejor|peor)\sque|dejamos)\s+$",
    re.IGNORECASE,
)
_LONGEST_NAME = 3
_READ_TEXTS = 2048
# Hardly anything but a company writes a capital in the middle of its name.
_JOINED_NAME = re.compile(r"[A-Z][a-z]{2,}[A-Z][a-z]{2,}")


@dataclass(frozen=True, slots=True)
class BrandMention:
    """A brand and where its name stands in the text that was searched.

    `is_setting` says that it is only what the product runs on.
    """

    name: str
    start: int
    end: int
    is_setting: bool = False


@dataclass(frozen=True, slots=True)
class _Names:
    plain: dict[str, str]
    openings: frozenset[str]
    ambiguous: dict[str, str]
    ordinary_before: frozenset[str]
    no_company: frozenset[str]
    platforms: frozenset[str]


@cache
def _names() -> _Names:
    table = read_table("brands")
    plain = _by_lower(table["plain"])
    return _Names(
        plain=plain,
        openings=frozenset(_TOKEN.findall(name)[0] for name in plain),
        ambiguous=_by_lower(table["ambiguous"]),
        ordinary_before=frozenset(table["ordinary_before"].split()),
        no_company=frozenset(table["places_and_times"].lower().split()),
        platforms=frozenset(_by_lower(table["platforms"])),
    )


def _by_lower(listed: str) -> dict[str, str]:
    names = [" ".join(name.split()) for name in listed.split(",")]
    return {name.lower(): name for name in names}


@lru_cache(maxsize=_READ_TEXTS)
def find_brands(text: str, *, language: str = "en") -> tuple[BrandMention, ...]:
    """Return the brands that `text`, one clause or sentence, names: from left to right, none twice."""
    tokens = list(_TOKEN.finditer(text))
    found: dict[str, BrandMention] = {}
    position = 0
    while position < len(tokens):
        mention, position = _brand_at(text, tokens, position, language)
        if mention:
            found.setdefault(mention.name.lower(), _placed(mention, text))
    return tuple(found.values())


def _placed(mention: BrandMention, text: str) -> BrandMention:
    is_setting = mention.name.lower() in _names().platforms and not _follows_rival_link(text, mention.start)
    return replace(mention, is_setting=is_setting)


def _follows_rival_link(text: str, start: int) -> bool:
    return bool(_RIVAL_LINKS.search(text, max(0, start - 40), start))


def _brand_at(text: str, tokens: list[re.Match[str]], position: int, language: str) -> tuple[BrandMention | None, int]:
    """Return the brand that begins at a token, if any, and the token to go on from."""
    start = tokens[position].start()
    longest = _LONGEST_NAME if _key(tokens[position].group()) in _names().openings else 0
    for length in range(min(longest, len(tokens) - position), 0, -1):
        end = tokens[position + length - 1].end()
        name = _names().plain.get(_key(text[start:end]))
        if name:
            return BrandMention(name, start, end), position + length
    word = tokens[position].group()
    ambiguous = _names().ambiguous.get(_key(word))
    if ambiguous and _is_named(text, tokens, position, language):
        return BrandMention(ambiguous, start, tokens[position].end()), position + 1
    if not ambiguous and _is_joined_name(word):
        return BrandMention(word, start, tokens[position].end()), position + 1
    # Few words may name a company, so that they are asked first: looking back for a link takes longer.
    if not ambiguous and language != "de" and _may_name_company(word) and _follows_rival_link(text, start):
        return _unknown_name(text, tokens, position)
    return None, position + 1


def _is_joined_name(word: str) -> bool:
    """Tell "JobKite" from "WiFi", which is no company, and from "ThingsReally", which lacks a full stop."""
    if not _JOINED_NAME.fullmatch(word) or word.lower() in _names().no_company:
        return False
    return not all(part.lower() in function_words()["en"] for part in re.findall("[A-Z][a-z]+", word))


def _key(name: str) -> str:
    lower = name.lower()
    return lower.removesuffix("'s").removesuffix("’s")


def _is_named(text: str, tokens: list[re.Match[str]], position: int, language: str) -> bool:
    """Tell the company from the word: by its capital, its neighbours, and in German by both."""
    token = tokens[position]
    following = tokens[position + 1].group() if position + 1 < len(tokens) else ""
    if not token.group()[0].isupper() or text.isupper() or following.lower() in _names().ordinary_before:
        return False
    if position == 0:
        return _acts(following, language)
    linked = bool(_LINKS.search(text, max(0, token.start() - 16), token.start()))
    return linked if language == "de" else linked or not following[:1].isupper()


def _acts(following: str, language: str) -> bool:
    """Tell whether the word after a name at the start of a sentence lets it do something."""
    word = following.lower()
    known = function_words().get(language, frozenset())
    return word in known or (language == "en" and word.endswith(("ed", "s")) and not word.endswith("ss"))


def _unknown_name(text: str, tokens: list[re.Match[str]], position: int) -> tuple[BrandMention | None, int]:
    last = position
    while last < len(tokens) and last - position < _LONGEST_NAME and _may_name_company(tokens[last].group()):
        last += 1
    if last == position or text.isupper():
        return None, position + 1
    start, end = tokens[position].start(), tokens[last - 1].end()
    return BrandMention(text[start:end], start, end), last


def _may_name_company(word: str) -> bool:
    lower = word.lower()
    return word[0].isupper() and lower not in _names().no_company and lower not in function_words()["en"]
