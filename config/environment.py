"""Reads settings from the environment and from .env; a value that makes no sense refuses the start."""

import os
from ipaddress import ip_network
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
# The owner's address is for who migrates, who gives it: a file that web server and workers read may not.
OWNER = "DATABASE_OWNER_URL"
is_given = OWNER in os.environ
env.read_env(BASE_DIR / ".env", overwrite=False)
if not is_given:
    os.environ.pop(OWNER, None)

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


def days(name: str, default: int) -> int:
    """The environment variable `name` as a number of days, at least one."""
    value: int = env.int(name, default=default)
    if value < 1:
        raise ImproperlyConfigured(f"{name} must be at least 1.")
    return value
