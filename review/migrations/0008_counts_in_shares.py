"""Keep the counters of verdicts and golden examples in shares, so that no writer waits for another."""

from django.db import migrations, models

# Each statement's net change is applied at once, to a share that nobody else is writing, else to one more: nobody
# waits, so that nobody deadlocks either. Where something is taken away and there are no shares, the project is being
# deleted: none is made again.
FEEDBACK = """
CREATE OR REPLACE FUNCTION review_count_feedback() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM after'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM before'
        ELSE 'SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before' END;
    delta record;
BEGIN
    FOR delta IN EXECUTE '
        SELECT project_id, (created_at AT TIME ZONE ''UTC'')::date AS day,
               CASE WHEN reviewable THEN status ELSE '''' END AS status, sentiment, origin, environment,
               coalesce(tracked_agent_id, 0) AS tracked_agent, sum(sign) AS verdicts
        FROM (' || changes || ') AS changed
        WHERE superseded_at IS NULL
        GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(sign) <> 0'
    LOOP
        UPDATE review_feedbackcount SET verdicts = verdicts + delta.verdicts
        WHERE id = (
            SELECT id FROM review_feedbackcount
            WHERE (project_id, day, status, sentiment, origin, environment, tracked_agent) = (delta.project_id,
                delta.day, delta.status, delta.sentiment, delta.origin, delta.environment, delta.tracked_agent)
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND AND (delta.verdicts > 0 OR EXISTS (
            SELECT FROM review_feedbackcount
            WHERE (project_id, day, status, sentiment, origin, environment, tracked_agent) = (delta.project_id,
                delta.day, delta.status, delta.sentiment, delta.origin, delta.environment, delta.tracked_agent)
        )) THEN
            INSERT INTO review_feedbackcount
                (project_id, day, status, sentiment, origin, environment, tracked_agent, verdicts)
            VALUES (delta.project_id, delta.day, delta.status, delta.sentiment, delta.origin,
                    delta.environment, delta.tracked_agent, delta.verdicts);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""

GOLDEN = """
CREATE OR REPLACE FUNCTION review_count_golden() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changes text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM after'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM before'
        ELSE 'SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before' END;
    delta record;
BEGIN
    FOR delta IN EXECUTE '
        SELECT project_id, source_type, is_active, feedback_id IS NOT NULL AS from_feedback, sum(sign) AS examples
        FROM (' || changes || ') AS changed
        GROUP BY 1, 2, 3, 4 HAVING sum(sign) <> 0'
    LOOP
        UPDATE review_goldencount SET examples = examples + delta.examples
        WHERE id = (
            SELECT id FROM review_goldencount
            WHERE (project_id, source_type, is_active, from_feedback) = (delta.project_id, delta.source_type,
                delta.is_active, delta.from_feedback)
            LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED);
        IF NOT FOUND AND (delta.examples > 0 OR EXISTS (
            SELECT FROM review_goldencount
            WHERE (project_id, source_type, is_active, from_feedback) = (delta.project_id, delta.source_type,
                delta.is_active, delta.from_feedback)
        )) THEN
            INSERT INTO review_goldencount (project_id, source_type, is_active, from_feedback, examples)
            VALUES (delta.project_id, delta.source_type, delta.is_active, delta.from_feedback, delta.examples);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("review", "0007_vote_by_origin")]

    operations = [
        migrations.RemoveConstraint("feedbackcount", "feedback_count_once"),
        migrations.RemoveConstraint("goldencount", "golden_count_once"),
        migrations.AddIndex(
            "feedbackcount",
            models.Index(
                fields=["project", "day", "status", "sentiment", "origin", "environment", "tracked_agent"],
                name="feedback_count_shares",
            ),
        ),
        migrations.AddIndex(
            "goldencount",
            models.Index(
                fields=["project", "source_type", "is_active", "from_feedback"], name="golden_count_shares"
            ),
        ),
        migrations.RunSQL(FEEDBACK, migrations.RunSQL.noop),
        migrations.RunSQL(GOLDEN, migrations.RunSQL.noop),
    ]
