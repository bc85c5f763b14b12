"""A project's days follow its time zone."""

from datetime import UTC, datetime

from insights.listing import Counts, count_insight
from insights.ranges import Range
from projects.services import change_project
from tests.factories import Member, make_insight, make_item, make_mention, make_source


def test_a_new_time_zone_moves_what_was_said_to_its_day_there(owner: Member) -> None:
    project, insight = owner.project, make_insight(owner.project)
    late = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    make_mention(insight, make_item(make_source(project)), created_at=late)
    change_project(project, actor=owner.user, time_zone="Asia/Tokyo")
    project.refresh_from_db()
    insight.refresh_from_db()
    assert count_insight(insight, Range.of(project, "2026-03-02", "2026-03-03")) == Counts()
    assert count_insight(insight, Range.of(project, "2026-03-03", "2026-03-04")) == Counts(people=1, mentions=1)
