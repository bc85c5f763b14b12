"""The back office and the operator's addresses: who comes in, what is shown, and what can never be done there."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from projects import audit, schedules, services
from projects.back_office import ReadOnlyAdmin
from projects.models import ApiKey, AuditEvent, User
from tests.factories import Member, make_insight, make_item, make_mention, make_source, make_user

ROOT = Path(__file__).parents[2]
OWN_APPS = {"projects", "privacy", "sources", "feedback_ingest", "insights", "review"}
PRODUCTION = {
    "SECRET_KEY": "q8!fVx3Lw0pZt7Rb2Ns5Hc9Yd4Kg6Mj1Ua-Ee_Ii+Oo=Xx%Ww^Vv&Tt",
    "EARSHOT_URL": "https://earshot.example.com",
    "EARSHOT_HOSTS": "earshot.example.com",
}


@pytest.fixture
def operator(db: None) -> Client:
    client = Client()
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def filled(owner: Member) -> None:
    """A row in each of the lists that matter most."""
    make_mention(make_insight(owner.project), make_item(make_source(owner.project)))
    services.issue_project_key(owner.project, "Key")
    schedules.create_all()


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("model", sorted(admin.site._registry, key=str), ids=lambda model: model._meta.label)
def test_every_list_of_the_back_office_opens(operator: Client, model: Any) -> None:
    name = f"{model._meta.app_label}_{model._meta.model_name}"
    assert operator.get(reverse(f"admin:{name}_changelist")).status_code == 200
    row = model._default_manager.order_by("pk").first()
    if row is not None:
        assert operator.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200


def test_members_and_strangers_do_not_come_in(owner: Member) -> None:
    client = Client()
    assert client.get("/admin/").status_code == 302
    client.force_login(owner.user)
    assert client.get("/admin/feedback/apikey/").status_code in (302, 403)


def test_signing_in_to_the_back_office_is_signing_in_to_the_console(client: Client) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer.headers["Location"].startswith(reverse("account_login"))


def test_no_page_shows_a_hash_of_a_secret(operator: Client, owner: Member) -> None:
    key = ApiKey.objects.get(user=owner.user)
    page = operator.get(reverse("admin:feedback_apikey_change", args=[key.pk])).content.decode()
    assert key.public in page
    assert key.secret_hash not in page


def test_what_holds_secrets_of_people_or_providers_has_no_page() -> None:
    shown = {model._meta.label for model in admin.site._registry}
    assert not shown & {"mfa.Authenticator", "socialaccount.SocialToken", "socialaccount.SocialApp", "auth.Group"}


def test_audit_events_can_only_be_read(operator: Client, owner: Member) -> None:
    event = audit.record("member.joined", owner.user, actor=owner.user, project=owner.project)
    assert "joined the project" in operator.get(reverse("admin:feedback_auditevent_changelist")).content.decode()
    assert operator.get(reverse("admin:feedback_auditevent_add")).status_code == 403
    assert (
        operator.post(reverse("admin:feedback_auditevent_delete", args=[event.pk]), {"post": "yes"}).status_code == 403
    )
    changed = operator.post(reverse("admin:feedback_auditevent_change", args=[event.pk]), {"verb": "nothing"})
    assert changed.status_code == 403
    assert AuditEvent.objects.get(pk=event.pk).verb == "member.joined"


def test_all_but_accounts_are_read_only() -> None:
    own = [model for model in admin.site._registry if model.__module__.split(".")[0] in OWN_APPS]
    assert {model for model in own if not isinstance(admin.site._registry[model], ReadOnlyAdmin)} == {User}
    assert len(own) > 12


def test_an_operator_who_is_no_superuser_makes_nobody_an_operator(db: None) -> None:
    user = make_user(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="feedback"))
    client = Client()
    client.force_login(user)
    form = {"name": "Mallory", "theme": "system", "is_superuser": "on", "is_staff": "on"}
    client.post(reverse("admin:feedback_user_change", args=[user.pk]), form)
    user.refresh_from_db()
    assert (user.name, user.is_superuser) == ("Mallory", False)


@pytest.mark.parametrize(("path", "allowed"), [("/admin/", "'unsafe-eval'"), ("/api/docs/", "'unsafe-inline'")])
def test_pages_of_other_packages_have_a_policy_of_their_own(operator: Client, path: str, allowed: str) -> None:
    answer = operator.get(path)
    assert answer.status_code == 200
    assert allowed in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_console_keeps_the_strict_policy(operator: Client) -> None:
    assert "unsafe" not in operator.get("/projects/new/").headers["Content-Security-Policy"]


def test_figures_are_for_who_holds_the_token(client: Client, settings: Any) -> None:
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "figures-please"
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer figures"}).status_code == 401
    answer = client.get("/metrics", headers={"Authorization": "Bearer figures-please"})
    assert answer.status_code == 200
    assert b"django_http_requests_total" in answer.content


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "DATABASE_URL", "TMPDIR")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *arguments],
        cwd=ROOT,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_production_settings_pass_the_deployment_check_without_a_warning() -> None:
    done = run("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr
    assert "no issues (0 silenced)" in done.stdout + done.stderr


def test_without_a_secret_key_nothing_starts() -> None:
    done = run("check", **(PRODUCTION | {"SECRET_KEY": ""}))
    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_a_mistyped_setting_is_named() -> None:
    done = run("check", **PRODUCTION, EARSHOT_HOST="earshot.example.com")
    assert done.returncode != 0
    assert "EARSHOT_HOST" in done.stderr


def test_forms_may_go_to_the_provider_of_single_sign_on() -> None:
    script = "from django.conf import settings; print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    done = run("shell", "-v", "0", "-c", script, **PRODUCTION, EARSHOT_OIDC_URL="https://id.example.com/realms/one")
    assert done.stdout.strip() == "[\"'self'\", 'https://id.example.com']", done.stderr


@pytest.mark.django_db
def test_the_component_page_exists_only_while_debugging(client: Client) -> None:
    assert client.get("/styleguide/").status_code == 404
