"""How verdicts come in, on every channel."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.errors import DomainError
from feedback_ingest.models import Conversation, Message
from projects.access import can
from projects.models import TrackedAgent, User
from projects.roles import Permission
from review.models import Feedback, FeedbackSettings, FeedbackSpan, GoldenExample, Run
from review.services import attention, auto_approval, golden, words
from review.services.exchanges import exchange_of_message, exchange_of_run
from review.services.settings import settings_of
from review.services.spans import Span, verified_in_output

EDITABLE = ("sentiment", "reason", "topic", "comment", "metadata")
DECISION = (
    "status", "dismissal_reason", "reviewed_by_id", "reviewed_at", "assignee_id", "sampled", "sample_right",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a user said; None means that their client said nothing of it."""

    sentiment: str
    reason: str | None = None
    topic: str | None = None
    comment: str | None = None
    metadata: dict[str, Any] | None = None
    spans: Sequence[Span] = ()


def message_named(reference: str) -> Message | None:
    """Return the message with this UUID or number. Raises ValueError where `reference` is neither."""
    is_number = reference.isascii() and reference.isdecimal() and len(reference) < 19
    key = {"pk": int(reference)} if is_number else {"uuid": UUID(reference)}
    messages = Message.objects.filter(**key, conversation__deleted_at=None)
    return messages.select_related("project", "conversation").first()


def may_judge(user: User, message: Message) -> bool:
    """Tell whether an answer was given to `user`, by id or e-mail; who manages a project may judge all of it."""
    customer = (message.conversation.customer_id or "").casefold()
    return customer in (str(user.pk), user.email.casefold()) or can(user, Permission.MANAGE, message.project)


def submit_on_message(message: Message, verdict: Verdict, *, user: User) -> Feedback:
    """Store a person's verdict on an answer. Raises DomainError: a reason is required, or it is their second."""
    settings = settings_of(message.project)
    if getattr(settings, f"require_reason_{verdict.sentiment}") and not (verdict.reason or "").strip():
        raise DomainError(f"A reason is required for {verdict.sentiment} feedback", code="reason_required")
    feedback = _about_message(
        message, verdict, channel=Feedback.Channel.API, origin=Feedback.Origin.CUSTOMER, user=user
    )
    try:
        with transaction.atomic():
            _decide(feedback, settings)
            _keep_spans(feedback, verdict.spans)
            words.ask_for(feedback)
    except IntegrityError as error:
        if "feedback_by_user_once" not in str(error):
            raise
        raise DomainError("You have already submitted feedback for this message", code="already_submitted") from error
    return feedback


@transaction.atomic
def submit_on_run(run: Run, verdict: Verdict, *, external_user_id: str = "") -> Feedback:
    """Store a customer's verdict on a run; an earlier one by the same user stays as history.

    With the same sentiment again, the decision on the earlier one and its golden example pass on. Raises
    DomainError for selected words that are not in the answer.
    """
    Run.objects.select_for_update(no_key=True).only("pk").get(pk=run.pk)
    feedback = _about_run(run, verdict, external_user_id)
    given = Feedback.objects.current().filter(run=run, kind=Feedback.Kind.RUN, external_user_id=external_user_id)
    earlier = given.select_for_update(of=("self",), no_key=True).first()
    if earlier:
        # What was taken in of the earlier words becomes the new ones, or goes where there are none.
        feedback.item_id, feedback.words_due = earlier.item_id, feedback.words_due or earlier.item_id is not None
        given.filter(pk=earlier.pk).update(superseded_at=timezone.now(), item=None, words_due=False)
    if earlier and earlier.sentiment == feedback.sentiment:
        for field in DECISION:
            setattr(feedback, field, getattr(earlier, field))
        feedback.save()
        GoldenExample.objects.filter(feedback=earlier).update(feedback=feedback)
    else:
        if earlier:
            _withdraw_approval(earlier)
        _decide(feedback, settings_of(run.project))
    _keep_spans(feedback, verdict.spans)
    words.ask_for(feedback)
    return feedback


