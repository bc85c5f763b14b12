"""By what conversations, verdicts, actions and token usage are filtered."""

from functools import partial
from typing import Any, cast

import django_filters
from django import forms
from django.db.models import Exists, OuterRef, Q, QuerySet
from rest_framework.exceptions import ValidationError

from feedback_ingest.models import Action, Conversation, Message, TokenUsage
from review.agentsight.fields import ENVIRONMENTS
from review.agentsight.usage import priced_models
from review.models import Feedback
from review.querysets import FeedbackQuerySet

MOST_CHARACTERS = 255
MOST_NUMBER = 2**62
TICKET_STATUSES = ("backlog", "open", "in_progress", "in_review", "done", "closed")
SWITCH = {"true": True, "True": True, "1": True, "false": False, "False": False, "0": False}

Words = partial(django_filters.CharFilter, max_length=MOST_CHARACTERS)
Number = partial(django_filters.NumberFilter, min_value=0, max_value=MOST_NUMBER, decimal_places=0)
Switch = partial(
    django_filters.TypedChoiceFilter, choices=[(word, word) for word in SWITCH], coerce=lambda word: SWITCH.get(word)
)
After = partial(django_filters.IsoDateTimeFilter, lookup_expr="gte")
Before = partial(django_filters.IsoDateTimeFilter, lookup_expr="lte")
Environment = partial(
    django_filters.TypedChoiceFilter,
    choices=[(slug, slug) for slug in ENVIRONMENTS],
    coerce=lambda slug: ENVIRONMENTS.get(slug),
)


class AddressFilter(django_filters.CharFilter):  # type: ignore[misc]
    """An IP address."""

    field_class = forms.GenericIPAddressField


def orders(*names: str) -> Any:
    """Return the filter that orders by one of these fields, or backwards by it."""
    choices = [(way + name, way + name) for name in names for way in ("", "-")]
    return django_filters.ChoiceFilter(choices=choices, method="ordered")


