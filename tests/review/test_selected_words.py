"""The words a user points at are kept by code points, and only where the answer reads so."""

import hashlib
import json
from typing import Any

import pytest
from django.test import Client

from config.errors import DomainError
from projects.models import Project
from review.models import Feedback, FeedbackSpan, Run
from review.services.feedback import Verdict, submit_on_run
from review.services.spans import MOST_SPANS, Span, verified_in_output, verified_spans
from review.services.tokens import mint_token
from tests.review.factories import make_run

# Astral emoji joined by zero-width joiners, CJK, right to left with a mark, and letters with combining accents.
ANSWERS = {
    "emoji": ("Tap 👩‍🚀 twice, then 🇪🇺 and wait.", "🇪🇺"),
    "chinese": ("请在三十天内申请退款。六十天是错的。", "六十天"),
    "arabic": ("يمكنك طلب استرداد المبلغ خلال ٦٠ يومًا.", "٦٠ يومًا"),
    "combining": ("Cafe\u0301 re\u0301sume\u0301 within 60 days", "re\u0301sume\u0301"),
}


def span_of(answer: str, words: str) -> Span:
    start = answer.index(words)
    return Span(start, start + len(words), words)


@pytest.mark.parametrize(("answer", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_words_of_any_script_are_found_by_code_points(answer: str, words: str) -> None:
    span = span_of(answer, words)
    assert verified_spans(answer, [span]) == [span]


@pytest.mark.parametrize(("answer", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_words_that_were_tampered_with_or_moved_are_refused(answer: str, words: str) -> None:
    true = span_of(answer, words)
    false = [
        Span(true.start, true.end, words[::-1] + "!"),
        Span(true.start + 1, true.end + 1, words),
        Span(true.start, true.end - 1, words),
        Span(true.start - len(answer), true.end - len(answer), words),
        Span(true.start, len(answer) + 9, answer[true.start :]),
        Span(true.start, true.start, ""),
    ]
    for span in false:
        with pytest.raises(DomainError, match="not in the answer"):
            verified_spans(answer, [true, span])


def test_offsets_in_the_code_units_of_browsers_are_refused_beyond_an_emoji() -> None:
    answer = "👍 within 60 days"
    units = len("👍 within ".encode("utf-16-le")) // 2
    with pytest.raises(DomainError):
        verified_spans(answer, [Span(units, units + 2, "60")])


def test_places_come_in_the_order_of_the_answer_and_once() -> None:
    answer = "one two one"
    first, second, third = Span(0, 3, "one"), Span(4, 7, "two"), Span(8, 11, "one")
    assert verified_spans(answer, [third, first, second, first]) == [first, second, third]


def test_too_many_places_are_refused() -> None:
    with pytest.raises(DomainError, match="At most"):
        verified_spans("a" * 99, [Span(place, place + 1, "a") for place in range(MOST_SPANS + 1)])


OUTPUT: dict[str, Any] = {"articles": ["Refunds"], "reply": 'Say "refund" 🙂,\nwithin 60 days.', "score": 2}


@pytest.mark.django_db
@pytest.mark.parametrize("words", ['"refund"', "60 days", "🙂,\nwithin"])
def test_words_of_a_text_inside_an_output_are_kept_where_the_stored_answer_has_them(
    project: Project, words: str
) -> None:
    feedback = submit_on_run(
        make_run(project, output=OUTPUT), Verdict("negative", spans=[span_of(OUTPUT["reply"], words)])
    )
    stored = feedback.spans.get()
    kept = (feedback.original_response or "")[stored.start : stored.end]
    assert kept == words.replace('"', '\\"').replace("\n", "\\n")
    assert bytes(stored.text_hash) == hashlib.sha256(kept.encode()).digest()


@pytest.mark.django_db
def test_words_are_found_in_an_answer_that_a_model_wrote_in_ascii(project: Project) -> None:
    written = json.dumps(OUTPUT)
    run = make_run(project, output=OUTPUT, answer=written)
    stored = submit_on_run(run, Verdict("negative", spans=[span_of(OUTPUT["reply"], "🙂")])).spans.get()
    assert written[stored.start : stored.end] == "\\ud83d\\ude42"


@pytest.mark.django_db
def test_words_of_the_whole_answer_are_kept_as_they_are(project: Project) -> None:
    run = make_run(project, output=OUTPUT)
    feedback = submit_on_run(run, Verdict("negative", spans=[span_of(run.answer, '"score": 2')]))
    stored = feedback.spans.get()
    assert run.answer[stored.start : stored.end] == '"score": 2'


@pytest.mark.django_db
def test_a_verdict_with_words_that_no_text_of_the_output_has_is_not_stored(project: Project) -> None:
    with pytest.raises(DomainError):
        submit_on_run(make_run(project, output=OUTPUT), Verdict("negative", spans=[Span(5, 11, "rebate")]))
    assert not Feedback.objects.exists()


def test_an_output_without_texts_is_read_as_the_answer() -> None:
    assert verified_in_output("42", 42, [Span(0, 2, "42")]) == [Span(0, 2, "42")]


def post(client: Client, run: Run, *spans: dict[str, Any]) -> Any:
    body = {"feedback_token": mint_token(run), "outcome": "negative", "spans": spans}
    return client.post("/v1/feedback", body, content_type="application/json")


@pytest.mark.django_db
@pytest.mark.parametrize(("answer", "words"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_client_sends_selected_words_with_a_verdict(
    client: Client, project: Project, answer: str, words: str
) -> None:
    run = make_run(project, output=answer)
    start = answer.index(words)
    sent = post(client, run, {"start": start, "end": start + len(words), "text": words})
    assert sent.status_code == 200
    assert FeedbackSpan.objects.values_list("start", "end").get() == (start, start + len(words))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("span", "status", "code"),
    [
        ({"start": 0, "end": 5, "text": "Never"}, 400, "span_mismatch"),
        ({"start": 9, "end": 99, "text": "60 days"}, 400, "span_mismatch"),
        ({"start": -1, "end": 5, "text": "60"}, 422, None),
        ({"start": 0, "end": 5}, 422, None),
    ],
)
def test_a_client_with_words_that_are_not_there_is_told_and_nothing_is_stored(
    client: Client, project: Project, span: dict[str, Any], status: int, code: str | None
) -> None:
    sent = post(client, make_run(project, output="Always within 60 days."), span)
    assert (sent.status_code, sent.json().get("error", {}).get("code")) == (status, code)
    assert not Feedback.objects.exists()
