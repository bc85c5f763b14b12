"""Which insights a golden example answers, and how many people it keeps from the same trouble."""

from typing import NamedTuple

from insights.listing import count_insight, count_together
from insights.models import Insight, Mention
from insights.ranges import Range
from review.models import GoldenExample


class Protection(NamedTuple):
    """An insight that an example answers, and how many people ever spoke of it."""

    insight: Insight
    people: int


def protected_by(example: GoldenExample) -> list[Protection]:
    """Return the insights for which the words of the example's verdict are evidence, most people first.

    The people are those of the insight's own row in the list over all time; who spoke of two insights is in
    both, so `people_protected` gives the number for all of them.
    """
    ever = _ever(example)
    found = [Protection(insight, count_insight(insight, ever).people) for insight in _insights_of(example)]
    return sorted(found, key=lambda protection: (-protection.people, protection.insight.pk))


def people_protected(example: GoldenExample) -> int:
    """Return how many people spoke of any of the example's insights; each counts once."""
    return count_together(example.project, _insights_of(example), _ever(example)).people


def _insights_of(example: GoldenExample) -> list[Insight]:
    """Return each insight once, however often the verdict's words speak of it."""
    if example.feedback is None or example.feedback.item_id is None:
        return []
    said = Mention.objects.live().filter(project=example.project_id, item=example.feedback.item_id)
    live = Insight.objects.live().filter(project=example.project_id, pk__in=said.values("insight"))
    return list(live.select_related("project").defer("centroid", "search"))


def _ever(example: GoldenExample) -> Range:
    return Range.of(example.project, None, None)
