"""CSV and TSV files become items, whatever program wrote them, and files that attack are refused."""

import csv
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from sources.files import (
    FileRefused,
    Limits,
    Mapping,
    RowResult,
    csv_rows,
    inspect,
    preview,
    restore_cell,
    rows,
    safe_cell,
)
from sources.items import RawItem
from tests.sources.measuring import measure

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
SURVEY = (
    "Feedback,Timestamp,Email,Geolocation\n"
    "Great app but slow,03/15/2026,ann@example.com,US\n"
    '"Crashes, always\nafter the update",2026-03-16 10:30,ben@example.com,DE\n'
)


def table(text: str, encoding: str = "utf-8") -> io.BytesIO:
    return io.BytesIO(text.encode(encoding))


def read(stream: io.BytesIO, mapping: Mapping | None = None, **options: Any) -> list[RowResult]:
    mapping = mapping or inspect(stream, now=NOW).guessed_mapping
    return list(rows(stream, mapping, now=NOW, **options))


def items(stream: io.BytesIO, mapping: Mapping | None = None) -> list[RawItem]:
    results = read(stream, mapping)
    found = [result.item for result in results if result.item is not None]
    assert len(found) == len(results), results
    return found


def months(stream: io.BytesIO, mapping: Mapping | None = None) -> list[int]:
    dates = [item.created_at for item in items(stream, mapping)]
    return [date.month for date in dates if isinstance(date, datetime)]


def refusal(action: Callable[[], object]) -> FileRefused:
    with pytest.raises(FileRefused) as refused:
        action()
    return refused.value


def test_a_survey_export_is_understood_without_help() -> None:
    summary = inspect(table(SURVEY), now=NOW)
    assert (summary.encoding, summary.delimiter, summary.has_header, summary.rows) == ("utf-8", ",", True, 2)
    assert summary.guessed_mapping == Mapping(
        feedback=("Feedback",),
        created_at="Timestamp",
        date_order="month_first",
        email="Email",
        metadata=("Geolocation",),
    )
    first, second = items(table(SURVEY))
    assert first.body == "Great app but slow"
    assert first.created_at == datetime(2026, 3, 15, tzinfo=UTC)
    assert first.email == "ann@example.com"
    assert first.metadata == {"Geolocation": "US"}
    assert first.author is UNSET
    assert second.body == "Crashes, always\nafter the update"
    assert second.created_at == datetime(2026, 3, 16, 10, 30, tzinfo=UTC)


def test_every_field_can_come_from_a_column() -> None:
    text = (
        "ticket id;customer;user id;company;mail;date;stars;link;locale;what;and why;plan\n"
        "T-1;Ann;u7;Acme;ann@example.com;15.03.2026 10:30;4/5;https://example.com/1;de;Slow;Large files;pro\n"
    )
    mapping = Mapping(
        feedback=("what", "and why"),
        unique_id="ticket id",
        author="customer",
        user_id="user id",
        account="company",
        email="mail",
        created_at="date",
        rating="stars",
        url="link",
        language="locale",
        metadata=("plan",),
    )
    [result] = read(table(text), mapping, zone=ZoneInfo("Europe/Berlin"))
    assert result.reasons == ()
    assert result.item == RawItem(
        unique_id="T-1",
        body="Slow\n\nLarge files",
        author="Ann",
        user_id="u7",
        email="ann@example.com",
        created_at=datetime(2026, 3, 15, 9, 30, tzinfo=UTC),
        rating=4.0,
        url="https://example.com/1",
        language="de",
        metadata={"plan": "pro", "account": "Acme"},
    )


def test_a_mapping_is_kept_as_json() -> None:
    mapping = inspect(table(SURVEY), now=NOW).guessed_mapping
    assert msgspec.json.decode(msgspec.json.encode(mapping), type=Mapping) == mapping


def test_the_preview_is_the_beginning_of_the_import() -> None:
    text = "feedback\n" + "".join(f"row number {number} is long enough\n" for number in range(100))
    shown = preview(table(text), Mapping(feedback=("feedback",)), now=NOW)
    assert shown == read(table(text))[:20]
    assert [result.number for result in shown[:3]] == [2, 3, 4]


