#!/usr/bin/env python
"""The command line of the product; without DATABASE_URL, commands run on the embedded database."""

import os
import secrets
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

from config import embedded_postgres
from config.env import SettingError

WITHOUT_DATABASE = {"collectstatic", "diffsettings", "help", "spectacular", "startapp", "version"}


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with ExitStack() as stack:
        if is_local():
            enter_local_installation(stack, database=needs_database(sys.argv[1:]))
        from django.core.management import execute_from_command_line

        try:
            execute_from_command_line(sys.argv)
        except SettingError as error:
            sys.exit(f"A setting cannot be used. {error}")


def is_local() -> bool:
    """Say whether this installation brings its own database, as it does until it is told of another."""
    return not (os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))


def needs_database(arguments: list[str]) -> bool:
    """Say whether a command line wants a database; asking for help never does."""
    command = next(iter(arguments), "help")
    return command not in WITHOUT_DATABASE and not {"-h", "--help", "--version"} & set(arguments)


def enter_local_installation(stack: ExitStack, *, database: bool) -> None:
    """Give the settings a key of this installation and, until `stack` closes, the embedded database."""
    data_dir = Path(os.environ.get("EARSHOT_DATA_DIR") or Path(__file__).parent / "var")
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"Nothing can be kept in {data_dir} ({error.strerror}): set EARSHOT_DATA_DIR to another folder.")
    if not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")):
        os.environ["SECRET_KEY"] = local_secret_key(data_dir)
    if database:
        try:
            os.environ["DATABASE_URL"] = stack.enter_context(embedded_postgres.running(data_dir))
        except embedded_postgres.EmbeddedPostgresError as error:
            sys.exit(str(error))


def local_secret_key(data_dir: Path) -> str:
    """Return the key that this installation made for itself when it was first started."""
    path = data_dir / "secret-key"
    if not path.exists():
        draft = data_dir / f".secret-key-{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        # Unlike a rename, a link leaves the key alone that somebody else made in the meantime.
        with suppress(FileExistsError):
            path.hardlink_to(draft)
        draft.unlink()
    return path.read_text()


if __name__ == "__main__":
    main()
