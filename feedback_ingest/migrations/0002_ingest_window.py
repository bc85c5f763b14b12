"""The counters behind the ingest quota: unlogged, since they matter for a second only."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("feedback_ingest", "0001_initial")]

    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE feedback_ingest_window (
                project_id bigint NOT NULL,
                second bigint NOT NULL,
                requests integer NOT NULL,
                items integer NOT NULL,
                PRIMARY KEY (project_id)
            )
            """,
            "DROP TABLE feedback_ingest_window",
        )
    ]
