"""How gunicorn serves the product: threads, because requests wait for the database and for models."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from config.env import Environment

wsgi_app = "config.wsgi:application"
worker_class = "gthread"
workers = 2
threads = 8
timeout = 120
graceful_timeout = 5
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
limit_request_line = 8190
control_socket_disable = True
if Path("/dev/shm").is_dir():  # noqa: S108
    worker_tmp_dir = "/dev/shm"  # noqa: S108

# Each process answers /metrics for all of them: what they count is in files that they share.
if Environment().text("EARSHOT_METRICS_TOKEN"):
    FIGURES = tempfile.mkdtemp(prefix="earshot-figures-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = FIGURES

    def on_exit(server: Any) -> None:
        """Remove the files; called by gunicorn's first process."""
        shutil.rmtree(FIGURES, ignore_errors=True)
