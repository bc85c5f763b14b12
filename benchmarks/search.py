"""How well search orders reviews: mean average precision beside words alone and meaning alone."""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from benchmarks.labelled import ROOT, data_rows
from benchmarks.product import report
from insights.local.encoder import Encoder
from insights.local.relevance import Sentence, relevance
from insights.local.sentences import split_sentences

Order = Callable[[str, list[list[Sentence]]], Sequence[float]]


def fused(question: str, texts: list[list[Sentence]]) -> list[float]:
    """Order as the product does."""
    return [found.score if found else 0.0 for found in relevance(question, texts)]


def by_words(question: str, texts: list[list[Sentence]]) -> list[float]:
    """Order by BM25 alone."""
    return fused(question, [[Sentence(each.text, None) for each in text] for text in texts])


def by_meaning(question: str, texts: list[list[Sentence]]) -> list[float]:
    """Order by the sentence most alike."""
    return [max(each.likeness or 0.0 for each in text) for text in texts]


def by_ranks(question: str, texts: list[list[Sentence]]) -> list[float]:
    """Fuse both orders by reciprocal ranks, as search engines do."""
    orders = (np.argsort(np.argsort(-np.array(method(question, texts)))) for method in (by_words, by_meaning))
    return [float(1 / (60 + first) + 1 / (60 + second)) for first, second in zip(*orders, strict=True)]


METHODS: dict[str, Order] = {"ours": fused, "words": by_words, "meaning": by_meaning, "fused by ranks": by_ranks}


def average_precision(scores: Sequence[float], relevant: Sequence[int]) -> float:
    """Return the mean share of relevant texts among those down to each relevant one."""
    ordered = [relevant[at] for at in sorted(range(len(scores)), key=lambda at: -scores[at])]
    found = accumulate(ordered)
    return float(
        np.mean([hits / place for place, (hit, hits) in enumerate(zip(ordered, found, strict=True), 1) if hit])
    )


def read(encoder: Encoder, question: str, bodies: Sequence[str]) -> list[list[Sentence]]:
    """Cut and encode as the product does."""
    asked = encoder.encode([question])[0]
    texts = [[body[each.start : each.end] for each in split_sentences(body)] or [body] for body in bodies]
    return [
        [Sentence(text, float(vector @ asked)) for text, vector in zip(text, encoder.encode(text), strict=True)]
        for text in texts
    ]


def main() -> None:
    """Measure on the labelled questions, each with a pool of judged reviews."""
    encoder = Encoder(ROOT / "var/models")
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    rows: list[dict[str, Any]] = data_rows("is22_search")
    for row in rows:
        texts = read(encoder, row["query"], [doc["text"] for doc in row["docs"]])
        for name, method in METHODS.items():
            scores = method(row["query"], texts)
            found[name].append(average_precision(scores, [doc["rel"] for doc in row["docs"]]))
    figures = {name: round(float(np.mean(values)), 3) for name, values in found.items()}
    report(f"search, mean average precision of {len(rows)} questions", [figures])


if __name__ == "__main__":
    main()