class Filters(django_filters.FilterSet):  # type: ignore[misc]
    """What the lists of this surface share."""

    def ordered(self, rows: QuerySet[Any], name: str, order: str) -> QuerySet[Any]:
        """Order by what is asked for; rows that are equal by it, as they came."""
        return rows.order_by(order, "-id" if order.startswith("-") else "id")

    def none(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Keep nothing: nothing here has what is asked for."""
        return rows.none() if value else rows


class ConversationFilters(Filters):
    """Filters of conversations, of both generations of clients; deleted ones only where they are asked for."""

    conversation_id = Words()
    customer_id = Words()
    customer_id__icontains = Words(field_name="customer_id", lookup_expr="icontains")
    customer_ip_address = AddressFilter()
    name = Words(lookup_expr="icontains")
    language = Words()
    device = Words()
    env = Environment(field_name="environment")
    environment = Environment()
    is_marked = Switch()
    include_deleted = Switch(method="with_deleted")
    started_at_after = After(field_name="started_at")
    started_at_before = Before(field_name="started_at")
    has_messages = Switch(method="by_messages")
    message_contains = Words(method="by_message")
    action_name = Words(method="by_action")
    has_action = Switch(method="by_actions")
    has_feedback = Switch(method="by_feedback")
    feedback_sentiment = django_filters.ChoiceFilter(choices=Feedback.Sentiment.choices, method="by_verdict")
    feedback_source = django_filters.ChoiceFilter(choices=Feedback.Origin.choices, method="by_verdict")
    metadata = django_filters.CharFilter(max_length=2_000, method="by_metadata")
    metadata_key = Words(method="by_metadata_key")
    metadata_value = Words(method="by_metadata_value")
    search = Words(method="searched")
    include_tickets = Switch(method="none")
    ordering = orders("started_at", "id", "name")

    class Meta:
        model = Conversation
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Leave out what is deleted unless it is asked for."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data["include_deleted"] is True else rows.filter(deleted_at=None)

    def with_deleted(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Change nothing: all filters together decide."""
        return rows

    def by_messages(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep those with messages, or those without."""
        return _having(rows, Message.objects.all(), value=value)

    def by_message(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep those in which a message holds the text."""
        return _having(rows, Message.objects.filter(content__icontains=text))

    def by_action(self, rows: QuerySet[Any], name: str, action: str) -> QuerySet[Any]:
        """Keep those in which the action was carried out."""
        return _having(rows, Message.objects.filter(project=OuterRef("project"), action_name=action))

    def by_actions(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep those in which any action was carried out, or none."""
        actions = Message.objects.filter(project=OuterRef("project"), action_name__isnull=False)
        return _having(rows, actions, value=value)

    def by_feedback(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep those with a verdict, or those without."""
        return _having(rows, Feedback.objects.current(), value=value)

    def by_verdict(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Keep those with one verdict that is all of what is asked for."""
        sentiment, origin = (self.form.cleaned_data[asked] for asked in ("feedback_sentiment", "feedback_source"))
        wanted = {"sentiment": sentiment, "origin": origin}
        return _having(rows, Feedback.objects.current().filter(**{key: word for key, word in wanted.items() if word}))

    def by_metadata(self, rows: QuerySet[Any], name: str, pairs: str) -> QuerySet[Any]:
        """Keep those with all of `key:value,key2:value2`; a dotted key leads into nested objects."""
        for pair in pairs.split(","):
            key, colon, value = pair.partition(":")
            if not colon or not key.strip():
                raise ValidationError({"metadata": ["Write key:value, and several with commas between them."]})
            rows = rows.filter(_metadata_is(key.strip(), value.strip()))
        return rows

    def by_metadata_key(self, rows: QuerySet[Any], name: str, key: str) -> QuerySet[Any]:
        """Keep those whose metadata has the key, with the value that is asked for beside it."""
        value = self.form.cleaned_data["metadata_value"]
        return rows.filter(_metadata_is(key, value)) if value else rows.filter(metadata__has_key=key)

    def by_metadata_value(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        """Require the key that it is the value of."""
        if not self.form.cleaned_data["metadata_key"]:
            raise ValidationError({"metadata_value": ["Name the key, too: metadata_key."]})
        return rows

    def searched(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep those with the text in their name, id, or customer's id."""
        return rows.filter(
            Q(name__icontains=text) | Q(conversation_id__icontains=text) | Q(customer_id__icontains=text)
        )


class FeedbackFilters(Filters):
    """Filters of verdicts."""

    kind = django_filters.ChoiceFilter(choices=[*Feedback.Kind.choices, ("product", "Product")])
    sentiment = django_filters.ChoiceFilter(choices=Feedback.Sentiment.choices)
    source = django_filters.ChoiceFilter(field_name="origin", choices=Feedback.Origin.choices)
    conversation = Number(field_name="conversation_id")
    conversation_id = Words(field_name="conversation__conversation_id")
    message = Number(field_name="message_id")
    agent = Number(field_name="tracked_agent_id")
    user = Number(field_name="user_id")
    topic = Words()
    reason = Words()
    category = Words(method="none")
    env = Environment(field_name="environment")
    environment = Environment()
    has_comment = Switch(method="by_comment")
    comment_contains = Words(field_name="comment", lookup_expr="icontains")
    search = Words(method="searched")
    created_at_after = After(field_name="created_at")
    created_at_before = Before(field_name="created_at")
    include_tickets = Switch(method="none")
    has_ticket = Switch(method="of_tickets")
    ticket_status = django_filters.MultipleChoiceFilter(
        choices=[(status, status) for status in TICKET_STATUSES], method="of_tickets"
    )
    ordering = orders("created_at", "id")

    class Meta:
        model = Feedback
        fields: list[str] = []

    def by_comment(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep those with a comment, or those without."""
        without = Q(comment=None) | Q(comment="")
        return rows.exclude(without) if value else rows.filter(without)

    def searched(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep those that hold the words."""
        return FeedbackQuerySet.matching(cast(FeedbackQuerySet, rows), text)

    def of_tickets(self, rows: QuerySet[Any], name: str, value: Any) -> QuerySet[Any]:
        """Refuse what is asked of tickets without asking for them."""
        if value not in ([], None) and self.form.cleaned_data["include_tickets"] is not True:
            raise ValidationError({name: ["Only together with include_tickets=true."]})
        return rows


class ActionFilters(Filters):
    """Filters of actions."""

    name = Words()
    name__icontains = Words(field_name="name", lookup_expr="icontains")
    display_name = Words()
    search = Words(method="searched")
    ordering = orders("name", "display_name", "created_at", "id")

    class Meta:
        model = Action
        fields: list[str] = []

    def searched(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep those with the text in a name or the description."""
        return rows.filter(Q(name__icontains=text) | Q(display_name__icontains=text) | Q(description__icontains=text))


class UsageFilters(Filters):
    """Filters of token usage."""

    conversation = Number(field_name="conversation_id")
    conversation_id = Words(field_name="conversation__conversation_id")
    environment = Environment(field_name="conversation__environment")
    model = Words()
    turn_id = Words()
    cost_source = django_filters.ChoiceFilter(
        choices=[(source, source) for source in ("backend", "reported", "unpriced")], method="by_cost_source"
    )
    incomplete = Switch(method="by_completeness")
    started_at_after = After(field_name="started_at")
    started_at_before = Before(field_name="started_at")
    ordering = orders("started_at", "id")

    class Meta:
        model = TokenUsage
        fields: list[str] = []

    def by_cost_source(self, rows: QuerySet[Any], name: str, source: str) -> QuerySet[Any]:
        """Keep what we have a price for, or what we have none for; clients' own figures are not taken."""
        if source == "reported":
            return rows.none()
        priced = Q(model__in=priced_models(rows))
        return rows.filter(priced) if source == "backend" else rows.exclude(priced)

    def by_completeness(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        """Keep usage of unfinished turns, or of finished ones."""
        return rows.exclude(incomplete_reason="") if value else rows.filter(incomplete_reason="")


def _having(rows: QuerySet[Any], parts: QuerySet[Any], *, value: bool = True) -> QuerySet[Any]:
    exists = Exists(parts.filter(conversation=OuterRef("pk")))
    return rows.filter(exists if value else ~exists)


def _metadata_is(key: str, value: str) -> Q:
    """Match by containment, which the index knows: the value as text, and as the number or truth that it reads as."""
    matching = Q()
    for meant in _meanings(value):
        nested: Any = meant
        for part in reversed(key.split(".")):
            nested = {part: nested}
        matching |= Q(metadata__contains=nested) | Q(metadata__contains={key: meant})
    return matching


def _meanings(value: str) -> list[Any]:
    words: dict[str, Any] = {"true": True, "false": False, "null": None}
    if value.lower() in words:
        return [value, words[value.lower()]]
    try:
        number = float(value)
    except ValueError:
        return [value]
    if number != number or number in (float("inf"), float("-inf")):
        return [value]
    return [value, int(value) if value.lstrip("+-").isdecimal() and len(value) < 300 else number]