@transaction.atomic
def submit_on_tracked_message(
    message: Message, verdict: Verdict, *, origin: str, user: User | None = None
) -> tuple[Feedback, bool]:
    """Store the one vote that a tracked message has; a repeat changes what it names. Tell whether it is the first.

    What the platform thinks of a message stands beside its customer's vote, and never replaces it.
    """
    Message.objects.select_for_update(no_key=True).get(pk=message.pk)
    known = Feedback.objects.filter(
        message=message, channel=Feedback.Channel.AGENTSIGHT, kind=Feedback.Kind.MESSAGE, origin=origin
    ).first()
    if known:
        given = {name: getattr(verdict, name) for name in EDITABLE}
        return edit_verdict(known, **{name: value for name, value in given.items() if value is not None}), False
    feedback = _about_message(message, verdict, channel=Feedback.Channel.AGENTSIGHT, origin=origin, user=user)
    _decide(feedback, settings_of(message.project))
    _keep_spans(feedback, verdict.spans)
    words.ask_for(feedback)
    return feedback, True


def submit_on_conversation(
    conversation: Conversation, verdict: Verdict, *, origin: str, user: User | None = None
) -> Feedback:
    """Store a verdict on a conversation as a whole; every call adds one."""
    return _stored(
        project=conversation.project,
        kind=Feedback.Kind.CONVERSATION,
        channel=Feedback.Channel.AGENTSIGHT,
        **_said(verdict, origin),
        **_by(user),
        **_in_conversation(conversation),
    )


def submit_on_agent(
    agent: TrackedAgent,
    verdict: Verdict,
    *,
    origin: str,
    environment: str = Conversation.Environment.PRODUCTION,
    user: User | None = None,
) -> Feedback:
    """Store a verdict on an assistant in general; every call adds one."""
    return _stored(
        project=agent.project,
        kind=Feedback.Kind.AGENT,
        channel=Feedback.Channel.AGENTSIGHT,
        tracked_agent=agent,
        environment=environment,
        **_said(verdict, origin),
        **_by(user),
    )


@transaction.atomic
def edit_verdict(feedback: Feedback, **changes: Any) -> Feedback:
    """Change what is named of `EDITABLE`. A verdict that turns over enters review anew."""
    if unknown := changes.keys() - set(EDITABLE):
        raise TypeError(f"not to be edited: {', '.join(sorted(unknown))}")
    feedback = Feedback.objects.select_for_update(of=("self",)).select_related("project").get(pk=feedback.pk)
    turned = changes.get("sentiment", feedback.sentiment) != feedback.sentiment
    for name, value in changes.items():
        setattr(feedback, name, value)
    feedback.updated_at = timezone.now()
    feedback.words_due = feedback.words_due or feedback.is_evidence or feedback.item_id is not None
    words.ask_for(feedback)
    if not turned:
        feedback.save(update_fields=[*changes, "words_due", "updated_at"])
        return feedback
    _withdraw_approval(feedback)
    feedback.dismissal_reason = feedback.reviewed_by = feedback.reviewed_at = feedback.sample_right = None
    _decide(feedback, settings_of(feedback.project))
    return feedback


@transaction.atomic
def remove_verdict(feedback: Feedback) -> bool:
    """Delete a verdict for good, with what its user said of the run before and with its words; tell if it was there."""
    same = Q(pk=feedback.pk)
    if feedback.kind == Feedback.Kind.RUN:
        same |= Q(run=feedback.run_id, external_user_id=feedback.external_user_id)
    keys = list(Feedback.objects.filter(same).select_for_update().order_by("pk").values_list("pk", flat=True))
    golden.lock_examples(feedback.project)
    items = list(Feedback.objects.filter(pk__in=keys, item__isnull=False).values_list("item", flat=True))
    neighbours = attention.in_conflict_with(*GoldenExample.objects.filter(feedback__in=keys).exclude(attention=""))
    Feedback.objects.filter(pk__in=keys).delete()
    attention.look_again(feedback.project, neighbours)
    words.remove_words(feedback.project, items)
    return feedback.pk in keys


def _stored(**fields: Any) -> Feedback:
    feedback = Feedback.objects.create(**fields)
    words.ask_for(feedback)
    return feedback


