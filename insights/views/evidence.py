"""Evidence as pages show it: only mentions whose words stand in their item, letter for letter."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from insights.evidence import quote_of
from insights.models import Mention

SURE = 0.75
LIKELY = 0.5


@dataclass(frozen=True, slots=True)
class Evidence:
    """A verified mention with the text that it stands in."""

    mention: Mention

    @property
    def body(self) -> str:
        """The whole text."""
        text = self.mention.part or self.mention.item
        return text.body or ""

    @property
    def url(self) -> str:
        """Where the original is, if the address is one that a browser may open."""
        mention = self.mention
        url = (mention.part and mention.part.url) or mention.item.url or ""
        return url if url.startswith(("https://", "http://")) else ""

    @property
    def plan(self) -> str:
        """The plan that the customer is on, where the feedback says so."""
        plan = (self.mention.item.metadata or {}).get("plan")
        return plan if isinstance(plan, str) else ""

    @property
    def confidence(self) -> str:
        """How sure the analyst was, in a word."""
        if self.mention.moved_by_hand:
            return "placed by hand"
        if self.mention.unsure:
            return "needs a look"
        if self.mention.confidence >= SURE:
            return "sure"
        return "likely" if self.mention.confidence >= LIKELY else "doubtful"

    def url_of(self, name: str, slug: str) -> str:
        """Return the address of an act on the mention."""
        return reverse(name, args=[slug, self.mention.pk])


def verified(mentions: Iterable[Mention]) -> list[Evidence]:
    """Keep the mentions whose words are there."""
    return [Evidence(mention) for mention in mentions if quote_of(mention)]
