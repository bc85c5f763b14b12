"""Files: taken in both ways, checked, kept below the data folder, handed out to be saved and to nobody else."""

import base64
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import TimestampSigner
from django.test import Client

from feedback_ingest.models import Attachment, Conversation, Message
from feedback_ingest.services import attachments
from feedback_ingest.services.attachments import forget_orphans, plain_name
from review.agentsight import representation
from tests.factories import Member
from tests.review.agentsight.factories import PNG, Assistant
from tests.review.factories import make_answer, make_conversation

pytestmark = pytest.mark.django_db
PAGE = b"<html><script>alert(document.cookie)</script></html>"


def file(content: bytes = PNG, filename: str = "a.png", mime_type: str = "image/png") -> dict[str, str]:
    return {"filename": filename, "mime_type": mime_type, "data": base64.b64encode(content).decode()}


def send(assistant: Assistant, *files: dict[str, str], **more: Any) -> Any:
    return assistant.post(
        "attachments/", {"conversation_id": "c-1", "mode": "base64", "attachments": list(files)} | more
    )


def send_form(assistant: Assistant, *files: SimpleUploadedFile, **more: Any) -> Any:
    fields = {"conversation": "None", "sender": "end_user", "mode": "form_data", "metadata": '{"a": 1}'} | more
    fields |= {f"attachment_{index}": each for index, each in enumerate(files)}
    return Client().post("/api/attachments/", fields, headers=assistant.headers)


def fetch(answer: Any, index: int = 0) -> Any:
    url = answer.json()["attachments"][index]["file_url"].removeprefix("http://testserver")
    return Client().get(url)


def test_files_in_base64_are_stored_with_a_message_of_their_own(assistant: Assistant, media: Path) -> None:
    answer = send(assistant, file(), file(b"a,b\n1,2", "table.csv", "text/csv; charset=utf-8"), sender="agent")
    assert answer.status_code == 201
    message = Message.objects.get()
    assert (answer.json()["id"], answer.json()["message_id"]) == (message.pk, str(message.uuid))
    assert (message.sender, message.content) == ("agent", "")
    assert [row["type"] for row in answer.json()["attachments"]] == ["image", "document"]
    assert fetch(answer, 1).content == b"a,b\n1,2"
    stored = [path for path in media.rglob("*") if path.is_file()]
    assert len(stored) == 2
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in stored)


def test_files_of_a_form_are_stored_as_well(assistant: Assistant) -> None:
    message = make_answer(assistant.project)
    answer = send_form(assistant, SimpleUploadedFile("ä b.png", PNG, "image/png"), message=str(message.pk))
    assert answer.status_code == 201
    row = Attachment.objects.get()
    assert (row.message, row.filename, row.size_bytes) == (message, "ä b.png", len(PNG))
    alone = send_form(assistant, SimpleUploadedFile("b.png", PNG, "image/png"), conversation=message.conversation_id)
    assert Message.objects.get(pk=alone.json()["id"]).metadata == {"a": 1}


def test_a_page_comes_back_to_be_saved_and_cannot_run(assistant: Assistant) -> None:
    for name, kind in (("page.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.js", "text/javascript")):
        answer = fetch(send(assistant, file(PAGE, name, kind)))
        assert answer.content == PAGE
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\windows\\system.ini", "system.ini"),
        ("/abs/olute.png", "olute.png"),
        ("..", "attachment"),
        ("a\r\nSet-Cookie: x=1.png", "aSet-Cookie: x=1.png"),
        ("\u202egnp.exe", "gnp.exe"),
        (".htaccess", "htaccess"),
        ('quo"te.png', 'quo"te.png'),
        ("x" * 400 + ".png", "x" * 234 + ".png"),
    ],
)
def test_a_name_is_only_a_name(assistant: Assistant, media: Path, sent: str, kept: str) -> None:
    answer = send(assistant, file(filename=sent))
    assert answer.json()["attachments"][0]["filename"] == plain_name(sent) == kept
    assert [path.parent for path in media.rglob("*") if path.is_file()] == [media / attachments.FOLDER]
    assert "Set-Cookie" not in fetch(answer).headers


@pytest.mark.parametrize(
    ("content", "kind", "why"),
    [
        (PAGE, "image/png", "it is not image/png"),
        (b"plain", "application/pdf", "it is not application/pdf"),
        (b"\x7fELF" + b"\x00" * 60, "image/jpeg", "programs"),
        (b"MZ" + b"\x00" * 60, "text/plain", "programs"),
        (b"x", "application/x-msdownload", "programs"),
        (b"x", "png", "MIME type"),
        (b"x", "text/html\r\nX-Bad: 1", "MIME type"),
        (b"x" * (attachments.MOST_BYTES + 1), "text/plain", "10 MB"),
    ],
)
def test_what_is_too_large_or_not_what_it_says_is_refused(
    assistant: Assistant, media: Path, content: bytes, kind: str, why: str
) -> None:
    answer = send(assistant, file(), file(content, "b.bin", kind))
    assert answer.status_code == 400
    assert why in answer.json()["attachments"][0]
    assert not Attachment.objects.exists()
    assert not [path for path in media.rglob("*") if path.is_file()]


