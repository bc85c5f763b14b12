"""Which examples a question gets: the nearest that are live, within the budget, and never one that tests ask."""

from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.models import Project
from review.models import GoldenExample
from review.services import retrieval, transitions, twins
from review.services.golden import create_example, move_to_split, update_example
from review.services.retrieval import estimated_tokens, examples_for, tokens_of
from tests.factories import Member
from tests.review.factories import make_feedback

RESET = "How do I reset my password?"
RESET_TWIN = "How can I reset my password?"
FORGOT = "I forgot the password, what can I do?"
EXPORT = "Can I export my report as a PDF file?"
EVALUATION = GoldenExample.Split.EVALUATION


def make_example(member: Member, query: str, answer: str = "Like this.", split: str | None = None) -> GoldenExample:
    return create_example(member.project, actor=member.user, original_query=query, golden_response=answer, split=split)


@pytest.mark.django_db
def test_the_nearest_questions_come_first_and_what_is_far_does_not(reviewer: Member, stranger: Member) -> None:
    far, related, same = (make_example(reviewer, query) for query in (EXPORT, FORGOT, RESET))
    make_example(stranger, RESET)
    found = examples_for(reviewer.project, RESET_TWIN)
    assert found == [same, related]
    assert examples_for(reviewer.project, RESET_TWIN, k=1) == [same]
    assert examples_for(reviewer.project, RESET_TWIN, floor=-1) == [same, related, far]


@pytest.mark.django_db
def test_what_is_off_expired_in_conflict_or_for_tests_is_never_returned(reviewer: Member) -> None:
    example = make_example(reviewer, RESET)
    rows = GoldenExample.objects.filter(pk=example.pk)
    for changes in (
        {"is_active": False},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
        {"attention": "conflict"},
        {"attention": "stale"},
        {"split": EVALUATION},
    ):
        assert examples_for(reviewer.project, RESET) == [example]
        before = {name: getattr(example, name) for name in changes}
        rows.update(**changes)
        assert examples_for(reviewer.project, RESET) == [], changes
        rows.update(**before)
    rows.update(expires_at=timezone.now() + timedelta(hours=1))
    assert examples_for(reviewer.project, RESET) == [example]


@pytest.mark.django_db
def test_an_example_that_is_switched_off_or_whose_feedback_is_deleted_is_gone_at_once(
    project: Project, reviewer: Member
) -> None:
    by_hand = make_example(reviewer, RESET)
    feedback = make_feedback(reviewer.user, project, "positive", query=RESET, answer="Like this.")
    assert len(examples_for(project, RESET)) == 2
    transitions.delete_feedback(feedback, actor=reviewer.user)
    assert examples_for(project, RESET) == [by_hand]
    update_example(by_hand, actor=reviewer.user, is_active=False)
    assert examples_for(project, RESET) == []


@pytest.mark.django_db
def test_a_longer_one_that_breaks_the_budget_makes_room_for_a_shorter_one(reviewer: Member) -> None:
    long, short = make_example(reviewer, RESET, "word " * 400), make_example(reviewer, FORGOT)
    assert examples_for(reviewer.project, RESET, token_budget=tokens_of(long) + tokens_of(short)) == [long, short]
    assert examples_for(reviewer.project, RESET, token_budget=tokens_of(long)) == [long]
    assert examples_for(reviewer.project, RESET, token_budget=tokens_of(long) - 1) == [short]
    assert examples_for(reviewer.project, RESET, token_budget=1) == []


def test_tokens_are_a_quarter_of_ascii_and_every_other_character() -> None:
    assert [estimated_tokens(text) for text in ("", "a", "abcd", "abcde", "パスワード", "ñandú")] == [0, 1, 1, 2, 5, 3]


