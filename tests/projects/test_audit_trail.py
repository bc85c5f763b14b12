"""What is written into the audit trail stays as it is."""

import pytest
from django.db import DatabaseError, connection, transaction

from projects.models import AuditEvent
from tests.factories import Member


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE feedback_auditevent SET verb = 'nothing'",
        "DELETE FROM feedback_auditevent",
        "TRUNCATE feedback_auditevent",
    ],
)
def test_no_statement_of_ours_changes_it(owner: Member, statement: str) -> None:
    AuditEvent.objects.create(verb="member.joined", target_type="user", target_id=str(owner.user.pk))
    refused = pytest.raises(DatabaseError, match="append-only")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEvent.objects.filter(verb="member.joined", target_id=str(owner.user.pk)).exists()
