"""Grouping statements: what belongs together, whatever the order; corrections hold; ids stay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from insights.local.clustering import (
    NEW,
    NGRAMS,
    Index,
    Verdict,
    carry_ids,
    char_ngram_vectors,
    neighbours,
    rebuild,
)

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


def unit(vectors: NDArray[np.float64]) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def topics(sizes: list[int], *, seed: int = 0, noise: float = 0.7, dimensions: int = 64) -> tuple[Floats, Labels]:
    """Return vectors around one random direction a topic, in random order, and the topic of each."""
    random = np.random.default_rng(seed)
    truth = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    directions = unit(random.normal(size=(len(sizes), dimensions)))
    return unit(directions[truth] + noise * unit(random.normal(size=(len(truth), dimensions)))), truth


def groups(labels: Labels, rows: NDArray[np.int64] | None = None) -> set[frozenset[int]]:
    names = range(len(labels)) if rows is None else rows.tolist()
    found: dict[int, set[int]] = {}
    for name, label in zip(names, labels.tolist(), strict=True):
        found.setdefault(label, set()).add(name)
    return {frozenset(members) for members in found.values()}


def test_topics_are_found_whatever_their_sizes() -> None:
    vectors, truth = topics([120, 40, 12, 6, 3])
    assert groups(rebuild(vectors)) == groups(truth)


def test_labels_are_numbered_by_the_first_row_of_each_group() -> None:
    vectors, _ = topics([20, 20, 20])
    labels = rebuild(vectors)
    _, first = np.unique(labels, return_index=True)
    assert first.tolist() == sorted(first.tolist())
    assert labels[0] == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_order_of_rows_does_not_matter(seed: int) -> None:
    vectors, _ = topics([30] * 12, noise=1.3)
    order = np.random.default_rng(seed).permutation(len(vectors))
    assert groups(rebuild(vectors[order]), order) == groups(rebuild(vectors))


def test_a_rebuild_of_unchanged_data_changes_nothing() -> None:
    vectors, _ = topics([30] * 12, noise=1.4)
    labels = rebuild(vectors)
    assert np.array_equal(rebuild(vectors, previous=labels), labels)


def test_memberships_stay_when_a_tenth_more_arrives() -> None:
    vectors, _ = topics([44] * 15, noise=1.3)
    size = 600
    before = rebuild(vectors[:size])
    previous = np.concatenate([before, np.full(len(vectors) - size, NEW)])
    after = rebuild(vectors, previous=previous)
    carried = carry_ids([*before.tolist(), *[None] * (len(vectors) - size)], after)
    kept = [carried.keys.get(int(label)) == key for key, label in zip(before.tolist(), after, strict=False)]
    assert np.mean(kept) >= 0.95


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_handful_of_rows_needs_no_special_care(count: int) -> None:
    vectors, _ = topics([2, 1], noise=0.3)
    labels = rebuild(vectors[:count])
    assert len(labels) == count
    assert set(labels.tolist()) == set(range(len(set(labels.tolist()))))


def test_equal_statements_are_one_group_even_when_there_is_nothing_else() -> None:
    vectors = np.repeat(topics([1])[0], 5, axis=0)
    assert rebuild(vectors).tolist() == [0] * 5


def test_the_nearest_are_the_same_along_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, _ = topics([25] * 20, dimensions=200)
    exact, scores = neighbours.nearest(vectors, 5)
    brute = np.argsort(-(vectors @ vectors.T - 3 * np.eye(len(vectors))), axis=1, kind="stable")[:, :5]
    assert np.array_equal(exact, brute)
    monkeypatch.setattr(neighbours, "EXACT_ROWS", 10)
    short, short_scores = neighbours.nearest(vectors, 5)
    shared = [len(set(one) & set(other)) for one, other in zip(exact.tolist(), short.tolist(), strict=True)]
    assert np.mean(shared) > 4.5
    assert np.all(short_scores <= scores + 1e-6)


@st.composite
def corrected(draw: st.DrawFn) -> tuple[Floats, list[list[int]], list[tuple[int, int]], Labels | None]:
    """Draw data with links that do not contradict each other, some rows equal, some groups known."""
    vectors, _ = topics([6] * 4, seed=draw(st.integers(0, 50)), noise=1.0)
    row = st.integers(0, len(vectors) - 1)
    for first, second in draw(st.lists(st.tuples(row, row), max_size=4)):
        vectors[first] = vectors[second]
    together = draw(st.lists(st.lists(row, min_size=2, max_size=4), max_size=3))
    joined = np.arange(len(vectors))
    for rows in together:
        joined[np.isin(joined, joined[rows])] = joined[rows[0]]
    apart = [pair for pair in draw(st.lists(st.tuples(row, row), max_size=6)) if joined[pair[0]] != joined[pair[1]]]
    known = draw(st.none() | st.lists(st.integers(NEW, 3), min_size=len(vectors), max_size=len(vectors)))
    return vectors, together, apart, None if known is None else np.array(known)


@settings(deadline=None, max_examples=60)
@given(corrected())
def test_what_people_joined_and_separated_stays_so(
    case: tuple[Floats, list[list[int]], list[tuple[int, int]], Labels | None],
) -> None:
    vectors, together, apart, previous = case
    labels = rebuild(vectors, previous=previous, must_link=together, cannot_link=apart)
    assert all(len(set(labels[rows].tolist())) == 1 for rows in together)
    assert all(labels[first] != labels[second] for first, second in apart)
    again = rebuild(vectors, previous=labels, must_link=together, cannot_link=apart)
    assert all(again[first] != again[second] for first, second in apart)


def test_links_that_contradict_each_other_are_refused() -> None:
    vectors, _ = topics([5, 5])
    with pytest.raises(ValueError, match="linked and kept apart"):
        rebuild(vectors, must_link=[[0, 1], [1, 2]], cannot_link=[(0, 2)])


def test_groups_keep_the_key_most_of_their_members_had() -> None:
    carried = carry_ids(["a", "a", "a", "b", "b", None], np.array([0, 0, 1, 1, 1, 2]))
    assert carried.keys == {0: "a", 1: "b"}
    assert carried.successors == {}


def test_a_key_whose_members_went_elsewhere_names_its_successor() -> None:
    carried = carry_ids(["a", "a", "a", "b"], np.array([0, 0, 0, 0]))
    assert carried.keys == {0: "a"}
    assert carried.successors == {"b": 0}


def test_a_preferred_key_is_kept_against_the_larger_number() -> None:
    carried = carry_ids(["a", "a", "a", "b"], np.array([0, 0, 0, 0]), preferred={"b"})
    assert carried.keys == {0: "b"}
    assert carried.successors == {"a": 0}


@given(st.lists(st.tuples(st.none() | st.integers(0, 5), st.integers(0, 5)), max_size=60))
def test_every_key_is_given_once_or_has_a_successor(rows: list[tuple[int | None, int]]) -> None:
    previous = [key for key, _ in rows]
    labels = np.array([label for _, label in rows], np.int64)
    carried = carry_ids(previous, labels)
    given_out = list(carried.keys.values())
    assert len(given_out) == len(set(given_out))
    assert set(given_out) | set(carried.successors) == {key for key in previous if key is not None}
    assert set(given_out).isdisjoint(carried.successors)


def test_a_statement_joins_the_group_it_belongs_to_and_founds_one_when_it_belongs_to_none() -> None:
    vectors, truth = topics([30] * 8)
    strangers = truth == 7
    index: Index[int] = Index(vectors.shape[1])
    for label, vector in zip(truth[~strangers][:-20], vectors[~strangers][:-20], strict=True):
        index.add(int(label), vector)
    for label, vector in zip(truth[~strangers][-20:], vectors[~strangers][-20:], strict=True):
        decision = index.assign(vector)
        assert decision.verdict is Verdict.JOIN
        assert decision.candidates[0].key == label
    assert {index.assign(vector).verdict for vector in vectors[strangers]} == {Verdict.NEW}


def test_a_statement_between_two_groups_is_unsure_and_both_are_offered() -> None:
    directions = np.eye(6, dtype=np.float32)
    index: Index[str] = Index(6)
    for name, direction in zip("abcdef", directions, strict=True):
        index.put(name, direction, 20)
    vector = (directions[0] + directions[1] * 0.99 + directions[2] * 0.9).astype(np.float32)
    decision = index.assign(vector / np.linalg.norm(vector))
    assert decision.verdict is Verdict.UNSURE
    assert [candidate.key for candidate in decision.candidates] == ["a", "b", "c"]
    scores = [candidate.score for candidate in decision.candidates]
    assert scores == sorted(scores, reverse=True)


def test_an_empty_index_founds_and_a_group_taken_out_is_not_offered() -> None:
    vector = np.array([1, 0, 0], np.float32)
    index: Index[str] = Index(3)
    assert index.assign(vector).verdict is Verdict.NEW
    index.add("first", vector)
    assert index.assign(vector).candidates[0].key == "first"
    index.put("first", vector, 0)
    assert index.assign(vector).candidates == ()


def test_an_index_loaded_from_means_and_weights_decides_as_the_one_they_were_stored_from() -> None:
    vectors, truth = topics([25] * 30, noise=1.2)
    grown: Index[int] = Index(vectors.shape[1])
    for label, vector in zip(truth[:500], vectors[:500], strict=True):
        grown.add(int(label), vector)
    loaded: Index[int] = Index(vectors.shape[1])
    for label in sorted(set(truth[:500].tolist())):
        loaded.put(label, *grown.mean(label))
    for vector in vectors[500:]:
        one, other = grown.assign(vector), loaded.assign(vector)
        assert one.verdict is other.verdict
        assert one.candidates[0].key == other.candidates[0].key
        assert one.candidates[0].score == pytest.approx(other.candidates[0].score, abs=1e-4)


FRENCH = [
    "L'application plante au démarrage",
    "l'application PLANTE dès le démarrage !",
    "Elle plante au demarrage de l'application",
    "J'aimerais un mode sombre",
    "Un mode sombre serait bien",
    "je voudrais le mode sombre",
    "La synchronisation avec la montre échoue",
    "échec de la synchronisation avec ma montre",
    "synchronisation de la montre impossible",
]


def test_statements_of_other_languages_are_grouped_by_their_letters() -> None:
    labels = rebuild(char_ngram_vectors(FRENCH), measure=NGRAMS)
    assert groups(labels) == {frozenset({0, 1, 2}), frozenset({3, 4, 5}), frozenset({6, 7, 8})}


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
def test_vectors_of_letters_depend_on_the_text_alone(texts: list[str]) -> None:
    together = char_ngram_vectors(texts)
    for text, vector in zip(texts, together, strict=True):
        assert np.array_equal(char_ngram_vectors([text])[0], vector)
        length = float(np.linalg.norm(vector))
        assert length == pytest.approx(1, abs=1e-5) or length == 0


def test_case_and_accents_do_not_count() -> None:
    first, second = char_ngram_vectors(["Déjà VU à l'été", "deja vu a l ete"])
    assert np.array_equal(first, second)
