"""Feedback tokens: only an untouched one that was signed here, for a run as it was answered, is ever taken."""

import base64
import hashlib
import json
import random
import string
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core import signing
from django.utils import timezone

from projects.models import Project
from review.models import Run
from review.services.tokens import SALT, mint_token, read_token, run_claimed
from tests.factories import make_project
from tests.review.factories import make_run

MUTATIONS = 100_000
URLSAFE = string.ascii_letters + string.digits + "-_"


def run_of(token: str) -> Run | None:
    claim = read_token(token)
    return run_claimed(claim) if claim else None


def an_unsaved_run() -> Run:
    return Run(id=uuid4(), answer_hash=hashlib.sha256(uuid4().bytes).digest())


@pytest.mark.django_db
def test_a_token_leads_to_its_run_and_stays_the_same(project: Project) -> None:
    run, other = make_run(project), make_run(project)
    assert run_of(mint_token(run)) == run
    assert mint_token(run) == mint_token(Run.objects.get(pk=run.pk))
    assert mint_token(run) != mint_token(other)


def test_a_token_needs_no_escaping_in_an_address_and_holds_no_text() -> None:
    content, signature = mint_token(an_unsaved_run()).split(".")
    assert set(content + signature) <= set(URLSAFE)
    assert len(base64.urlsafe_b64decode(content)) == 16 + 32


@pytest.mark.django_db
def test_a_token_is_bound_to_the_answer_that_was_given(project: Project) -> None:
    run = make_run(project)
    token = mint_token(run)
    Run.objects.filter(pk=run.pk).update(answer="Another answer", answer_hash=hashlib.sha256(b"x").digest())
    assert run_of(token) is None


@pytest.mark.django_db
def test_a_token_of_a_run_that_is_gone_leads_nowhere(project: Project) -> None:
    run = make_run(project)
    token = mint_token(run)
    run.delete()
    assert run_of(token) is None


@pytest.mark.django_db
def test_a_token_expires_only_where_the_operator_says_so(project: Project, settings: Any) -> None:
    token = mint_token(make_run(project, created_at=timezone.now() - timedelta(days=8)))
    assert run_of(token)
    settings.FEEDBACK_TOKEN_DAYS = 9
    assert run_of(token)
    settings.FEEDBACK_TOKEN_DAYS = 7
    assert run_of(token) is None


def test_a_rotated_key_keeps_its_tokens_until_it_is_forgotten(settings: Any) -> None:
    token = mint_token(an_unsaved_run())
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "the next key", [settings.SECRET_KEY]
    assert read_token(token)
    settings.SECRET_KEY_FALLBACKS = []
    assert read_token(token) is None


@pytest.mark.django_db
def test_the_content_of_one_token_with_the_signature_of_another_is_refused(project: Project) -> None:
    ours, theirs = mint_token(make_run(project)), mint_token(make_run(make_project()))
    assert read_token(f"{ours.split('.')[0]}.{theirs.split('.')[1]}") is None


def forgeries(run: Run) -> Iterator[str]:
    """Yield what an attacker who knows the form would try."""
    token = mint_token(run)
    content, signature = token.split(".")
    yield from ("", ".", "..", content, signature, f".{signature}", f"{content}.", f"{token}.", f".{token}")
    yield from (f"{token}=", f"{content}=.{signature}", f"{token}\n", f" {token}", f"{token}\x00", token.swapcase())
    yield from (f"{content}.{content}.{signature}", f"{content}:{signature}", f"{content}․{signature}", token * 2)
    yield from (f"{content}.{signature[::-1]}", f"{signature}.{content}", "é" * 108, "\ud800", "٣" * 108, "x" * 10**6)
    payload = base64.b64encode(json.dumps({"t": 1, "u": 1, "r": str(run.pk)}).encode()).decode()
    yield from (payload, f"{payload}.", f"{payload}.{signature}", f"{payload}.AAAA")
    for header in ({"alg": "none"}, {"alg": "HS256"}, {"alg": "None", "typ": "JWT"}):
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
        yield from (f"{head}.{content}.", f"{head}.{content}.{signature}", f"{head}.{signature}")
    yield from (signing.dumps(content, salt=SALT), signing.TimestampSigner(sep=".", salt=SALT).sign(content))
    yield from (signing.Signer(sep=".").sign(content), signing.Signer(sep=".", salt="review").sign(content))
    yield signing.Signer(sep=".", salt=SALT, key="another key").sign(content)
    yield signing.Signer(sep=".", salt=SALT, algorithm="sha1").sign(content)


def mutations(token: str, others: list[str], chance: random.Random) -> Iterator[str]:
    """Yield every cut, every bit turned, every character changed, then endless mixtures."""
    yield from (token[:end] for end in range(len(token)))
    yield from (token[start:] for start in range(1, len(token)))
    for place, character in enumerate(token):
        before, after = token[:place], token[place + 1 :]
        yield from (before + chr(ord(character) ^ (1 << bit)) + after for bit in range(7))
        yield from (before + wrong + after for wrong in URLSAFE if wrong != character)
    while True:
        letters = list(token)
        for _ in range(chance.randint(1, 6)):
            letters[chance.randrange(len(letters))] = chance.choice(URLSAFE + ".=+/ ~é\x00")
        yield "".join(letters)
        place, other = chance.randrange(1, len(token)), chance.choice(others)
        yield token[:place] + other[place:]
        first, second = sorted(chance.sample(range(len(token)), 2))
        yield token[:first] + token[second:]


def test_none_of_a_hundred_thousand_mutated_tokens_is_taken() -> None:
    chance = random.Random(5)
    run = an_unsaved_run()
    genuine = [mint_token(run), *(mint_token(an_unsaved_run()) for _ in range(20))]
    tried = set(forgeries(run))
    mutated = mutations(genuine[0], genuine[1:], chance)
    while len(tried) < MUTATIONS:
        tried.add(next(mutated))
    taken = [token for token in tried.difference(genuine) if read_token(token)]
    assert taken == []
    claim = read_token(genuine[0])
    assert claim
    assert (claim.run_id, claim.answer_hash) == (UUID(str(run.pk)), run.answer_hash)
