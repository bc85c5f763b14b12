"""The settings of a project: what is shown to whom, what is stored, and what follows from it."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from feedback_ingest.models import FeedbackItem
from insights.models import LlmCall
from projects import audit, changes, services
from projects.models import AuditEvent, Membership, Project
from projects.roles import Permission, Role
from tests.factories import (
    Member,
    make_insight,
    make_item,
    make_member,
    make_mention,
    make_project,
    make_source,
    make_user,
)


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def console(owner: Member) -> Client:
    return signed_in(owner)


def at(name: str, project: Project, *args: object) -> str:
    return reverse(name, args=[project.slug, *args])


def words(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def general(**overrides: Any) -> dict[str, Any]:
    return {
        "name": "Shop",
        "time_zone": "UTC",
        "language": "en",
        "region": "",
        "internal_domains": "",
        "agent_authors": "Bot",
        "email_field": "",
        "retention_days": "",
        "daily_token_budget": "",
    } | overrides


def test_an_owner_changes_the_general_settings(console: Client, project: Project) -> None:
    answer = console.post(
        at("settings_change", project),
        general(
            language="de",
            region="Frankfurt",
            internal_domains="Example.com\n@help.example.org\n\nexample.com",
            agent_authors="Bot\nDesk",
            email_field="mail",
            retention_days="365",
            daily_token_budget="0",
        ),
        follow=True,
    )
    assert "Saved." in words(answer)
    project.refresh_from_db()
    assert (project.name, project.language, project.region, project.email_field) == ("Shop", "de", "Frankfurt", "mail")
    assert project.internal_domains == ["example.com", "help.example.org"]
    assert project.agent_authors == ["Bot", "Desk"]
    assert (project.retention_days, project.daily_token_budget) == (365, 0)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "This field is required."),
        ("time_zone", "Mars/Olympus", "“Mars/Olympus” is not a time zone"),
        ("time_zone", "localtime", "“localtime” is not a time zone"),
        ("language", "xx", "Select a valid choice"),
        ("internal_domains", "not a domain", "“not a domain” is not a domain"),
        ("agent_authors", "x" * 121, "is longer than 120 characters"),
        ("retention_days", "0", "At least one day"),
        ("daily_token_budget", "-1", "greater than or equal to 0"),
        ("daily_token_budget", "99999999999", "less than or equal to"),
    ],
)
def test_what_cannot_be_is_said_beside_its_field_and_nothing_is_stored(
    console: Client, project: Project, field: str, value: str, said: str
) -> None:
    answer = console.post(at("settings_change", project), general(region="Elsewhere") | {field: value})
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Project.objects.get(pk=project.pk).region == ""


def test_another_time_zone_is_told_to_the_apps_that_keep_days(
    console: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved: list[str] = []
    monkeypatch.setattr(changes, "_on_time_zone", [lambda changed: moved.append(changed.time_zone)])
    console.post(at("settings_change", project), general(time_zone="Asia/Tokyo"))
    console.post(at("settings_change", project), general(time_zone="Asia/Tokyo", region="Tokyo"))
    assert moved == ["Asia/Tokyo"]


def test_the_audit_trail_names_changed_fields_without_what_a_person_wrote(console: Client, project: Project) -> None:
    console.post(at("settings_change", project), general(name="Jane's private shop", retention_days="30"))
    event = AuditEvent.objects.filter(project_id=project.pk, verb="project.changed").get()
    assert event.details["retention_days"] == [None, 30]
    assert "name" in event.details["fields"]
    assert "Jane" not in str(event.details)


def test_saving_without_a_change_leaves_no_event(console: Client, project: Project) -> None:
    console.post(at("settings_change", project), general())
    console.post(at("settings_change", project), general())
    assert AuditEvent.objects.filter(project_id=project.pk, verb="project.changed").count() == 1


def test_todays_use_of_the_token_budget_is_shown(console: Client, project: Project) -> None:
    services.change_project(
        project, actor=project.memberships.get(user__tokens__isnull=False).user, daily_token_budget=10_000
    )
    LlmCall.objects.create(project=project, purpose="classify", model="m", input_tokens=1_500, output_tokens=500)
    shown = words(console.get(at("settings_general", project)))
    assert "2k of 10k tokens" in shown
    assert "8,000 are left" in shown


def test_a_viewer_sees_the_settings_but_cannot_change_them(viewer: Member, project: Project) -> None:
    client = signed_in(viewer)
    page = client.get(at("settings_general", project)).content.decode()
    assert "An owner of this project can change these." in page
    assert at("settings_change", project) not in page
    assert client.post(at("settings_change", project), general()).status_code == 403


@pytest.mark.parametrize("name", ["settings_mail", "settings_audit"])
def test_what_only_owners_see_is_refused_to_others_and_hidden_from_strangers(
    name: str, viewer: Member, stranger: Member, project: Project
) -> None:
    assert signed_in(viewer).get(at(name, project)).status_code == 403
    assert signed_in(stranger).get(at(name, project)).status_code == 404
    assert at(name, project) not in signed_in(viewer).get(at("settings_general", project)).content.decode()
    assert Client().get(at(name, project)).status_code == 302


def test_the_members_page_lists_everyone_and_says_what_roles_may_do(
    console: Client, project: Project, reviewer: Member
) -> None:
    shown = words(console.get(at("settings_members", project)))
    assert reviewer.user.email in shown
    assert "Read insights and feedback · Review answers" in shown


def test_an_owner_gives_a_member_another_role(console: Client, project: Project, viewer: Member) -> None:
    membership = Membership.objects.get(project=project, user=viewer.user)
    answer = console.post(at("member_role", project, membership.pk), {"role": "editor"}, follow=True)
    assert "is Editor now" in words(answer)
    assert project in Project.objects.visible_to(viewer.user, Permission.EDIT_INSIGHTS)
    assert console.post(at("member_role", project, membership.pk), {"role": "king"}).status_code == 400


def test_a_removed_member_is_refused_at_the_very_next_request(
    console: Client, project: Project, viewer: Member
) -> None:
    theirs = signed_in(viewer)
    assert theirs.get(at("settings_members", project)).status_code == 200
    assert theirs.get("/api/v1/sources/", headers=viewer.headers).status_code == 200
    membership = Membership.objects.get(project=project, user=viewer.user)
    console.post(at("member_remove", project, membership.pk))
    assert theirs.get(at("settings_members", project)).status_code == 404
    assert Client().get("/api/v1/sources/", headers=viewer.headers).status_code == 401


def test_the_last_owner_can_neither_leave_nor_step_down(project: Project) -> None:
    membership = Membership.objects.get(project=project, role=Role.OWNER)
    client = Client()
    client.force_login(membership.user)
    page = client.get(at("settings_members", project)).content.decode()
    assert at("member_role", project, membership.pk) not in page
    assert "needs an owner" in words(client.post(at("member_role", project, membership.pk), {"role": "viewer"}))
    assert "needs an owner" in words(client.post(at("member_remove", project, membership.pk)))
    assert Membership.objects.get(pk=membership.pk).role == Role.OWNER


def test_members_of_another_project_cannot_be_reached(console: Client, project: Project, stranger: Member) -> None:
    theirs = Membership.objects.get(project=stranger.project, user=stranger.user)
    assert console.post(at("member_role", project, theirs.pk), {"role": "viewer"}).status_code == 404
    assert console.post(at("member_remove", project, theirs.pk)).status_code == 404
    assert console.post(at("member_remove", stranger.project, theirs.pk)).status_code == 404


def test_a_reviewer_changes_no_members(reviewer: Member, viewer: Member, project: Project) -> None:
    membership = Membership.objects.get(project=project, user=viewer.user)
    client = signed_in(reviewer)
    page = client.get(at("settings_members", project)).content.decode()
    assert at("member_invite", project) not in page
    assert client.post(at("member_remove", project, membership.pk)).status_code == 403
    assert client.post(at("member_invite", project), {"email": "a@b.example", "role": "owner"}).status_code == 403


def test_the_audit_trail_reads_as_words_newest_first(console: Client, owner: Member, viewer: Member) -> None:
    project = owner.project
    membership = Membership.objects.get(project=project, user=viewer.user)
    services.change_role(membership, Role.EDITOR, actor=owner.user)
    services.remove_member(Membership.objects.get(pk=membership.pk), actor=owner.user)
    shown = words(console.get(at("settings_audit", project)))
    newest, older = shown.index("removed from the project"), shown.index("changed the role of")
    assert newest < older
    assert f"{owner.user.email} changed the role of {viewer.user.email} viewer → editor" in shown


def test_the_audit_trail_pages_by_key_without_gaps_or_repetitions(console: Client, owner: Member) -> None:
    for number in range(120):
        audit.record("source.added", owner.project, actor=owner.user, project=owner.project, number=number)
    url, seen = at("settings_audit", owner.project), []
    while url:
        page = console.get(url)
        seen += [int(each) for each in re.findall(r"number: (\d+)", page.content.decode())]
        url = f"{at('settings_audit', owner.project)}?cursor={page.context['next']}" if page.context["next"] else ""
    assert seen == list(range(119, -1, -1))
    assert console.get(at("settings_audit", owner.project), {"cursor": "nonsense"}).status_code == 400


def test_the_audit_trail_takes_the_same_queries_for_any_number_of_events(console: Client, owner: Member) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            console.get(at("settings_audit", owner.project))
        return len(queries)

    audit.record("source.added", owner.user, actor=owner.user, project=owner.project)
    few = count()
    for _ in range(30):
        audit.record(
            "member.joined", owner.user, actor=make_member(owner.project, Role.VIEWER).user, project=owner.project
        )
    assert count() == few


def test_events_of_other_projects_are_not_shown(console: Client, project: Project, stranger: Member) -> None:
    audit.record("source.deleted", stranger.project, actor=stranger.user, project=stranger.project)
    assert stranger.user.email not in words(console.get(at("settings_audit", project)))


def test_the_sample_project_goes_with_one_click_and_leaves_its_audit_trail(owner: Member) -> None:
    sample = make_project(owner=owner.user, name="Sample", is_sample=True)
    item = make_item(make_source(sample))
    make_mention(make_insight(sample), item)
    services.issue_project_key(sample, "Key")
    client = signed_in(owner)
    assert "Remove the sample project" in client.get(at("settings_general", sample)).content.decode()
    answer = client.post(at("sample_remove", sample), follow=True)
    assert "The sample project is gone." in words(answer)
    assert not Project.objects.filter(pk=sample.pk).exists()
    assert not FeedbackItem.objects.filter(pk=item.pk).exists()
    assert rows_of(sample.pk) == {}
    assert AuditEvent.objects.filter(project_id=sample.pk, verb="project.removed", actor_id=owner.user.pk).exists()
    assert Project.objects.filter(pk=owner.project.pk).exists()


def rows_of(project: int) -> dict[str, int]:
    """Count what is left of a project in every table that has a project's id, the audit trail aside."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.columns"
            " WHERE column_name = 'project_id' AND table_schema = 'public' AND table_name <> 'feedback_auditevent'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        assert len(tables) > 20
        left = {}
        for table in tables:
            cursor.execute(f"SELECT count(*) FROM {table} WHERE project_id = %s", [project])
            if count := cursor.fetchone()[0]:
                left[table] = count
        cursor.execute("SELECT count(*) FROM guardian_userobjectpermission WHERE object_pk = %s", [str(project)])
        if count := cursor.fetchone()[0]:
            left["grants"] = count
    return left


