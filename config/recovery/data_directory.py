"""The directory that a restored server will have its data in: what is there, and how it is filled."""

import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from config.recovery.manifest import POSTGRES_MANIFEST
from config.recovery.programs import CannotRecover, User, attempt, program

# As long as it is there, the server only reads: until somebody, which is `restore`, promotes it.
CLOSED = "standby.signal"
CONTROL = Path("global", "pg_control")
PID_FILE = "postmaster.pid"


def owner_of(destination: Path) -> User | None:
    """Whom the server will run as: ourselves (None), or if we are root, who owns the directory above."""
    parent = destination.parent
    if not parent.is_dir():
        raise CannotRecover(f"{parent} is not there: make it, as the user that PostgreSQL runs as.")
    if os.geteuid() != 0:
        return None
    found = parent.stat()
    if found.st_uid == 0:
        raise CannotRecover(
            f"PostgreSQL refuses to run as root, who owns {parent}: give it to the user that it runs as."
        )
    return User(found.st_uid, found.st_gid)


def control_values(directory: Path) -> dict[str, str]:
    """What pg_controldata says of a data directory; nothing if it is none."""
    said = attempt([program("pg_controldata"), "--pgdata", str(directory)])
    if said.returncode != 0:
        return {}
    pairs = (line.partition(":") for line in said.stdout.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def is_filled(destination: Path) -> bool:
    return destination.exists() and (not destination.is_dir() or any(destination.iterdir()))


def objection(destination: Path, system_identifier: str) -> str:
    """Why what is in the directory may not be moved aside; empty if it may."""
    if (destination / PID_FILE).exists():
        return (
            f"A server runs in {destination}, or has died there: stop it first. If none runs, which only you "
            f"can know, remove {PID_FILE}."
        )
    found = control_values(destination).get("Database system identifier")
    if found is None:
        return f"{destination} is not empty, and no data directory of PostgreSQL: choose another."
    if found != system_identifier:
        return f"{destination} holds the data of another server: choose another directory."
    return ""


def aside(destination: Path, at: datetime) -> Path:
    """Where what is in the directory goes."""
    return destination.with_name(f"{destination.name}.before-{at:%Y%m%dT%H%M%S}")


def fill(destination: Path, base: Path, user: User | None) -> None:
    """Copies a base backup into an empty directory, closed; what cannot be completed is removed."""
    is_new = not destination.exists()
    try:
        left_out = shutil.ignore_patterns(POSTGRES_MANIFEST, CONTROL.name)
        shutil.copytree(base, destination, dirs_exist_ok=True, ignore=left_out)
        (destination / CLOSED).touch(mode=0o600)
        # Last: no server starts without it.
        shutil.copy2(base / CONTROL, destination / CONTROL)
        hand_over(destination, user)
    except BaseException:
        empty(destination)
        if is_new:
            destination.rmdir()
        raise


def hand_over(directory: Path, user: User | None) -> None:
    """Gives a directory and all in it to the user that the server runs as."""
    directory.chmod(0o700)
    if user:
        for path in (directory, *directory.rglob("*")):
            os.chown(path, user.uid, user.gid, follow_symlinks=False)


def empty(directory: Path) -> None:
    for path in directory.iterdir():
        remove: Callable[[Path], object] = (
            shutil.rmtree if path.is_dir() and not path.is_symlink() else os.unlink
        )
        remove(path)
