"""Settings for tests: a database of their own, fast hashing, mail in memory, loopback allowed; else the product's."""

import os
from pathlib import Path

from config.embedded_postgres import hold

os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)
os.environ.setdefault("EARSHOT_ALLOW_LOOPBACK", "yes")
if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = hold(
        Path(__file__).resolve().parent.parent / "var" / "test", disposable=True
    )

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
AXES_ENABLED = False