def test_a_real_project_is_never_removed_that_way(console: Client, project: Project, viewer: Member) -> None:
    assert console.post(at("sample_remove", project)).status_code == 400
    Project.objects.filter(pk=project.pk).update(is_sample=True)
    assert signed_in(viewer).post(at("sample_remove", project)).status_code == 403
    assert Project.objects.filter(pk=project.pk).exists()


def test_who_is_in_no_project_makes_one(db: None) -> None:
    client = Client()
    user = make_user()
    client.force_login(user)
    assert "Create project" in words(client.get("/"))
    answer = client.post(reverse("create_project"), {"name": "Öl & Söhne"})
    project = Project.objects.visible_to(user, Permission.MANAGE_MEMBERS).get()
    assert project.name == "Öl & Söhne"
    assert answer.headers["Location"] == f"/p/{project.slug}/"
    assert client.post(reverse("create_project"), {"name": " "}).status_code == 422


def test_an_owner_makes_a_second_project_in_the_same_organization(console: Client, owner: Member) -> None:
    console.post(reverse("create_project"), {"name": "Second"})
    second = Project.objects.visible_to(owner.user).get(name="Second")
    assert second.organization_id == owner.project.organization_id
    assert "New project…" in words(console.get(at("settings_general", owner.project)))


def test_a_mere_member_makes_no_project(viewer: Member) -> None:
    client = signed_in(viewer)
    assert "Only owners create projects." in words(client.get(reverse("create_project")))
    assert client.post(reverse("create_project"), {"name": "Mine"}).status_code == 403
    assert not Project.objects.filter(name="Mine").exists()


