"""Every setting of the platform; what differs by machine comes from the environment (see .env.example)."""

import logging
from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from config import queues
from config.alert_channels import ALERT_AMOUNT as ALERT_AMOUNT
from config.alert_channels import ALERT_AMOUNT_PER_DAY as ALERT_AMOUNT_PER_DAY
from config.alert_channels import ALERT_EMAILS as ALERT_EMAILS
from config.alert_channels import ALERT_EMAILS_SEVERITY as ALERT_EMAILS_SEVERITY
from config.alert_channels import ALERT_STANDBY_LAG as ALERT_STANDBY_LAG
from config.alert_channels import ALERT_WEBHOOK_SECRET as ALERT_WEBHOOK_SECRET
from config.alert_channels import ALERT_WEBHOOK_SEVERITY as ALERT_WEBHOOK_SEVERITY
from config.alert_channels import ALERT_WEBHOOK_URL as ALERT_WEBHOOK_URL
from config.alert_channels import MAIL_SERVER, amounts
from config.databases import DATABASE_APP_ROLE as DATABASE_APP_ROLE
from config.databases import DATABASE_BACKUP_URL as DATABASE_BACKUP_URL
from config.databases import DATABASE_DISTRIBUTED as DATABASE_DISTRIBUTED
from config.databases import DATABASE_POOLER as DATABASE_POOLER
from config.databases import DATABASE_REPORTS_LAG as DATABASE_REPORTS_LAG
from config.databases import DATABASE_REPORTS_URL as DATABASE_REPORTS_URL
from config.databases import DATABASE_ROUTERS as DATABASE_ROUTERS
from config.databases import DATABASE_STATEMENT_TIMEOUT as DATABASE_STATEMENT_TIMEOUT
from config.databases import DATABASES as DATABASES
from config.databases import POSTGRES_PROGRAMS as POSTGRES_PROGRAMS
from config.doors import ADMIN_ALLOWED_NETWORKS as ADMIN_ALLOWED_NETWORKS
from config.doors import AUTH_PASSWORD_VALIDATORS as AUTH_PASSWORD_VALIDATORS
from config.doors import FACTOR_AGE as FACTOR_AGE
from config.doors import LOGIN_LINK_TTL as LOGIN_LINK_TTL
from config.doors import LOGIN_REDIRECT_URL as LOGIN_REDIRECT_URL
from config.doors import OPERATOR_IDLE as OPERATOR_IDLE
from config.doors import OPERATOR_SESSION as OPERATOR_SESSION
from config.doors import OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN as OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN
from config.doors import OTP_WEBAUTHN_HELPER_CLASS as OTP_WEBAUTHN_HELPER_CLASS
from config.doors import OTP_WEBAUTHN_RP_ID_CALLABLE as OTP_WEBAUTHN_RP_ID_CALLABLE
from config.doors import OTP_WEBAUTHN_RP_NAME as OTP_WEBAUTHN_RP_NAME
from config.doors import PASSWORD_HASHERS as PASSWORD_HASHERS
from config.doors import SECOND_FACTOR_REQUIRED as SECOND_FACTOR_REQUIRED
from config.doors import SESSION_COOKIE_AGE as SESSION_COOKIE_AGE
from config.doors import SESSION_COOKIE_HTTPONLY as SESSION_COOKIE_HTTPONLY
from config.doors import SESSION_COOKIE_SAMESITE as SESSION_COOKIE_SAMESITE
from config.doors import SILENCED_SYSTEM_CHECKS as SILENCED_SYSTEM_CHECKS
from config.environment import BASE_DIR, DEBUG, DEMO, at_least_one, between, choice, env, networks, zone
from config.libraries import REST_FRAMEWORK as REST_FRAMEWORK
from config.libraries import SPECTACULAR_SETTINGS as SPECTACULAR_SETTINGS
from config.libraries import UNFOLD as UNFOLD
from config.logs import configure_logs
from config.schedule import CELERY_BEAT_SCHEDULE as CELERY_BEAT_SCHEDULE
from config.schedule import SETTLE_SECONDS as SETTLE_SECONDS
from config.version import read_version

VERSION = read_version()

# --- Secrets ----------------------------------------------------------------------------------------

