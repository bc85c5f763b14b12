"""Who speaks in a thread: customers, whose words are evidence, or staff and bots, whose words are context."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Self

from feedback_ingest.models import ConversationPart, FeedbackItem, SpeakerRule
from projects.models import Membership, Project
from sources.exports import is_exported
from sources.models import Source

Role = ConversationPart.Role
BOTS = ("bot", "assistant", "*bot")


@dataclass(frozen=True, slots=True)
class Voice:
    """What is known of the author of one text; `stated` is what the application it came from says of them.

    `is_internal` where the text was never meant for the customer.
    """

    author: str | None
    email: str | None
    user_id: str | None
    stated: Role | None = None
    is_internal: bool = False

    @classmethod
    def of(cls, text: FeedbackItem | ConversationPart, source: Source) -> Self:
        """Return the voice of an item or a part of a source.

        Only connected applications and their exports are believed: elsewhere `role` may be what somebody does
        for a living.
        """
        facts = text.metadata or {}
        if source.kind != Source.Kind.CONNECTOR and not is_exported(facts):
            facts = {}
        stated = Role(facts["role"]) if facts.get("role") in Role.values else None
        return cls(text.author, text.email, text.user_id, stated, facts.get("internal") is True)

    @property
    def keys(self) -> list[str]:
        """By what rules know them, the surest first: e-mail, then name."""
        return [key for key in ((self.email or "").lower(), (self.author or "").casefold()) if key]

    def is_same_as(self, other: "Voice") -> bool:
        """Tell whether name or e-mail say that two voices are one; two nameless ones of a thread are."""
        if self.email and other.email:
            return self.email.lower() == other.email.lower()
        if self.author and other.author:
            return self.author.casefold() == other.author.casefold()
        return not any((self.author, self.email, self.user_id)) and not any((other.author, other.email))


@dataclass(frozen=True, slots=True)
class Staff:
    """How a project's staff is recognised: people's own word first, then e-mail, domain and author name."""

    rules: dict[str, Role]
    emails: frozenset[str]
    domains: frozenset[str]
    authors: tuple[str, ...]

    @classmethod
    def of(cls, project: Project) -> Self:
        """Read a project's rules, members, domains and listed author names."""
        rules = SpeakerRule.objects.filter(project=project).values_list("author", "role")
        members = Membership.objects.filter(project=project).values_list("user__email", flat=True)
        return cls(
            rules={author: Role(role) for author, role in rules},
            emails=frozenset(email.lower() for email in members),
            domains=frozenset(domain.lower().lstrip("@") for domain in project.internal_domains),
            authors=tuple(author.casefold() for author in project.agent_authors),
        )

    def role_of(self, voice: Voice) -> Role | None:
        """Return the role that is certain, whoever else speaks; None where it depends on the thread.

        An internal note is staff's, whoever wrote it. People's own word comes next; that somebody is staff is
        believed before that they are a customer.
        """
        if voice.is_internal:
            return Role.AGENT
        for key in voice.keys:
            if rule := self.rules.get(key):
                return rule
        if voice.stated in (Role.AGENT, Role.BOT):
            return voice.stated
        email, author = (voice.email or "").lower(), (voice.author or "").casefold()
        if email and (email in self.emails or email.rpartition("@")[2] in self.domains):
            return Role.AGENT
        if voice.stated == Role.CUSTOMER:
            return Role.CUSTOMER
        if author and any(fnmatch(author, pattern) for pattern in self.authors):
            return Role.BOT if any(fnmatch(author, pattern) for pattern in BOTS) else Role.AGENT
        return Role.CUSTOMER if voice.user_id else None


def voices_of(item: FeedbackItem, parts: Iterable[ConversationPart]) -> tuple[Voice, list[Voice]]:
    """Return the voice that opened a thread, and those of its parts in order; the item's source is read once."""
    return Voice.of(item, item.source), [Voice.of(part, item.source) for part in parts]


def roles_in_thread(staff: Staff, opener: Voice, others: Iterable[Voice]) -> tuple[Role, list[Role]]:
    """Return the role of who opened a thread, and of each other voice in order.

    Somebody unknown is a customer when they share a name or e-mail with one, when they opened the thread,
    or when nobody in it is known to be a customer; else they count as staff, so that no staff is counted
    as a customer by mistake.
    """
    others = list(others)
    known = [staff.role_of(voice) for voice in others]
    # A name on a part without user id may be the customer's who gave it elsewhere in the thread.
    opener_role = staff.role_of(opener)
    named = any((opener.author, opener.email, opener.user_id))
    if opener_role is None and (named or not others):
        opener_role = Role.CUSTOMER
    customers = [voice for voice, role in zip(others, known, strict=True) if role == Role.CUSTOMER]
    if opener_role == Role.CUSTOMER:
        customers.append(opener)
    roles = [role or _by_thread(voice, customers) for voice, role in zip(others, known, strict=True)]
    return opener_role or Role.CUSTOMER, roles


def _by_thread(voice: Voice, customers: list[Voice]) -> Role:
    if not customers or any(voice.is_same_as(customer) for customer in customers):
        return Role.CUSTOMER
    return Role.AGENT
