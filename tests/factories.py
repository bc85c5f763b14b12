"""Plain functions that make what tests need."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from feedback_ingest.models import FeedbackItem, Person
from feedback_ingest.services import ingest_items
from insights import counts
from insights.evidence import quote_hash
from insights.models import Insight, Mention
from projects import services
from projects.models import Project, User
from projects.roles import Role
from sources.items import RawItem
from sources.models import Source

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a project with a bearer token."""

    user: User
    project: Project
    token: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that signs an API request."""
        return {"Authorization": f"Bearer {self.token}"}


def make_user(**overrides: Any) -> User:
    """Make a person with the password `correct horse battery`."""
    fields = {"email": f"person{next(_numbers)}@example.com", "password": "correct horse battery"} | overrides
    return User.objects.create_user(**fields)


def make_project(owner: User | None = None, **overrides: Any) -> Project:
    """Make a project with an owner."""
    project = services.create_project(overrides.pop("name", f"Project {next(_numbers)}"), owner=owner or make_user())
    for field, value in overrides.items():
        setattr(project, field, value)
    project.save()
    return project


def make_member(project: Project, role: Role, **overrides: Any) -> Member:
    """Make a person with a role in a project, and a token."""
    user = make_user(**overrides)
    services.grant_role(project, user, role)
    return Member(user, project, services.issue_personal_token(user, project, "tests").secret)


def make_source(project: Project, **overrides: Any) -> Source:
    """Make a webhook source."""
    fields = {"kind": Source.Kind.WEBHOOK, "name": f"Source {next(_numbers)}"} | overrides
    return Source.objects.create(project=project, **fields)


def make_item(source: Source, **overrides: Any) -> FeedbackItem:
    """Make one item as ingest would leave it: waiting, and counted."""
    number = next(_numbers)
    fields: dict[str, Any] = {"unique_id": f"item-{number}", "body": f"The export button {number} does nothing."}
    raw = RawItem(**(fields | overrides))
    ingest_items(source, [raw])
    return FeedbackItem.objects.get(source=source, unique_id=raw.unique_id)


def make_person(project: Project, **overrides: Any) -> Person:
    """Make a customer."""
    return Person.objects.create(project=project, amplitude_id=next(_numbers), **overrides)


def make_insight(project: Project, **overrides: Any) -> Insight:
    """Make an insight without evidence."""
    fields = {"kind": Insight.Kind.BUG, "title": f"Export fails {next(_numbers)}"} | overrides
    return Insight.objects.create(project=project, **fields)


def make_mention(insight: Insight, item: FeedbackItem, **overrides: Any) -> Mention:
    """Make a mention of all of an item's words by one person, counted as in the product."""
    start, end = overrides.pop("start", 0), overrides.pop("end", len(item.body or ""))
    created_at = overrides.pop("created_at", item.created_at)
    person = overrides.pop("person", None) or make_person(insight.project)
    mention = Mention(
        project=insight.project,
        insight=insight,
        item=item,
        source=item.source,
        start=start,
        end=end,
        quote_hash=quote_hash(item.body or "", start, end),
        statement=(item.body or "")[start:end][:400],
        statement_hash=b"",
        person=person,
        account=person.account,
        created_at=created_at,
        day=created_at.date(),
        **({"kind": insight.kind} | overrides),
    )
    with counts.kept(insight.project_id, [counts.Touch.of(mention)]):
        mention.save()
    insight.refresh_from_db()
    return mention
