"""By what feedback can be filtered."""

from typing import Any, cast

import django_filters
from django.db.models import QuerySet

from feedback_ingest.models import FeedbackItem
from feedback_ingest.querysets import ItemQuerySet


class ItemFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of the feedback list."""

    source = django_filters.UUIDFilter(field_name="source_id")
    state = django_filters.ChoiceFilter(choices=FeedbackItem.State.choices)
    reason = django_filters.ChoiceFilter(field_name="set_aside_reason", choices=FeedbackItem.SetAside.choices)
    inbox = django_filters.ChoiceFilter(choices=FeedbackItem.Inbox.choices)
    sentiment = django_filters.ChoiceFilter(choices=[("-1", "Negative"), ("0", "Neutral"), ("1", "Positive")])
    language = django_filters.CharFilter(max_length=8)
    person = django_filters.NumberFilter(field_name="person_id", max_value=2**62)
    unique_id = django_filters.CharFilter(max_length=512)
    from_ = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    to = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    q = django_filters.CharFilter(method="search", max_length=200)

    class Meta:
        model = FeedbackItem
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep what holds the words of `q`."""
        return ItemQuerySet.matching(cast(ItemQuerySet, rows), text)


# `from` is a word of Python, not of URLs. The search comes last: it looks among what the others leave.
ItemFilter.base_filters["from"] = ItemFilter.base_filters.pop("from_")
ItemFilter.base_filters["q"] = ItemFilter.base_filters.pop("q")
