"""What an analyst is given of an item, and how its answer is tied back to the exact words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from feedback_ingest.models import ConversationPart, FeedbackItem
from feedback_ingest.people import Author
from feedback_ingest.speakers import Staff, roles_in_thread, voices_of
from insights.analyst import Document, Passage
from projects.models import Project

Role = ConversationPart.Role
_ADDITION = re.compile(r"\s*[(:–—|].*")
BODY = 0  # the passage of the item's own body; parts follow by their place in the thread


@dataclass(slots=True)
class Thread:
    """One item with its parts, who speaks in them, and which texts are evidence."""

    item: FeedbackItem
    parts: list[ConversationPart]
    opener_role: Role
    roles: list[Role]
    texts: dict[int, FeedbackItem | ConversationPart] = field(default_factory=dict)

    @property
    def document(self) -> Document:
        """What the analyst reads: the customers' texts alone."""
        return Document(
            passages=tuple(Passage(text.body or "", index) for index, text in self.texts.items()),
            language=self.item.language or self.item.project.language,
            rating=self.item.rating,
            source_kind=self.item.source.type,
            known=self._known,
            own_names=own_names(self.item.project.name),
        )

    @property
    def _known(self) -> tuple[str, ...]:
        """Names and ids of all who speak, which no text that leaves may contain."""
        speakers: list[FeedbackItem | ConversationPart] = [self.item, *self.parts]
        values = (value for text in speakers for value in (text.author, text.email, text.user_id))
        return tuple(dict.fromkeys(value for value in values if value))

    def author_of(self, text: FeedbackItem | ConversationPart) -> Author:
        """Return who wrote a text of this thread."""
        account = (self.item.metadata or {}).get("account")
        return Author(
            user_id=text.user_id,
            email=text.email,
            name=text.author,
            source=str(self.item.source_id),
            anonymous=f"{self.item.source_id}:{self.item.unique_id}",
            account=account if isinstance(account, str) else None,
        )


def own_names(project_name: str) -> tuple[str, ...]:
    """Return what the project's product may be called: the project's name, without what stands in brackets after it."""
    return (_ADDITION.sub("", project_name).strip(),)


def read_threads(project: Project, ids: Sequence[int]) -> list[Thread]:
    """Load items with their parts and tell who speaks."""
    staff = Staff.of(project)
    items = FeedbackItem.objects.filter(pk__in=ids).select_related("project", "source").order_by("pk")
    parts: dict[int, list[ConversationPart]] = {}
    for part in ConversationPart.objects.filter(item__in=ids).order_by("item", "created_at", "pk"):
        parts.setdefault(part.item_id, []).append(part)
    return [_thread(staff, item, parts.get(item.pk, [])) for item in items]


def _thread(staff: Staff, item: FeedbackItem, parts: list[ConversationPart]) -> Thread:
    opener, roles = roles_in_thread(staff, *voices_of(item, parts))
    thread = Thread(item, parts, opener, roles)
    if item.body and opener == Role.CUSTOMER:
        thread.texts[BODY] = item
    for place, (part, role) in enumerate(zip(parts, roles, strict=True), start=1):
        if role == Role.CUSTOMER:
            thread.texts[place] = part
    return thread
