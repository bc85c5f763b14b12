"""Fields of requests that the tracking surface has and others have not."""

import json
import re
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from rest_framework import serializers

from feedback_ingest.models import Conversation
from review.agentsight.caller import MOST_NUMBER
from review.models import Feedback
from sources.items import YEARS

MOST_METADATA_CHARACTERS = 256 * 1024
MOST_COMMENT_CHARACTERS = 5_000
MOST_SLUG_CHARACTERS = 50
ENVIRONMENTS = {
    "production": Conversation.Environment.PRODUCTION,
    "prod": Conversation.Environment.PRODUCTION,
    "development": Conversation.Environment.DEVELOPMENT,
    "dev": Conversation.Environment.DEVELOPMENT,
}

# JSON writes NUL as \u0000; a backslash before it belongs to the text.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


def in_years(moment: datetime) -> None:
    """Raise ValidationError for a moment at either end of the calendar, which no time zone could show."""
    if moment.year not in YEARS:
        raise serializers.ValidationError(f"The time must lie in the years {YEARS[0]} to {YEARS[-1]}.")


Line = partial(serializers.CharField, max_length=255, required=False, allow_null=True, allow_blank=True)
Text = partial(serializers.CharField, required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
Moment = partial(
    serializers.DateTimeField, required=False, allow_null=True, default_timezone=UTC, validators=[in_years]
)
Sentiment = partial(serializers.ChoiceField, choices=Feedback.Sentiment.choices)
Comment = partial(Text, max_length=MOST_COMMENT_CHARACTERS)
Slug = partial(Text, max_length=MOST_SLUG_CHARACTERS)


class Json(serializers.JSONField):
    """Any JSON that PostgreSQL can hold, of a bounded size."""

    default_error_messages = {
        "not_storable": "Characters and numbers must be such as can be stored: no NUL, no infinity.",
        "too_large": f"At most {MOST_METADATA_CHARACTERS // 1024} KB.",
    }

    def to_internal_value(self, data: Any) -> Any:
        """Return the value. Raises ValidationError."""
        value = super().to_internal_value(data)
        try:
            written = json.dumps(value, allow_nan=False)
            json.dumps(value, ensure_ascii=False).encode()
        except (ValueError, TypeError):
            self.fail("not_storable")
        if _NUL.search(written):
            self.fail("not_storable")
        if len(written) > MOST_METADATA_CHARACTERS:
            self.fail("too_large")
        return value


class Metadata(Json):
    """A JSON object; null is an empty one. In a form it is JSON text."""

    default_error_messages = {"not_an_object": "Metadata must be an object."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | options))

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object. Raises ValidationError."""
        value = super().to_internal_value(_from_text(data))
        if not isinstance(value, dict):
            self.fail("not_an_object")
        return value


class Environment(serializers.Field[str, Any, str, Any]):
    """An environment by its slug, or a short form of it."""

    default_error_messages = {"unknown": "Unknown environment {slug}. Known: production, development."}

    def to_internal_value(self, data: Any) -> str:
        """Return the environment. Raises ValidationError."""
        known = ENVIRONMENTS.get(data) if isinstance(data, str) else None
        if known is None:
            self.fail("unknown", slug=repr(data)[:60])
        return known

    def to_representation(self, value: str) -> str:
        """Return the slug."""
        return value


class Number(serializers.Field[Any, Any, Any, Any]):
    """The key of a row, as a number or as text; what clients send for none is None."""

    default_error_messages = {"invalid": "A valid integer is required."}

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"required": False, "allow_null": True} | options))

    def to_internal_value(self, data: Any) -> int | None:
        """Return the number, None for an empty text or "None". Raises ValidationError."""
        if data in ("", "None"):
            return None
        key = _key(data)
        if key is None:
            self.fail("invalid")
        return key

    def to_representation(self, value: Any) -> Any:
        """Return the number."""
        return value


class MessageReference(Number):
    """A message by its number or its UUID."""

    default_error_messages = {"invalid": "The number or the UUID of a message is required."}

    def to_internal_value(self, data: Any) -> Any:
        """Return the number or the UUID. Raises ValidationError."""
        try:
            return UUID(data) if isinstance(data, str) and len(data) >= 32 else super().to_internal_value(data)
        except ValueError:
            self.fail("invalid")


def _key(data: Any) -> int | None:
    if isinstance(data, str) and data.isascii() and data.isdecimal() and len(data) < 20:
        data = int(data)
    is_key = isinstance(data, int) and not isinstance(data, bool) and 0 < data <= MOST_NUMBER
    return data if is_key else None


def _from_text(data: Any) -> Any:
    if not isinstance(data, str):
        return data
    try:
        return json.loads(data)
    except ValueError:
        return data
