"""Files that other applications export are recognised, read as they mean them, and read again without repetition."""

import io
import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from feedback_ingest import imports as running
from feedback_ingest import tasks
from feedback_ingest.models import ConversationPart, FeedbackItem
from insights.pipeline.reading import read_threads
from projects.roles import Role
from review.models import GoldenExample
from sources.exports import example_results, feedback_results, shape_of
from sources.files import FileRefused
from sources.files.json_rows import JsonRow, json_rows
from sources.models import FileImport
from sources.reading import look_at
from tests.factories import Member, make_member

TICKET: dict[str, Any] = {
    "id": 35436,
    "url": "https://acme.zendesk.com/api/v2/tickets/35436.json",
    "via": {"channel": "email"},
    "subject": "Export",
    "description": "The export stops after 200 rows.",
    "status": "open",
    "created_at": "2026-03-04T10:00:00Z",
    "requester": {"id": 7, "name": "Jane Doe", "email": "jane@customer.example"},
    "submitter": {"id": 7, "name": "Jane Doe", "email": "jane@customer.example"},
    "comments": [
        {"id": 1, "author_id": 7, "body": "The export stops after 200 rows.", "public": True},
        {"id": 2, "author_id": 9, "body": "We are looking into it.", "public": True},
        {"id": 3, "author_id": 9, "body": "She always complains.", "public": False},
        {"id": 4, "author_id": 7, "html_body": "<p>It <b>still</b> stops.</p>", "public": True},
    ],
}
CONVERSATION: dict[str, Any] = {
    "type": "conversation",
    "id": "c1",
    "created_at": 1772618400,
    "source": {
        "body": "<p>Where is the dark theme?</p>",
        "author": {"type": "user", "id": "u1", "name": "Kim Park", "email": "kim@customer.example"},
    },
    "conversation_parts": {
        "conversation_parts": [
            {"id": "p1", "part_type": "comment", "body": "<p>It is planned.</p>", "author": {"type": "admin"}},
            {"id": "p2", "part_type": "note", "body": "<p>Tell her next week.</p>", "author": {"type": "admin"}},
            {"id": "p3", "part_type": "close", "body": None, "author": {"type": "admin"}},
            {"id": "p4", "part_type": "comment", "body": "Great!", "author": {"type": "user", "id": "u1"}},
        ]
    },
}
SCORES: list[dict[str, Any]] = [
    {"id": "s1", "traceId": "t1", "name": "thumb", "value": 0, "source": "API", "comment": "Wrong price"},
    {"id": "s2", "traceId": "t2", "name": "toxicity", "value": 0.1, "source": "EVAL", "comment": "Not toxic"},
    {"id": "s3", "traceId": "t3", "name": "thumb", "value": 1, "source": "API", "comment": None},
]  # fmt: skip
DATASET: list[dict[str, Any]] = [
    {"id": "d1", "input": {"question": "How do I pay?"}, "expectedOutput": "By card.", "status": "ACTIVE"},
    {"id": "d2", "input": "Old", "expectedOutput": "Gone", "status": "ARCHIVED"},
    {"id": "d3", "input": "Unanswered", "expectedOutput": None, "status": "ACTIVE"},
]
PLAY = (
    "Package Name,App Version Code,App Version Name,Reviewer Language,Device,Review Submit Date and Time,"
    "Review Last Update Date and Time,Star Rating,Review Title,Review Text,Developer Reply Text,Review Link\n"
    "com.acme,12,1.2,de,redfin,2026-03-04T10:00:00Z,2026-03-05T11:00:00Z,2,Schade,Stürzt ständig ab,"
    "Das tut uns leid,https://play.google.com/console/review?reviewId=r1\n"
    "com.acme,12,1.2,en,redfin,2026-03-06T10:00:00Z,2026-03-06T10:00:00Z,5,,,,"
    "https://play.google.com/console/review?reviewId=r2\n"
)
STORE = (
    "Date,Territory,Rating,Title,Review,Reviewer Nickname,Version,Review ID\n"
    "2026-03-04,DE,1,Slow,Takes a minute,kim,1.2,77\n"
)
CANNY = (
    "Title,Details,Author Name,Author Email,Votes,Status,Board,Category,URL,Created\n"
    "Dark theme,My eyes hurt at night,Kim,kim@customer.example,31,open,Features,UI,https://acme.canny.io/p/dark,2026-03-04\n"
)
NOTES = (
    "Note title,Note content,Company name,User name,User email,State,Tags,Created at,Note ID,Source URL\n"
    "Call with Kim,She wants an audit log,Acme,Kim,kim@acme.example,unprocessed,security,2026-03-04,n1,\n"
)


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def console(owner: Member) -> Client:
    client = Client()
    client.force_login(owner.user)
    return client


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_lines(rows: list[Any]) -> bytes:
    return b"\n".join(map(as_json, rows)) + b"\n"


