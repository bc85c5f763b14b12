"""The parts of a chat completion that are read, as any compatible endpoint may send them."""

from typing import Any

from pydantic import BaseModel, Field, ValidationError

from insights.llm.failures import Reason, Unusable
from insights.llm.ledger import Usage


class CalledFunction(BaseModel):
    """A function that the model wants called, with its arguments as JSON."""

    name: str
    arguments: str = "{}"


class ToolCall(BaseModel):
    """One call that the model asks for."""

    id: str = ""
    function: CalledFunction


class ReplyMessage(BaseModel):
    """What the model says."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCall] | None = None


class Choice(BaseModel):
    """One of the answers; only the first is read."""

    message: ReplyMessage
    finish_reason: str | None = None


class TokenCount(BaseModel):
    """What the endpoint counted."""

    prompt_tokens: int = Field(0, ge=0, le=2**31 - 1)
    completion_tokens: int = Field(0, ge=0, le=2**31 - 1)

    def as_usage(self) -> Usage:
        """Return it as it is stored."""
        return Usage(self.prompt_tokens, self.completion_tokens)


class Reply(BaseModel):
    """A chat completion."""

    choices: list[Choice]
    usage: TokenCount | None = None

    @property
    def message(self) -> ReplyMessage:
        """Return what the model said. Raises Unusable when it said nothing, refused or was cut off."""
        if not self.choices:
            raise Unusable
        choice = self.choices[0]
        if choice.message.refusal or choice.finish_reason == "content_filter":
            raise Unusable(Reason.REFUSED)
        if choice.finish_reason == "length":
            raise Unusable
        return choice.message


class Counted(BaseModel):
    """Any answer that says what it took."""

    usage: TokenCount | None = None

    @classmethod
    def of(cls, content: bytes) -> Usage | None:
        """Return what a body says that it took, if it says so."""
        try:
            counted = cls.model_validate_json(content).usage
        except ValidationError:
            return None
        return counted.as_usage() if counted else None


class Embedding(BaseModel):
    """The vector of one of the texts that were sent."""

    index: int
    embedding: list[float]


class Embeddings(BaseModel):
    """The vectors of all texts."""

    data: list[Embedding]


class FunctionPiece(BaseModel):
    """A piece of a call: its name comes first, its arguments bit by bit."""

    name: str | None = None
    arguments: str | None = None


class ToolCallPiece(BaseModel):
    """A piece of the call that has this place among those that the model asks for."""

    index: int = Field(0, ge=0, le=1_000)
    id: str | None = None
    function: FunctionPiece = FunctionPiece()


class Delta(BaseModel):
    """What a chunk adds to an answer."""

    content: str | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallPiece] | None = None


class ChunkChoice(BaseModel):
    """A piece of one of the answers."""

    delta: Delta = Delta()
    finish_reason: str | None = None


class Chunk(BaseModel):
    """A piece of a streamed completion; `raw` is how it came."""

    choices: list[ChunkChoice] = []
    usage: TokenCount | None = None
    raw: dict[str, Any] = {}

    @property
    def words(self) -> str:
        """What it adds to the first answer."""
        return (self.choices[0].delta.content or "") if self.choices else ""

    @property
    def finishes(self) -> bool:
        """Whether it is the last one with words."""
        return bool(self.choices and self.choices[0].finish_reason)

    @property
    def tool_call_pieces(self) -> list[ToolCallPiece]:
        """What it adds to the calls that the model asks for."""
        return (self.choices[0].delta.tool_calls or []) if self.choices else []

    @property
    def refuses(self) -> bool:
        """Whether the model declines to answer."""
        choice = self.choices[0] if self.choices else None
        return choice is not None and (bool(choice.delta.refusal) or choice.finish_reason == "content_filter")

    @property
    def is_cut(self) -> bool:
        """Whether the answer ends here only because it may not be longer."""
        return bool(self.choices and self.choices[0].finish_reason == "length")
