"""Suggesting a better answer: a model with read-only tools, within a time, and so many at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection
from django.utils import timezone

from insights.llm.calls import Message
from insights.llm.conversation import Conversation, ToolUsed, Words, converse, converse_streaming
from insights.llm.failures import LlmFailure, Reason
from insights.llm.prompts import prompt
from privacy.redact import Placeholders, RedactedText, join, own_words, redact
from projects.access import require
from projects.models import User
from projects.roles import Permission
from review.models import Feedback, ReviewDraft
from review.services.lookup import lookup_tools, related_examples

# From the moment that somebody asks: waiting for a turn counts.
SECONDS = 60.0
AT_ONCE = 5
ROUNDS = 5
LOOKS_FOR_A_TURN_EVERY = 0.1
QUERY_CHARACTERS = 8_000
ANSWER_CHARACTERS = 16_000
_TURNS = 4107

Answer = TypeVar("Answer")


class SuggestionFailed(Exception):
    """There is no suggestion; the message says why, to the person who asked."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A suggested answer, and what it took."""

    text: str
    tool_calls: int
    milliseconds: int


def suggest_response(feedback: Feedback, *, actor: User) -> Suggestion:
    """Let the model write a better answer and keep it as the actor's draft; the verdict itself does not change.

    Raises DomainError without the permission, SuggestionFailed whenever there is no answer within `SECONDS`.
    """
    require(actor, Permission.MANAGE, feedback.project)
    started = time.monotonic()
    with _turn(started + SECONDS):
        result = _ask(converse, feedback, started)
    return _finish(result, started, feedback, actor)


def stream_suggestion(feedback: Feedback, *, actor: User) -> Iterator[Words | ToolUsed | Suggestion]:
    """Do as `suggest_response` does, and yield what happens as it happens; the suggestion comes last.

    Raises DomainError at once without the permission; SuggestionFailed while it is read.
    """
    require(actor, Permission.MANAGE, feedback.project)
    return _suggesting(feedback, actor)


def _suggesting(feedback: Feedback, actor: User) -> Iterator[Words | ToolUsed | Suggestion]:
    started = time.monotonic()
    with _turn(started + SECONDS):
        for step in _ask(converse_streaming, feedback, started):
            if isinstance(step, Words | ToolUsed):
                yield step
            else:
                yield _finish(step, started, feedback, actor)


def _ask(ask: Callable[..., Answer], feedback: Feedback, started: float) -> Answer:
    """Put the question in one of the two ways: for how it ends, or for all that happens until then."""
    placeholders = Placeholders()
    return ask(
        feedback.project,
        "suggest",
        prompt("suggest.v1"),
        [Message("user", _task(feedback, placeholders))],
        lookup_tools(feedback, placeholders),
        rounds=ROUNDS,
        seconds=started + SECONDS - time.monotonic(),
    )


def _finish(result: Conversation | LlmFailure, started: float, feedback: Feedback, actor: User) -> Suggestion:
    """Keep what the model wrote as the actor's draft. Raises SuggestionFailed where it wrote nothing."""
    if isinstance(result, LlmFailure):
        raise SuggestionFailed(_timeout() if result.reason == Reason.TIMEOUT else result.message)
    if not result.text.strip():
        raise SuggestionFailed("The model gave no answer.")
    suggestion = Suggestion(result.text, result.tool_calls, int((time.monotonic() - started) * 1000))
    _keep(suggestion, feedback, actor)
    return suggestion


@contextmanager
def _turn(deadline: float) -> Iterator[None]:
    """Hold one of the turns that all processes share; the database frees it if this one dies."""
    turn = _free_turn()
    while turn is None:
        if time.monotonic() >= deadline:
            raise SuggestionFailed(_timeout())
        time.sleep(LOOKS_FOR_A_TURN_EVERY)
        turn = _free_turn()
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_TURNS, turn])


def _free_turn() -> int | None:
    with connection.cursor() as cursor:
        for turn in range(AT_ONCE):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_TURNS, turn])
            if cursor.fetchone() == (True,):
                return turn
    return None


def _task(feedback: Feedback, placeholders: Placeholders) -> RedactedText:
    def given(text: str | None, characters: int, otherwise: str) -> RedactedText:
        return redact((text or otherwise)[:characters], placeholders=placeholders).text

    parts = [
        own_words("Question:"),
        given(feedback.original_query, QUERY_CHARACTERS, "(not known)"),
        own_words("Answer that was given:"),
        given(feedback.original_response, ANSWER_CHARACTERS, "(none)"),
        own_words("The user was content. They said:")
        if feedback.sentiment == Feedback.Sentiment.POSITIVE
        else own_words("The user was not content. They said:"),
        given(feedback.words, QUERY_CHARACTERS, "(no reason given)"),
    ]
    for example in related_examples(feedback, feedback.original_query or ""):
        parts += [
            own_words("An approved answer to a similar question, not to be reproduced:"),
            given(example.golden_response, QUERY_CHARACTERS, ""),
        ]
    return join("\n", parts)


def _keep(suggestion: Suggestion, feedback: Feedback, actor: User) -> None:
    ReviewDraft.objects.update_or_create(
        feedback=feedback,
        reviewer=actor,
        defaults={
            "project": feedback.project,
            "suggestion": suggestion.text,
            "tool_calls": suggestion.tool_calls,
            "generation_ms": suggestion.milliseconds,
            "updated_at": timezone.now(),
        },
    )


def _timeout() -> str:
    return f"Timeout after {SECONDS:.0f} seconds"
