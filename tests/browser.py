"""The browser that pages are tried in; without one their tests are skipped, each file saying what was not tried."""

import shutil

from django.conf import settings
from django.test import Client
from playwright.sync_api import BrowserContext, Page
from pytest_django.live_server_helper import LiveServer

from tests.factories import Member

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def signed_in(context: BrowserContext, live_server: LiveServer, member: Member) -> Page:
    """Open a page of the browser in which a person is signed in."""
    client = Client()
    client.force_login(member.user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    return context.new_page()


def complaints_of(page: Page) -> list[str]:
    """Return the list in which all is noted that goes wrong on a page from now on."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints
