#!/usr/bin/env python
"""The command line of the product; commands run on the embedded database unless DATABASE_URL names another."""

import os
import secrets
import sys
from contextlib import ExitStack
from pathlib import Path

from config import embedded_postgres

WITHOUT_DATABASE = {"collectstatic", "diffsettings", "help", "spectacular", "startapp", "version"}


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with ExitStack() as stack:
        if is_local() and needs_database(sys.argv[1:]):
            try:
                enter_local_installation(stack)
            except embedded_postgres.EmbeddedPostgresError as error:
                sys.exit(f"{error}")
        from django.core.management import execute_from_command_line

        execute_from_command_line(sys.argv)


def is_local() -> bool:
    """Say whether this installation brings its own database, as it does until it is told of another."""
    return not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))


def needs_database(arguments: list[str]) -> bool:
    """Say whether a command line wants a database; asking for help never does."""
    command = next(iter(arguments), "help")
    return command not in WITHOUT_DATABASE and not {"-h", "--help", "--version"} & set(arguments)


def enter_local_installation(stack: ExitStack) -> None:
    """Start the embedded database until `stack` closes, and point the settings to it and to a key of its own.

    Raises EmbeddedPostgresError when the server cannot start.
    """
    data_dir = Path(os.environ.get("EARSHOT_DATA_DIR") or Path(__file__).parent / "var")
    os.environ["DATABASE_URL"] = stack.enter_context(embedded_postgres.running(data_dir))
    if not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")):
        os.environ["SECRET_KEY"] = local_secret_key(data_dir)


def local_secret_key(data_dir: Path) -> str:
    """Return the key that this installation made for itself when it was first started."""
    path = data_dir / "secret-key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text()
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text()


if __name__ == "__main__":
    main()