def test_a_person_changes_their_profile(console: Client, owner: Member) -> None:
    answer = console.post(
        reverse("profile"), {"name": "Ada L.", "time_zone": "Asia/Tokyo", "theme": "dark"}, follow=True
    )
    assert "Saved." in words(answer)
    assert 'data-theme="earshot-dark"' in answer.content.decode()
    owner.user.refresh_from_db()
    assert (owner.user.name, owner.user.time_zone) == ("Ada L.", "Asia/Tokyo")
    assert console.post(reverse("profile"), {"time_zone": "Nowhere", "theme": "dark"}).status_code == 422


def test_mail_says_that_no_server_is_set(console: Client, project: Project) -> None:
    assert "No mail server is set." in words(console.get(at("settings_mail", project)))
    assert "EMAIL_HOST is empty" in words(console.post(at("mail_test", project)))


def test_a_test_mail_goes_to_the_person_alone(
    console: Client, owner: Member, settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_HOST = "mail.example"
    shown = console.get(at("settings_mail", owner.project)).content.decode()
    assert "mail.example:587" in shown
    assert "Sent." in words(console.post(at("mail_test", owner.project)))
    assert [mail.to for mail in mailoutbox] == [[owner.user.email]]


def test_a_test_mail_that_fails_says_why(console: Client, project: Project, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 1, "hunter2hunter2"
    shown = words(console.post(at("mail_test", project)))
    assert "The mail server cannot be reached: Connection refused." in shown
    assert "hunter2" not in shown


def test_robots_are_sent_away(client: Client) -> None:
    assert client.get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"