@pytest.mark.parametrize(
    ("encoding", "header", "body"),
    [
        ("utf-8", "feedback", "Très lent 😀"),
        ("utf-8-sig", "feedback", "Très lent 😀"),
        ("utf-16", "feedback", "Très lent 😀"),
        ("utf-16-le", "feedback", "Très lent et cher"),
        ("utf-16-be", "feedback", "Très lent et cher"),
        ("utf-32", "feedback", "Très lent 😀"),
        ("cp1252", "Kommentar", "Größe des Menüs gefällt mir nicht – “schade”, 5 €"),
        ("cp1252", "Commentaire", "Très lent depuis la mise à jour, ça plante"),
        ("cp1252", "Comentario", "El botón no está, ¿qué pasó?"),
        ("latin-1", "Comentário", "Não consigo fazer o login, por favor ação"),
        ("cp1252", "kommentar", "Appen går ned når jeg åpner den, må fikses"),
        ("cp1250", "komentarz", "Aplikacja działa źle, proszę poprawić błędy"),
        ("cp1250", "opinia", "Příliš žluťoučký kůň úpěl ďábelské ódy"),
        ("cp1251", "отзыв", "Приложение постоянно вылетает после обновления"),
        ("koi8_r", "отзыв", "Приложение постоянно вылетает после обновления"),
        ("cp1253", "feedback", "Η εφαρμογή κολλάει συνέχεια μετά την ενημέρωση"),
        ("cp1254", "yorum", "Uygulama sürekli çöküyor, şifre değiştirme çalışmıyor"),
        ("cp1255", "feedback", "האפליקציה קורסת כל הזמן אחרי העדכון"),
        ("cp1256", "feedback", "التطبيق يتوقف دائما بعد التحديث"),
        ("cp932", "コメント", "アプリが起動しません。早く直してください。"),
        ("euc_jp", "コメント", "アプリが起動しません。早く直してください。"),
        ("gb18030", "反馈", "搜索功能很好用，但是应用程序经常崩溃"),
        ("big5", "意見", "搜尋功能很好用，但是應用程式經常當機"),
        ("cp949", "의견", "앱이 자꾸 멈춰요. 빨리 고쳐 주세요."),
    ],
)
def test_the_encoding_is_found(encoding: str, header: str, body: str) -> None:
    text = f'id;{header}\n1;"{body}"\n'
    summary = inspect(table(text, encoding), now=NOW)
    assert summary.guessed_mapping.feedback == (header,)
    assert [item.body for item in items(table(text, encoding))] == [body]


def test_an_encoding_that_only_shows_at_the_end_of_a_large_file_is_found() -> None:
    text = "id,feedback\n" + "7,all plain so far\n" * 200_00 + "8,Größe gefällt mir nicht\n"
    assert items(table(text, "cp1252"))[-1].body == "Größe gefällt mir nicht"


def test_a_few_damaged_bytes_do_not_turn_a_file_into_another_encoding() -> None:
    data = b"feedback\n" + ("Größe gefällt mir überhaupt nicht\n" * 50).encode() + b"Gr\xc3 broken\n"
    results = read(io.BytesIO(data))
    assert results[0].item is not None
    assert results[0].item.body == "Größe gefällt mir überhaupt nicht"
    assert results[-1].item is not None
    assert results[-1].reasons == ("Some characters could not be read.",)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_although_the_text_contains_the_others(delimiter: str) -> None:
    text = f'id{delimiter}comment\n1{delimiter}"a, b; c | d, e; f"\n2{delimiter}"one\ttwo, three; four"\n'
    assert inspect(table(text), now=NOW).delimiter == delimiter
    assert [item.body for item in items(table(text))] == ["a, b; c | d, e; f", "one\ttwo, three; four"]


def test_a_delimiter_that_the_file_declares_is_believed() -> None:
    text = "sep=;\r\nid;comment\r\n1;Slow, but good\r\n"
    assert [item.body for item in items(table(text))] == ["Slow, but good"]


def test_sentences_without_a_header_are_one_column() -> None:
    text = "I like it, mostly, when it works\nSlow, but fine\nIt lost my data, twice\n"
    summary = inspect(table(text), now=NOW)
    assert (summary.has_header, summary.headers, summary.rows) == (False, ("Column 1",), 3)
    assert [item.body for item in items(table(text))] == text.splitlines()


