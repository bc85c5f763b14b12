"""Test databases: copies of one migrated template, made again only when migrations change, and emptied quickly."""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from psycopg import sql

ROOT = Path(__file__).parents[1]
TEMPLATES_KEPT = 4
KEPT_TABLES = {"auth_permission", "django_content_type"}


def use_template() -> None:
    """Let the test databases of this process be copied from the template."""
    name = template_name()
    with locked(ROOT / "var" / "test" / "template.lock"), administration() as server:
        newest_first = "SELECT datname FROM pg_database ORDER BY oid DESC"
        databases = [row[0] for row in server.execute(newest_first)]
        for leftover in [*outdated_templates(databases), *abandoned(databases)]:
            server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(leftover)))
        if name not in databases:
            make_template(server, name)
    connection.settings_dict["TEST"]["TEMPLATE"] = name


def empty_tables() -> None:
    """Delete what a test has committed, but for content types and permissions, which are as migrations made them.

    Django would truncate every table and make those two again, which takes some forty times as long. Triggers are
    passed over: the order of the tables plays no part, and what may never be deleted otherwise goes as well.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(question_for_filled_tables())
        filled = [sql.Identifier(row[0]) for row in cursor.fetchall()]
        cursor.execute("SET LOCAL session_replication_role = replica")
        for table in filled:
            cursor.execute(sql.SQL("DELETE FROM {}").format(table))


@cache
def question_for_filled_tables() -> sql.Composed:
    """Return the statement that lists the tables that hold rows of tests."""
    tables = set(connection.introspection.django_table_names(only_existing=True)) - KEPT_TABLES
    part = "(SELECT {name} FROM {table} LIMIT 1)"
    return sql.SQL(" UNION ALL ").join(
        sql.SQL(part).format(name=sql.Literal(table), table=sql.Identifier(table)) for table in sorted(tables)
    )


def template_name() -> str:
    """Return a name that changes whenever a migration, ours or a library's, does."""
    digest = hashlib.sha256((ROOT / "requirements-dev.lock").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return f"template_{digest.hexdigest()[:16]}"


def outdated_templates(newest_first: list[str]) -> list[str]:
    """Return the templates that no test session can be about to copy any more."""
    return [name for name in newest_first if name.startswith("template_")][TEMPLATES_KEPT:]


def abandoned(databases: list[str]) -> Iterator[str]:
    """Yield the test databases of processes that were killed."""
    for name in databases:
        owner = re.match(r"test_(\d+)", name)
        if owner and not is_alive(int(owner[1])):
            yield name


def is_alive(pid: int) -> bool:
    """Say whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def make_template(server: psycopg.Connection[tuple[str]], name: str) -> None:
    """Migrate a fresh database, and give it its name only when it is complete."""
    draft = f"template_draft_{os.getpid()}"
    server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(draft)))
    ours = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = draft
    try:
        call_command("migrate", interactive=False, verbosity=0)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = ours
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    server.execute(rename.format(sql.Identifier(draft), sql.Identifier(name)))


@contextmanager
def administration() -> Iterator[psycopg.Connection[tuple[str]]]:
    """Yield a connection of its own, for statements about whole databases."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        yield server


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time through."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
