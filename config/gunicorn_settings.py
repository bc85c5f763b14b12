"""How gunicorn serves the product: threads, because requests wait for the database and for models."""

from pathlib import Path

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
