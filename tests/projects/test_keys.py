"""Keys: made and shown once, stored as hashes, compared in constant time, refused once revoked."""

import base64
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from projects import authentication, credentials, services
from projects.models import ApiKey, AuditEvent, Project
from projects.roles import Role
from tests.factories import Member, make_source


def signed_in(member: Member) -> Client:
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def console(owner: Member) -> Client:
    return signed_in(owner)


def make(client: Client, project: Project, kind: str, name: str = "Importer") -> Any:
    return client.post(reverse("key_create", args=[project.slug]), {"kind": kind, "name": name})


def shown(answer: Any) -> list[str]:
    """Return what the page offers to copy."""
    return re.findall(r"<code>([^<]+)</code></pre>", answer.content.decode())


def basic(public: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{public}:{secret}".encode()).decode()}


def ingest(project: Project, headers: dict[str, str]) -> int:
    source = make_source(project)
    body = {"source_id": str(source.pk), "items": [{"unique_id": "a", "body": "It stops."}]}
    url = "/api/1/ai-feedback/ingest"
    return Client().post(url, body, "application/json", headers=headers).status_code


def test_an_api_key_is_shown_once_and_opens_the_ingest(console: Client, project: Project) -> None:
    answer = make(console, project, "project")
    public, secret = shown(answer)
    assert "no-store" in answer.headers["Cache-Control"]
    assert ingest(project, basic(public, secret)) == 200
    again = console.get(reverse("settings_keys", args=[project.slug])).content.decode()
    assert public in again
    assert secret not in again


def test_a_revoked_key_is_refused_at_the_very_next_request(console: Client, project: Project) -> None:
    public, secret = shown(make(console, project, "project"))
    assert ingest(project, basic(public, secret)) == 200
    key = ApiKey.objects.get(public=public)
    answer = console.post(reverse("key_revoke", args=[project.slug, key.pk]), follow=True)
    assert "it is refused from now on" in answer.content.decode()
    assert ingest(project, basic(public, secret)) == 401
    assert console.post(reverse("key_revoke", args=[project.slug, key.pk])).status_code == 404


def test_a_token_of_ones_own_may_do_what_its_person_may(viewer: Member, project: Project) -> None:
    client = signed_in(viewer)
    (token,) = shown(make(client, project, "personal"))
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/v1/sources/", headers=headers).status_code == 200
    key = authentication.key_by_token(token)
    assert key is not None
    client.post(reverse("key_revoke", args=[project.slug, key.pk]))
    assert Client().get("/api/v1/sources/", headers=headers).status_code == 401


def test_an_agent_key_has_the_form_that_clients_check(console: Client, project: Project) -> None:
    (secret,) = shown(make(console, project, "agent"))
    assert re.fullmatch(r"ags_[0-9a-f]{32}_[0-9a-f]{6}", secret)
    key = authentication.key_by_agent_key(secret)
    assert key is not None
    assert key.agent is not None
    assert key.agent.project_id == project.pk


def test_members_see_their_own_tokens_only(console: Client, viewer: Member, project: Project) -> None:
    make(console, project, "project", "Importer of the owner")
    make(console, project, "personal", "Token of the owner")
    client = signed_in(viewer)
    page = client.get(reverse("settings_keys", args=[project.slug])).content.decode()
    assert "tests" in page
    assert "of the owner" not in page
    theirs = ApiKey.objects.get(name="Token of the owner")
    assert client.post(reverse("key_revoke", args=[project.slug, theirs.pk])).status_code == 404
    assert make(client, project, "project").status_code == 403
    assert make(client, project, "agent").status_code == 403


def test_owners_do_not_see_the_tokens_of_others(console: Client, viewer: Member, project: Project) -> None:
    services.create_key(project, ApiKey.Kind.PERSONAL, "Viewer's laptop", actor=viewer.user)
    assert "laptop" not in console.get(reverse("settings_keys", args=[project.slug])).content.decode()


def test_a_key_of_another_project_cannot_be_revoked(console: Client, project: Project, stranger: Member) -> None:
    theirs = services.issue_project_key(stranger.project, "Theirs").key
    assert console.post(reverse("key_revoke", args=[project.slug, theirs.pk])).status_code == 404
    theirs.refresh_from_db()
    assert theirs.revoked_at is None


def test_a_key_needs_a_name_and_a_known_kind(console: Client, project: Project) -> None:
    before = ApiKey.objects.count()
    assert make(console, project, "project", " ").status_code == 422
    assert make(console, project, "master").status_code == 400
    assert ApiKey.objects.count() == before


def test_making_and_revoking_leave_audit_events_without_the_secret(
    console: Client, owner: Member, project: Project
) -> None:
    public, secret = shown(make(console, project, "project"))
    key = ApiKey.objects.get(public=public)
    console.post(reverse("key_revoke", args=[project.slug, key.pk]))
    events = AuditEvent.objects.filter(target_type="apikey", target_id=str(key.pk)).order_by("pk")
    assert [event.verb for event in events] == ["key.created", "key.revoked"]
    assert {event.actor_id for event in events} == {owner.user.pk}
    assert secret not in str(list(events.values()))


def test_no_table_holds_a_secret_in_plain(console: Client, owner: Member, project: Project) -> None:
    _, secret = shown(make(console, project, "project"))
    (agent_key,) = shown(make(console, project, "agent"))
    (token,) = shown(make(console, project, "personal"))
    invited = services.invite(project, "grace@example.org", Role.VIEWER, actor=owner.user).link
    link = services.make_sign_in_link(owner.user)
    secrets = [secret, agent_key, token, invited.rsplit("/", 1)[1], link.rsplit("/", 1)[1]]
    assert found_in_database("grace@example.org") > 0
    assert [found_in_database(each) for each in secrets] == [0] * 5


def found_in_database(text: str) -> int:
    """Count the rows of all tables that contain a text in any column."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = 0
        for table in tables:
            cursor.execute(f'SELECT count(*) FROM "{table}" AS t WHERE strpos(t::text, %s) > 0', [text])
            found += cursor.fetchone()[0]
    return found


def test_known_and_unknown_keys_are_compared_alike_in_constant_time(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = services.issue_project_key(project, "Key")
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(credentials, "constant_time_compare", compare)
    for public in (issued.key.public, "0" * 32):
        assert authentication.key_by_basic(basic(public, "f" * 32)["Authorization"]) is None
    assert [(len(one), len(other)) for one, other in compared] == [(64, 64), (64, 64)]
    assert authentication.key_by_basic(basic(issued.key.public, issued.secret)["Authorization"]) == issued.key


def test_last_use_is_noted(console: Client, project: Project) -> None:
    public, secret = shown(make(console, project, "project"))
    assert "never used" in console.get(reverse("settings_keys", args=[project.slug])).content.decode()
    ingest(project, basic(public, secret))
    assert ApiKey.objects.get(public=public).last_used_at is not None
    assert "last used" in console.get(reverse("settings_keys", args=[project.slug])).content.decode()
