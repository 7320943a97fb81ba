"""Reads settings from the environment and from .env; a value that makes no sense refuses the start."""

import os
from collections import ChainMap
from collections.abc import Mapping, MutableMapping
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import available_timezones

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
# What is secret, or can hold something secret. Each may be a file's content instead, which NAME_FILE names.
SECRETS = (
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "CREDENTIAL_KEY", "ENCRYPTION_KEYS", "CHECKPOINT_KEY"),
    *("METRICS_TOKEN", "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET", "OTEL_EXPORTER_OTLP_HEADERS"),
    *("DATABASE_URL", "DATABASE_REPORTS_URL", "DATABASE_BACKUP_URL", "REDIS_URL", "EMAIL_URL"),
    "CHECKPOINT_STORAGE_OPTIONS",
)


def secrets_in_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The secrets that are files' contents; what is set to nothing counts as not set.
    Raises `ImproperlyConfigured`, which never tells a content.
    """
    found = {}
    for name in SECRETS:
        if path := environment.get(f"{name}_FILE"):
            if environment.get(name):
                raise ImproperlyConfigured(f"{name} and {name}_FILE are both set: set one of them.")
            found[name] = content(f"{name}_FILE", Path(path))
    return found


def content(name: str, path: Path) -> str:
    """The text of the file that the setting `name` names, without the newline at its end."""
    try:
        text = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as problem:
        why = f"cannot be read: {problem.strerror}"
        raise ImproperlyConfigured(f"{name} names {path}, which {why}.") from None
    except ValueError:
        raise ImproperlyConfigured(f"{name} names {path}, which is no text in UTF-8.") from None
    if not text.strip():
        raise ImproperlyConfigured(f"{name} names {path}, which is empty.")
    # django-environ would take it for the name of another variable.
    if text.startswith("$"):
        raise ImproperlyConfigured(f"{name} names {path}, whose text must not begin with a dollar sign.")
    return text


class Given(ChainMap[str, str]):
    """Notes the names that are asked for and set."""

    def __init__(self, *maps: MutableMapping[str, str]) -> None:
        super().__init__(*maps)
        self.found: set[str] = set()

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        self.found.add(name)
        return value


env = environ.Env()
# The owner's address is for who migrates, who gives it: a file that web server and workers read may not.
OWNER = "DATABASE_OWNER_URL"
is_given = OWNER in os.environ
env.read_env(BASE_DIR / ".env", overwrite=False)
if not is_given:
    os.environ.pop(OWNER, None)
# What was read stays out of the environment, which other programs inherit.
env.ENVIRON = GIVEN = Given(secrets_in_files(os.environ), os.environ)


def given_settings() -> list[str]:
    """The names of the settings that are not left to their defaults, without their values."""
    return sorted(GIVEN.found)


# --- What kind of start this is ---

DEBUG = env.bool("DEBUG", default=False)
# Demo data and shortcuts for one machine; `make run` sets it. Never set it where real money is.
DEMO = env.bool("DEMO", default=False)


def networks(name: str) -> list[str]:
    """The environment variable `name` as a list of networks; a word that is none refuses the start."""
    words: list[str] = env.list(name, default=[])
    for word in words:
        try:
            ip_network(word)
        except ValueError as problem:
            raise ImproperlyConfigured(
                f"{name} must be networks separated by commas, such as 10.0.0.0/8,2001:db8::/32: {problem}."
            ) from problem
    return words


def at_least_one(name: str, default: int) -> int:
    """The environment variable `name` as a whole number that is positive."""
    value: int = env.int(name, default=default)
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be at least 1.")
    return value


def between(name: str, least: int, most: int, *, default: int) -> int:
    """The environment variable `name` as a whole number from `least` to `most`."""
    value: int = env.int(name, default=default)
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be from {least} to {most}.")
    return value


def zone(name: str, default: str) -> str:
    """The environment variable `name` as a time zone of the IANA database."""
    value: str = env.str(name, default=default)
    if value not in available_timezones():
        raise ImproperlyConfigured(f"{name} must be a time zone such as UTC or Europe/Vienna.")
    return value


def choice(name: str, *words: str) -> str:
    """The environment variable `name` as one of `words`, of which the first is the default."""
    value: str = env.str(name, default=words[0])
    if value not in words:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(words)}.")
    return value
