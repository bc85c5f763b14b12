"""Keep the counters of verdicts and golden examples in shares, so that no writer waits for another."""

from django.db import migrations, models

FEEDBACK = ("project", "day", "status", "sentiment", "origin", "environment", "tracked_agent")
GOLDEN = ("project", "source_type", "is_active", "from_feedback")


def counting(function: str, changes: str, table: str, counter: str, counted_by: tuple[str, ...]) -> str:
    """Return the trigger function that adds each statement's net changes to a counter.

    It adds to a share that nobody else is writing, else it makes one more: nobody waits, so that nobody deadlocks
    either. Where something is taken away and there are no shares, the project is being deleted: none is made again.
    """
    names = [f"{name}_id" if name == "project" else name for name in counted_by]
    keys, values = ", ".join(names), ", ".join(f"delta.{name}" for name in names)
    shares = f"FROM {table} WHERE ({keys}) = ({values})"
    return f"""
CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM after'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM before'
        ELSE 'SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before' END;
    delta record;
BEGIN
    FOR delta IN EXECUTE '{changes}' LOOP
        UPDATE {table} SET {counter} = {counter} + delta.{counter}
        WHERE id = (SELECT id {shares} LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND AND (delta.{counter} > 0 OR EXISTS (SELECT {shares})) THEN
            INSERT INTO {table} ({keys}, {counter}) VALUES ({values}, delta.{counter});
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""  # noqa: S608


COUNT_FEEDBACK = counting(
    "review_count_feedback",
    """
        SELECT project_id, (created_at AT TIME ZONE ''UTC'')::date AS day,
               CASE WHEN reviewable THEN status ELSE '''' END AS status, sentiment, origin, environment,
               coalesce(tracked_agent_id, 0) AS tracked_agent, sum(sign) AS verdicts
        FROM (' || changes || ') AS changed
        WHERE superseded_at IS NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(sign) <> 0""",
    "review_feedbackcount",
    "verdicts",
    FEEDBACK,
)
COUNT_GOLDEN = counting(
    "review_count_golden",
    """
        SELECT project_id, source_type, is_active, feedback_id IS NOT NULL AS from_feedback, sum(sign) AS examples
        FROM (' || changes || ') AS changed
        GROUP BY 1, 2, 3, 4 HAVING sum(sign) <> 0""",
    "review_goldencount",
    "examples",
    GOLDEN,
)


class Migration(migrations.Migration):
    dependencies = [("review", "0007_vote_by_origin")]

    operations = [
        migrations.RemoveConstraint("feedbackcount", "feedback_count_once"),
        migrations.RemoveConstraint("goldencount", "golden_count_once"),
        migrations.AddIndex("feedbackcount", models.Index(fields=FEEDBACK, name="feedback_count_shares")),
        migrations.AddIndex("goldencount", models.Index(fields=GOLDEN, name="golden_count_shares")),
        migrations.RunSQL(COUNT_FEEDBACK, migrations.RunSQL.noop),
        migrations.RunSQL(COUNT_GOLDEN, migrations.RunSQL.noop),
    ]
