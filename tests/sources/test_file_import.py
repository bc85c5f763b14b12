"""Files and pasted texts become feedback: looked at first, read in batches, resumed after a crash."""

import io
import os
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from feedback_ingest import imports as running
from feedback_ingest import tasks
from feedback_ingest.models import FeedbackItem
from sources import services
from sources.imports import forget_abandoned_uploads
from sources.models import FileImport, Source
from tests.factories import Member

TABLE = """Ticket,Comment,Customer,E-mail,Created,Stars,Plan
T-1,The export stops after 200 rows,Jane Doe,jane@customer.example,2026-03-04,2,Team
T-2,,Joe Bloggs,joe@customer.example,2026-03-05,5,Team
T-3,Love the new calendar,Ann Lee,not an address,31.31.2026,5,Free
T-4,Where is the dark theme?,Kim Park,kim@customer.example,2026-03-06,4,Free
T-5,Searching takes a minute,Lou Reid,lou@customer.example,2026-03-07,1,Team
"""


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def console(owner: Member) -> Client:
    client = Client()
    client.force_login(owner.user)
    return client


def upload(console: Client, owner: Member, content: bytes | str, name: str = "tickets.csv", **fields: str) -> Any:
    content = content.encode() if isinstance(content, str) else content
    files = SimpleUploadedFile(name, content)
    return console.post(f"/p/{owner.project.slug}/sources/add/file/", {"files": files, **fields}, follow=True)


def newest_import() -> FileImport:
    return FileImport.objects.latest("created_at")


def form_of(answer: Any) -> dict[str, str]:
    """What a browser would send for the form of the mapping page as it stands."""
    shown = answer.context["shown"]
    values = {"fingerprint": shown.fingerprint}
    for bound in [*(shown.form or ()), *shown.layout]:
        values[bound.html_name] = bound.value() or ""
    return values


def begin(console: Client, answer: Any, **changes: str) -> Any:
    page = answer.redirect_chain[-1][0]
    return console.post(f"{page}begin/", form_of(answer) | changes, follow=True)


def test_a_table_is_looked_at_confirmed_and_read(console: Client, owner: Member) -> None:
    answer = upload(console, owner, TABLE)
    page = answer.content.decode()
    assert "Nothing is stored yet" in page
    assert "The feedback is empty." in page
    assert FeedbackItem.objects.count() == 0

    progress = begin(console, answer).content.decode()
    assert "You can leave this page" in progress
    tasks.import_file(str(newest_import().pk))

    item = FeedbackItem.objects.get(unique_id="T-1")
    assert (item.body, item.author, item.email) == (
        "The export stops after 200 rows",
        "Jane Doe",
        "jane@customer.example",
    )
    assert item.rating == 2
    assert item.metadata == {"Plan": "Team"}
    report = newest_import()
    assert report.status == FileImport.Status.DONE
    assert (report.rows_read, report.created, report.rejected) == (5, 4, 1)
    assert report.rejections == [{"row": 3, "reason": "The feedback is empty."}]


def test_every_row_is_accounted_for_in_the_report_and_on_the_source(console: Client, owner: Member) -> None:
    begin(console, upload(console, owner, TABLE))
    tasks.import_file(str(newest_import().pk))
    count = newest_import().source.count
    assert count.received == count.used + count.set_aside + count.waiting == 4
    assert count.attempts == newest_import().rows_read == 5


def test_the_report_counts_lost_details_without_keeping_the_words(console: Client, owner: Member) -> None:
    begin(console, upload(console, owner, TABLE))
    tasks.import_file(str(newest_import().pk))
    warnings = newest_import().warnings
    assert warnings["A value is not an e-mail address and is left out."] == 1
    assert not any("not an address" in reason or "31.31" in reason for reason in warnings)


def test_uploading_again_updates_what_changed_and_adds_what_is_new(console: Client, owner: Member) -> None:
    begin(console, upload(console, owner, TABLE))
    tasks.import_file(str(newest_import().pk))
    source = newest_import().source
    again = TABLE.replace("200 rows", "300 rows") + "T-6,An app for tablets?,Ida,ida@customer.example,2026-03-08,,\n"
    begin(console, upload(console, owner, again, source=str(source.pk)))
    tasks.import_file(str(newest_import().pk))
    report = newest_import()
    assert report.source == source
    assert (report.created, report.updated, report.unchanged, report.rejected) == (1, 1, 3, 1)
    assert FeedbackItem.objects.get(unique_id="T-1").body == "The export stops after 300 rows"


