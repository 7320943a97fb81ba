"""PostgreSQL's own programs, which do the work: where they are, and how they are run."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from psycopg.conninfo import conninfo_to_dict, make_conninfo

# Lines of what a program has said that are told if it fails.
LAST_LINES = 5


class CannotRecover(Exception):
    """Why a backup or a restore does not go on, as a sentence for the person who asked."""


@dataclass(frozen=True)
class User:
    """Whom a program runs as if we are root, which PostgreSQL refuses to be."""

    uid: int
    gid: int


def program(name: str) -> str:
    """The path of a program, in `POSTGRES_PROGRAMS` or on the PATH. Raises `CannotRecover`."""
    found = shutil.which(name, path=settings.POSTGRES_PROGRAMS or None)
    if found is None:
        raise CannotRecover(
            f"PostgreSQL's program {name} is not here: install PostgreSQL's server and client in the version "
            "of your database, or set POSTGRES_PROGRAMS to the directory that holds it."
        )
    return found


def major_version(name: str) -> int:
    """The version of PostgreSQL that a program belongs to."""
    words = run([program(name), "--version"]).stdout.split()
    return int(next(word for word in words if word[0].isdecimal()).partition(".")[0])


def run(
    command: list[str], *, environment: Mapping[str, str] | None = None, user: User | None = None
) -> "subprocess.CompletedProcess[str]":
    """Runs a program to its end. Raises `CannotRecover` with the end of what it said if it fails."""
    done = attempt(command, environment=environment, user=user)
    if done.returncode != 0:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-LAST_LINES:])
        raise CannotRecover(f"{Path(command[0]).name} failed: {said}")
    return done


def attempt(
    command: list[str], *, environment: Mapping[str, str] | None = None, user: User | None = None
) -> "subprocess.CompletedProcess[str]":
    """The same for a program that may fail."""
    return subprocess.run(
        command,
        env=base_environment() | dict(environment or {}),
        cwd="/",
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def base_environment() -> dict[str, str]:
    """Nothing of ours: no secret, and no PGDATA or language of somebody's shell."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def server_words() -> tuple[list[str], dict[str, str]]:
    """The words and the environment that lead a program to the database's server, as a role that may copy it.

    The password is in the environment: everybody on the machine sees the words. Raises `CannotRecover`.
    """
    if not settings.DATABASE_BACKUP_URL:
        raise CannotRecover(
            "Set DATABASE_BACKUP_URL to the database's address as a role that has REPLICATION "
            "(docs/production.md says how to make one)."
        )
    parts = conninfo_to_dict(settings.DATABASE_BACKUP_URL)
    password = parts.pop("password", None)
    secret = {"PGPASSWORD": str(password)} if password else {}
    return ["--no-password", "--dbname", make_conninfo("", **parts)], secret
