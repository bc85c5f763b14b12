"""`manage.py postgres PROGRAM …`: run psql, pg_dump or another PostgreSQL program on the product's database."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.embedded_postgres import binaries

TLS = {"sslmode", "sslrootcert", "sslcert", "sslkey"}


class Command(BaseCommand):
    """Runs a program that came with the embedded server, so that nothing needs to be installed for a backup."""

    help = "Run psql, pg_dump, pg_restore ... on the database: manage.py postgres pg_dump -Fc -f earshot.dump"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take everything after the program's name as the program's own."""
        parser.add_argument("program", help="one of the programs that come with PostgreSQL")
        parser.add_argument("arguments", nargs=argparse.REMAINDER)

    def handle(self, *, program: str, arguments: list[str], **_options: Any) -> None:
        """Run the program with the address of the database in its environment.

        Raises CommandError when there is no such program.
        """
        path = binaries() / program
        if path.parent != binaries() or not path.exists():
            raise CommandError(f"There is no {program}; there are {', '.join(sorted(os.listdir(binaries())))}.")
        connection.close()
        code = subprocess.run([path, *arguments], env=os.environ | address(), check=False).returncode  # noqa: S603
        sys.exit(code)


def address() -> dict[str, str]:
    """Return the variables that tell PostgreSQL programs where the database is, and the password to it."""
    settings = connection.settings_dict
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "database": "NAME"}
    found = {f"PG{name.upper()}": str(settings[key]) for name, key in names.items() if settings[key]}
    return found | {f"PG{name.upper()}": value for name, value in settings["OPTIONS"].items() if name in TLS}
