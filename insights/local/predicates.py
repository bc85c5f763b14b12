"""What can be said of a subject: the words that say it, and how titles word it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from insights.analyst import Kind
from insights.local.tables import read_table
from insights.local.words import START, Lexicon

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Predicate:
    """One thing that is said; `wording` has a place for the subject, `alone` has none.

    It is not said where the words of `unless` stand.
    """

    name: str
    lexicon: Lexicon
    unless: Lexicon
    wording: dict[str, str]
    alone: dict[str, str]
    only: frozenset[str]
    absorbs: frozenset[str]
    verbs: frozenset[str]

    def is_said(self, words: Sequence[str]) -> bool:
        """Tell whether the words of a statement say this."""
        return bool(self.lexicon.find([START, *words])) and not self.unless.find(words)

    def worded_alone(self, language: str) -> str:
        """Return the wording without a subject; empty where it would say nothing."""
        return self.alone.get(language) or self.alone.get("en", "")


@cache
def predicates_of(kind: Kind) -> tuple[Predicate, ...]:
    """Return the predicates of a kind; the last is the default, which needs no words."""
    return tuple(_predicate(name, entry) for name, entry in _table().get(kind.value, {}).items())


@cache
def _table() -> dict[str, dict[str, dict[str, object]]]:
    return read_table("titles")


def _predicate(name: str, entry: dict[str, object]) -> Predicate:
    def words(key: str) -> list[str]:
        listed = entry.get(key, [])
        return [str(word) for word in listed] if isinstance(listed, list) else []

    alone = entry.get("alone", {})
    return Predicate(
        name=name,
        lexicon=Lexicon((phrase, name) for phrase in words("cues") + words("verbs")),
        unless=Lexicon((phrase, name) for phrase in words("unless")),
        wording={language: wording for language, wording in entry.items() if isinstance(wording, str)},
        alone={str(k): str(v) for k, v in alone.items()} if isinstance(alone, dict) else {},
        only=frozenset(words("only")),
        absorbs=frozenset(words("absorbs")),
        verbs=frozenset(words("verbs")),
    )