def test_a_lone_column_is_the_feedback_however_short() -> None:
    assert [item.body for item in items(table("Slow.\nNice!\nSlow.\n"))] == ["Slow.", "Nice!", "Slow."]


def test_a_stray_quotation_mark_in_one_column_is_text() -> None:
    text = 'feedback\n"Great" they said, it is not\nFine otherwise\n'
    assert [item.body for item in items(table(text))] == text.splitlines()[1:]


def test_a_table_without_a_header_gets_numbered_columns() -> None:
    text = "ann@example.com,Great app but slow,4\nben@example.com,It crashes all the time,1\n"
    summary = inspect(table(text), now=NOW)
    assert summary.headers == ("Column 1", "Column 2", "Column 3")
    assert summary.guessed_mapping.feedback == ("Column 2",)
    assert summary.guessed_mapping.email == "Column 1"
    assert [result.number for result in read(table(text))] == [1, 2]


def test_blank_and_repeated_headers_are_told_apart() -> None:
    text = "Comment,,Comment,comment ,Comment (2)\nfirst text,x,second text,third,fourth\n"
    summary = inspect(table(text), now=NOW)
    assert len(set(summary.headers)) == 5
    assert summary.headers[:3] == ("Comment", "Column 2", "Comment (2)")
    [item] = items(table(text), Mapping(feedback=("Comment", "Comment (2)")))
    assert item.body == "first text\n\nsecond text"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ("Bewertung;Kommentar;E-Mail-Adresse;Datum", ("Kommentar", "Bewertung")),
        ("note;avis;courriel;date", ("avis", "note")),
        ("calificación;reseña;correo electrónico;fecha", ("reseña", "calificación")),
        ("評価;コメント;メールアドレス;日付", ("コメント", "評価")),
        ("评分;评论;邮箱;日期", ("评论", "评分")),
    ],
)
def test_headers_are_understood_in_several_languages(headers: str, expected: tuple[str, str]) -> None:
    text = headers + "\n4;Une phrase assez longue;ann@example.com;15.03.2026\n"
    guessed = inspect(table(text), now=NOW).guessed_mapping
    names = headers.split(";")
    assert (guessed.feedback[0], guessed.rating) == expected
    assert (guessed.email, guessed.created_at) == (names[2], names[3])


def test_ragged_rows_are_read_where_nothing_is_lost_and_rejected_where_cells_would_shift() -> None:
    text = "feedback,plan\nshort row\nempty cells behind,pro,,\nan unquoted, comma,pro\n,pro\n\n"
    accepted, trailing, shifted, empty = read(table(text))
    assert accepted.item is not None
    assert accepted.item.metadata is UNSET
    assert trailing.item is not None
    assert (shifted.item, shifted.reasons) == (None, ("The row has 3 cells, the header 2.",))
    assert (empty.item, empty.reasons) == (None, ("The feedback is empty.",))


def test_one_broken_quotation_costs_one_row() -> None:
    text = 'id,feedback\n1,"never closed\n2,fine\n3,"fine, too"\n4,"also fine"\n'
    results = read(table(text))
    assert [(result.number, result.item is None) for result in results] == [
        (2, True),
        (3, False),
        (4, False),
        (5, False),
    ]
    assert results[0].reasons == ("A quotation mark is neither closed nor doubled.",)


def test_a_quotation_mark_that_is_never_closed_refuses_the_file_with_its_line() -> None:
    error = refusal(lambda: inspect(table('id,feedback\n1,fine\n2,"open\n3,lost\n'), now=NOW))
    assert error.code == "unclosed_quote"
    assert "line 3 is not closed" in error.message


def test_nul_characters_are_taken_out() -> None:
    text = "id,feedback\n" + "1,plain text in a row\n" * 50 + "2,with\x00in\n"
    assert items(table(text))[-1].body == "within"


