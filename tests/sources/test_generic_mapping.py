"""Any JSON becomes feedback by the expressions that a person typed in."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import UNSET

from config.errors import DomainError
from sources.generic_mapping import MAX_ROWS, Mapping, check_mapping, map_rows

SURVEY: dict[str, Any] = {
    "data": {
        "answers": [
            {"id": 7, "text": "Too slow", "who": {"name": "Jane", "mail": "jane@acme.example"}, "at": 1_793_577_600},
            {"id": 8, "text": "Love it", "score": "4/5", "company": "Acme", "plan": "Team"},
        ]
    }
}
MAPPING = Mapping(
    rows="data.answers", unique_id="id", body="text", author="who.name", email="who.mail", created_at="at",
    rating="score", account="company", metadata={"plan": "plan"},
)  # fmt: skip


def test_rows_become_items_field_by_field() -> None:
    (first, second), errors = map_rows(SURVEY, MAPPING)
    assert errors == []
    assert (first.unique_id, first.body, first.author, first.email) == ("7", "Too slow", "Jane", "jane@acme.example")
    assert first.created_at == datetime.fromtimestamp(1_793_577_600, UTC)
    assert (second.rating, second.metadata, second.created_at) == (4.0, {"plan": "Team", "account": "Acme"}, UNSET)


def test_a_row_without_text_or_id_is_named_by_its_number() -> None:
    rows = [{"id": 1, "text": " "}, {"text": "Fine"}, {"id": 3, "text": "Good"}, "no row"]
    items, errors = map_rows(rows, Mapping(unique_id="id", body="text"))
    assert [item.unique_id for item in items] == ["3"]
    assert [(error.number, error.reason) for error in errors] == [
        (1, "The feedback is empty."),
        (2, "The id is missing."),
        (4, "The feedback is empty."),
    ]


def test_rows_without_an_id_get_the_same_one_each_time_and_equal_rows_stay_apart() -> None:
    mapping = Mapping(body="text")
    rows = [{"text": "Nice"}, {"text": "Nice"}, {"text": "Slow"}]
    ids = [item.unique_id for item in map_rows(rows, mapping)[0]]
    assert len(set(ids)) == 3
    assert ids == [item.unique_id for item in map_rows(rows, mapping)[0]]


def test_a_single_object_is_one_row() -> None:
    items, _ = map_rows({"message": "Broken since noon"}, Mapping(body="message"))
    assert [item.body for item in items] == ["Broken since noon"]


def test_nothing_where_the_rows_should_be_is_said() -> None:
    items, errors = map_rows({"data": 1}, Mapping(rows="items", body="text"))
    assert items == []
    assert errors[0].reason == "Nothing is where the rows should be."


def test_an_address_that_is_no_web_address_is_left_out() -> None:
    (item,), _ = map_rows({"text": "Hm", "link": "javascript:alert(1)"}, Mapping(body="text", url="link"))
    assert item.url is UNSET


def test_only_so_many_rows_of_one_payload_are_taken() -> None:
    items, errors = map_rows([{"text": str(number)} for number in range(MAX_ROWS + 5)], Mapping(body="text"))
    assert (len(items), len(errors)) == (MAX_ROWS, 1)


@pytest.mark.parametrize("payload", [None, 3, "text", [], {}, [[1]], {"a": {"b": None}}])
def test_no_payload_makes_it_fail(payload: object) -> None:
    assert map_rows(payload, Mapping(rows="a.b", body="text", unique_id="id"))[0] == []


@pytest.mark.parametrize("expression", ["a[", "a..b", "nothing(@)", "a" * 501])
def test_an_expression_that_cannot_be_read_is_refused(expression: str) -> None:
    with pytest.raises(DomainError, match="not an expression"):
        check_mapping(Mapping(body=expression))


def test_a_mapping_without_the_text_is_incomplete() -> None:
    with pytest.raises(DomainError, match="Say where the text"):
        check_mapping(Mapping(unique_id="id"))
    check_mapping(MAPPING)
