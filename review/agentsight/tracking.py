"""What happens in conversations: messages, actions, clicks and files."""

import base64
import binascii
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.signing import BadSignature
from django.http import HttpResponse
from django.utils.http import content_disposition_header
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from config.errors import DomainError
from feedback_ingest.models import Attachment, Message
from feedback_ingest.services import attachments, tracking
from feedback_ingest.services.tracking import Clicked, Done, Said
from projects.json_bodies import JSONParser
from review.agentsight import representation, serializers
from review.agentsight.caller import TrackingView, caller_of, missing, number
from review.agentsight.conversations import agent_of
from review.agentsight.lookup import named_message, tracked_conversation
from review.models import Feedback

# What browsers show or play without running anything in it; the rest is bytes to them.
SHOWN_AS_THEY_ARE = (
    "image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf", "text/plain", "text/csv",
    "application/json", "audio/mpeg", "audio/ogg", "audio/wav", "video/mp4", "video/webm",
)  # fmt: skip


class Messages(TrackingView):
    """`POST /api/track/`."""

    def post(self, request: Request) -> Response:
        """Store a message."""
        sent = checked(serializers.MessageSent(data=request.data))
        conversation = tracked_conversation(self.caller, sent, agent_of(request))
        said = Said(sent["sender"], sent["content"], sent.get("metadata") or {}, sent.get("timestamp"))
        message, is_first = tracking.track_message(conversation, said)
        told = {"sender": message.sender, "content": message.content, "metadata": message.metadata}
        return stored(representation.tracked(message, conversation) | told, is_first=is_first)


class OneMessage(TrackingView):
    """`GET` and `PATCH /api/track/{id}/`."""

    def get(self, request: Request, pk: str) -> Response:
        """Show a message."""
        return self._show(self._message(pk), request)

    def patch(self, request: Request, pk: str) -> Response:
        """Replace what the client's application attached to a message."""
        sent = checked(serializers.MessageChange(data=request.data))
        message = tracking.change_message_metadata(self._message(pk), sent["metadata"])
        return self._show(message, request)

    def _message(self, pk: str) -> Message:
        return named_message(self.caller, number(pk, "message"))

    def _show(self, message: Message, request: Request) -> Response:
        verdicts = Feedback.objects.current().filter(message=message).defer("search").order_by("pk")
        vote = representation.votes(verdicts).get(message.pk)
        row = representation.message_row(message, vote, request, personal=self.caller.sees_people)
        return Response(row | {"conversation": message.conversation_id})


class Actions(TrackingView):
    """`POST /api/action_logs/`."""

    def post(self, request: Request) -> Response:
        """Store an action that was carried out."""
        sent = checked(serializers.ActionSent(data=request.data))
        conversation = tracked_conversation(self.caller, sent, agent_of(request))
        done = Done(
            name=sent["action_name"],
            metadata=sent.get("metadata") or {},
            at=sent.get("timestamp"),
            started_at=sent.get("started_at"),
            ended_at=sent.get("ended_at"),
            duration_ms=sent.get("duration_ms"),
            tools_used=sent.get("tools_used"),
            response=sent.get("response"),
            error_message=sent.get("error_msg"),
        )
        log, is_first = tracking.track_action(conversation, done)
        told = {**representation.action_log_row(log), "action_name": done.name}
        return stored(representation.tracked(log.message, conversation) | told, is_first=is_first)


class Buttons(TrackingView):
    """`POST /api/buttons/`."""

    def post(self, request: Request) -> Response:
        """Store a click."""
        sent = checked(serializers.ButtonSent(data=request.data))
        conversation = tracked_conversation(self.caller, sent, agent_of(request))
        clicked = Clicked(
            event=sent["button_event"],
            label=sent["label"],
            value=sent["value"],
            metadata=sent.get("metadata") or {},
            at=sent.get("timestamp"),
        )
        button, is_first = tracking.track_button(conversation, clicked)
        told = {**representation.button_row(button), "metadata": button.message.metadata}
        return stored(representation.tracked(button.message, conversation) | told, is_first=is_first)


