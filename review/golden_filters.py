"""By what golden examples and documents can be filtered."""

from typing import Any, cast

import django_filters
from django.db.models import QuerySet

from review.models import GoldenExample, KnowledgeDocument
from review.querysets import GoldenQuerySet, words_query


class GoldenFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of golden examples."""

    source_type = django_filters.ChoiceFilter(choices=GoldenExample.SourceType.choices)
    approval_type = django_filters.ChoiceFilter(choices=GoldenExample.ApprovalType.choices)
    split = django_filters.ChoiceFilter(choices=GoldenExample.Split.choices)
    is_active = django_filters.BooleanFilter()
    attention = django_filters.ChoiceFilter(choices=GoldenExample.Attention.choices)
    owner = django_filters.NumberFilter(field_name="owner_id", max_value=2**62)
    q = django_filters.CharFilter(method="search", max_length=200)

    class Meta:
        model = GoldenExample
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep what holds the words of `q`."""
        return GoldenQuerySet.matching(cast(GoldenQuerySet, rows), text)


class KnowledgeFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Filters of documents."""

    kind = django_filters.ChoiceFilter(choices=KnowledgeDocument.Kind.choices)
    application = django_filters.CharFilter(lookup_expr="iexact", max_length=120)
    q = django_filters.CharFilter(method="search", max_length=200)

    class Meta:
        model = KnowledgeDocument
        fields: list[str] = []

    def search(self, rows: QuerySet[Any], name: str, text: str) -> QuerySet[Any]:
        """Keep what holds the words of `q`, or beginnings of words."""
        query = words_query(text)
        return rows.filter(search=query) if query else rows
