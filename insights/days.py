"""The days on which things were said, when a project's time zone changes."""

from django.db import connection, transaction

from insights import counts
from insights.locking import lock_insights
from insights.models import Insight
from projects.models import Project

MOVE_DAYS = """
UPDATE insights_mention SET day = (created_at AT TIME ZONE %(zone)s)::date
WHERE project_id = %(project)s AND day <> (created_at AT TIME ZONE %(zone)s)::date
"""


@transaction.atomic
def move_days(project: Project) -> None:
    """Put every mention on its day in the project's time zone, and count the days anew."""
    lock_insights(project.pk)
    insights = list(Insight.objects.filter(project=project).values_list("pk", flat=True))
    with counts.rebuilt(project.pk, insights), connection.cursor() as cursor:
        cursor.execute(MOVE_DAYS, {"zone": project.time_zone, "project": project.pk})