def test_the_columns_of_a_table_are_remembered_in_its_source(console: Client, owner: Member) -> None:
    begin(console, upload(console, owner, TABLE), column_6="account")
    source = newest_import().source
    answer = upload(console, owner, TABLE, source=str(source.pk))
    assert "as you confirmed them last time" in answer.content.decode()
    assert form_of(answer)["column_6"] == "account"


def test_the_preview_follows_the_columns_that_are_chosen(console: Client, owner: Member) -> None:
    answer = upload(console, owner, TABLE)
    page = answer.redirect_chain[-1][0]
    fragment = console.post(
        page, form_of(answer) | {"column_1": "", "column_6": "feedback"}, headers={"HX-Request": "true"}
    )
    shown = fragment.content.decode()
    assert "<html" not in shown
    assert [row.item.body for row in fragment.context["shown"].rows] == ["Team", "Team", "Free", "Free", "Team"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"column_1": ""}, "Choose the column that holds the feedback."),
        ({"column_6": "author"}, "cannot both be"),
    ],
)
def test_columns_that_say_nothing_together_are_refused_on_the_page(
    console: Client, owner: Member, changes: dict[str, str], complaint: str
) -> None:
    answer = begin(console, upload(console, owner, TABLE), **changes)
    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert newest_import().status == FileImport.Status.MAPPING


def test_a_line_that_is_no_json_is_shown_as_that(console: Client, owner: Member) -> None:
    answer = upload(console, owner, '{"text": "The export stops", "id": 1}\n{"text": "cut of\n', "rows.jsonl")
    taken, refused = answer.context["shown"].rows
    assert (taken.item.body, refused.reasons) == ("The export stops", ("The row is not a JSON object.",))


def test_dates_that_can_be_read_both_ways_are_asked_about(console: Client, owner: Member) -> None:
    table = "comment,date\nGood,03/04/2026\nBad,05/06/2026\n"
    answer = upload(console, owner, table)
    assert "only you can tell" in answer.content.decode()
    refused = begin(console, answer)
    assert "Say whether the day or the month comes first" in refused.content.decode()
    begin(console, answer, date_order="month_first")
    tasks.import_file(str(newest_import().pk))
    assert FeedbackItem.objects.get(body="Good").created_at.date().isoformat() == "2026-03-04"


def test_dates_without_a_zone_are_in_the_zone_of_the_project(console: Client, owner: Member) -> None:
    owner.project.time_zone = "America/New_York"
    owner.project.save()
    begin(console, upload(console, owner, "comment,date\nGood,2026-03-04 12:00\n"))
    tasks.import_file(str(newest_import().pk))
    assert FeedbackItem.objects.get().created_at.isoformat() == "2026-03-04T17:00:00+00:00"


def test_another_layout_gives_other_columns(console: Client, owner: Member) -> None:
    answer = upload(console, owner, "a;b, with a comma\nc;d, with a comma\n")
    page = answer.redirect_chain[-1][0]
    fragment = console.post(page, form_of(answer) | {"delimiter": ",", "has_header": "no"})
    assert len(fragment.context["shown"].look.headers) == 2
    assert fragment.context["shown"].look.rows == 2


def test_a_conversation_in_a_document_becomes_one_item_with_its_turns(console: Client, owner: Member) -> None:
    from docx import Document

    document = Document()
    for line in ("Agent: How is it going?", "Jane: The export fails.", "Agent: Sorry.", "Jane: Please fix it."):
        document.add_paragraph(line)
    content = io.BytesIO()
    document.save(content)
    answer = upload(console, owner, content.getvalue(), "call.docx")
    assert "A conversation of 4 turns" in answer.content.decode()
    begin(console, answer)
    tasks.import_file(str(newest_import().pk))
    assert FeedbackItem.objects.get().parts.count() == 4


def test_pasted_text_is_shown_in_pieces_and_then_read(console: Client, owner: Member) -> None:
    address = f"/p/{owner.project.slug}/sources/add/text/"
    text = "The export is slow.\n\nI love the calendar."
    preview = console.post(f"{address}preview/", {"text": text}).content.decode()
    assert "2 pieces of feedback" in preview
    too_long = console.post(f"{address}preview/", {"text": "x" * 2_000_001}).content.decode()
    assert "at most 2000000 characters" in too_long
    assert "What you paste is cut into pieces" in console.post(f"{address}preview/", {"text": ""}).content.decode()
    console.post(address, {"text": text, "name": "Interviews"})
    file_import = newest_import()
    assert (file_import.source.name, file_import.source.kind) == ("Interviews", Source.Kind.TEXT)
    tasks.import_file(str(file_import.pk))
    assert set(FeedbackItem.objects.values_list("body", flat=True)) == {"The export is slow.", "I love the calendar."}


