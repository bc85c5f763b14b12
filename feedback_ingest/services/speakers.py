"""A person's word on who an author is, over what would be guessed."""

from django.db import transaction
from django.db.models import Q

from config.errors import DomainError
from feedback_ingest.models import ConversationPart, FeedbackItem, SpeakerRule
from feedback_ingest.services.items import read_again
from projects import audit
from projects.access import require
from projects.models import Project, User
from projects.roles import Permission

Role = ConversationPart.Role


@transaction.atomic
def overrule(project: Project, author: str, role: Role | None, *, actor: User) -> int:
    """Say who an author is, known by e-mail or by name; without a role, go back to guessing.

    Their items are analysed again; what was set aside by hand stays so. Returns how many items that is.
    Raises DomainError for an author that is empty or too long, and for who may not edit insights.
    """
    require(actor, Permission.EDIT_INSIGHTS, project)
    key = author_key(author)
    if role is None:
        SpeakerRule.objects.filter(project=project, author=key).delete()
    else:
        SpeakerRule.objects.update_or_create(project=project, author=key, defaults={"role": role})
    moved = read_again(project, _items_with(project, key))
    audit.record("speaker.overruled", project, actor=actor, project=project, role=role or "guessed", items=moved)
    return moved


def role_given(project: Project, author: str) -> Role | None:
    """Return the role that a person gave to an author, if somebody did."""
    rule = SpeakerRule.objects.filter(project=project, author=author_key(author)).first()
    return Role(rule.role) if rule else None


def author_key(author: str) -> str:
    """Return how rules name an author. Raises DomainError for one that is empty or too long."""
    key = author.strip()
    key = key.lower() if "@" in key else key.casefold()
    if not 0 < len(key) <= 256:
        raise DomainError("This author has no name or e-mail to go by.", code="bad_author")
    return key


def _items_with(project: Project, key: str) -> list[int]:
    """Return the items that an author opened or took part in."""
    named = Q(email__iexact=key) | Q(author__iexact=key)
    opened = FeedbackItem.objects.filter(named, project=project).values_list("pk", flat=True)
    joined = ConversationPart.objects.filter(named, project=project).values_list("item", flat=True)
    return sorted({*opened, *joined})
