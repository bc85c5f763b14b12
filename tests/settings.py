"""Settings for tests: a database of their own, fast hashing, mail in memory, loopback allowed; else the product's."""

import os
from pathlib import Path

from config.embedded_postgres import hold

FOLDER = Path(__file__).parents[1] / "var"
# What tests store is kept from what the product stores; WhiteNoise warns where there is no folder of static files.
DATA_FOLDER = FOLDER / "test-data"
(DATA_FOLDER / "static").mkdir(parents=True, exist_ok=True)
os.environ.setdefault("EARSHOT_DATA_DIR", str(DATA_FOLDER))
os.environ.setdefault("SECRET_KEY", "tests-only-" + "x" * 50)
os.environ.setdefault("EARSHOT_ALLOW_LOOPBACK", "yes")
os.environ.setdefault("EARSHOT_TEST_DB", f"test_{os.getpid()}")
# pytest-django reads the settings before any conftest: this is where tests meet their database server.
if "DATABASE_URL" not in os.environ:
    os.environ["DATABASE_URL"] = hold(FOLDER / "test", disposable=True)

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
AXES_ENABLED = False
# Every test client loads the middleware again, which would list all static files again.
WHITENOISE_AUTOREFRESH = True
