"""Pasted text becomes the items a person would make of it."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from sources.files import FileRefused, Limits, Split, guess_split, preview_text, text_items
from sources.items import RawItem, RawPart

CALL = """Discovery call with Acme
14 March 2026

Ann Lee: Hi, thanks for joining.
Ben (Acme): Sure. The export is what hurts us most.
It takes an hour.

Ann Lee: An hour?
Ben (Acme): Yes: every single time.
"""


def items(text: str, split: Split | None = None) -> list[RawItem]:
    return [result.item for result in text_items(text, split=split) if result.item]


def parts(item: RawItem) -> list[RawPart]:
    assert isinstance(item.conversation_parts, list)
    return item.conversation_parts


def turns(text: str) -> list[tuple[str, str]]:
    [item] = items(text)
    assert item.body is UNSET
    return [(str(part.author), str(part.body)) for part in parts(item)]


def test_paragraphs_between_blank_lines_are_items() -> None:
    text = "The search is slow.\nReally slow.\r\n\r\n  \r\nLove the new editor!\n\n\nPlease add dark mode."
    assert guess_split(text) is Split.BLANK_LINES
    assert [item.body for item in items(text)] == [
        "The search is slow.\nReally slow.",
        "Love the new editor!",
        "Please add dark mode.",
    ]


def test_a_sentence_to_a_line_is_an_item_to_a_line() -> None:
    text = "The search is slow.\nLove the new editor!\nPlease add dark mode.\n"
    assert guess_split(text) is Split.LINES
    assert len(items(text)) == 3


def test_list_points_lose_their_marks_and_nothing_else() -> None:
    text = "- The search is slow\n* Love - really - the editor\n3. Add dark mode\n• 5 stars"
    assert guess_split(text) is Split.LINES
    assert [item.body for item in items(text)] == [
        "The search is slow",
        "Love - really - the editor",
        "Add dark mode",
        "5 stars",
    ]


def test_a_wrapped_paragraph_is_kept_as_one() -> None:
    text = "I have used this product for years and\nI would like to say that the search has\nbecome slow lately."
    assert guess_split(text) is Split.WHOLE
    assert [item.body for item in items(text)] == [text]


def test_a_person_can_overrule_the_split() -> None:
    text = "One line.\nAnother line.\n\nA third."
    assert len(items(text, Split.WHOLE)) == 1
    assert len(items(text, Split.LINES)) == 3
    assert len(items(text, Split.BLANK_LINES)) == 2
    assert [item.body for item in items(text, Split.TRANSCRIPT)] == [text]


def test_a_call_is_one_item_with_a_part_for_each_turn() -> None:
    assert guess_split(CALL) is Split.TRANSCRIPT
    [item] = items(CALL)
    assert item.body is UNSET
    assert item.metadata == {"title": "Discovery call with Acme · 14 March 2026"}
    assert turns(CALL) == [
        ("Ann Lee", "Hi, thanks for joining."),
        ("Ben (Acme)", "Sure. The export is what hurts us most.\nIt takes an hour."),
        ("Ann Lee", "An hour?"),
        ("Ben (Acme)", "Yes: every single time."),
    ]
    assert [part.unique_id for part in parts(item)] == [f"{item.unique_id}/{number}" for number in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    "text",
    [
        "Ann (00:12): Hello there\nBen (01:02:03): It crashes\nAnn (01:15): When?",
        "Ann [00:12]: Hello there\nBen [01:02:03]: It crashes\nAnn [01:15]: When?",
        "[00:12] Ann: Hello there\n[01:02:03] Ben: It crashes\n[01:15] Ann: When?",
        "00:12 Ann: Hello there\n01:02:03 Ben: It crashes\n01:15 Ann: When?",
        "Ann 00:12\nHello there\n\nBen 01:02:03\nIt crashes\n\nAnn 01:15\nWhen?",
        "[00:12] Ann\nHello there\n[01:02:03] Ben\nIt crashes\n[01:15] Ann\nWhen?",
        "**Ann** (00:12): Hello there\n**Ben** (01:02:03): It crashes\n**Ann** (01:15): When?",
    ],
)
def test_times_beside_the_speakers_are_kept_apart(text: str) -> None:
    [item] = items(text)
    assert item.conversation_parts == [
        RawPart(unique_id=f"{item.unique_id}/1", author="Ann", body="Hello there", metadata={"clock": "00:12"}),
        RawPart(unique_id=f"{item.unique_id}/2", author="Ben", body="It crashes", metadata={"clock": "01:02:03"}),
        RawPart(unique_id=f"{item.unique_id}/3", author="Ann", body="When?", metadata={"clock": "01:15"}),
    ]


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("agent: hi\ncustomer: it broke\nagent: sorry", {"agent", "customer"}),
        ("Speaker 1: hi\nSpeaker 2: it broke\nSpeaker 1: sorry", {"Speaker 1", "Speaker 2"}),
        ("Q: How is it?\nA: Slow.\nQ: Where?\nA: In search.", {"Q", "A"}),
        ("田中：こんにちは\n佐藤：遅いです\n田中：どこがですか", {"田中", "佐藤"}),
        (
            "Jean de la Tour: Bonjour\nZoë O'Neil: C'est lent\nJean de la Tour: Où ?",
            {"Jean de la Tour", "Zoë O'Neil"},
        ),
    ],
)
def test_speakers_are_known_by_how_they_take_turns(text: str, speakers: set[str]) -> None:
    assert {speaker for speaker, _ in turns(text)} == speakers


@pytest.mark.parametrize(
    "text",
    [
        "Pros: fast\nCons: dear\nPros: small\nCons: loud",
        "Subject: export\nFrom: ann\nSubject: again\nFrom: ben",
        "Name: Ann\nFeedback: slow\n\nName: Ben\nFeedback: nice",
        "See https://example.com\nand http://example.org\nand https://example.net",
        "Ann: nice\nBen: slow\nCarl: dear",
        "I said this before: it is slow and nobody cares\nAnd another thing: it crashes\nFinally: it is dear",
    ],
)
def test_labels_and_sentences_with_colons_are_not_speakers(text: str) -> None:
    assert guess_split(text) is not Split.TRANSCRIPT


def test_the_same_text_has_the_same_ids_and_repeated_pieces_stay_apart() -> None:
    text = "Slow.\n\nNice.\n\nSlow."
    ids = [item.unique_id for item in items(text)]
    assert len(set(ids)) == 3
    assert [item.unique_id for item in items(text)] == ids
    assert [item.unique_id for item in items("New on top.\n\n" + text)][1:] == ids


def test_a_transcript_that_is_pasted_again_has_the_same_ids() -> None:
    assert items(CALL) == items(CALL)


def test_the_preview_is_the_beginning_of_the_import() -> None:
    text = "\n\n".join(f"Thing number {number}." for number in range(50))
    assert preview_text(text) == list(text_items(text))[:20]
    assert [result.number for result in preview_text(text, limit=3)] == [1, 2, 3]


def test_a_piece_beyond_the_limit_is_rejected_alone() -> None:
    too_long, fine = text_items("x" * 100_001 + "\n\nfine")
    assert (too_long.item, too_long.reasons) == (None, ("The text is longer than 100,000 characters.",))
    assert fine.item is not None


def test_what_no_database_stores_is_taken_out() -> None:
    [item] = items("be\x00fore \ud83d after 😀")
    assert item.body == "before \ufffd after 😀"


@pytest.mark.parametrize(
    ("text", "limits", "code"),
    [
        ("", Limits(), "empty"),
        (" \n\t\r\n", Limits(), "empty"),
        ("é" * 11, Limits(file_bytes=20), "too_large"),
        ("a.\n\nb.\n\nc.", Limits(rows=2), "too_many_rows"),
    ],
)
def test_text_beyond_the_limits_is_refused(text: str, limits: Limits, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        text_items(text, limits=limits)
    assert refused.value.code == code


@given(st.text(max_size=300) | st.text(alphabet="Ab: \n-1.[]()", max_size=300))
def test_no_word_of_any_text_is_lost(text: str) -> None:
    try:
        results = list(text_items(text, split=Split.BLANK_LINES))
    except FileRefused:
        return
    kept = "".join("".join(str(result.item.body).split()) for result in results if result.item)
    assert kept == "".join(text.replace("\x00", "").split())


@given(st.text(alphabet="Ab: \n-1.[]()\x00", max_size=300))
def test_any_text_is_cut_or_refused(text: str) -> None:
    with contextlib.suppress(FileRefused):
        list(text_items(text))


@pytest.mark.parametrize(
    "piece", ["a: ", "A:\nB:\n", "[0:00] ", "\n", " ", "- ", "1. ", "A b ", "((", "A 0:00\n", "：", "*"]
)
def test_a_hundred_thousand_hostile_characters_cost_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = "x\n" + piece * (length // len(piece))
        began = time.process_time()
        list(text_items(text))
        return time.process_time() - began

    assert seconds(100_000) < 2
    assert min(seconds(200_000) for _ in range(3)) < 3 * max(min(seconds(100_000) for _ in range(3)), 0.005)