def _decide(feedback: Feedback, settings: FeedbackSettings) -> None:
    """Save a verdict as pending, or approved where the settings approve it, a positive one with its example.

    One that a person has made an example of waits for a person.
    """
    settled = (
        feedback.pk
        and GoldenExample.objects.filter(feedback=feedback, approval_type=GoldenExample.ApprovalType.MANUAL).exists()
    )
    answered = feedback.original_response is not None
    approved = answered and not settled and auto_approval.approves(settings, feedback)
    feedback.status = Feedback.Status.AUTO_APPROVED if approved else Feedback.Status.PENDING
    feedback.sampled = approved and auto_approval.is_sampled(settings, feedback)
    if not approved or feedback.sentiment != Feedback.Sentiment.POSITIVE:
        feedback.save()
        return
    answer = feedback.original_response or ""
    question, answer_vector = golden.read_question(feedback.original_query or ""), golden.read_answer(answer)
    feedback.save()
    draft = golden.draft_from_feedback(
        feedback, question, golden_response=answer, answer_vector=answer_vector, creator=None
    )
    golden.save_draft(draft)


def _withdraw_approval(feedback: Feedback) -> None:
    """Stop using the example that nobody but this verdict, now taken back, has vouched for."""
    examples = GoldenExample.objects.filter(feedback=feedback, approval_type=GoldenExample.ApprovalType.AUTO)
    golden.switch_off(feedback.project, examples)


def _keep_spans(feedback: Feedback, spans: Sequence[Span]) -> None:
    output = feedback.run.output if feedback.run else None
    FeedbackSpan.objects.bulk_create(
        (
            FeedbackSpan(
                project=feedback.project,
                feedback=feedback,
                start=span.start,
                end=span.end,
                text_hash=hashlib.sha256(span.text.encode()).digest(),
                reason=span.reason,
            )
            for span in verified_in_output(feedback.original_response or "", output, spans)
        ),
        ignore_conflicts=True,
    )


def _about_message(message: Message, verdict: Verdict, *, channel: str, origin: str, user: User | None) -> Feedback:
    exchange = exchange_of_message(message)
    return Feedback(
        project=message.project,
        kind=Feedback.Kind.MESSAGE,
        channel=channel,
        message=message,
        model=str(message.metadata.get("model") or "")[:120],
        original_query=exchange.query if exchange else None,
        original_response=exchange.response if exchange else None,
        **_said(verdict, origin),
        **_by(user),
        **_in_conversation(message.conversation),
    )


def _about_run(run: Run, verdict: Verdict, external_user_id: str) -> Feedback:
    exchange = exchange_of_run(run)
    is_production = run.environment in ("", Conversation.Environment.PRODUCTION)
    return Feedback(
        project=run.project,
        kind=Feedback.Kind.RUN,
        channel=Feedback.Channel.TOKEN,
        run=run,
        agent_id=run.agent_id,
        version_id=run.version_id,
        model=run.model,
        environment=Conversation.Environment.PRODUCTION if is_production else Conversation.Environment.DEVELOPMENT,
        external_user_id=external_user_id,
        original_query=exchange.query if exchange else None,
        original_response=exchange.response if exchange else None,
        **_said(verdict, Feedback.Origin.CUSTOMER),
    )


def _said(verdict: Verdict, origin: str) -> dict[str, Any]:
    said = (verdict.comment or verdict.reason or "").strip()
    return {
        "origin": origin,
        "words_due": bool(said) and origin == Feedback.Origin.CUSTOMER,
        "sentiment": verdict.sentiment,
        "reason": verdict.reason,
        "topic": verdict.topic,
        "comment": verdict.comment,
        "metadata": verdict.metadata or {},
    }


def _by(user: User | None) -> dict[str, Any]:
    return {"user": user, "user_email": user.email if user else None}


def _in_conversation(conversation: Conversation) -> dict[str, Any]:
    return {
        "conversation": conversation,
        "tracked_agent_id": conversation.agent_id,
        "environment": conversation.environment,
        "external_user_id": conversation.customer_id or "",
    }