class Attachments(TrackingView):
    """`POST /api/attachments/`, as JSON with the files in base64, or as a form."""

    parser_classes = [JSONParser, MultiPartParser]

    def post(self, request: Request) -> Response:
        """Store files with a message, or with one of their own."""
        is_form = (request.content_type or "").startswith("multipart/")
        sent, files = _form(request) if is_form else _json(request)
        message = self._carrier(sent)
        conversation = message.conversation if message else tracked_conversation(self.caller, sent, agent_of(request))
        said = Said(sent["sender"], "", sent.get("metadata") or {}, sent.get("timestamp"))
        carrier, rows = attachments.track_attachments(conversation, files, said=said, message=message)
        told = {"attachments": [representation.attachment_row(row, request) for row in rows]}
        return stored(representation.tracked(carrier, conversation) | told, is_first=True)

    def _carrier(self, sent: dict[str, Any]) -> Message | None:
        if not sent.get("message"):
            return None
        message = named_message(self.caller, sent["message"])
        # A published client sends "None" for an id that it does not know.
        names = (None, "", "None", message.conversation.conversation_id)
        if sent.get("conversation") not in (None, message.conversation_id) or sent.get("conversation_id") not in names:
            raise missing("message")
        return message


class AttachmentFile(TrackingView):
    """`GET /api/attachments/{id}/file/`, for who calls, or for who has the link that was signed."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Leave open who calls: the link may say all that is to be known."""
        super(TrackingView, self).initial(request, *args, **kwargs)

    def get(self, request: Request, pk: str) -> HttpResponse:
        """Hand out a file, to be saved and never to be shown as a page of ours."""
        token = request.query_params.get("token")
        attachment = _signed(token, pk) if token is not None else self._reached(request, pk)
        kind = attachment.mime_type if attachment.mime_type in SHOWN_AS_THEY_ARE else "application/octet-stream"
        response = HttpResponse(attachments.read_attachment(attachment), content_type=kind)
        response["Content-Disposition"] = content_disposition_header(True, attachment.filename) or "attachment"
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response["Cache-Control"] = "private, no-store"
        return response

    def _reached(self, request: Request, pk: str) -> Attachment:
        caller = caller_of(request)
        rows = Attachment.objects.filter(pk=number(pk, "attachment"), message__in=caller.messages.order_by())
        attachment = rows.first()
        if attachment is None:
            raise missing("attachment")
        return attachment


def checked(sent: Serializer[Any]) -> dict[str, Any]:
    """Return what a request holds. Raises ValidationError."""
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def stored(body: dict[str, Any], *, is_first: bool) -> Response:
    """Answer that something is stored: now, or already."""
    return Response(body, status=status.HTTP_201_CREATED if is_first else status.HTTP_200_OK)


def _json(request: Request) -> tuple[dict[str, Any], list[attachments.SentFile]]:
    sent = checked(serializers.FilesSent(data=request.data))
    _refuse_many(len(sent["attachments"]))
    files = []
    for file in sent.pop("attachments"):
        try:
            content = base64.b64decode(file["data"], validate=True)
        except (binascii.Error, ValueError):
            raise ValidationError({"attachments": [f"{file['filename'][:100]} is not base64."]}) from None
        files.append(_accepted(file["filename"], file["mime_type"], content))
    return sent, files


def _form(request: Request) -> tuple[dict[str, Any], list[attachments.SentFile]]:
    fields = {name: value for name, value in request.POST.items() if name not in request.FILES}
    sent = checked(serializers.AttachmentsSent(data=fields))
    uploaded: list[UploadedFile[bytes]] = list(request.FILES.values())
    if not uploaded:
        raise ValidationError({"attachments": ["This list may not be empty."]})
    _refuse_many(len(uploaded))
    files = []
    for file in uploaded:
        too_large = (file.size or 0) > attachments.MOST_BYTES
        content = b"" if too_large else file.read()
        if too_large:
            raise ValidationError({"attachments": [f"{file.name} has more than {attachments.MOST_BYTES} bytes."]})
        files.append(_accepted(file.name or "", file.content_type or "application/octet-stream", content))
    return sent, files


def _accepted(filename: str, mime_type: str, content: bytes) -> attachments.SentFile:
    try:
        return attachments.checked(filename, mime_type, content)
    except DomainError as error:
        raise ValidationError({"attachments": [error.message]}) from error


def _refuse_many(files: int) -> None:
    if files > attachments.MOST_FILES:
        raise ValidationError({"attachments": [f"At most {attachments.MOST_FILES} files a message."]})


def _signed(token: str, pk: str) -> Attachment:
    try:
        project, attachment = representation.SIGNER.unsign_object(token, max_age=representation.LINK_SECONDS)
    except (BadSignature, ValueError):
        raise NotAuthenticated("This link is not valid any more.") from None
    row = Attachment.objects.filter(project=project, pk=attachment).first() if str(attachment) == pk else None
    if row is None:
        raise missing("attachment")
    return row
