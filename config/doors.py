"""Settings of the operators' doors: who may log in to the admin, for how long, and with what."""

from datetime import timedelta

from django.core.exceptions import ImproperlyConfigured

from config.environment import DEMO, env, networks

# Addresses that get an answer of the admin at all; empty: every address.
ADMIN_ALLOWED_NETWORKS = networks("ADMIN_ALLOWED_NETWORKS")

# --- Sessions ---

# A log-in ends after so long without use, and after so long whatever its use.
OPERATOR_IDLE = timedelta(minutes=env.int("OPERATOR_IDLE_MINUTES", default=30))
OPERATOR_SESSION = timedelta(hours=env.int("OPERATOR_SESSION_HOURS", default=12))
if not timedelta(minutes=1) <= OPERATOR_IDLE <= OPERATOR_SESSION <= timedelta(days=7):
    raise ImproperlyConfigured(
        "OPERATOR_IDLE_MINUTES must be at least 1 and no longer than OPERATOR_SESSION_HOURS, at most 168."
    )
SESSION_COOKIE_AGE = int(OPERATOR_SESSION.total_seconds())
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Where somebody goes who opened the login page itself.
LOGIN_REDIRECT_URL = "admin:index"

# How long the link is good with which a new operator chooses a password.
LOGIN_LINK_TTL = timedelta(hours=env.int("LOGIN_LINK_HOURS", default=24))

# --- Passwords ---

# The first makes new ones, and others become such with the next log-in.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# --- Second factors ---

# Whether everybody but viewers needs one. Whoever has one is asked for it in any case.
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", default=not DEMO)
# What moves money asks for it again when it was last shown longer ago.
FACTOR_AGE = timedelta(minutes=5)
# Passkeys are a second factor, not a log-in of their own.
OTP_WEBAUTHN_ALLOW_PASSWORDLESS_LOGIN = False
OTP_WEBAUTHN_HELPER_CLASS = "players.logins.passkeys.Passkeys"
OTP_WEBAUTHN_RP_NAME = "Quantum Wallet"
OTP_WEBAUTHN_RP_ID_CALLABLE = "players.logins.passkeys.host_of"
SILENCED_SYSTEM_CHECKS = [
    # The helper names the allowed origins: the host of each request, which ALLOWED_HOSTS has to name.
    "otp_webauthn.E030",
    # Plain HTTP is sent on by the proxy (deploy/nginx.conf); the web server's own port answers probes by it.
    "security.W008",
    # Whether browsers ship a domain in their lists is for its owner to decide.
    "security.W021",
]
