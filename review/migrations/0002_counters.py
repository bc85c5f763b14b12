"""Keep the counters of verdicts and golden examples in the transaction that changes them, whoever changes them."""

from django.db import migrations

# Each statement's net change is applied at once. The lock on the project's counters comes first, since
# transactions that touch several counters in different orders would otherwise deadlock. A row that is missing
# while something is taken away belongs to a project that is being deleted: it is not made again. Golden examples
# are placed under the same lock.
FEEDBACK = """
CREATE FUNCTION review_count_feedback() RETURNS trigger LANGUAGE plpgsql AS $$
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
        GROUP BY 1, 2, 3, 4, 5, 6, 7 HAVING sum(sign) <> 0 ORDER BY 1, 2, 3, 4, 5, 6, 7'
    LOOP
        PERFORM pg_advisory_xact_lock(4105, (delta.project_id % 2147483647)::int);
        UPDATE review_feedbackcount SET verdicts = verdicts + delta.verdicts
        WHERE (project_id, day, status, sentiment, origin, environment, tracked_agent) = (delta.project_id,
            delta.day, delta.status, delta.sentiment, delta.origin, delta.environment, delta.tracked_agent);
        IF NOT FOUND AND delta.verdicts > 0 THEN
            INSERT INTO review_feedbackcount
                (project_id, day, status, sentiment, origin, environment, tracked_agent, verdicts)
            VALUES (delta.project_id, delta.day, delta.status, delta.sentiment, delta.origin,
                    delta.environment, delta.tracked_agent, delta.verdicts);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER review_feedback_inserted AFTER INSERT ON review_feedback
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION review_count_feedback();
CREATE TRIGGER review_feedback_updated AFTER UPDATE ON review_feedback
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION review_count_feedback();
CREATE TRIGGER review_feedback_deleted AFTER DELETE ON review_feedback
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION review_count_feedback();
"""

GOLDEN = """
CREATE FUNCTION review_count_golden() RETURNS trigger LANGUAGE plpgsql AS $$
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
        GROUP BY 1, 2, 3, 4 HAVING sum(sign) <> 0 ORDER BY 1, 2, 3, 4'
    LOOP
        PERFORM pg_advisory_xact_lock(4105, (delta.project_id % 2147483647)::int);
        UPDATE review_goldencount SET examples = examples + delta.examples
        WHERE (project_id, source_type, is_active, from_feedback) = (delta.project_id, delta.source_type,
            delta.is_active, delta.from_feedback);
        IF NOT FOUND AND delta.examples > 0 THEN
            INSERT INTO review_goldencount (project_id, source_type, is_active, from_feedback, examples)
            VALUES (delta.project_id, delta.source_type, delta.is_active, delta.from_feedback, delta.examples);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER review_golden_inserted AFTER INSERT ON review_goldenexample
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION review_count_golden();
CREATE TRIGGER review_golden_updated AFTER UPDATE ON review_goldenexample
    REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION review_count_golden();
CREATE TRIGGER review_golden_deleted AFTER DELETE ON review_goldenexample
    REFERENCING OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION review_count_golden();
"""


class Migration(migrations.Migration):
    dependencies = [("review", "0001_initial")]

    operations = [
        migrations.RunSQL(
            FEEDBACK,
            """
            DROP TRIGGER review_feedback_inserted ON review_feedback;
            DROP TRIGGER review_feedback_updated ON review_feedback;
            DROP TRIGGER review_feedback_deleted ON review_feedback;
            DROP FUNCTION review_count_feedback;
            """,
        ),
        migrations.RunSQL(
            GOLDEN,
            """
            DROP TRIGGER review_golden_inserted ON review_goldenexample;
            DROP TRIGGER review_golden_updated ON review_goldenexample;
            DROP TRIGGER review_golden_deleted ON review_goldenexample;
            DROP FUNCTION review_count_golden;
            """,
        ),
    ]
