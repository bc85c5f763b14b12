"""Refuse to empty the audit trail as a whole, as changing and deleting its rows is refused."""

from django.db import migrations

GUARD = """
CREATE TRIGGER audit_not_emptied BEFORE TRUNCATE ON feedback_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION feedback_audit_is_append_only();
"""
UNGUARD = "DROP TRIGGER audit_not_emptied ON feedback_auditevent;"


class Migration(migrations.Migration):
    dependencies = [("feedback", "0003_daily_token_budget")]

    operations = [migrations.RunSQL(GUARD, UNGUARD)]
