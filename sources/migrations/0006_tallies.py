"""Keep the accounting of a source in shares, so that writers do not wait for each other; read their sum by a view."""

import django.db.models.deletion
from django.db import migrations, models

COUNTERS = ("used", "set_aside", "waiting", "updated", "unchanged", "rejected", "suppressed", "removed")
NAMES = ", ".join(COUNTERS)

TAKE_OVER = f"""
INSERT INTO sources_sourcetally (source_id, {NAMES}, last_received_at)
SELECT source_id, {NAMES}, last_received_at FROM sources_sourcecount
"""  # noqa: S608
GIVE_BACK = f"""
INSERT INTO sources_sourcecount (source_id, {NAMES}, last_received_at)
SELECT source.id, {", ".join(f"coalesce(sum({name}), 0)" for name in COUNTERS)}, max(last_received_at)
FROM sources_source source LEFT JOIN sources_sourcetally tally ON tally.source_id = source.id GROUP BY 1
"""  # noqa: S608
# Lateral, so that a question for some sources does not add up the shares of all.
VIEW = f"""
CREATE VIEW sources_sourcecount AS
SELECT source.id AS source_id, shares.* FROM sources_source AS source CROSS JOIN LATERAL (
    SELECT {", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in COUNTERS)},
        max(last_received_at) AS last_received_at
    FROM sources_sourcetally WHERE source_id = source.id
) AS shares
"""


class Migration(migrations.Migration):
    dependencies = [("sources", "0005_received_requests_and_json_uploads")]

    operations = [
        migrations.CreateModel(
            name="SourceTally",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                *((name, models.BigIntegerField(default=0)) for name in COUNTERS),
                ("last_received_at", models.DateTimeField(null=True)),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tallies", to="sources.source"
                    ),
                ),
            ],
            options={"abstract": False},
        ),
        migrations.RunSQL(TAKE_OVER, GIVE_BACK),
        migrations.DeleteModel("SourceCount"),
        migrations.RunSQL(VIEW, "DROP VIEW sources_sourcecount"),
        migrations.CreateModel(
            name="SourceCount",
            fields=[
                *((name, models.BigIntegerField(default=0)) for name in COUNTERS),
                ("last_received_at", models.DateTimeField(null=True)),
                (
                    "source",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="count",
                        serialize=False,
                        to="sources.source",
                    ),
                ),
            ],
            options={"managed": False, "db_table": "sources_sourcecount"},
        ),
    ]