def upload(console: Client, owner: Member, content: bytes, name: str, **fields: str) -> Any:
    files = SimpleUploadedFile(name, content)
    return console.post(f"/p/{owner.project.slug}/sources/add/file/", {"files": files, **fields}, follow=True)


def newest_import() -> FileImport:
    return FileImport.objects.latest("created_at")


def read(console: Client, answer: Any) -> FileImport:
    """Confirm an upload as it stands, and let the worker read it."""
    shown = answer.context["shown"]
    values = {"fingerprint": shown.fingerprint}
    values |= {bound.html_name: bound.value() or "" for bound in [*(shown.form or ()), *shown.layout]}
    console.post(f"{answer.redirect_chain[-1][0]}begin/", values)
    tasks.import_file(str(newest_import().pk))
    return newest_import()


def bring(console: Client, owner: Member, content: bytes, name: str, **fields: str) -> FileImport:
    return read(console, upload(console, owner, content, name, **fields))


def test_zendesk_tickets_become_conversations_in_which_only_customers_count(console: Client, owner: Member) -> None:
    answer = upload(console, owner, as_lines([TICKET]), "tickets.jsonl")
    assert "This looks like an export of Zendesk." in answer.content.decode()
    report = read(console, answer)
    assert (report.status, report.created) == ("done", 1)
    item = FeedbackItem.objects.get()
    assert (item.unique_id, item.author, item.email) == ("35436", "Jane Doe", "jane@customer.example")
    assert item.url == "https://acme.zendesk.com/agent/tickets/35436"
    parts = {part.unique_id: part for part in ConversationPart.objects.all()}
    assert sorted(parts) == ["2", "3", "4"]
    assert parts["4"].body == "It still stops."
    assert parts["3"].metadata == {"internal": True, "role": "agent", "export": "zendesk"}
    [thread] = read_threads(owner.project, [item.pk])
    assert [text.body for text in thread.texts.values()] == [item.body, "It still stops."]


@pytest.mark.parametrize(
    "content",
    [
        as_json({"count": 12, "users": [], "tickets": [TICKET]}),
        as_json([TICKET]),
        json.dumps([TICKET], indent=2).encode(),
    ],
    ids=["object", "list", "indented"],
)
def test_tickets_are_found_in_every_form_of_json(content: bytes) -> None:
    look = look_at(io.BytesIO(content), FileImport.Format.JSON)
    assert (look.application, look.rows) == ("Zendesk", 1)


def test_a_ticket_that_an_agent_opened_for_somebody_is_not_what_a_customer_said() -> None:
    ticket = TICKET | {"submitter": {"id": 9, "name": "Ann", "role": "agent"}, "comments": []}
    [result] = results("zendesk", ticket)
    assert result.item.metadata["role"] == "agent"
    assert result.item.user_id is None


def results(kind: str, *rows: Any) -> list[Any]:
    shape = shape_of(kind)
    assert shape is not None
    numbered = [JsonRow(number, row) for number, row in enumerate(rows, start=1)]
    read_by = example_results if shape.example else feedback_results
    return list(read_by(shape, numbered))


def test_intercom_conversations_keep_notes_apart(console: Client, owner: Member) -> None:
    bring(console, owner, as_json({"type": "conversation.list", "conversations": [CONVERSATION]}), "intercom.json")
    item = FeedbackItem.objects.get()
    assert (item.body, item.user_id) == ("Where is the dark theme?", "u1")
    notes = {part.unique_id: (part.metadata or {}).get("internal", False) for part in ConversationPart.objects.all()}
    assert notes == {"p1": False, "p2": True, "p4": False}
    [thread] = read_threads(owner.project, [item.pk])
    assert [text.body for text in thread.texts.values()] == ["Where is the dark theme?", "Great!"]


def test_uploading_an_export_again_updates_and_repeats_nothing(console: Client, owner: Member) -> None:
    report = bring(console, owner, as_json([TICKET, TICKET | {"id": 2, "comments": []}]), "a.json")
    changed = TICKET | {"description": "The export stops after 300 rows."}
    again = bring(
        console, owner, as_json([changed, TICKET | {"id": 2, "comments": []}]), "b.json", source=str(report.source_id)
    )
    assert (again.created, again.updated, again.unchanged) == (0, 1, 1)


def test_rows_of_an_export_that_cannot_be_taken_are_reported_by_line(console: Client, owner: Member) -> None:
    plain = TICKET | {"comments": []}
    gone, odd = plain | {"id": 8, "status": "deleted"}, plain | {"id": 9, "comments": "none"}
    content = as_lines([plain | {"id": n} for n in range(20, 27)]) + b"{broken\n" + as_lines([gone, odd])
    report = bring(console, owner, content, "tickets.jsonl")
    assert (report.rows_read, report.created, report.rejected) == (10, 8, 2)
    assert report.rejections == [
        {"row": 8, "reason": "The row cannot be read."},
        {"row": 9, "reason": "It is deleted in Zendesk."},
    ]


