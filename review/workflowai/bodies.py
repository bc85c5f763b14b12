"""What the requests about agents and runs may hold."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from review.validation import Storable

MOST_CHARACTERS = 100_000
MOST_MODELS = 5

Name = Annotated[str, Field(min_length=1, max_length=120), Storable]
Id = Annotated[str, Field(max_length=255), Storable]
Environment = Literal["dev", "staging", "production"]


class AgentDraft(BaseModel):
    """An agent with what it takes and gives."""

    id: Annotated[str, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=120)]
    name: Annotated[str, Field(max_length=120)] = ""
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]


class Properties(BaseModel):
    """How an agent is run; what else a caller sets is kept with the version."""

    model_config = ConfigDict(extra="allow")

    model: Name | None = None
    instructions: Annotated[str, Field(max_length=MOST_CHARACTERS)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class VersionDraft(BaseModel):
    """A version to be made."""

    properties: Properties


class Deployment(BaseModel):
    """Where a version is to answer; without a schema, for the agent's latest."""

    environment: Environment
    schema_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


Version = Annotated[int, Field(ge=0)] | Annotated[str, Field(max_length=40)] | Properties


class RunRequest(BaseModel):
    """An input to be run; `use_examples` is ours: whether the prompt may hold golden examples."""

    task_input: dict[str, Any]
    version: Version = "production"
    id: Annotated[str, Field(max_length=100)] | None = None
    stream: bool = False
    use_cache: Literal["auto", "always", "never"] = "auto"
    use_fallback: Literal["auto", "never"] | Annotated[list[Name], Field(max_length=MOST_MODELS)] = "auto"
    metadata: dict[str, Any] | None = None
    private_fields: Annotated[frozenset[Id], Field(max_length=100)] | None = None
    conversation_id: Id | None = None
    use_examples: bool = True


class RegisteredRun(BaseModel):
    """A run that was executed elsewhere; `id` is its id there."""

    id: Annotated[str, Field(min_length=1, max_length=255), Storable] | None = None
    task_input: Any
    task_output: dict[str, Any] | str
    schema_id: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    version: Annotated[int, Field(ge=0)] | Annotated[str, Field(max_length=40)] | Properties | None = None
    model: Annotated[str, Field(max_length=120), Storable] = ""
    metadata: dict[str, Any] | None = None
    conversation_id: Id | None = None
    duration_seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    cost_usd: Annotated[Decimal, Field(ge=0, lt=1_000_000)] = Decimal(0)
    created_at: AwareDatetime | None = None


class ChatRequest(BaseModel):
    """A chat completion; what is named here is read, everything else is passed on as it is."""

    messages: Annotated[list[dict[str, Any]], Field(min_length=1, max_length=1_000)]
    model: Annotated[str, Field(max_length=240), Storable] = ""
    stream: bool = False
    agent_id: Annotated[str, Field(max_length=120)] | None = None
    conversation_id: Id | None = None
    metadata: dict[str, Any] | None = None


class AnnotationDraft(BaseModel):
    """What a member notes on a verdict."""

    annotation: Literal["resolved", "incorrect", "correct"]
    comment: Annotated[str, Field(max_length=5_000), Storable] | None = None


class Page(BaseModel):
    """A stretch of a list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 30
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