@pytest.mark.django_db
def test_the_order_does_not_depend_on_the_path_or_the_day(reviewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    twins = [make_example(reviewer, RESET, f"Answer {number}") for number in range(6)]
    GoldenExample.objects.update(attention="")
    first = [example.pk for example in examples_for(reviewer.project, RESET)]
    assert first == sorted(example.pk for example in twins)[:4]
    GoldenExample.objects.filter(pk=first[0]).update(updated_at=timezone.now())
    assert [example.pk for example in examples_for(reviewer.project, RESET)] == first
    monkeypatch.setattr(retrieval, "EXACT_UP_TO", 0)
    assert [example.pk for example in examples_for(reviewer.project, RESET)] == first


@pytest.mark.django_db
def test_without_an_encoder_the_very_same_question_is_found(
    reviewer: Member, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from insights.local.encoder import EncoderUnavailable

    example = make_example(reviewer, RESET)

    def unavailable() -> None:
        raise EncoderUnavailable("altered")

    twins.embedded.cache_clear()
    monkeypatch.setattr(twins, "encoder", unavailable)
    assert examples_for(reviewer.project, RESET) == [example]
    assert examples_for(reviewer.project, RESET_TWIN) == []
    assert "no encoder" in caplog.text


PHRASINGS = [
    "How do I reset my password?",
    "How can I reset my password?",
    "how do i reset my password",
    "How do I reset my password please?",
    "Can I export my report as a PDF file?",
    "Can I export my report as a PDF?",
    "May I export my report as a PDF file?",
    "Where do I see my invoices?",
    "Where can I see my invoices?",
    "Where do I find my invoices?",
]
ACTS = st.lists(
    st.tuples(st.sampled_from(PHRASINGS), st.sampled_from([None, "few_shot", "evaluation", "move"])),
    min_size=2,
    max_size=8,
)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_no_question_of_the_tests_ever_reaches_a_prompt(reviewer: Member, acts: list[tuple[str, str | None]]) -> None:
    """Whatever is written and moved in whatever order: twins and paraphrases stand on one side."""
    GoldenExample.objects.all().delete()
    for query, act in acts:
        if act == "move" and (known := GoldenExample.objects.filter(original_query=query).first()):
            elsewhere = "evaluation" if known.split == "few_shot" else "few_shot"
            move_to_split(known, elsewhere, actor=reviewer.user)
        else:
            make_example(reviewer, query, split=None if act == "move" else act)
    asked = {bytes(example.query_hash) for example in GoldenExample.objects.filter(split=EVALUATION)}
    for phrasing in PHRASINGS:
        for shown in examples_for(reviewer.project, phrasing, k=100, floor=-1.0, token_budget=10**6):
            assert shown.split == "few_shot"
            assert bytes(shown.query_hash) not in asked
    stored = list(GoldenExample.objects.all())
    for one, other in product(stored, stored):
        if one.split != other.split:
            assert similarity(one, other) < twins.TWIN_SIMILARITY


def similarity(one: GoldenExample, other: GoldenExample) -> float:
    return float(np.dot(np.asarray(one.vector), np.asarray(other.vector)))


@pytest.mark.django_db
def test_the_examples_are_served_over_rest(client: Client, reviewer: Member, viewer: Member) -> None:
    near = make_example(reviewer, RESET)
    make_example(reviewer, EXPORT)
    answer = client.get("/api/v1/golden-examples/retrieve/", {"q": RESET_TWIN}, headers=viewer.headers)
    [result] = answer.json()["results"]
    assert (result["id"], result["original_query"], result["split"]) == (str(near.pk), RESET, "few_shot")
    assert answer.json()["tokens"] == tokens_of(near)
    everything = {"q": RESET_TWIN, "k": "5", "floor": "-1", "budget": "4000"}
    assert (
        len(client.get("/api/v1/golden-examples/retrieve/", everything, headers=viewer.headers).json()["results"]) == 2
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [{}, {"q": ""}, {"q": "x", "k": "0"}, {"q": "x", "k": "a"}, {"q": "x", "floor": "2"}, {"q": "x", "budget": "-1"}],
)
def test_a_question_that_cannot_be_is_refused(client: Client, viewer: Member, query: dict[str, str]) -> None:
    answer = client.get("/api/v1/golden-examples/retrieve/", query, headers=viewer.headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")