def test_reading_an_export_goes_on_where_it_stopped(
    console: Client, owner: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "BATCH", 2)
    answer = upload(console, owner, as_lines([TICKET | {"id": n, "comments": []} for n in range(5)]), "t.jsonl")
    values = {"fingerprint": answer.context["shown"].fingerprint}
    console.post(f"{answer.redirect_chain[-1][0]}begin/", values)
    assert running.run_import(newest_import().pk, seconds=0)
    assert newest_import().rows_read == 2
    while running.run_import(newest_import().pk, seconds=0):
        pass
    assert (newest_import().created, newest_import().unchanged) == (5, 0)


@pytest.mark.parametrize(
    ("content", "name", "application"),
    [
        (PLAY.encode("utf-16"), "reviews.csv", "Google Play"),
        (STORE.encode(), "reviews.csv", "App Store"),
        (CANNY.encode(), "posts.csv", "Canny"),
        (NOTES.encode(), "notes.csv", "Productboard"),
    ],
    ids=["googleplay", "appstore", "canny", "productboard"],
)
def test_a_known_table_is_recognised_by_its_headings(
    console: Client, owner: Member, content: bytes, name: str, application: str
) -> None:
    page = upload(console, owner, content, name)
    assert f"This looks like an export of {application}." in page.content.decode()
    report = read(console, page)
    assert report.created == 1
    item = FeedbackItem.objects.get()
    expected: dict[str, dict[str, Any]] = {
        "Google Play": {
            "unique_id": "https://play.google.com/console/review?reviewId=r1",
            "url": "https://play.google.com/console/review?reviewId=r1",
            "body": "Schade\n\nStürzt ständig ab",
            "rating": 2,
        },
        "App Store": {"unique_id": "77", "body": "Slow\n\nTakes a minute", "author": "kim", "rating": 1},
        "Canny": {"email": "kim@customer.example", "unique_id": "https://acme.canny.io/p/dark"},
        "Productboard": {"unique_id": "n1", "body": "Call with Kim\n\nShe wants an audit log"},
    }
    assert {name: getattr(item, name) for name in expected[application]} == expected[application]


def test_a_rating_without_words_is_refused_with_the_reason(console: Client, owner: Member) -> None:
    report = bring(console, owner, PLAY.encode("utf-16"), "reviews.csv")
    assert report.rejections == [{"row": 3, "reason": "The feedback is empty."}]


def test_a_table_of_ones_own_is_not_taken_for_an_export(console: Client, owner: Member) -> None:
    page = upload(console, owner, b"Title,Details\nExport,It stops after 200 rows every time\n", "own.csv")
    assert "This looks like" not in page.content.decode()


@pytest.mark.parametrize("form", ["json", "csv"])
def test_scores_with_a_comment_become_feedback_and_a_models_own_never_count(
    console: Client, owner: Member, form: str
) -> None:
    content = as_json(SCORES) if form == "json" else scores_table()
    report = bring(console, owner, content, f"scores.{form}")
    assert (report.created, report.rejected) == (2, 1)
    assert report.rejections[0]["reason"] == "The score has no comment."
    wrong, judged = FeedbackItem.objects.order_by("unique_id")
    assert (wrong.body, wrong.rating, wrong.metadata["trace"]) == ("Wrong price", 0, "t1")
    threads = read_threads(owner.project, [wrong.pk, judged.pk])
    assert [bool(thread.texts) for thread in threads] == [True, False]


def scores_table() -> bytes:
    rows = [",".join(("id", "traceId", "name", "value", "source", "comment"))]
    rows += [
        ",".join(str(score.get(name) or "") if name != "value" else str(score[name]) for name in rows[0].split(","))
        for score in SCORES
    ]
    return "\n".join(rows).encode()


def test_dataset_items_become_golden_examples_once(console: Client, owner: Member) -> None:
    page = upload(console, owner, as_json(DATASET), "dataset.json")
    shown = page.content.decode()
    assert "become golden examples, not feedback" in shown
    assert "How do I pay?" in shown
    report = read(console, page)
    assert (report.created, report.rejected) == (1, 2)
    assert [refused["reason"] for refused in report.rejections] == [
        "It is archived in Langfuse dataset.",
        "The answer is missing.",
    ]
    example = GoldenExample.objects.get()
    assert (example.original_query, example.golden_response) == ("How do I pay?", "By card.")
    assert FeedbackItem.objects.count() == 0

    changed = [DATASET[0] | {"expectedOutput": "By card or invoice."}]
    again = bring(console, owner, as_json(changed), "dataset.json", source=str(report.source_id))
    assert (again.created, again.updated) == (0, 1)
    assert GoldenExample.objects.get().golden_response == "By card or invoice."


