"""The page that says where a project's data is and goes follows the configuration, and nothing else."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from insights.models import LlmCall
from projects.models import Project
from projects.residency import Reach, Way, places, reach_of
from sources.connecting import connect
from sources.models import Source
from tests.factories import Member, make_project


@pytest.fixture(autouse=True)
def nothing_configured(settings: Any) -> None:
    settings.OPENAI_API_KEY = settings.OPENAI_BASE_URL = None
    settings.EMAIL_HOST = ""
    settings.SOCIALACCOUNT_PROVIDERS = {}


def page(member: Member) -> str:
    client = Client()
    client.force_login(member.user)
    answer = client.get(reverse("settings_residency", args=[member.project.slug]))
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_by_default_nothing_leaves_the_machine(viewer: Member) -> None:
    shown = page(viewer)
    assert "Nothing leaves this machine." in shown
    assert "Nothing is sent: no model, mail server or other application is set." in shown
    assert all(place.reach == Reach.MACHINE for place in places(viewer.project))


def test_a_model_endpoint_is_named_with_what_it_gets_and_how_often(
    viewer: Member, stranger: Member, settings: Any
) -> None:
    settings.OPENAI_API_KEY = "key-of-the-tests"
    for project, purpose in ((viewer.project, "analyse"), (viewer.project, "analyse"), (stranger.project, "ask")):
        LlmCall.objects.create(
            project=project, purpose=purpose, model="m", input_tokens=700, output_tokens=50, outcome=LlmCall.Outcome.OK
        )
    shown = page(viewer)
    assert "api.openai.com" in shown
    assert "1 place outside your network gets data of this project." in shown
    assert "Analyse: 2 calls and 1,500 tokens in 30 days" in shown
    assert "Ask:" not in shown
    assert "Model, for your own agents" not in shown


def test_traffic_of_a_projects_own_agents_is_said_to_pass_unchanged(viewer: Member, settings: Any) -> None:
    settings.OPENAI_BASE_URL = "https://models.acme.example/v1"
    LlmCall.objects.create(project=viewer.project, purpose="forward/run", model="m", outcome=LlmCall.Outcome.OK)
    shown = page(viewer)
    assert "passed on unchanged" in shown
    assert "Run: 1 call" in shown


def test_a_model_on_the_machine_itself_leaves_nothing_to_leave(viewer: Member, settings: Any) -> None:
    settings.OPENAI_BASE_URL = "http://127.0.0.1:11434/v1"
    assert "Nothing leaves this machine." in page(viewer)


def test_a_server_in_the_network_is_told_from_one_outside(viewer: Member, settings: Any) -> None:
    settings.EMAIL_HOST = "mail.internal"
    shown = page(viewer)
    assert "Nothing is sent outside your network." in shown
    assert "Your network" in shown
    settings.EMAIL_HOST = "smtp.provider.example"
    assert "1 place outside your network" in page(viewer)


def test_single_sign_on_is_named(viewer: Member, settings: Any) -> None:
    app = {"name": "Acme SSO", "settings": {"server_url": "https://sso.acme.example/realm"}}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
    assert "Acme SSO · sso.acme.example" in page(viewer)


def test_a_database_elsewhere_is_named_by_its_farthest_host(viewer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "10.0.0.5,db.provider.example")
    [database] = [place for place in places(viewer.project) if place.name == "Database"]
    assert (database.host, database.reach) == ("db.provider.example", Reach.OUTSIDE)


def connected(owner: Member, name: str) -> Source:
    return connect(
        owner.project,
        "zendesk",
        name,
        actor=owner.user,
        settings={"subdomain": "acme", "email": "agent@acme.example"},
        secrets={"api_token": "token"},
    )


def test_connected_applications_are_named_until_they_are_deleted(owner: Member) -> None:
    source = connected(owner, "Support desk")
    connected_elsewhere = make_project()
    assert "Support desk · acme.zendesk.com" in page(owner)
    assert [place.name for place in places(connected_elsewhere) if place.way == Way.READ] == []
    source.status = Source.Status.DELETED
    source.save()
    assert "Support desk" not in page(owner)


def test_the_region_is_the_projects_label(viewer: Member, project: Project) -> None:
    assert "No label is given." in page(viewer)
    project.region = "Frankfurt"
    project.save()
    assert "Region Frankfurt" in page(viewer)


@pytest.mark.parametrize(
    ("host", "reach"),
    [
        ("", Reach.MACHINE),
        ("/var/run/postgresql", Reach.MACHINE),
        ("localhost", Reach.MACHINE),
        ("::1", Reach.MACHINE),
        ("[::1]", Reach.MACHINE),
        ("127.8.8.8", Reach.MACHINE),
        ("postgres", Reach.NETWORK),
        ("192.168.1.4", Reach.NETWORK),
        ("db.corp.internal", Reach.NETWORK),
        ("fd00::1", Reach.NETWORK),
        ("8.8.8.8", Reach.OUTSIDE),
        ("api.openai.com.", Reach.OUTSIDE),
        ("internal.example.com", Reach.OUTSIDE),
        ("unknown host", Reach.OUTSIDE),
    ],
)
def test_how_far_a_host_is_away_is_told_by_its_address(host: str, reach: Reach) -> None:
    assert reach_of(host) == reach
