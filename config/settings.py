"""Every setting of the platform; each value that differs by machine comes from the environment (see .env.example)."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.read_env(BASE_DIR / ".env", overwrite=False)

# --- What kind of start this is ---------------------------------------------------------------------

DEBUG = env.bool("DEBUG", default=False)
# Demo data and shortcuts for one machine; `make run` sets it. Never set it where real money is.
DEMO = env.bool("DEMO", default=False)

# --- Secrets ----------------------------------------------------------------------------------------

# Signs operators' sessions and forms. May be rotated: old values go to SECRET_KEY_FALLBACKS.
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Keys the hashes of callers' passwords. Changing it ends every credential at once.
CREDENTIAL_KEY = env.str("CREDENTIAL_KEY", default="")

for name, value in (("SECRET_KEY", SECRET_KEY), ("CREDENTIAL_KEY", CREDENTIAL_KEY)):
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"{name} is missing or shorter than 32 characters. Set {name} in the environment or in .env, for example to the "
            "output of: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )

# --- Addresses --------------------------------------------------------------------------------------

# The host names this platform answers to.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must name the platform's host names, and not '*'. Set ALLOWED_HOSTS, for example to wallet.example.com.")
# Where the admin is opened over HTTPS, for its forms: https://wallet.example.com
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])


def networks(name: str) -> list[str]:
    """The environment variable `name` as a list of networks; a word that is none refuses the start."""
    words: list[str] = env.list(name, default=[])
    for word in words:
        try:
            ip_network(word)
        except ValueError as problem:
            raise ImproperlyConfigured(f"{name} must be networks separated by commas, such as 10.0.0.0/8,2001:db8::/32: {problem}.") from problem
    return words


# Proxies whose X-Forwarded-For is believed (contract 1.3).
TRUSTED_PROXIES = networks("TRUSTED_PROXIES")
# Addresses that may call /wallet/, /payments/ and /entry/ at all; empty: every address (contract 1.3).
API_ALLOWED_NETWORKS = networks("API_ALLOWED_NETWORKS")

# --- The wallet API ---------------------------------------------------------------------------------

# The status of a refused authentication: 401, or 400 for a partner who insists (contract 1.4).
WALLET_UNAUTHORIZED_STATUS = env.int("WALLET_UNAUTHORIZED_STATUS", default=401)
if WALLET_UNAUTHORIZED_STATUS not in (400, 401):
    raise ImproperlyConfigured("WALLET_UNAUTHORIZED_STATUS must be 401, or 400 for a partner who insists on it.")
# How long a revoked or changed credential may go on in another process, in seconds.
CREDENTIAL_CACHE_SECONDS = env.int("CREDENTIAL_CACHE_SECONDS", default=5)
# Failed authentications of one address in a minute before they get 429 (contract 1.2).
AUTH_FAILURES_PER_MINUTE = env.int("AUTH_FAILURES_PER_MINUTE", default=100)
# The longest body that is read, in bytes (contract 1.1).
API_BODY_LIMIT = 64 * 1024
# How long a session lives at most, in seconds (contract 3).
SESSION_TTL = timedelta(seconds=env.int("SESSION_TTL", default=24 * 3600))
# How long an unfinished transaction waits for its game, in hours; a game can have its own (contract 2.4).
PENDING_TTL = timedelta(hours=env.int("PENDING_TTL_HOURS", default=72))
if timedelta(hours=50) > PENDING_TTL:
    raise ImproperlyConfigured("PENDING_TTL_HOURS must be at least 50: games retry a confirmation for 48 h 48 min.")
# How many days of the call log are kept.
CALL_LOG_DAYS = env.int("CALL_LOG_DAYS", default=90)

# --- Django -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "players",
    "wallet",
    "payments",
]

MIDDLEWARE = [
    # First: decides who may speak to the API before anything else looks at the request (contract 1).
    "players.gate.ApiGate",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "players.Operator"
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
            ],
        },
    },
]

# --- PostgreSQL -------------------------------------------------------------------------------------

# The role that the application connects as. It cannot write money but through the ledger's functions;
# migrations run as the owner: DATABASE_URL=$DATABASE_OWNER_URL python manage.py migrate
DATABASES = {"default": env.db_url("DATABASE_URL", default="postgres://wallet_app@localhost/wallet")}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (postgres://…): the ledger's guarantees live there.")
DATABASES["default"].update(
    CONN_MAX_AGE=None,
    CONN_HEALTH_CHECKS=True,
    OPTIONS={
        **DATABASES["default"].get("OPTIONS", {}),
        "connect_timeout": 5,
        # The ledger's statements are prepared once for each connection (without this, psycopg would never prepare any).
        "prepare_threshold": 0,
        # A stuck lock or statement is given up (503, safe to repeat) before a game's own time-out. Migrations take their time: 0.
        "options": f"-c statement_timeout={env.int('DATABASE_STATEMENT_TIMEOUT', default=15)}s -c lock_timeout=8s -c idle_in_transaction_session_timeout=30s",
    },
)
# The role that migrations grant the application's rights to; left out where it does not exist.
DATABASE_APP_ROLE = env.str("DATABASE_APP_ROLE", default="wallet_app")

# --- Redis ------------------------------------------------------------------------------------------

# Celery's broker and the shared cache. Nothing that matters lives only there.
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "quantum-wallet",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

# --- Operators --------------------------------------------------------------------------------------

PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# --- Transport --------------------------------------------------------------------------------------

# Off only where the admin is opened over plain HTTP on one machine.
HTTPS_ONLY = env.bool("HTTPS_ONLY", default=not (DEBUG or DEMO))
SESSION_COOKIE_SECURE = HTTPS_ONLY
CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000 if HTTPS_ONLY else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Behind a proxy that sets (and overwrites) X-Forwarded-Proto, so that Django knows the request was HTTPS.
if env.bool("BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Language, time, files --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- REST framework and OpenAPI ---------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.exceptions.answer_to_exception",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Quantum Wallet",
    "DESCRIPTION": "The wallet API for game backends and the entry API for the platform's web front.",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "POSTPROCESSING_HOOKS": ["players.description.add_components"],
    # The examples are the description; the enumerations need no names of their own.
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "defaultModelsExpandDepth": 0},
}

# --- Admin ------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Quantum Wallet",
    "SITE_HEADER": "Quantum Wallet",
    "SITE_SUBHEADER": "All times are UTC",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": ["config.sidebar.style_sheet"],
    "SIDEBAR": {"navigation": "config.sidebar.navigation"},
}

# --- Logs -------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # A refused request is an answer, not a warning; it stands in the call log.
    "loggers": {"django.request": {"level": "ERROR"}},
}
