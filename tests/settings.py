"""Settings for tests: a database of their own, fast hashing, mail in memory, loopback allowed; else the product's."""

import os
from pathlib import Path

from config.embedded_postgres import hold

os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)
os.environ.setdefault("EARSHOT_ALLOW_LOOPBACK", "yes")
os.environ.setdefault("EARSHOT_TEST_DB", f"test_{os.getpid()}")
# pytest-django reads the settings before any conftest: this is where tests meet their database server.
if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = hold(Path(__file__).parents[1] / "var" / "test", disposable=True)

from config.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
AXES_ENABLED = False
