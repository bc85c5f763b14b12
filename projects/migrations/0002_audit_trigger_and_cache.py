"""Make the audit trail append-only, and the cache table that all processes share."""

from django.core.management import call_command
from django.db import migrations

# Retention sets the variable for its own transaction.
GUARD = """
CREATE FUNCTION feedback_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('earshot.audit_retention', true) = 'on' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON feedback_auditevent
    FOR EACH ROW EXECUTE FUNCTION feedback_audit_is_append_only();
"""
UNGUARD = """
DROP TRIGGER audit_append_only ON feedback_auditevent;
DROP FUNCTION feedback_audit_is_append_only();
"""


def create_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("feedback", "0001_initial")]

    operations = [
        migrations.RunSQL(GUARD, UNGUARD),
        migrations.RunPython(create_cache_table, migrations.RunPython.noop),
    ]