def test_a_form_is_checked_as_strictly(assistant: Assistant) -> None:
    too_large = SimpleUploadedFile("b.txt", b"x" * (attachments.MOST_BYTES + 1), "text/plain")
    assert send_form(assistant, too_large, conversation_id="c-1").status_code == 400
    assert send_form(assistant, SimpleUploadedFile("b.png", PAGE, "image/png"), conversation_id="c").status_code == 400
    assert send_form(assistant, conversation_id="c-1").status_code == 400
    many = [SimpleUploadedFile(f"{number}.png", PNG, "image/png") for number in range(11)]
    assert send_form(assistant, *many, conversation_id="c-1").status_code == 400
    assert send_form(assistant, many[0], conversation_id="c-1", metadata="{not json").status_code == 400
    assert not Attachment.objects.exists()


def test_a_body_that_is_too_large_by_its_own_account_is_not_read(assistant: Assistant, client: Client) -> None:
    answer = client.post(
        "/api/attachments/", b"{}", "application/json", headers=assistant.headers, CONTENT_LENGTH=str(2**40)
    )
    assert (answer.status_code, list(answer.json())) == (413, ["detail"])


def test_what_is_no_file_is_named(assistant: Assistant) -> None:
    broken = file() | {"data": "not base64!"}
    for files in ([], [broken], [{"filename": "a"}], ["text"], "text", None):
        answer = assistant.post("attachments/", {"conversation_id": "c-1", "attachments": files})
        assert answer.status_code == 400, files
    assert not Conversation.objects.exists()


def test_the_none_that_a_client_sends_for_an_unknown_id_means_the_messages_own(assistant: Assistant) -> None:
    message = make_answer(assistant.project)
    answer = send(assistant, file(), message=message.pk, conversation="None", conversation_id="None")
    assert answer.json()["conversation"] == message.conversation_id
    elsewhere = make_conversation(assistant.project)
    assert send(assistant, file(), message=message.pk, conversation=str(elsewhere.pk)).status_code == 404
    assert send(assistant, file(), message=message.pk, conversation_id="other").status_code == 404


def test_only_who_may_gets_a_file(
    assistant: Assistant, sibling: Assistant, foreigner: Assistant, owner: Member, stranger: Member, client: Client
) -> None:
    send(assistant, file())
    path = f"attachments/{Attachment.objects.get().pk}/file/"
    assert assistant.get(path).content == PNG
    assert client.get(f"/api/{path}", headers=owner.headers).content == PNG
    assert client.get(f"/api/{path}").status_code == 401
    assert client.get(f"/api/{path}", headers=stranger.headers).status_code == 404
    assert sibling.get(path).status_code == foreigner.get(path).status_code == 404
    message = Message.objects.get().pk
    for other in (sibling, foreigner):
        assert send(other, file(), message=message, conversation_id=None).status_code == 404


def test_a_link_is_good_for_its_file_and_an_hour(
    assistant: Assistant, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = send(assistant, file(), file())
    first, second = (row["file_url"].removeprefix("http://testserver") for row in answer.json()["attachments"])
    swapped = second.partition("?")[0] + "?" + first.partition("?")[2]
    assert client.get(first).status_code == 200
    assert client.get(swapped).status_code == 404
    assert client.get(first + "x").status_code == 401
    assert client.get(first.partition("?")[0] + "?token=").status_code == 401
    forged = TimestampSigner(salt="another").sign_object([assistant.project.pk, Attachment.objects.first().pk])  # type: ignore[union-attr]
    assert client.get(first.partition("?")[0], {"token": forged}).status_code == 401
    later = time.time() + representation.LINK_SECONDS + 5
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    assert client.get(first).status_code == 401


def test_files_whose_conversation_is_gone_are_deleted(assistant: Assistant, media: Path) -> None:
    send(assistant, file())
    send(assistant, file(), conversation_id="c-2")
    for path in media.rglob("*"):
        os.utime(path, (0, 0))
    assert forget_orphans() == 0
    Conversation.objects.filter(conversation_id="c-1").delete()
    assert forget_orphans() == 1
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1


def test_a_file_that_is_gone_is_said_to_be(assistant: Assistant, media: Path) -> None:
    answer = send(assistant, file())
    for path in media.rglob("*"):
        if path.is_file():
            path.unlink()
    assert fetch(answer).status_code == 410
