"""Run a command that ends when the process that started it ends, even by kill -9.

Usage: `python -P tether.py PARENT_PID COMMAND ...`. On Linux the kernel sees to it; elsewhere this process
stays and looks. It imports nothing of the product, so that it costs next to no time.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time

PR_SET_PDEATHSIG = 1
LOOK_EVERY = 0.5  # seconds


def die_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM to this process when `parent`, which started it, is gone. Linux only."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit("The process that started this one is gone.")


def watch_parent(parent: int, command: list[str]) -> int:
    """Run `command` until it ends or `parent` is gone, and return its exit code."""
    child = subprocess.Popen(command)  # noqa: S603
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None:
        if os.getppid() != parent:
            child.terminate()
        time.sleep(LOOK_EVERY)
    return child.returncode


def main() -> None:
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform != "linux":
        sys.exit(watch_parent(parent, command))
    die_with_parent(parent)
    os.execvp(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main()
