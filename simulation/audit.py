"""The audit of the ledger after a simulation, which alone needs Django and the platform's settings."""

import os
from collections.abc import Callable
from typing import TextIO

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import DatabaseError


def audit(uid: str, stream: TextIO, tell: Callable[[str], None]) -> bool:
    """Runs audit_ledger if the database of the settings is the server's. Returns whether nothing is wrong.

    Only in the server's database is our player of that uid. An audit that cannot be run finds nothing wrong.
    """
    left_out = why_not(uid)
    if left_out:
        tell(f"{'Audit':<16}{'not run':>12}   {left_out}")
        return True
    try:
        call_command("audit_ledger", stdout=stream, stderr=stream)
    except (CommandError, SystemExit) as problem:
        tell(f"{'Audit':<16}{'FAILED':>12}   {problem}")
        return False
    tell(f"{'Audit':<16}{'passed':>12}")
    return True


def why_not(uid: str) -> str:
    """Why the ledger that was played with cannot be audited from here; empty if it can."""
    try:
        set_up()
        is_ours = apps.get_model("players", "Player").objects.filter(uid=uid).exists()
    except ImproperlyConfigured as problem:
        return f"the settings cannot be used: {problem}"
    except DatabaseError as problem:
        return f"the database of the settings cannot be read: {str(problem).strip().splitlines()[0]}"
    return "" if is_ours else "the database of the settings is not the server's"


def set_up() -> None:
    """Loads the settings, unless they are loaded."""
    if not apps.ready:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
