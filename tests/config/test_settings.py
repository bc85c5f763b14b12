"""Settings from the environment: what they refuse, and what follows from them."""

import json
import logging
import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from axes.helpers import get_client_ip_address
from django.core.exceptions import ImproperlyConfigured
from django.test import Client, RequestFactory
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

ROOT = Path(__file__).parents[2]
PUBLIC = {"EARSHOT_URL": "https://earshot.example.com"}
DEBUGGING_KEY = "only-for-debugging-on-this-machine"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Any:
    def settings_of(**variables: str) -> dict[str, Any]:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(str(ROOT / "config" / "settings.py"))

    return settings_of


@pytest.mark.parametrize(
    "variables",
    [{"SECRET_KEY": ""}, {"SECRET_KEY": DEBUGGING_KEY}, {"SECRET_KEY": "changeme", **PUBLIC}],
    ids=["none", "one that everybody can read", "one that can be guessed"],
)
def test_production_does_not_start_without_a_real_key(read: Any, variables: dict[str, str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY"):
        read(**variables)


def test_the_example_lists_every_setting_with_a_value_that_is_taken(read: Any) -> None:
    listed = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    code = (ROOT / "config" / "settings.py").read_text()
    assert set(re.findall(r'"((?:EARSHOT|EMAIL|OPENAI)_[A-Z_]+)"', code)) <= listed.keys()
    assert read(**listed | {"SECRET_KEY": "x" * 50, "DATABASE_URL": ""})["SITE_URL"] == listed["EARSHOT_URL"]


def test_debugging_needs_no_key(read: Any) -> None:
    assert read(SECRET_KEY="", EARSHOT_DEBUG="yes")["SECRET_KEY"] == DEBUGGING_KEY


@pytest.mark.parametrize(("trusted", "seen"), [("no", "10.0.0.1"), ("yes", "203.0.113.9")])
def test_a_caller_is_told_by_what_a_trusted_proxy_adds_and_by_nothing_else(
    read: Any, settings: Any, trusted: str, seen: str
) -> None:
    chosen = read(EARSHOT_TRUST_PROXY=trusted)
    for name in ("ALLAUTH_TRUSTED_PROXY_COUNT", "AXES_CLIENT_IP_CALLABLE", "REST_FRAMEWORK"):
        setattr(settings, name, chosen[name])
    said = {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"}
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", headers=said)
    assert get_client_ip_address(request) == seen
    assert BaseThrottle().get_ident(Request(request)) == seen


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_error_is_logged_with_its_place_and_without_the_values_of_variables(read: Any, form: str) -> None:
    made = logging.config.DictConfigurator({})  # type: ignore[attr-defined]
    formatter = made.configure_formatter(dict(read(EARSHOT_LOG_FORMAT=form)["LOGGING"]["formatters"]["structured"]))
    password = "correct horse"
    try:
        raise ValueError(f"{len(password)} characters")
    except ValueError:
        record = logging.LogRecord("django.request", logging.ERROR, __file__, 1, "It failed", None, sys.exc_info())
    written = formatter.format(record)
    told = json.loads(written)["exception"] if form == "json" else written
    assert "test_settings.py" in told
    assert "ValueError: 13 characters" in told
    assert password not in written.replace('password = "correct horse"', "")


def test_what_people_see_is_kept_by_no_cache(client: Client, db: None) -> None:
    for address in ("/", "/api/v1/items/", "/robots.txt"):
        assert "no-store" in client.get(address).headers["Cache-Control"]