def test_a_value_that_cannot_be_used_is_left_out_with_a_reason_and_the_feedback_stays() -> None:
    text = "feedback,email,date,rating,url\nGood enough,nobody,2031-01-01,many many stars,javascript:alert(1)\n"
    mapping = Mapping(feedback=("feedback",), email="email", created_at="date", rating="rating", url="url")
    [result] = read(table(text), mapping)
    assert result.item is not None
    assert (result.item.email, result.item.created_at, result.item.rating, result.item.url) == (UNSET,) * 4
    assert set(result.reasons) == {
        "“nobody” is not an e-mail address and is left out.",
        "“2031-01-01” is a date in the future; the time of the upload is used.",
        "“javascript:alert(1)” is not a web address and is left out.",
        "“many many stars” is not a rating and is left out.",
    }


def test_what_is_too_long_to_be_stored_is_left_out_and_the_feedback_stays() -> None:
    address = "a" * 60 + "@" + "b" * 200 + ".example"
    text = (
        "id,feedback,author,email,user_id,language\n"
        f"{'i' * 513},Good,{'n' * 257},{address},{'u' * 513},Portuguese (Brazil)\n"
    )
    mapping = Mapping(
        feedback=("feedback",), unique_id="id", author="author", email="email", user_id="user_id", language="language"
    )
    [result] = read(table(text), mapping)
    assert result.item is not None
    assert (result.item.author, result.item.email, result.item.user_id, result.item.language) == (UNSET,) * 4
    assert len(result.item.unique_id) == 32
    assert [reason.partition("” ")[2] for reason in result.reasons] == [
        "is longer than 512 characters and is left out.",
        "is longer than 256 characters and is left out.",
        "is longer than 254 characters and is left out.",
        "is longer than 512 characters and is left out.",
    ]


def test_an_id_that_comes_again_in_the_file_is_told_of() -> None:
    first, again, other = read(table("id,feedback\nT-1,One\nT-1,Two\nT-2,Three\n"))
    assert (first.reasons, other.reasons) == ((), ())
    assert again.reasons == ("“T-1” is the id of an earlier row too, which this one replaces.",)


def test_a_body_beyond_the_limit_is_rejected_alone() -> None:
    text = f"id,feedback\n1,{'x' * 100_001}\n2,{'x' * 100_000}\n"
    too_long, accepted = read(table(text))
    assert (too_long.item, too_long.reasons) == (None, ("The feedback is longer than 100,000 characters.",))
    assert accepted.item is not None


def test_dates_are_read_by_what_the_whole_column_says() -> None:
    text = "feedback,date\nsomething long enough,01/02/2026\nsomething long enough,03/15/2026\n"
    assert months(table(text)) == [1, 3]
    forced = Mapping(feedback=("feedback",), created_at="date", date_order="day_first")
    assert months(table(text), forced) == [2, 3]


def test_dates_that_leave_nothing_open_say_nothing_about_the_next_file() -> None:
    guessed = inspect(table("feedback,date\nsomething long enough,2026-02-01\n"), now=NOW).guessed_mapping
    assert guessed.date_order == "auto"


def test_dates_that_can_be_read_two_ways_are_flagged() -> None:
    summary = inspect(table("feedback,date\nsomething long enough,01/02/2026\n"), now=NOW)
    assert summary.dates is not None
    assert summary.dates.ambiguous
    assert summary.guessed_mapping.date_order == "auto"


def test_the_same_file_has_the_same_ids_and_repeated_rows_stay_apart() -> None:
    text = "feedback,plan\nGreat app,pro\nGreat app,pro\nSlow app,free\n"
    first = [item.unique_id for item in items(table(text))]
    assert len(set(first)) == 3
    assert [item.unique_id for item in items(table(text))] == first
    more = "feedback,plan\nA row above the others,pro\n" + text.split("\n", 1)[1]
    assert [item.unique_id for item in items(table(more))][1:] == first


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        (Mapping(), "no_feedback_column"),
        (Mapping(feedback=("Body",)), "missing_column"),
        (Mapping(feedback=("Feedback",), email="E-mail"), "missing_column"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_before_the_first_row(mapping: Mapping, code: str) -> None:
    assert refusal(lambda: rows(table(SURVEY), mapping)).code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"PK\x03\x04 a workbook", "not_text"),
        (b"%PDF-1.7", "not_text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not_text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "not_text"),
        (b"\x7fELF" + b"\x02\x00\x00\x01" * 400, "not_text"),
    ],
)
def test_what_is_no_table_is_refused_with_advice(data: bytes, code: str) -> None:
    error = refusal(lambda: inspect(io.BytesIO(data)))
    assert error.code == code
    assert error.message.endswith(".")


