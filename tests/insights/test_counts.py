"""Counts are the same however they are made, and stay true through everything that people do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights import corrections
from insights.listing import Counts, Filters, count_insight, list_insights
from insights.models import DailyCount, DailyReach, Insight, Mention
from insights.ranges import Range
from insights.trends import weekly_people
from projects.models import Project
from sources import services as sources
from tests.factories import Member, make_insight, make_item, make_mention, make_person, make_source

FIRST = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday


def days(project: Project, start: int, end: int) -> Range:
    begin = FIRST.replace(hour=0)
    return Range.of(
        project,
        (begin + timedelta(days=start)).date().isoformat(),
        (begin + timedelta(days=end)).date().isoformat(),
    )


def by_hand(insight: Insight, within: Range, source: Any = None) -> Counts:
    """Count by reading every mention."""
    rows = [row for row in Mention.objects.filter(insight=insight, deleted_at=None) if source in (None, row.source)]
    now = [row for row in rows if within.start <= row.created_at < within.end]
    before = [row for row in rows if within.before.start <= row.created_at < within.start]
    return Counts(
        len({row.person_id for row in now}),
        len({row.account_id for row in now if row.account_id}),
        len(now),
        len({row.person_id for row in before}),
    )


def test_a_person_who_speaks_twice_counts_once_in_any_range(project: Project) -> None:
    source, insight = make_source(project), make_insight(project)
    person = make_person(project)
    for day in (0, 1, 8):
        make_mention(insight, make_item(source), person=person, created_at=FIRST + timedelta(days=day))
    make_mention(insight, make_item(source), created_at=FIRST + timedelta(days=8))
    assert count_insight(insight, days(project, 0, 10)) == Counts(people=2, mentions=4)
    assert count_insight(insight, days(project, 1, 8)) == Counts(people=1, mentions=1, people_before=1)
    assert [people for _, people in weekly_people(insight, days(project, 0, 14))] == [1, 2]


def test_the_list_and_the_detail_say_the_same(project: Project) -> None:
    source = make_source(project)
    insights = [make_insight(project) for _ in range(3)]
    for number, insight in enumerate(insights, start=1):
        for _ in range(number):
            make_mention(insight, make_item(source), created_at=FIRST)
    page = list_insights(project, days(project, 0, 1), Filters())
    assert [row.insight.pk for row in page.rows] == [row.pk for row in reversed(insights)]
    assert [row.counts for row in page.rows] == [count_insight(row.insight, days(project, 0, 1)) for row in page.rows]
    assert page.total == 3


@pytest.mark.parametrize("ordering", ["-people", "-mentions", "-change", "change", "-last_seen", "-first_seen"])
def test_pages_follow_each_other_without_gap_or_repeat(project: Project, ordering: str) -> None:
    source = make_source(project)
    for number in range(7):
        insight = make_insight(project)
        for _ in range(number % 3 + 1):
            make_mention(insight, make_item(source), created_at=FIRST + timedelta(hours=number))
    within, seen, after = days(project, 0, 2), [], None
    while True:
        page = list_insights(project, within, Filters(), ordering=ordering, limit=3, after=after)
        seen += [row.insight.pk for row in page.rows]
        if not (after := page.next):
            break
    whole = list_insights(project, within, Filters(), ordering=ordering)
    assert seen == [row.insight.pk for row in whole.rows]
    assert len(set(seen)) == 7


act = st.tuples(
    st.sampled_from(["say", "say", "say", "delete", "undo", "move", "merge", "drop source", "restore source"]),
    st.integers(0, 2),
    st.integers(0, 2),
    st.integers(0, 3),
    st.integers(0, 20),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(act, max_size=14))
@pytest.mark.django_db
def test_counts_stay_true_through_any_sequence_of_acts(
    owner: Member, acts: list[tuple[str, int, int, int, int]]
) -> None:
    project, actor = owner.project, owner.user
    Insight.objects.filter(project=project).delete()
    places = [make_source(project) for _ in range(3)]
    insights = [make_insight(project) for _ in range(3)]
    people = [make_person(project) for _ in range(4)]
    ledger = []
    for verb, which, where, who, day in acts:
        insight, place = insights[which], places[where]
        insight.refresh_from_db()
        place.refresh_from_db()
        mentions = list(Mention.objects.filter(insight=insight, deleted_at=None))
        other = insights[(which + 1) % 3]
        other.refresh_from_db()
        if verb == "say" and insight.is_live and place.takes_feedback:
            make_mention(insight, make_item(place), person=people[who], created_at=FIRST + timedelta(days=day))
        elif verb == "delete" and mentions:
            ledger.append(corrections.delete_mention(mentions[0], actor=actor))
        elif verb == "move" and mentions and other.is_live:
            ledger.append(corrections.move_mention(mentions[-1], other, actor=actor))
        elif verb == "merge" and insight.is_live and other.is_live:
            ledger += corrections.merge_insights(insight, [other], actor=actor)
        elif verb == "undo" and ledger:
            last = ledger.pop()
            if not (last.mention and last.mention.source.deleted_at):
                corrections.undo(last, actor=actor)
        elif verb == "drop source" and not place.deleted_at:
            sources.delete_source(place, actor=actor)
        elif verb == "restore source" and place.deleted_at:
            sources.restore_source(place, actor=actor)
    within = days(project, 5, 15)
    for insight in insights:
        insight.refresh_from_db()
        if insight.merged_into_id is None and (expected := by_hand(insight, within)).mentions:
            assert count_insight(insight, within) == expected
        for place in places:
            counted = count_insight(insight, within, Filters(sources=[place.pk]))
            expected = by_hand(insight, within, place)
            if expected.mentions and insight.merged_into_id is None:
                assert counted == expected
    assert not DailyReach.objects.filter(reached__lte=0).exists()
    assert not DailyCount.objects.filter(mentions__lte=0).exists()


def test_merging_counts_who_is_in_both_once_and_undo_restores_exactly(owner: Member) -> None:
    project = owner.project
    source, one, two = make_source(project), make_insight(project), make_insight(project)
    shared = make_person(project)
    for insight in (one, two):
        make_mention(insight, make_item(source), person=shared, created_at=FIRST)
        make_mention(insight, make_item(source), created_at=FIRST)
    within = days(project, 0, 1)
    (merge,) = corrections.merge_insights(one, [two], actor=owner.user)
    assert count_insight(one, within) == Counts(people=3, mentions=4)
    assert corrections.current(two.pk, project.pk) == one.pk
    corrections.undo(merge, actor=owner.user)
    assert [count_insight(row, within) for row in (one, two)] == [Counts(people=2, mentions=2)] * 2
    assert corrections.current(two.pk, project.pk) == two.pk


def test_other_filters_are_counted_over_the_mentions(project: Project) -> None:
    source, insight = make_source(project, application="zendesk"), make_insight(project)
    make_mention(insight, make_item(source), created_at=FIRST, sentiment=-1)
    make_mention(insight, make_item(make_source(project)), created_at=FIRST, sentiment=1, language="fr")
    within = days(project, 0, 1)
    for filters in (Filters(sentiment=-1), Filters(language="fr"), Filters(source_types=["zendesk"])):
        assert count_insight(insight, within, filters) == Counts(people=1, mentions=1)