# Signs operators' sessions and forms. May be rotated: old values go to SECRET_KEY_FALLBACKS.
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Keys the hashes of callers' passwords. Changing it ends every credential at once.
CREDENTIAL_KEY = env.str("CREDENTIAL_KEY", default="")

# Seals the passwords with which the platform calls others. The first, newest one seals; all of them open.
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])

for name, value in (
    ("SECRET_KEY", SECRET_KEY),
    ("CREDENTIAL_KEY", CREDENTIAL_KEY),
    *(("ENCRYPTION_KEYS", key) for key in ENCRYPTION_KEYS or [""]),
):
    if len(value) < 32:
        raise ImproperlyConfigured(
            f"{name} is missing or shorter than 32 characters. "
            f"Set {name} in the environment or in .env, or in the file that {name}_FILE names, to random "
            "text, such as the output of: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )

# --- Addresses --------------------------------------------------------------------------------------

# The host names this platform answers to.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [])
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "ALLOWED_HOSTS must name the platform's host names, and not '*'. "
        "Set ALLOWED_HOSTS, for example to wallet.example.com."
    )
# Where the admin is opened over HTTPS, for its forms: https://wallet.example.com
CSRF_FAILURE_VIEW = "config.error_pages.csrf_failure"
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Proxies whose X-Forwarded-For is believed (contract 1.3).
TRUSTED_PROXIES = networks("TRUSTED_PROXIES")
# Addresses that may call /wallet/, /payments/ and /entry/ at all; empty: every address (contract 1.3).
API_ALLOWED_NETWORKS = networks("API_ALLOWED_NETWORKS")

# --- The wallet API ---------------------------------------------------------------------------------

# The status of a refused authentication: 401, or 400 for a partner who insists (contract 1.4).
WALLET_UNAUTHORIZED_STATUS = env.int("WALLET_UNAUTHORIZED_STATUS", default=401)
if WALLET_UNAUTHORIZED_STATUS not in (400, 401):
    raise ImproperlyConfigured("WALLET_UNAUTHORIZED_STATUS must be 401, or 400 for a partner who insists.")
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
    raise ImproperlyConfigured("PENDING_TTL_HOURS must be at least 50: games retry for 48 h 48 min.")

# --- Players' limits ----------------------------------------------------------------------------------

# Where the days, weeks and months of limits begin and end; another one counts after the next `migrate`.
PLATFORM_ZONE = zone("PLATFORM_ZONE", "UTC")
# When a player's raised or removed limit counts: after 24 hours, after 7 days, or at the end of its period
# and after a confirmation.
LIMIT_PROFILE = choice("LIMIT_PROFILE", "24h", "7d", "period")

# --- Reports ------------------------------------------------------------------------------------------

# Wins, withdrawals and payments that are significant events: single ones, and those of a player on a day.
REPORT_AMOUNT = amounts("REPORT_AMOUNT", "10000")
REPORT_AMOUNT_PER_DAY = amounts("REPORT_AMOUNT_PER_DAY", "50000")
# After so many days without a session and a line in its journal a wallet is dormant.
DORMANT_DAYS = at_least_one("DORMANT_DAYS", 365)

# --- Payments ---------------------------------------------------------------------------------------

# The beginning of the checkout's addresses: https://pay.example.com. Unset: the host that a game called.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/")
if PUBLIC_URL and not PUBLIC_URL.startswith(("https://", "http://")):
    raise ImproperlyConfigured("PUBLIC_URL must begin with https://, or on one machine with http://.")
# How long an order waits for its payment, in minutes; Stripe's own pages need 30.
ORDER_TTL_MINUTES = between("ORDER_TTL_MINUTES", 30, 24 * 60, default=60)

# --- The demonstration --------------------------------------------------------------------------------

# Where its game answers; the launcher starts it. Only with DEMO.
DEMO_GAME_URL = env.str("DEMO_GAME_URL", default="").rstrip("/")

# --- What is kept how long, in days; transactions, journal and ids are kept for ever -------------------

