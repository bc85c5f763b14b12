"""Drawing approved verdicts at random for a check that somebody asks for, beside those that chance puts there."""

import random

from django.db import transaction

from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission
from review.models import Feedback
from review.services.counts import list_count
from review.services.settings import settings_of


def sample_more(project: Project, number: int, *, actor: User) -> int:
    """Put up to `number` approved verdicts before reviewers, each as likely as any other; return how many there are.

    What has been drawn or checked before is not drawn again.
    """
    require(actor, Permission.MANAGE, project)
    count = list_count(project, status=Feedback.Status.AUTO_APPROVED)
    if not count.total:
        return 0
    drawn = random.SystemRandom().sample(range(count.total), min(count.total, number))
    approved = Feedback.objects.reviewable().filter(project=project, status=Feedback.Status.AUTO_APPROVED)
    keys = set()
    for offset in drawn:
        place = count.place(offset)
        rows = approved.filter(created_at__lt=place.before).newest_first()
        keys |= set(rows.values_list("pk", flat=True)[place.skipped : place.skipped + 1])
    with transaction.atomic():
        sampled = approved.filter(pk__in=keys, sampled=False).update(sampled=True)
        audit.record("auto_approval.sampled", settings_of(project), actor=actor, project=project, verdicts=sampled)
    return sampled
