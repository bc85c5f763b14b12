"""What the requests of the feedback surface may hold."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from review.validation import Storable, Text

MOST_CHARACTERS = 100_000

Words = Annotated[str, Field(max_length=5_000), Storable]
Answer = Annotated[str, Field(max_length=MOST_CHARACTERS), Storable]


def _number_as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Submission(BaseModel):
    """A verdict on a saved message, named by its UUID or its number."""

    message_id: Annotated[str, Field(max_length=64), Storable, BeforeValidator(_number_as_text)]
    feedback_type: Literal["positive", "negative"]
    reason: Words | None = None


class Resolution(BaseModel):
    """The right answer; for positive feedback it may be left out."""

    golden_response: Answer | None = None


class Dismissal(BaseModel):
    """Why feedback is set aside."""

    reason: Words | None = None


class SettingsChange(BaseModel):
    """The settings that are to change."""

    auto_approve_positive: bool | None = None
    auto_approve_negative: bool | None = None
    require_reason_positive: bool | None = None
    require_reason_negative: bool | None = None


class Page(BaseModel):
    """A stretch of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=2**31)] = 0
    search: Annotated[str, Field(max_length=500), Storable] | None = None


class FeedbackPage(Page):
    """A stretch of the feedback of a status and a type."""

    status: Text | None = None
    type: Text | None = None


class GoldenPage(Page):
    """A stretch of the golden examples of one origin, in use or not."""

    source_type: Text | None = None
    is_active: bool | None = None


class GoldenDraft(BaseModel):
    """An example written by hand."""

    original_query: Annotated[str, Field(min_length=1, max_length=20_000), Storable]
    golden_response: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), Storable]
    original_response: Answer | None = None


class GoldenChange(BaseModel):
    """What is to change of an example."""

    golden_response: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS), Storable] | None = None
    is_active: bool | None = None
