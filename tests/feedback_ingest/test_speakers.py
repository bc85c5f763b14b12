"""Only customers give evidence."""

import pytest

from feedback_ingest.models import ConversationPart, SpeakerRule
from feedback_ingest.speakers import Staff, Voice, roles_in_thread
from projects.models import Project
from projects.roles import Role
from projects.services import grant_role
from sources.models import Source
from tests.factories import make_item, make_source, make_user

Part = ConversationPart.Role
NOBODY = Voice(None, None, None)


def roles(project: Project, opener: Voice, *others: Voice) -> list[str]:
    first, rest = roles_in_thread(Staff.of(project), opener, others)
    return [str(first), *map(str, rest)]


def test_in_the_ticket_of_the_documentation_only_jane_is_a_customer(project: Project) -> None:
    jane = Voice("Jane Doe", None, "user-123")
    agent = Voice("Support Agent", "agent@company.com", None)
    assert roles(project, jane, agent, jane) == ["customer", "agent", "customer"]


def test_in_the_call_of_the_documentation_only_the_buyer_is_a_customer(project: Project) -> None:
    rep, buyer = Voice("Sales Rep", None, None), Voice("Buyer", None, "user-456")
    assert roles(project, rep, buyer, rep) == ["agent", "customer", "agent"]


def test_members_and_internal_domains_are_staff(project: Project) -> None:
    grant_role(project, make_user(email="ana@elsewhere.example"), Role.VIEWER)
    project.internal_domains = ["firm.example"]
    ana, bo = Voice("Ana", "ANA@elsewhere.example", None), Voice("Bo", "bo@Firm.example", "u1")
    assert roles(project, Voice("C", None, None), ana, bo) == ["customer", "agent", "agent"]


def test_a_transcript_of_nameless_roles_counts_everybody_who_is_not_staff(project: Project) -> None:
    assert roles(project, NOBODY, Voice("Support", None, None), Voice("Maria", None, None)) == [
        "customer",
        "agent",
        "customer",
    ]


def test_somebody_unknown_beside_a_known_customer_counts_as_staff(project: Project) -> None:
    jane = Voice("Jane", None, "u1")
    assert roles(project, jane, Voice("Tom", None, None)) == ["customer", "agent"]


def test_the_same_name_is_the_same_customer(project: Project) -> None:
    assert roles(project, Voice("Jane", None, "u1"), Voice("jane", None, None)) == ["customer", "customer"]


@pytest.mark.parametrize("author", ["bot", "HelpBot", "Assistant"])
def test_bots_are_bots(project: Project, author: str) -> None:
    project.agent_authors = ["*bot", "assistant"]
    assert roles(project, Voice("J", None, "u"), Voice(author, None, None))[1] == "bot"


def test_a_persons_word_overrules(project: Project) -> None:
    SpeakerRule.objects.create(project=project, author="support agent", role="customer")
    assert roles(project, Voice("Support Agent", None, None)) == ["customer"]


def test_who_the_application_calls_staff_gives_no_evidence_whatever_else_is_known(project: Project) -> None:
    jane = Voice("Jane", None, "u1", stated=Part.CUSTOMER)
    helper = Voice("Jane", None, "u1", stated=Part.AGENT)
    robot = Voice("Robo", None, "u2", stated=Part.BOT)
    assert roles(project, jane, helper, robot) == ["customer", "agent", "bot"]


def test_an_internal_note_is_never_a_customers_even_where_a_person_calls_its_author_one(project: Project) -> None:
    SpeakerRule.objects.create(project=project, author="jane", role="customer")
    note = Voice("Jane", None, "u1", stated=Part.CUSTOMER, is_internal=True)
    assert roles(project, Voice("Jane", None, "u1"), note) == ["customer", "agent"]


def test_a_colleague_whom_the_application_calls_a_customer_is_staff(project: Project) -> None:
    project.internal_domains = ["firm.example"]
    bo = Voice("Bo", "bo@firm.example", "u1", stated=Part.CUSTOMER)
    assert roles(project, Voice("C", None, "u2"), bo) == ["customer", "agent"]


def test_somebody_named_support_whom_the_application_calls_a_customer_is_one(project: Project) -> None:
    project.agent_authors = ["support"]
    assert roles(project, Voice("Support", None, None, stated=Part.CUSTOMER)) == ["customer"]


@pytest.mark.parametrize(("kind", "expected"), [(Source.Kind.CONNECTOR, Part.AGENT), (Source.Kind.WEBHOOK, None)])
def test_only_connected_applications_are_believed(project: Project, kind: str, expected: str | None) -> None:
    source = make_source(project, kind=kind)
    item = make_item(source, author="Jane", metadata={"role": "agent", "internal": True})
    voice = Voice.of(item, source)
    assert (voice.stated, voice.is_internal) == (expected, expected is not None)
