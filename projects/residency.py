"""Where a project's data is kept and sent, computed from what is configured; other apps name their places."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from projects.models import Project

# Names that are resolved inside a network only.
INNER_ENDINGS = (".local", ".localhost", ".internal", ".lan", ".intranet", ".home.arpa", ".svc")


class Reach(StrEnum):
    """How far from this machine a place is."""

    MACHINE = "machine"
    NETWORK = "network"
    OUTSIDE = "outside"

    @property
    def words(self) -> str:
        """Say it to a person."""
        return {"machine": "This machine", "network": "Your network", "outside": "Outside"}[self]


class Way(StrEnum):
    """What happens to the data there."""

    KEPT = "kept"
    SENT = "sent"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Figure:
    """How much of something went to a place."""

    label: str
    count: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """One place with a project's data: its address, what happens there, and in words with which data.

    `host` is empty for the machine itself. `url` is the page on which a person can change it.
    """

    name: str
    way: Way
    data: str
    host: str = ""
    figures: Sequence[Figure] = field(default=())
    url: str = ""

    @property
    def reach(self) -> Reach:
        """How far away it is."""
        return reach_of(self.host)


Provider = Callable[[Project], Iterable[Place]]
_providers: list[Provider] = []


def register(provider: Provider) -> None:
    """Let an app name its places of a project; called from `AppConfig.ready`."""
    _providers.append(provider)


def places(project: Project) -> list[Place]:
    """Return every place, those of this installation first."""
    return [*_own_places(), *(place for provider in _providers for place in provider(project))]


def reach_of(host: str) -> Reach:
    """Tell by its address alone how far a host is: names are not looked up, and count as outside if in doubt."""
    name = host.strip("[]").lower().rstrip(".")
    if not name or name.startswith(("/", "@")) or name == "localhost":
        return Reach.MACHINE
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        is_inner = name.isascii() and " " not in name and ("." not in name or name.endswith(INNER_ENDINGS))
        return Reach.NETWORK if is_inner else Reach.OUTSIDE
    if address.is_loopback:
        return Reach.MACHINE
    return Reach.NETWORK if address.is_private or address.is_link_local else Reach.OUTSIDE


def host_of(url: str) -> str:
    """Return the host of a web address, without port and credentials."""
    return urlsplit(url).hostname or ""


def _own_places() -> Iterator[Place]:
    yield Place("Database", Way.KEPT, "Everything that is stored.", _database_host())
    yield Place("Files", Way.KEPT, "Uploaded files, until they are read; at most a week.")
    if settings.EMAIL_HOST:
        yield Place(
            "Mail server",
            Way.SENT,
            "Invitations, sign-in links, reports and alerts for your team.",
            settings.EMAIL_HOST,
        )
    for app in settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", []):
        yield Place(
            app["name"],
            Way.SENT,
            "That a member of your team signs in. No feedback.",
            host_of(app["settings"]["server_url"]),
        )


def _database_host() -> str:
    """Return where the connection goes; a list of hosts is as far away as its farthest."""
    hosts = str(connection.settings_dict.get("HOST") or "").split(",")
    order = list(Reach)
    return max(hosts, key=lambda host: order.index(reach_of(host)))