def test_limits_hold_for_bytes_rows_and_columns() -> None:
    text = "id,feedback\n1,some text\n2,some text\n"
    assert refusal(lambda: inspect(table(text), limits=Limits(file_bytes=20))).status == 413
    assert refusal(lambda: inspect(table(text), limits=Limits(rows=1))).code == "too_many_rows"
    assert refusal(lambda: inspect(table(text), limits=Limits(columns=1))).code == "too_many_columns"
    assert inspect(table(text), limits=Limits(rows=2, columns=2)).rows == 2


def test_a_person_can_overrule_what_is_detected() -> None:
    stream = table("Größe gefällt mir,x\nSchön genug für mich,y\n", "cp437")
    summary = inspect(stream, encoding="cp437", delimiter=",", has_header=False)
    assert (summary.headers, summary.rows) == (("Column 1", "Column 2"), 2)
    assert [item.body for item in items(stream, summary.guessed_mapping)] == [
        "Größe gefällt mir",
        "Schön genug für mich",
    ]
    one_column = inspect(table("a;b\none;two\n"), delimiter="\x1f", has_header=True)
    assert one_column.headers == ("a;b",)


def test_a_chosen_encoding_is_checked_and_lifts_no_limit() -> None:
    unknown = Mapping(feedback=("feedback",), encoding="klingon")
    assert refusal(lambda: rows(table(SURVEY), unknown)).code == "unknown_encoding"
    chosen = Mapping(feedback=("Feedback",), encoding="utf-8")
    assert refusal(lambda: rows(table(SURVEY), chosen, limits=Limits(file_bytes=20))).code == "too_large"


def test_the_stream_stays_open_for_its_owner() -> None:
    stream = table(SURVEY)
    read(stream)
    assert not stream.closed


def unclosed(path: Path) -> None:
    path.write_text('id,feedback\n1,"open\n' + "2,text that goes on and on\n" * 1_800_000)


def wide(path: Path) -> None:
    path.write_text("id,feedback\n" + "a," * 1_000_000 + "\n")


def wide_header(path: Path) -> None:
    path.write_text(",".join(f"c{number}" for number in range(1_000_000)))


def wide_quoted(path: Path) -> None:
    path.write_text('id,feedback\n1,"text"\n' + '"я",' * 1_000_000 + "\n")


def one_line(path: Path) -> None:
    path.write_bytes(b"x" * 50_000_000)


def huge(path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"id,feedback\n" + b"1,hello\n" * 10_000)
        stream.truncate(2_000_000_000)


def many_rows(path: Path) -> None:
    path.write_text("id,feedback\n" + "1,x\n" * 5_000_000)


def quotes(path: Path) -> None:
    path.write_text("id,feedback\n" + '1,"""\n' * 5_000_000)


@pytest.mark.parametrize(
    ("write", "code"),
    [
        (unclosed, "unclosed_quote"),
        (wide, "too_many_columns"),
        (wide_header, "too_many_columns"),
        (wide_quoted, "unclosed_quote"),
        (one_line, "row_too_long"),
        (huge, "too_large"),
        (many_rows, "too_many_rows"),
        (quotes, "too_many_rows"),
    ],
)
def test_a_file_that_attacks_is_refused_fast_and_in_little_memory(
    tmp_path: Path, write: Callable[[Path], None], code: str
) -> None:
    path = tmp_path / "bomb.csv"
    write(path)
    measured = measure(path)
    assert measured.code == code
    assert measured.seconds < 2
    assert measured.megabytes < 100


def test_the_largest_file_is_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    line = '{},ann{}@example.com,15.03.2026 10:30,"' + "Größe gefällt mir nicht. " * 8 + '"\n'
    with path.open("w", encoding="utf-8") as stream:
        stream.write("plan,email,date,feedback\n")
        stream.writelines(line.format(number, number) for number in range(60_000))
    measured = measure(path)
    assert (measured.code, measured.rows) == (None, 60_000)
    assert measured.megabytes < 100


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "＝1", "'=1", '"=1', "\n=1", "  =1", "'"])
def test_a_cell_that_a_spreadsheet_would_run_is_guarded_and_comes_back(cell: str) -> None:
    guarded = safe_cell(cell)
    assert guarded == (cell if cell == "'" else f"'{cell}")
    assert restore_cell(guarded) == cell