def test_pasting_the_same_text_again_adds_nothing(console: Client, owner: Member) -> None:
    address = f"/p/{owner.project.slug}/sources/add/text/"
    console.post(address, {"text": "The export is slow."})
    tasks.import_file(str(newest_import().pk))
    console.post(address, {"text": "The export is slow.", "source": str(newest_import().source_id)})
    tasks.import_file(str(newest_import().pk))
    assert (newest_import().unchanged, FeedbackItem.objects.count()) == (1, 1)


def zip_of(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("notes.pdf", b"%PDF-1.7", "Only CSV, JSON and DOCX files can be read"),
        ("table.csv", b"%PDF-1.7", "This is a PDF"),
        ("table.csv", zip_of("sheet.xml", b"<x/>"), "This is an Excel workbook"),
        ("table.csv", b"", "The file is empty"),
        ("names.csv", b"Ticket,Comment\n", "The file has no rows"),
        ("none.json", b"[]", "The file has no rows"),
        ("blank.json", b"[{}, {}]", "The rows of the file are empty"),
        ("table.csv", b"comment\n" + b'"' + b"a\n" * 600_000, "quotation mark"),
        ("wide.csv", b",".join(b"c%d" % number for number in range(20_000)) + b"\n1\n", "columns"),
        ("letter.docx", b"PK\x03\x04 nothing", "DOCX"),
        ("bomb.docx", zip_of("word/document.xml", b" " * 300_000_000), "far larger than it looks"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_the_reason_and_not_kept(
    console: Client, owner: Member, media: Path, name: str, content: bytes, complaint: str
) -> None:
    before = Source.objects.count()
    began = time.process_time()
    answer = upload(console, owner, content, name)
    assert time.process_time() - began < 15
    assert answer.status_code == 422
    assert complaint in answer.content.decode()
    assert Source.objects.count() == before
    assert not FileImport.objects.exists()
    assert list((media / "uploads").glob("*")) == []


def test_a_file_past_the_limit_is_dropped_while_it_arrives(
    console: Client, owner: Member, media: Path, settings: Any
) -> None:
    settings.UPLOAD_BYTES = 100_000
    answer = upload(console, owner, b"comment\n" + b"too much\n" * 20_000)
    assert answer.status_code == 422
    assert "The file is larger than" in answer.content.decode()
    assert list((media / "uploads").glob("*")) == []


def test_a_request_that_is_too_long_by_its_own_account_is_not_read(
    console: Client, owner: Member, media: Path, settings: Any
) -> None:
    settings.UPLOAD_BYTES = 1_000
    answer = upload(console, owner, b"x" * 2_000_000)
    assert answer.status_code == 413
    assert not (media / "uploads").exists()


def test_an_uploaded_file_is_for_its_owner_alone_and_its_name_tells_nothing(
    console: Client, owner: Member, media: Path
) -> None:
    upload(console, owner, TABLE, "../../etc/passwd.csv")
    stored = media / newest_import().path
    assert stored.parent == media / "uploads"
    assert "passwd" not in stored.name
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    assert stat.S_IMODE(stored.parent.stat().st_mode) == 0o700


def test_the_file_goes_once_it_is_read(
    console: Client, owner: Member, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    begin(console, upload(console, owner, TABLE))
    with django_capture_on_commit_callbacks(execute=True):
        tasks.import_file(str(newest_import().pk))
    assert newest_import().path == ""
    assert list((media / "uploads").glob("*")) == []


def test_a_visitor_without_the_right_uploads_nothing(viewer: Member, media: Path) -> None:
    client = Client()
    client.force_login(viewer.user)
    assert upload(client, viewer, TABLE).status_code == 403
    assert not media.exists()


def test_an_upload_needs_the_token_against_forgery(owner: Member) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner.user)
    assert upload(client, owner, TABLE).status_code == 403
    assert not FileImport.objects.exists()


def test_refused_rows_leave_as_a_table_that_no_spreadsheet_runs(console: Client, owner: Member) -> None:
    answer = upload(console, owner, TABLE)
    begin(console, answer)
    file_import = newest_import()
    FileImport.objects.filter(pk=file_import.pk).update(rejections=[{"row": 3, "reason": "=1+1"}])
    address = f"/p/{owner.project.slug}/sources/{file_import.source_id}/imports/{file_import.pk}/refused.csv"
    table = console.get(address)
    assert table["Content-Disposition"].startswith("attachment")
    assert table.content.decode("utf-8-sig").splitlines() == ["row,reason", "3,'=1+1"]


def make_import(owner: Member, media: Path, rows: int) -> FileImport:
    source = services.add_source(owner.project, Source.Kind.FILE, "Tickets", actor=owner.user)
    (media / "uploads").mkdir(parents=True)
    content = "id,comment\n" + "".join(f"{number},The export fails in case {number}\n" for number in range(rows))
    (media / "uploads" / "table").write_text(content)
    return FileImport.objects.create(
        project=owner.project,
        source=source,
        format=FileImport.Format.CSV,
        filename="tickets.csv",
        path="uploads/table",
        size=len(content),
        mapping={"columns": {"feedback": ["comment"], "unique_id": "id"}},
        status=FileImport.Status.QUEUED,
        rows_total=rows,
    )


def test_a_long_import_gives_way_and_goes_on_where_it_was(owner: Member, media: Path) -> None:
    file_import = make_import(owner, media, 1_200)
    turns = 1
    while running.run_import(file_import.pk, seconds=0):
        turns += 1
    file_import.refresh_from_db()
    assert turns >= 3
    assert (file_import.status, file_import.rows_read, file_import.created) == ("done", 1_200, 1_200)
    assert file_import.unchanged == 0


def test_an_import_that_another_worker_reads_is_left_alone(owner: Member, media: Path) -> None:
    file_import = make_import(owner, media, 10)
    lease = timezone.now() + timedelta(minutes=1)
    FileImport.objects.filter(pk=file_import.pk).update(status="running", lease_until=lease)
    assert running.run_import(file_import.pk) is False
    assert FeedbackItem.objects.count() == 0


def test_an_import_whose_workers_keep_dying_ends_visibly(owner: Member, media: Path) -> None:
    file_import = make_import(owner, media, 10)
    FileImport.objects.filter(pk=file_import.pk).update(
        status="running", lease_until=timezone.now() - timedelta(minutes=1), attempts=running.MAX_ATTEMPTS
    )
    tasks.sweep_imports()
    file_import.refresh_from_db()
    assert file_import.status == FileImport.Status.FAILED
    assert "again and again" in file_import.error


def test_an_import_into_a_source_paused_meanwhile_says_so_and_can_go_on(
    console: Client, owner: Member, media: Path
) -> None:
    file_import = make_import(owner, media, 10)
    services.pause_source(file_import.source, actor=owner.user)
    running.run_import(file_import.pk)
    file_import.refresh_from_db()
    assert (file_import.status, file_import.error) == ("failed", "This source is paused or deleted.")
    services.resume_source(file_import.source, actor=owner.user)
    page = f"/p/{owner.project.slug}/sources/{file_import.source_id}/imports/{file_import.pk}/"
    console.post(f"{page}retry/")
    running.run_import(file_import.pk)
    file_import.refresh_from_db()
    assert (file_import.status, file_import.created) == ("done", 10)


def test_files_that_nobody_went_on_with_are_removed_after_a_week(console: Client, owner: Member, media: Path) -> None:
    upload(console, owner, TABLE)
    path = media / newest_import().path
    assert forget_abandoned_uploads() == 0
    FileImport.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert forget_abandoned_uploads() == 1
    assert not path.exists()
    assert newest_import().status == FileImport.Status.FAILED


WORKER = """
import os, sys
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from django.conf import settings
from django.db import connection
settings.MEDIA_ROOT = __import__("pathlib").Path(sys.argv[2])
connection.settings_dict["NAME"] = sys.argv[3]
from feedback_ingest import imports
imports.LEASE = imports.timedelta(seconds=1)
imports.run_import(__import__("uuid").UUID(sys.argv[1]))
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_loses_and_repeats_nothing(owner: Member, media: Path) -> None:
    from django.db import connection

    rows = 20_000
    file_import = make_import(owner, media, rows)
    command = [sys.executable, "-c", WORKER, str(file_import.pk), str(media), str(connection.settings_dict["NAME"])]
    worker = subprocess.Popen(command, env=os.environ | {"SECRET_KEY": "tests-only-" + "x" * 50})
    wait_until(lambda: FileImport.objects.get(pk=file_import.pk).rows_read > 0)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    broken_off = FileImport.objects.get(pk=file_import.pk)
    assert 0 < broken_off.rows_read < rows
    assert broken_off.rows_read == FeedbackItem.objects.count()

    wait_until(lambda: FileImport.objects.claimable().exists())
    while running.run_import(file_import.pk):
        pass
    file_import.refresh_from_db()
    assert (file_import.status, file_import.created, file_import.unchanged) == ("done", rows, 0)
    assert FeedbackItem.objects.count() == rows == file_import.source.count.received


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