CALL_LOG_DAYS = at_least_one("CALL_LOG_DAYS", 90)
# What can be read at /entry/events.
EVENTS_KEEP_DAYS = at_least_one("EVENTS_KEEP_DAYS", 30)
# Sessions that ended or expired, and that no transaction names.
SESSION_DAYS = at_least_one("SESSION_DAYS", 30)
SWEEP_RUN_DAYS = at_least_one("SWEEP_RUN_DAYS", 14)
# Questions to games about transactions that are settled since.
QUESTION_DAYS = at_least_one("QUESTION_DAYS", 365)
# The bytes of files that were reconciled; what they showed is kept for ever.
RECONCILIATION_DAYS = at_least_one("RECONCILIATION_DAYS", 30)
# The largest of these files, as it arrives.
RECONCILIATION_MEGABYTES = between("RECONCILIATION_MEGABYTES", 1, 4000, default=500)

# --- Calls that the platform makes itself -------------------------------------------------------------

# Private or otherwise special networks that may be called nevertheless; every other such address is refused.
OUTGOING_ALLOWED_NETWORKS = networks("OUTGOING_ALLOWED_NETWORKS")
OUTGOING_CONNECT_SECONDS = env.float("OUTGOING_CONNECT_SECONDS", default=3.0)
# From the name's resolution to the last byte of the answer.
OUTGOING_TOTAL_SECONDS = env.float("OUTGOING_TOTAL_SECONDS", default=10.0)
vars().update(MAIL_SERVER)
# Of each web process; a quarter of them at most waits for payment providers.
WEB_THREADS = int(env.str("WEB_THREADS", default="") or 16)

# --- Django -----------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # Not its own configuration, which would put its site in the place of ours.
    "unfold.apps.BasicAppConfig",
    "config.apps.OperatorsAdmin",
    # Before Django's, whose command createsuperuser it replaces.
    "players",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_structlog",
    "django_otp",
    "django_otp_webauthn",
    "wallet",
    "payments",
    *(["demo"] if DEMO else []),
    "config.apps.PlatformConfig",
]

MIDDLEWARE = [
    # First: decides who may speak to the API before anything else looks at the request (contract 1).
    "players.access.gate.ApiGate",
    # The pages' log; the API's calls, which the gate answers, never come here.
    "config.logs.RequestLog",
    "config.content_security.ContentSecurity",
    "django.middleware.security.SecurityMiddleware",
    # Before anything looks at Host, which probes fill with an address.
    "config.probes.ProbeAnswers",
    "config.null_bytes.NullBytes",
    "config.languages.PagesLanguage",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "players.logins.sessions.OperatorSessions",
    "lib.backoffice.own_changes.OwnChanges",
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
            "libraries": {"backoffice": "lib.backoffice.template_tags"},
        },
    },
]

# --- Redis ------------------------------------------------------------------------------------------

# Celery's broker and the shared cache. Nothing that matters lives only there.
REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "quantum-wallet",
        "OPTIONS": {
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            "serializer": "lib.json_cache.JsonSerializer",
        },
    }
}

# --- Celery: it accelerates, the database remembers ---------------------------------------------------