@given(st.text(alphabet=st.sampled_from("='+-@\"＝ \t\r\n\u200bab")) | st.text())
def test_every_cell_comes_back_from_an_export(cell: str) -> None:
    assert restore_cell(safe_cell(cell)) == cell


def test_numbers_are_exported_as_numbers_and_nothing_as_an_empty_cell() -> None:
    assert b"".join(csv_rows([["a", "b", "c"], [-1.5, None, True]])) == b"a,b,c\r\n-1.5,,True\r\n"


def test_an_export_streams_and_can_carry_a_byte_order_mark() -> None:
    chunks = list(csv_rows(([f"row {number}", "é"] for number in range(20_000)), byte_order_mark=True))
    assert len(chunks) > 3
    assert max(map(len, chunks)) < 100_000
    lines = b"".join(chunks).decode("utf-8-sig").splitlines()
    assert (lines[0], len(lines)) == ("row 0,é", 20_000)


def test_an_exported_table_is_imported_as_it_was() -> None:
    bodies = ["=SUM(A1)", "-5 stars", "@ann look", "'= quoted", "+1", "plain text"]
    exported = b"".join(csv_rows([["id", "feedback"], *([str(n), body] for n, body in enumerate(bodies))]))
    assert [item.body for item in items(io.BytesIO(exported))] == bodies


WORDS = {
    "utf-8": "abcé😀,;|\"'\n\t x",
    "utf-8-sig": "abcé😀,;|\"'\n\t x",
    "utf-16": "abcé😀,;|\"'\n\t x",
    "cp1252": "abcéèà,;|\"'\n\t x",
    "cp932": "アプリのにはabc,;|\"'\n\t x",
}


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from(sorted(WORDS)), st.sampled_from([",", ";", "\t", "|"]))
def test_a_table_written_by_any_program_is_read_as_it_was(data: st.DataObject, encoding: str, delimiter: str) -> None:
    cell = st.text(alphabet=WORDS[encoding], max_size=30)
    written = data.draw(st.lists(st.tuples(cell, cell), min_size=1, max_size=12))
    lines_end = data.draw(st.sampled_from(["\n", "\r\n"]))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=lines_end)
    writer.writerow(["id", "feedback", "plan"])
    writer.writerows((number, *map(safe_cell, row)) for number, row in enumerate(written))
    mapping = Mapping(feedback=("feedback",), unique_id="id", metadata=("plan",))
    results = read(table(buffer.getvalue(), encoding), mapping)
    assert [result.item and result.item.body for result in results] == [body.strip() or None for body, _plan in written]
    kept = [(result.item.unique_id, result.item.metadata) for result in results if result.item]
    assert kept == [
        (str(number), {"plan": plan.strip()} if plan.strip() else UNSET)
        for number, (body, plan) in enumerate(written)
        if body.strip()
    ]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet='ab,;\t|"\n\r\x00é=', max_size=200).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        summary = inspect(io.BytesIO(data), now=NOW)
        mapping = Mapping(feedback=summary.headers[:1])
        results = read(io.BytesIO(data), mapping)
    except FileRefused:
        return
    assert len(results) == summary.rows
    assert all(result.item is not None or result.reasons for result in results)


@pytest.mark.parametrize("piece", ['"', '""', '","', "=", "a@", "1/", "http://", "\u200b", "'", ",", " ", "★", "+"])
def test_a_cell_of_a_hundred_thousand_hostile_characters_costs_no_time(piece: str) -> None:
    def seconds(length: int) -> float:
        cell = '"' + (piece * length)[:length].replace('"', '""') + '"'
        text = "email,date,rating,url,feedback\n" + ",".join([cell] * 5) + "\n"
        mapping = Mapping(feedback=("feedback",), email="email", created_at="date", rating="rating", url="url")
        began = time.process_time()
        read(table(text), mapping, limits=Limits(record_characters=2_000_000))
        safe_cell(cell)
        return time.process_time() - began

    assert seconds(100_000) < 2
