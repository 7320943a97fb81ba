"""An instance: the directory where embedded servers keep their data, held by one start at a time."""

import fcntl
import json
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from config.launcher.placement import place, unprivileged_user
from config.launcher.processes import POLL_SECONDS, CannotStart, Register, User, stop_request

SECRETS = (
    "owner_password",
    "app_password",
    "secret_key",
    "credential_key",
    "encryption_key",
    "checkpoint_key",
)
# How long a start waits for another to let go:
# one that has just been told to end, and one that says it is ending.
MOMENT_SECONDS = 1.0
ENDING_SECONDS = 90.0
# 107 bytes on Linux, 103 elsewhere.
SOCKET_PATH_LIMIT = 103
LOG_BYTES = 10_000_000


@dataclass(frozen=True)
class Instance:
    """What a start works with; `user` is whom PostgreSQL runs as, None where that is ourselves."""

    home: Path
    lock: Path
    user: User | None
    secrets: dict[str, str]
    register: Register

    def directory(self, name: str, user: User | None = None) -> Path:
        """A directory of the instance that only `user` (or ourselves) can enter."""
        path = self.home / name
        path.mkdir(mode=0o700, exist_ok=True)
        if user:
            os.chown(path, *user)
        path.chmod(0o700)
        return path

    @contextmanager
    def sockets(self, directory: Path, name: str, user: User | None = None) -> Iterator[Path]:
        """Where the socket `name` is: in `directory`,
        or in a short private one where that path is too long for a socket.
        """
        if len(os.fsencode(directory / name)) <= SOCKET_PATH_LIMIT:
            yield directory
            return
        short = short_directory(directory)
        if user:
            os.chown(short, *user)
        short.chmod(0o700)
        try:
            yield short
        finally:
            shutil.rmtree(short, ignore_errors=True)

    def log(self, name: str) -> BinaryIO:
        """The log of a server, to add to; begun anew when it has grown long."""
        path = self.home / f"{name}.log"
        path.touch(mode=0o600)
        long = path.stat().st_size > LOG_BYTES
        return path.open("wb" if long else "ab")

    def failure(self, what: str, name: str) -> CannotStart:
        """What happened, with the end of the log that says why."""
        path = self.home / f"{name}.log"
        tail = "\n".join(path.read_text(errors="replace").splitlines()[-15:])
        return CannotStart(f"{what}. The end of {path}:\n{tail}")

    def tell_ending(self) -> None:
        """Let a start that finds our lock know that it may wait."""
        with suppress(OSError):
            self.lock.write_text(f"held by process {os.getpid()}, which is ending")


def short_directory(directory: Path) -> Path:
    """The place below /tmp that belongs to `directory` alone; refused if somebody else made it."""
    found = directory.stat()
    short = Path(f"/tmp/quantum-wallet-{found.st_dev:x}-{found.st_ino:x}")
    short.mkdir(mode=0o700, exist_ok=True)
    made = short.lstat()
    if not stat.S_ISDIR(made.st_mode) or made.st_uid not in (os.geteuid(), found.st_uid):
        raise CannotStart(
            f"{short} belongs to somebody else, and {directory} is too long a path for a socket."
        )
    return short


@contextmanager
def opened(var: Path, name: str) -> Iterator[Instance]:
    """The instance `name` below `var`, ours until the block ends;
    what an earlier start left running is ended.
    """
    if not re.fullmatch(r"[a-z0-9-]{1,40}", name):
        raise CannotStart(f"An instance's name is up to 40 small letters, digits and hyphens, not {name!r}.")
    var = var.absolute()
    var.mkdir(parents=True, exist_ok=True)
    lock = var / f"{name}.lock"
    with locked(lock):
        user = unprivileged_user(var / name)
        home = place(var / name, user)
        if home.stat().st_uid == os.geteuid():
            home.chmod(0o711)
        with locked(home / "lock"):  # a copied clone may point to the same home
            register = Register(home / "processes.json")
            register.end_what_is_left()
            yield Instance(home, lock, user, kept_secrets(home / "secrets.json"), register)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, or refuse; only a start that is ending is waited for."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        take(descriptor, path)
        note(descriptor, f"held by process {os.getpid()}")
        try:
            yield
        finally:
            note(descriptor, "")
    finally:
        os.close(descriptor)


def take(descriptor: int, path: Path) -> None:
    began = time.monotonic()
    while True:
        stop_request.heed()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            holder = os.pread(descriptor, 100, 0).decode(errors="replace")
            patience = ENDING_SECONDS if "ending" in holder else MOMENT_SECONDS
            if time.monotonic() - began > patience:
                raise CannotStart(
                    f"It is running already: {path} is {holder or 'held by another process'}."
                ) from None
            time.sleep(POLL_SECONDS)


def is_held(path: Path) -> bool:
    """Whether a start holds the lock file `path` at this moment."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def note(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def kept_secrets(path: Path) -> dict[str, str]:
    """The instance's passwords and keys, made when first asked for and readable by nobody else."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [name for name in SECRETS if name not in known]
    if missing:
        known |= {name: secrets.token_urlsafe(48) for name in missing}
        draft = path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(known, file, indent=2)
            file.flush()
            os.fsync(file.fileno())  # the data that they unlock must not outlive them
        draft.replace(path)
    return known