# A unix socket has another name there.
CELERY_BROKER_URL = (
    f"redis+socket://{REDIS_URL[7:].replace('?db=', '?virtual_host=')}"
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# A web process that nudges must not hang on a broker that is gone.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "health_check_interval": 15,
    "global_keyprefix": "quantum-wallet:",
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
# There are no results: without this, beat sends a task of Celery's own every night to forget them.
CELERY_RESULT_EXPIRES = None
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "config.beat_scheduler.SteadyScheduler"
CELERY_ENABLE_UTC = True
CELERY_TASK_DEFAULT_QUEUE = queues.SETTLE
CELERY_TASK_ROUTES = queues.ROUTES
# Whoever can write to the broker must not command workers.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
# Also what a broker refuses passes: it is still loading, or has become a replica in a failover.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# What a task may take at most before it is told to end (soft), and killed.
# A sweep that is cut off goes on with its next run.
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_TASK_TIME_LIMIT = 300
CHECK_TIME_LIMIT = env.int("CHECK_TIME_LIMIT", default=4 * 3600)
# The nightly audit reads every line of the journal again after so many days, and what is new in the nights
# between; it is shared by so many processes.
FULL_AUDIT_DAYS = at_least_one("FULL_AUDIT_DAYS", default=1)
AUDIT_WORKERS = at_least_one("AUDIT_WORKERS", 1)

# --- Checkpoints --------------------------------------------------------------------------------------

# Signs the daily checkpoints: an Ed25519 key as 32 random bytes in base64. Without it none are made, and an
# alert says so. While it is being changed: NEW,OLD. The first one signs, all of them verify.
CHECKPOINT_KEY = env.str("CHECKPOINT_KEY", default="")
# Where their files go: a directory, better on another machine; or any storage of Django's, with options.
CHECKPOINT_DIRECTORY = env.str("CHECKPOINT_DIRECTORY", default=str(BASE_DIR / "var" / "checkpoints"))
CHECKPOINT_STORAGE = env.str("CHECKPOINT_STORAGE", default="django.core.files.storage.FileSystemStorage")
CHECKPOINT_STORAGE_OPTIONS = env.json(
    "CHECKPOINT_STORAGE_OPTIONS", default={"location": CHECKPOINT_DIRECTORY}
)

# --- Metrics ------------------------------------------------------------------------------------------

# Who may read /metrics: callers from these networks, or with this token (Authorization: Bearer).
# Neither set: nobody.
METRICS_ALLOWED_NETWORKS = networks("METRICS_ALLOWED_NETWORKS")
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
if METRICS_TOKEN and len(METRICS_TOKEN) < 32:
    raise ImproperlyConfigured(
        "METRICS_TOKEN is shorter than 32 characters. "
        "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
    )

# --- Traces -------------------------------------------------------------------------------------------

# The collector, and what is sent to it along with spans; OpenTelemetry reads its other settings (OTEL_…).
OTEL_EXPORTER_OTLP_ENDPOINT = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
OTEL_EXPORTER_OTLP_HEADERS = env.str("OTEL_EXPORTER_OTLP_HEADERS", default="")
TELEMETRY = bool(OTEL_EXPORTER_OTLP_ENDPOINT) and not env.bool("OTEL_SDK_DISABLED", default=False)
# Whether a trusted proxy makes the traces' beginnings. Off: what callers wrote there counts for nothing.
TRACEPARENT_FROM_PROXY = env.bool("TRACEPARENT_FROM_PROXY", default=False)
# Whether games and providers hear of the trace that they are called in.
OUTGOING_TRACEPARENT = env.bool("OUTGOING_TRACEPARENT", default=False)

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
# Only TRUSTED_PROXIES are believed (config/wsgi.py).
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_TLS_PROXY", default=False) else None
)

# --- Language, time, files --------------------------------------------------------------------------

LANGUAGE_CODE = "en"
# Of the pages for players and for operators; all else is in English.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
# Of the platform as a whole, and before those of Django and of libraries.
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
# What an operator has chosen, in the browser; players' pages get no cookie.
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_PATH = "/admin/"
LANGUAGE_COOKIE_AGE = 365 * 24 * 60 * 60
LANGUAGE_COOKIE_SECURE = HTTPS_ONLY
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "config.formats"
STATIC_URL = "static/"
# Where `collectstatic` puts the pages' files, and the web server finds them.
STATIC_ROOT = env.str("STATIC_ROOT", default=str(BASE_DIR / "var" / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    "checkpoints": {"BACKEND": CHECKPOINT_STORAGE, "OPTIONS": CHECKPOINT_STORAGE_OPTIONS},
}

# --- Logs -------------------------------------------------------------------------------------------

# json: a line of JSON for each; console: for people.
LOG_FORMAT = env.str("LOG_FORMAT", default="console" if DEBUG else "json")
if LOG_FORMAT not in ("json", "console"):
    raise ImproperlyConfigured("LOG_FORMAT must be json or console.")
LOGGING = configure_logs(level=env.str("LOG_LEVEL", default="INFO"), as_json=LOG_FORMAT == "json")
# The gate has put an id of ours there, or has seen that the one that is there comes from a trusted proxy.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
# Would be found without regard to TRUSTED_PROXIES.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_CELERY_ENABLED = True
# Sweeps write down each of their runs; a line for each message would say the same again.
DJANGO_STRUCTLOG_CELERY_DEFAULT_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
# Whoever asks for a page that is not there has got an answer.
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
