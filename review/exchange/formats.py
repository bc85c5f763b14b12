"""Lines of the JSONL files that models are trained and tested with, as OpenAI documents them."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing is said")
    return text


Said = Annotated[str, AfterValidator(_said)]


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Instruction(_Line):
    """What the model is told before the conversation."""

    role: Literal["system"]
    content: Said


class Asked(_Line):
    """What the user says."""

    role: Literal["user"]
    content: Said


class Answered(_Line):
    """What the model says, or is to say."""

    role: Literal["assistant"]
    content: Said


class Conversation(_Line):
    """The messages before an answer."""

    messages: Annotated[list[Instruction | Asked], Field(min_length=1)]


class ChatLine(_Line):
    """A line for supervised fine-tuning: a conversation that ends with the answer to be learnt."""

    messages: tuple[Asked, Answered] | tuple[Instruction, Asked, Answered]


class PreferenceLine(_Line):
    """A line for preference tuning: one conversation, the answer to prefer, and the one to avoid."""

    input: Conversation
    preferred_output: tuple[Answered]
    non_preferred_output: tuple[Answered]


class EvaluationItem(_Line):
    """A question with its ideal answer, and the checks that graders may use."""

    id: str
    question: Said
    ideal: Said
    checks: list[dict[str, Any]]


class EvaluationLine(_Line):
    """A line of a data source of evaluations."""

    item: EvaluationItem
