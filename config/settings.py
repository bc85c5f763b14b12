"""Settings, read from the environment alone (see `.env.example`)."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from psycopg.conninfo import conninfo_to_dict

from config.env import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
env.refuse_unknown(
    "EARSHOT_",
    {
        "EARSHOT_DATA_DIR", "EARSHOT_DEBUG", "EARSHOT_HOSTS", "EARSHOT_URL", "EARSHOT_LOG_LEVEL", "EARSHOT_LOG_FORMAT",
        "EARSHOT_MODEL", "EARSHOT_MODEL_FOLDER", "EARSHOT_EMBEDDING_MODEL", "EARSHOT_SECRET_KEYS", "EARSHOT_TIME_ZONE",
        "EARSHOT_INGEST_REQUESTS_PER_SECOND", "EARSHOT_INGEST_ITEMS_PER_SECOND", "EARSHOT_METRICS_TOKEN",
        "EARSHOT_TRUST_PROXY", "EARSHOT_OIDC_NAME", "EARSHOT_OIDC_URL", "EARSHOT_OIDC_CLIENT_ID",
        "EARSHOT_OIDC_CLIENT_SECRET", "EARSHOT_WORKERS", "EARSHOT_TEST_DB", "EARSHOT_ALLOW_LOOPBACK",
        "EARSHOT_BENCH_DATA", "EARSHOT_UPLOAD_MB", "EARSHOT_MODEL_PRICES", "EARSHOT_DAILY_TOKENS",
        "EARSHOT_VENDOR_DESCRIPTIONS", "EARSHOT_OAUTH_CLIENTS",
        "EARSHOT_FEEDBACK_PER_TOKEN", "EARSHOT_FEEDBACK_PER_ADDRESS",
        "EARSHOT_FEEDBACK_TOKEN_DAYS",
    },
)  # fmt: skip

# The embedded server puts its address here; without one (type checks, `makemigrations`) no connection is made.
DATABASE_URL = env.text("DATABASE_URL", "postgresql://earshot@/earshot")
DATA_DIR = Path(env.text("EARSHOT_DATA_DIR", str(BASE_DIR / "var"))).resolve()
DEBUG = env.flag("EARSHOT_DEBUG", default=False)

_DEBUGGING_KEY = "only-for-debugging-on-this-machine"
SECRET_KEY = env.text("SECRET_KEY", _DEBUGGING_KEY)
if SECRET_KEY == _DEBUGGING_KEY and not DEBUG:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Give it a long random value, or start with `make run`, which makes and keeps one."
    )
SECRET_KEY_FALLBACKS = env.words("EARSHOT_SECRET_KEYS")

SITE_URL = env.text("EARSHOT_URL", "http://127.0.0.1:8000").rstrip("/")
SECURE_SITE = SITE_URL.startswith("https://")
if SECURE_SITE and len(SECRET_KEY) < 32 and not DEBUG:
    raise ImproperlyConfigured("SECRET_KEY can be guessed: with https in EARSHOT_URL it needs 32 random characters.")
BEHIND_PROXY = env.flag("EARSHOT_TRUST_PROXY", default=False)
ALLOWED_HOSTS = env.words("EARSHOT_HOSTS", ("127.0.0.1", "localhost", "[::1]"))
CSRF_TRUSTED_ORIGINS = [SITE_URL]

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django.forms",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "django_q",
    "axes",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "django_structlog",
    "django_prometheus",
    "projects",
    "privacy",
    "sources",
    "feedback_ingest",
    "insights",
    "review",
]

MIDDLEWARE = [
    "config.health.HealthMiddleware",
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.policies.PolicyMiddleware",
    "projects.middleware.PrivateMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "projects.middleware.RequestLogMiddleware",
    "projects.middleware.GrantsMiddleware",
    "projects.middleware.TimeZoneMiddleware",
    "config.errors.DomainErrorMiddleware",
    "axes.middleware.AxesMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
APPEND_SLASH = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "projects.console.navigation",
            ],
        },
    }
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"


def _database(url: str) -> dict[str, Any]:
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    return {
        "ENGINE": "django_prometheus.db.backends.postgresql",
        "NAME": parts.pop("dbname", "earshot"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": parts,
        "TEST": {"NAME": env.text("EARSHOT_TEST_DB")},
    }


DATABASES = {"default": _database(DATABASE_URL)}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "earshot_cache"}}

AUTH_USER_MODEL = "feedback.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
    "guardian.backends.ObjectPermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ANONYMOUS_USER_NAME = None
GUARDIAN_RAISE_403 = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_ADAPTER = "projects.accounts.InvitationOnlyAdapter"
SOCIALACCOUNT_ADAPTER = "projects.accounts.InvitationOnlySocialAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Earshot] "
# Of one address, whichever door it tries; wrong passwords of one account are counted by axes.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/m/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
# An installation need not send mail, and nobody but who was invited or is trusted has an account.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SOCIALACCOUNT_PROVIDERS: dict[str, Any] = {}
SIGN_IN_ORIGINS: list[str] = []
if _oidc_url := env.text("EARSHOT_OIDC_URL"):
    SOCIALACCOUNT_PROVIDERS["openid_connect"] = {
        "APPS": [
            {
                "provider_id": "sso",
                "name": env.text("EARSHOT_OIDC_NAME", "Single sign-on"),
                "client_id": env.text("EARSHOT_OIDC_CLIENT_ID", ""),
                "secret": env.text("EARSHOT_OIDC_CLIENT_SECRET", ""),
                "settings": {"server_url": _oidc_url},
            }
        ]
    }
    SIGN_IN_ORIGINS.append("{0.scheme}://{0.netloc}".format(urlsplit(_oidc_url)))
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_USERNAME_CALLABLE = "projects.accounts.who_signs_in"
AXES_LOCKOUT_TEMPLATE = "projects/locked_out.html"
AXES_HANDLER = "axes.handlers.database.AxesDatabaseHandler"
AXES_RESET_ON_SUCCESS = True
AXES_VERBOSE = False
AXES_CLIENT_IP_CALLABLE = "projects.accounts.address_of"

LANGUAGE_CODE = "en"
TIME_ZONE = env.text("EARSHOT_TIME_ZONE", "UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
MEDIA_ROOT = DATA_DIR / "media"
UPLOAD_BYTES = env.number("EARSHOT_UPLOAD_MB", 50, minimum=1) * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 26 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
FILE_UPLOAD_PERMISSIONS = 0o600

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SECURE_SITE
CSRF_COOKIE_SECURE = SECURE_SITE
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE_SITE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_SITE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_SITE
SECURE_HSTS_PRELOAD = SECURE_SITE
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *SIGN_IN_ORIGINS],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.number("EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND = "django.core.mail.backends." + ("smtp.EmailBackend" if EMAIL_HOST else "console.EmailBackend")
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "Earshot <earshot@localhost>")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["projects.json_bodies.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["projects.json_bodies.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "projects.schema.ApiSchema",
    "EXCEPTION_HANDLER": "config.errors.api_exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": int(BEHIND_PROXY),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SIMPLE_JWT = {
    "USER_ID_FIELD": "id",
    "SIGNING_KEY": SECRET_KEY,
    "CHECK_REVOKE_TOKEN": True,
    "UPDATE_LAST_LOGIN": False,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Earshot API",
    "VERSION": "1",
    "DESCRIPTION": "Feedback in, insights out; answers judged.",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "DocumentKind": "review.models.KnowledgeDocument.Kind",
        "InsightKind": "insights.models.Insight.Kind",
        "InsightStatus": "insights.models.Insight.Status",
        "SourceKind": "sources.models.Source.Kind",
        "SourceStatus": "sources.models.Source.Status",
    },
}

Q_CLUSTER = {
    "name": "earshot",
    "orm": "default",
    "workers": env.number("EARSHOT_WORKERS", 2, minimum=1),
    "poll": 0.2,
    "timeout": 120,
    "retry": 600,
    "max_attempts": 3,
    "queue_limit": 8,
    "bulk": 1,
    "save_limit": 200,
    "catch_up": False,
    "label": "Jobs",
}

INGEST_REQUESTS_PER_SECOND = env.number("EARSHOT_INGEST_REQUESTS_PER_SECOND", 100, minimum=1)
INGEST_ITEMS_PER_SECOND = env.number("EARSHOT_INGEST_ITEMS_PER_SECOND", 5_000, minimum=1)
# What a feedback token allows, a minute: of one token, and from one address, which may be a whole back end.
FEEDBACK_PER_TOKEN = env.number("EARSHOT_FEEDBACK_PER_TOKEN", 30, minimum=1)
FEEDBACK_PER_ADDRESS = env.number("EARSHOT_FEEDBACK_PER_ADDRESS", 600, minimum=1)
# Days after its run that a feedback token is taken; 0 = for ever.
FEEDBACK_TOKEN_DAYS = env.number("EARSHOT_FEEDBACK_TOKEN_DAYS", 0)

OPENAI_API_KEY = env.text("OPENAI_API_KEY")
OPENAI_BASE_URL = env.text("OPENAI_BASE_URL")
MODEL_NAME = env.text("EARSHOT_MODEL", "gpt-4o-mini")
EMBEDDING_MODEL = env.text("EARSHOT_EMBEDDING_MODEL")
# US dollars for a million tokens in and out: `model=in/out`, comma-separated. What has no price costs 0.
MODEL_PRICES = env.words("EARSHOT_MODEL_PRICES", ("gpt-4o-mini=0.15/0.60", "gpt-4o=2.50/10.00"))
# What a project may spend in a day where it has no budget of its own.
DAILY_TOKEN_BUDGET = env.number("EARSHOT_DAILY_TOKENS", 5_000_000)
ENCODER_FOLDER = Path(env.text("EARSHOT_MODEL_FOLDER", str(DATA_DIR / "models")))
# Addresses typed into the product may reach loopback only while this is on: a setting for tests.
ALLOW_LOOPBACK = env.flag("EARSHOT_ALLOW_LOOPBACK", default=False)
# With what this installation signs in at applications: `kind=client id:client secret`, comma-separated.
OAUTH_CLIENTS = env.pairs("EARSHOT_OAUTH_CLIENTS")
METRICS_TOKEN = env.text("EARSHOT_METRICS_TOKEN")

# An address says who somebody is.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False

UNFOLD = {
    "SITE_TITLE": "Earshot",
    "SITE_HEADER": "Earshot back office",
    "SITE_SYMBOL": "hearing",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/images/earshot.svg"}],
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # As text, before anything prints the values of variables beside it.
                structlog.processors.format_exc_info,
                (
                    structlog.processors.JSONRenderer()
                    if env.choice("EARSHOT_LOG_FORMAT", "text", ("text", "json")) == "json"
                    else structlog.dev.ConsoleRenderer(colors=False)
                ),
            ],
            "foreign_pre_chain": [
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.stdlib.add_log_level,
            ],
        }
    },
    "filters": {"paths": {"()": "projects.paths_logged.PathFilter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["paths"]}},
    "root": {
        "handlers": ["console"],
        "level": env.choice("EARSHOT_LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR")),
    },
}
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
