"""Installs the published clients, each into an environment of its own; what is there already is kept.

Fails, naming the package, where one cannot be installed: most often because no registry can be reached.
"""

import fcntl
import shutil
import subprocess
import sys
import venv

from tests.clients.environments import ENVIRONMENTS, FOLDER, Environment

MOST_SECONDS = 300


class CannotInstall(Exception):
    """A package that could not be installed, and what its installer said last."""


def build(environment: Environment) -> None:
    """Install one package with all that it needs. Raises CannotInstall."""
    shutil.rmtree(environment.folder, ignore_errors=True)
    environment.folder.mkdir(parents=True)
    if environment.node:
        _install(environment, _npm(environment))
    else:
        venv.create(environment.folder)
        _install(environment, _pip(environment))
    environment.stamp.write_text(environment.contents, encoding="utf-8")


def _pip(environment: Environment) -> list[str]:
    target = ["--python", str(environment.program)]
    quiet = ["--quiet", "--disable-pip-version-check", "--retries", "1"]
    return [
        sys.executable, "-m", "pip", *target, "install", *quiet, f"{environment.package}=={environment.version}",
    ]  # fmt: skip


def _npm(environment: Environment) -> list[str]:
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1"]
    return [
        "npm", "install", "--prefix", str(environment.folder), *quiet, f"{environment.package}@{environment.version}",
    ]  # fmt: skip


def _install(environment: Environment, command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MOST_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(f"{environment.name}: {error}") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise CannotInstall(f"{environment.name}. Can a package registry be reached? {' '.join(said[-2:])}")


def main() -> int:
    """Build what is missing; return the exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    failures = []
    with (FOLDER / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for environment in ENVIRONMENTS:
            if environment.is_built:
                continue
            sys.stdout.write(f"Installing the published client {environment.name} ...\n")
            sys.stdout.flush()
            try:
                build(environment)
            except CannotInstall as error:
                failures.append(f"Cannot install the published client {error}\n")
    sys.stderr.writelines(failures)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
