"""What an agent's model is told: its instructions, the form of the answer, golden examples, and the input."""

import json
from dataclasses import dataclass
from typing import Any

from review.json_schemas import misfits
from review.models import AgentSchema, AgentVersion, GoldenExample
from review.services.retrieval import examples_for

MOST_EXAMPLES = 4
# Some of the nearest have an answer of another form: those of other agents, and of conversations.
CANDIDATES = 12
# Of what else a version may hold, these are the model's own.
SAMPLING = ("top_p", "frequency_penalty", "presence_penalty", "seed", "reasoning_effort")


@dataclass(frozen=True, slots=True)
class Shown:
    """A golden example in a prompt, its answer in the form that the agent answers in."""

    example: GoldenExample
    answer: str


def shown_examples(schema: AgentSchema, question: str) -> list[Shown]:
    """Return the golden examples that are near to a question and whose answers fit the agent's output."""
    near = examples_for(schema.project, question, k=CANDIDATES)
    answers = [(example, _in_form(example.golden_response, schema.output_schema)) for example in near]
    return [Shown(example, answer) for example, answer in answers if answer is not None][:MOST_EXAMPLES]


def request_body(schema: AgentSchema, version: AgentVersion, question: str, shown: list[Shown]) -> dict[str, Any]:
    """Return the chat completion that is asked for, in the words of the caller and of the examples."""
    form = {"name": "answer", "schema": schema.output_schema, "strict": False}
    sampling = {name: version.properties[name] for name in SAMPLING if name in version.properties}
    limit = {"max_completion_tokens": version.max_tokens} if version.max_tokens else {}
    return {
        "model": version.model,
        "messages": _messages(schema, version, question, shown),
        "temperature": version.temperature,
        "response_format": {"type": "json_schema", "json_schema": form},
        **limit,
        **sampling,
    }


def _messages(schema: AgentSchema, version: AgentVersion, question: str, shown: list[Shown]) -> list[dict[str, str]]:
    instructions = [version.instructions] if version.instructions else []
    told = [
        *instructions,
        "The input is JSON that fits this JSON schema:",
        json.dumps(schema.input_schema, ensure_ascii=False),
        "Answer with one JSON object and nothing else. It has to fit this JSON schema:",
        json.dumps(schema.output_schema, ensure_ascii=False),
    ]
    turns = [{"role": "system", "content": "\n\n".join(told)}]
    for each in shown:
        turns.append({"role": "user", "content": each.example.original_query})
        turns.append({"role": "assistant", "content": each.answer})
    return [*turns, {"role": "user", "content": question}]


def _in_form(answer: str, output_schema: dict[str, Any]) -> str | None:
    """Return a golden answer as JSON of the agent's form; prose only where the form is a single text."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        fields = list(output_schema.get("properties", {}).items())
        is_one_text = len(fields) == 1 and isinstance(fields[0][1], dict) and fields[0][1].get("type") == "string"
        value = {fields[0][0]: answer} if is_one_text else None
    if value is None or misfits(value, output_schema):
        return None
    return json.dumps(value, ensure_ascii=False)
