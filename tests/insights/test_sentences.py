"""Cutting texts: every piece is where it says it is, whatever the text, and long texts take no longer per letter."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.local.sentences import MAX_LENGTH, Sentence, split_clauses, split_sentences


def pieces(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It crashes. It really does!", ["It crashes.", "It really does!"]),
        ("It crashes.It really does!!!Why?", ["It crashes.", "It really does!!!", "Why?"]),
        (
            "Dr. Smith uses v4.2 in the U.S. for 3.50 a day. I like it.",
            ["Dr. Smith uses v4.2 in the U.S. for 3.50 a day.", "I like it."],
        ),
        (
            "See https://a.example/b?c=d!e.f or write to a.b@c.example. Thanks",
            ["See https://a.example/b?c=d!e.f or write to a.b@c.example.", "Thanks"],
        ),
        ("I wait... and wait. Then it stops...Nothing.", ["I wait... and wait.", "Then it stops...", "Nothing."]),
        ("1. First point\n2. Second point\n- third\n• fourth", ["First point", "Second point", "third", "fourth"]),
        ("Kein Ton, z.B. beim Anruf. Schade.", ["Kein Ton, z.B. beim Anruf.", "Schade."]),
        ("我喜欢这个。但是它崩溃了！为什么？", ["我喜欢这个。", "但是它崩溃了！", "为什么？"]),
        ("لماذا؟ لا يعمل.", ["لماذا؟", "لا يعمل."]),
        ("Love it 😍😍! Great 👍", ["Love it 😍😍!", "Great 👍"]),
        ("😡", ["😡"]),
        ("Node.js and example.com work", ["Node.js and example.com work"]),
        (" \n ...!!! \t— ", []),
        ("", []),
    ],
)
def test_a_text_is_cut_where_a_reader_would_cut_it(text: str, expected: list[str]) -> None:
    assert pieces(text) == expected


def test_a_line_that_was_only_wrapped_goes_on() -> None:
    text = "This line of a mail was wrapped by the program at some width and\ngoes on here.\nShort line\nanother"
    assert pieces(text) == [text[:78], "Short line", "another"]


@given(st.text(max_size=600) | st.text(alphabet=". !?\n,;aAbu…。1)(•@/:-", max_size=600))
def test_pieces_are_in_order_apart_and_never_blank(text: str) -> None:
    sentences = split_sentences(text)
    assert all(0 <= sentence.start < sentence.end <= len(text) for sentence in sentences)
    assert all(one.end <= other.start for one, other in pairwise(sentences))
    assert all(piece == piece.strip() != "" for piece in pieces(text))
    assert all(sentence.end - sentence.start <= MAX_LENGTH for sentence in sentences)


@given(st.text(max_size=400))
def test_no_letter_of_the_text_is_lost(text: str) -> None:
    kept = "".join(pieces(text))
    assert [c for c in kept if c.isalpha()] == [c for c in text if c.isalpha()] or any(
        # "a) first" and "b) second" lose the letter that only counts them.
        f"{letter})" in text
        for letter in "abcdefghijklmnopqrstuvwxyz"
    )


def test_a_very_long_sentence_is_cut_at_its_clauses() -> None:
    text = "the list does not load, " * 40
    assert len(pieces(text)) > 2
    assert all(piece.endswith(",") for piece in pieces(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I love the maps but the sync fails.", ["I love the maps", "but the sync fails."]),
        ("J'aime la carte, mais la synchro plante.", ["J'aime la carte", ", mais la synchro plante."]),
        ("Die Suche ist gut, aber der Login geht nicht", ["Die Suche ist gut", ", aber der Login geht nicht"]),
        ("Nothing but trouble", ["Nothing but trouble"]),
    ],
)
def test_praise_and_blame_in_one_sentence_are_two_clauses(text: str, expected: list[str]) -> None:
    clauses = split_clauses(text, Sentence(0, len(text)))
    assert [text[clause.start : clause.end].lstrip(", ") for clause in clauses] == [
        part.lstrip(", ") for part in expected
    ]


@pytest.mark.parametrize(
    "unit",
    ["a", ".", " ", "a.", "a.A", "!", " but ", "•", "\n", "@", ". ", "http://", "a, ", "…", "1. ", "(", "x but y z "],
)
def test_time_grows_no_faster_than_the_text(unit: str) -> None:
    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            for sentence in split_sentences(text):
                split_clauses(text, sentence)
            best = min(best, time.process_time() - began)
        return best

    short, long = seconds(50_000), seconds(200_000)
    # Four times the text: quadratic work would take sixteen times as long.
    assert long < 8 * short + 0.05