@pytest.mark.parametrize(
    "row",
    [
        {"input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2+2?"}], "ideal": "4"},
        {"item": {"question": "2+2?", "ground_truth": "4"}},
        {"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]},
    ],
    ids=["ideal", "item", "messages"],
)
def test_evaluations_are_read_in_their_three_forms(row: dict[str, Any]) -> None:
    look = look_at(io.BytesIO(as_lines([row])), FileImport.Format.JSON)
    assert look.application == "OpenAI evaluation"
    [result] = results("openai_evaluation", row)
    assert (result.example.question, result.example.answer) == ("2+2?", "4")


def test_who_may_not_manage_examples_may_not_upload_them(project: Any) -> None:
    admin = make_member(project, Role.SOURCE_ADMIN)
    client = Client()
    client.force_login(admin.user)
    answer = upload(client, admin, as_json(DATASET), "dataset.json")
    refused = client.post(f"{answer.redirect_chain[-1][0]}begin/", {"fingerprint": answer.context["shown"].fingerprint})
    assert refused.status_code == 403
    assert newest_import().status == FileImport.Status.MAPPING


def test_the_fields_of_any_other_json_are_mapped_like_columns(console: Client, owner: Member) -> None:
    rows = [
        {"id": 7, "comment": "The map stops loading", "user": {"email": "kim@customer.example"}, "tags": ["a", "b"]},
        {"id": 8, "comment": None, "user": {}, "stars": 2},
    ]
    page = upload(console, owner, as_json(rows), "survey.json")
    assert "user.email" in page.content.decode()
    assert "This looks like" not in page.content.decode()
    report = read(console, page)
    assert (report.created, report.rejections) == (1, [{"row": 2, "reason": "The feedback is empty."}])
    item = FeedbackItem.objects.get()
    assert (item.unique_id, item.email, item.metadata) == ("7", "kim@customer.example", {"tags": "a, b"})


def test_json_without_text_asks_for_the_column(console: Client, owner: Member) -> None:
    page = upload(console, owner, b'[{"city": 1, "size": 2}]', "cities.json").content.decode()
    assert "Choose the column that holds the feedback." in page


@pytest.mark.parametrize(
    "content",
    [
        b'[{"id": 1}, {"id": 2',
        b'[{"id": 1} {"id": 2}]',
        b'{"a": 1,\n"b": [1, 2]}',
        b"hello",
        b"  ",
        b'[{"id": 1}, nul]',
    ],
    ids=["cut", "comma", "no rows", "text", "blank", "word"],
)
def test_what_is_not_whole_json_is_refused(content: bytes) -> None:
    with pytest.raises(FileRefused):
        list(json_rows(io.BytesIO(content)))


def test_a_row_that_is_nested_too_deeply_is_one_refused_row() -> None:
    deep = b'{"a": ' + b"[" * 800 + b"]" * 800 + b"}"
    rows = list(json_rows(io.BytesIO(deep + b"\n" + as_json({"id": 1}) + b"\n")))
    assert rows == [JsonRow(1, None), JsonRow(2, {"id": 1})]


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_json_in_another_encoding_is_read(mark: str) -> None:
    rows = list(json_rows(io.BytesIO('[{"body": "schön\\u0000 \\ud83d"}]'.encode(mark))))
    assert rows == [JsonRow(1, {"body": "schön \ufffd"})]


class Endless(io.RawIOBase):
    """A file of a size that no machine would hold: it is written while it is read."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.seek(0)

    def _pieces(self, rows: int) -> Iterator[bytes]:
        yield b"["
        for number in range(rows):
            yield (b"," if number else b"") + as_json({"id": number, "body": "x" * 1_000})
        yield b"]"

    def seek(self, offset: int, whence: int = 0) -> int:
        self.content, self.kept = self._pieces(self.rows), b""
        return 0

    def read(self, size: int = -1) -> bytes:
        while len(self.kept) < size and (piece := next(self.content, b"")):
            self.kept += piece
        taken, self.kept = self.kept[:size], self.kept[size:]
        return taken


def test_the_memory_that_json_takes_does_not_grow_with_the_file() -> None:
    tracemalloc.start()
    count = sum(1 for _ in json_rows(cast(BinaryIO, Endless(40_000))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 40_000  # more than 40 MB
    assert peak < 8 * 1024 * 1024


def test_a_column_named_role_makes_nobody_an_agent(console: Client, owner: Member) -> None:
    bring(console, owner, b"comment,name,role\nThe map of the offices is outdated,Kim,agent\n", "own.csv")
    [thread] = read_threads(owner.project, [FeedbackItem.objects.get().pk])
    assert thread.opener_role == "customer"
