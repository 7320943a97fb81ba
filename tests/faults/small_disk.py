"""A directory of PostgreSQL's on a file system of its own, so small that it can be filled: real ENOSPC."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults.platform_processes import Platform

BALLAST = "ballast"
BLOCK = bytes(1 << 16)


@cache
def why_not() -> str:
    """Why no file system can be mounted here; nothing if one can."""
    if os.geteuid() != 0:
        return "only root may mount a small file system"
    with TemporaryDirectory() as directory:
        done = mount(Path(directory), 1)
        if done.returncode:
            return f"no file system can be mounted here: {done.stderr.strip()}"
        unmount(Path(directory))
    return ""


def mount(place: Path, megabytes: int) -> "subprocess.CompletedProcess[str]":
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "wallet-faults", str(place)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], check=True)


class SmallDisk:
    """What is mounted at `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.ballast = place / BALLAST

    def fill(self) -> None:
        """Leaves no byte."""
        with suppress(OSError), self.ballast.open("ab", buffering=0) as file:
            while file.write(BLOCK):
                pass

    def empty(self) -> None:
        """Somebody has made room."""
        self.ballast.unlink(missing_ok=True)


@contextmanager
def small_disk(platform: Platform, name: str, megabytes: int) -> Iterator[SmallDisk]:
    """PostgreSQL's directory `name`, such as `base` or `pg_wal`, is on a small disk until the block ends.

    The server is started anew at both ends.
    """
    data = platform.servers.instance.home / "postgres" / "data"
    place, kept = data / name, data.parent / f"{name}-kept"
    platform.servers.stop_postgres()
    place.rename(kept)
    place.mkdir()
    mounted = mount(place, megabytes)
    assert mounted.returncode == 0, mounted.stderr
    try:
        copy(kept, place)
        platform.begin_postgres()
        yield SmallDisk(place)
    finally:
        platform.servers.stop_postgres()
        shutil.rmtree(kept)
        copy(place, kept)
        (kept / BALLAST).unlink(missing_ok=True)
        unmount(place)
        place.rmdir()
        kept.rename(place)
        platform.begin_postgres()


def copy(source: Path, target: Path) -> None:
    """With owners and rights."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "--archive", f"{source}/.", str(target)], check=True)
