"""`POST /api/ingest/`: batches of spans from assistants."""

import json
import zlib
from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import (
    NotAuthenticated,
    ParseError,
    PermissionDenied,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.errors import DomainError
from feedback_ingest import quota
from feedback_ingest.services.spans import SentConversation, store_batch
from projects.models import TrackedAgent
from review.agentsight.caller import AgentKeyAuthentication, TrackingView
from review.agentsight.serializers import BlockSent

CAPABILITIES = ("gzip-ingest",)
MOST_ERRORS = 20
REJECTED = "Some conversations are not valid: nothing of this batch was stored."


class KeyWithoutChallenge(AgentKeyAuthentication):
    """An assistant's key; who has none, or a bad one, is refused with a 403."""

    def authenticate_header(self, request: Request) -> None:  # type: ignore[override]
        """Ask for nothing: this route answers 403, as its clients know it."""


class BatchParser(BaseParser):
    """JSON, as it is or compressed."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the body's JSON. Raises ParseError, and DomainError for a body that grows too large."""
        content: bytes = stream.read()
        encoding = parser_context["request"].headers.get("Content-Encoding", "identity").lower()
        if encoding not in ("identity", "gzip"):
            raise UnsupportedMediaType(encoding, detail="Send JSON as it is, or compressed by gzip.")
        try:
            return json.loads(_unzipped(content) if encoding == "gzip" else content)
        except (ValueError, zlib.error) as error:
            raise ParseError("JSON parse error.") from error


class Ingest(TrackingView):
    """`POST /api/ingest/`."""

    authentication_classes = [KeyWithoutChallenge]
    parser_classes = [BatchParser]

    def post(self, request: Request) -> Response:
        """Store a batch, all of it or nothing; spans that are known are passed over."""
        agent = self.caller.agent
        if agent is None:
            raise NotAuthenticated
        blocks, errors = _blocks(request.data)
        if errors:
            shown = {"detail": REJECTED, "conversations": errors[:MOST_ERRORS], "truncated": len(errors) > MOST_ERRORS}
            return Response(shown, status=status.HTTP_400_BAD_REQUEST)
        spans = sum(len(block.spans) for block in blocks)
        if not quota.take(agent.project_id, spans):
            raise Throttled(wait=1)
        return Response(_answer(agent, blocks, spans), status=status.HTTP_201_CREATED)


class Me(TrackingView):
    """`GET /api/me/`."""

    def get(self, request: Request) -> Response:
        """Tell a key which assistant it belongs to, and what it may do."""
        agent = self.caller.agent
        if agent is None:
            raise PermissionDenied("This is about the key of an agent.")
        dates = {"created_at": agent.created_at, "updated_at": agent.created_at}
        return Response(
            {
                "agent_id": agent.pk,
                "agent_name": agent.name,
                "role": "write",
                "environments": [
                    {"id": 1, "slug": "production", "name": "Production", "is_production": True, **dates},
                    {"id": 2, "slug": "development", "name": "Development", "is_production": False, **dates},
                ],
                "capabilities": CAPABILITIES,
            }
        )


def _answer(agent: TrackedAgent, blocks: list[SentConversation], spans: int) -> dict[str, Any]:
    conversations = store_batch(agent, blocks)
    return {
        "conversations": [{"id": row.pk, "conversation_id": row.conversation_id} for row in conversations],
        "spans": spans,
    }


def _blocks(body: Any) -> tuple[list[SentConversation], list[dict[str, Any]]]:
    """Return the batch's conversations, and what is wrong with those that are not valid. Raises ValidationError."""
    sent = body.get("conversations") if isinstance(body, dict) else None
    if not isinstance(sent, list):
        raise ValidationError({"conversations": ["A list of conversations is required."]})
    blocks, errors = [], []
    for index, block in enumerate(sent):
        read = BlockSent(data=block)
        if read.is_valid():
            blocks.append(read.validated_data)
        else:
            named = block.get("conversation_id") if isinstance(block, dict) else None
            errors.append({"index": index, "conversation_id": named, "errors": read.errors})
    return blocks, errors


def _unzipped(content: bytes) -> bytes:
    """Return what a gzip body holds. Raises DomainError where that is too much for a request."""
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    reader = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    plain = reader.decompress(content, most)
    if reader.unconsumed_tail:
        raise DomainError(f"The request has more than {most // 1024 // 1024} MB.", code="too_large", status=413)
    return plain
