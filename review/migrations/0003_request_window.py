"""The counters behind the limits of what needs no key: unlogged, since they matter for a minute only."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("review", "0002_counters")]

    operations = [
        migrations.RunSQL(
            """
            CREATE UNLOGGED TABLE review_request_window (
                counter integer NOT NULL,
                minute bigint NOT NULL,
                requests integer NOT NULL,
                PRIMARY KEY (counter)
            )
            """,
            "DROP TABLE review_request_window",
        )
    ]
