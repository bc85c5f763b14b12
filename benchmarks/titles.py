"""Prints the titles that the local analyst gives to the largest groups of real reviews, to be judged by hand."""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.labelled import ROOT, data_rows
from insights.analyst import Document, Kind, Passage, Statement
from insights.local.analyst import ENCODED_LANGUAGE, LocalAnalyst
from insights.local.clustering import rebuild
from insights.local.encoder import Encoder
from insights.local.titles import title_for
from insights.local.words import words_of

SHOWN = 20
GROUPS_OF_A_KIND = 25
READ_FOR_A_TITLE = 60
EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Said:
    """A statement, the words it was read from, and which review they are in."""

    review: int
    quote: str
    statement: Statement


@dataclass(frozen=True, slots=True)
class Group:
    """Statements that became one insight, and the name it was given."""

    kind: Kind
    title: str
    summary: str
    members: list[Said]

    @property
    def people(self) -> int:
        return len({said.review for said in self.members})

    @property
    def named_share(self) -> float:
        """The share of the quotes that hold a word of the title."""
        words = {word[:4] for word in words_of(self.title)}
        return float(np.mean([bool(words & {word[:4] for word in words_of(said.quote)}) for said in self.members]))


def read(encoder: Encoder, texts: list[str]) -> dict[Kind, list[Said]]:
    by_kind: defaultdict[Kind, list[Said]] = defaultdict(list)
    analyses = LocalAnalyst(encoder).analyse([Document((Passage(text),)) for text in texts])
    for number, (text, analysis) in enumerate(zip(texts, analyses, strict=True)):
        for statement in analysis.statements if analysis.language == ENCODED_LANGUAGE else ():
            by_kind[statement.kind].append(Said(number, text[statement.start : statement.end], statement))
    return by_kind


def groups(kind: Kind, said: list[Said]) -> Iterator[Group]:
    vectors = np.stack([one.statement.vector for one in said if one.statement.vector is not None])
    labels = rebuild(vectors)
    taken: list[str] = []
    for label, _ in Counter(labels.tolist()).most_common(GROUPS_OF_A_KIND):
        members = [one for one, other in zip(said, labels, strict=True) if other == label]
        newest = [one.statement for one in members[-READ_FOR_A_TITLE:]]
        features = [statement.feature for statement in newest]
        named = title_for(kind, [statement.text for statement in newest], features=features, avoid=taken, language="en")
        taken.append(named.title)
        yield Group(kind, named.title, named.summary, members)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=ROOT / "var/models", help="folder of the encoder's graph")
    parser.add_argument("--json", type=Path, help="write the titles to this file")
    arguments, _ = parser.parse_known_args()
    texts = [row["text"] for row in data_rows("app_reviews")]
    by_kind = read(Encoder(arguments.cache), texts)
    found = [group for kind, said in by_kind.items() for group in groups(kind, said)]
    largest = sorted(found, key=lambda group: -group.people)[:SHOWN]
    for group in largest:
        print(f"{group.people:5} {group.kind.value:18} {group.title:60} {group.named_share:.0%}")
        for said in group.members[:EXAMPLES]:
            print(f"{'':25}{said.quote[:100]!r}")
    if arguments.json:
        rows = [{"people": g.people, "kind": g.kind, "title": g.title, "named": g.named_share} for g in largest]
        arguments.json.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
