"""Asking a system under test: a chat-completions endpoint, or an agent's run address."""

import json
import time
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import requests

from config.errors import DomainError
from privacy import egress
from review.rendering import render

CHAT: Final = "/chat/completions"
RUN: Final = "/run"
CONNECT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked: an OpenAI-compatible base address, or one that ends with `/run`.

    An agent's input is the question under the name `field`; a question that is itself a JSON object, as those of
    runs are, is the whole input.
    """

    url: str
    key: str = ""
    model: str = "default"
    field: str = "question"
    seconds: float = 60.0

    @property
    def shown(self) -> str:
        """The address without what may be secret in it."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))[:300]

    @property
    def is_agent(self) -> bool:
        """Whether an agent's run address is asked."""
        return urlsplit(self.url).path.rstrip("/").endswith(RUN)

    @property
    def address(self) -> str:
        """Where requests go."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        if not self.is_agent and not path.endswith(CHAT):
            path += CHAT
        return urlunsplit(parts._replace(path=path))


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an answer, or the problem instead; in how many milliseconds."""

    answer: str
    problem: str
    milliseconds: int


def checked_target(target: Target) -> Target:
    """Return the target with its address tidied. Raises DomainError for an address that is none."""
    parts = urlsplit(target.url.strip())
    if parts.scheme not in egress.SCHEMES or not parts.hostname:
        raise DomainError("The target must be an address that begins with http:// or https://.", code="bad_target")
    return replace(target, url=target.url.strip())


def ask(target: Target, question: str) -> Reply:
    """Send one question, exactly as it is; whatever goes wrong is told in the reply."""
    started = time.monotonic()
    answer, problem = "", ""
    try:
        answer = _answer(target, question)
    except _Unanswered as error:
        problem = str(error)
    except requests.Timeout:
        problem = f"No answer within {target.seconds:g} seconds."
    except (requests.RequestException, egress.EgressRefused):
        problem = "The target could not be reached."
    return Reply(answer, problem, int((time.monotonic() - started) * 1000))


class _Unanswered(Exception):
    """The target answered with something that is no answer."""


def _answer(target: Target, question: str) -> str:
    headers = {"Authorization": f"Bearer {target.key}"} if target.key else {}
    with egress.session(operator=True) as session:
        response = session.post(
            target.address, json=_body(target, question), headers=headers, timeout=(CONNECT_SECONDS, target.seconds)
        )
    if response.status_code != 200:
        raise _Unanswered(f"The target answered with status {response.status_code}.")
    try:
        answer = _answer_in(target, response.json())
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise _Unanswered("The target's reply holds no answer.") from error
    if not answer.strip():
        raise _Unanswered("The target's answer is empty.")
    return answer.replace("\x00", "")


def _body(target: Target, question: str) -> dict[str, Any]:
    if target.is_agent:
        return {"task_input": _input(target, question), "version": "production", "use_cache": "never"}
    return {"model": target.model, "messages": [{"role": "user", "content": question}]}


def _input(target: Target, question: str) -> dict[str, Any]:
    try:
        value = json.loads(question)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {target.field: question}


def _answer_in(target: Target, reply: Any) -> str:
    if target.is_agent:
        return render(reply["task_output"])
    content = reply["choices"][0]["message"]["content"]
    return content if isinstance(content, str) else "".join(str(part["text"]) for part in content)
