"""Child processes that end when the process that started them ends, however it ends."""

import ctypes
import json
import math
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, NamedTuple

LINUX = platform.system() == "Linux"
PR_SET_PDEATHSIG = 1
POLL_SECONDS = 0.05


def say(text: str) -> None:
    """A line for the person who started us."""
    print(text, file=sys.stderr, flush=True)


class CannotStart(Exception):
    """Why nothing was started, as a sentence for the person who asked."""


class User(NamedTuple):
    """Whom a child runs as where this process is root."""

    uid: int
    gid: int


class Ending(NamedTuple):
    """One way to ask a process to end, and how many seconds it may take."""

    signal: signal.Signals
    seconds: float


POLITE = (Ending(signal.SIGTERM, 10),)


@dataclass(frozen=True)
class Child:
    """A started process, with the ways to end it before it is killed."""

    name: str
    process: subprocess.Popen[bytes]
    endings: tuple[Ending, ...]
    own_group: bool

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None


def end_with_parent(parent: int, ending: signal.Signals) -> None:
    """Let the kernel send `ending` to this process when `parent` is gone, kill -9 included;
    only Linux can.
    """
    if LINUX:
        LIBC.prctl(PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
        if os.getppid() != parent:  # it was gone before we asked
            os.kill(os.getpid(), signal.SIGKILL)


# Loaded before any fork: a child must not have to wait for a lock that its parent's copy held.
LIBC = ctypes.CDLL(None)


def start(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    endings: tuple[Ending, ...] = POLITE,
    user: User | None = None,
    log: IO[bytes] | None = None,
    directory: Path | None = None,
    own_group: bool = True,
) -> Child:
    """Start `command`; in a group of its own, so that Ctrl-C reaches only us and we end things in order."""
    parent = os.getpid()
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=directory,
        stdin=subprocess.DEVNULL if own_group else None,
        stdout=log,
        stderr=log,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
        process_group=0 if own_group else None,
        # Called after setuid, which would forget the wish; safe because we have no threads.
        preexec_fn=lambda: end_with_parent(parent, endings[0].signal),
    )
    return Child(name, process, endings, own_group)


def stop(child: Child) -> None:
    """End a child the polite ways first, then by force; returns when it is gone."""
    for ending in child.endings:
        if not child.ended:
            child.process.send_signal(ending.signal)
        with suppress(subprocess.TimeoutExpired):
            child.process.wait(ending.seconds)
            break
    if child.own_group:  # with what it started and did not end
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.process.pid, signal.SIGKILL)
    if not child.ended:
        child.process.kill()
        child.process.wait()


class Stopped(Exception):
    """Somebody asked this process to end."""


class StopRequest:
    """Ctrl-C, SIGTERM and SIGHUP, remembered until a waiting place heeds them:
    nothing is left half done in between.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self.receivers: list[Callable[[int], None]] = []

    def listen(self) -> None:
        signal.signal(signal.SIGINT, self._note)
        signal.signal(signal.SIGTERM, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, self._note)

    def heed(self) -> None:
        if self.signal is not None:
            raise Stopped

    def pass_on(self, receive: Callable[[int], None]) -> None:
        """From now on, and for what came already, let `receive` have the signals."""
        self.receivers.append(receive)
        if self.signal is not None:
            receive(self.signal)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal = number
        for receive in self.receivers:
            receive(number)


stop_request = StopRequest()


def wait_until(ready: Callable[[], bool], seconds: float = math.inf) -> bool:
    """Whether `ready` came true within `seconds`; a stop request ends the wait."""
    deadline = time.monotonic() + seconds
    while not ready():
        stop_request.heed()
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def birth(pid: int) -> str | None:
    """When the living process `pid` began, in words that no other process with this number has;
    None if there is none.
    """
    if LINUX:
        try:
            state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        if state in "ZX":  # ended, only not yet collected by its parent
            return None
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {fields[18]}"
    listed = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() or None


def works_in(pid: int, directory: Path) -> bool:
    """Whether `pid` is a living server whose data is in `directory`:
    a number alone may have been given to another.
    """
    if LINUX:
        try:
            return os.path.samefile(f"/proc/{pid}/cwd", directory)
        except OSError:
            return False
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(directory) in listed.stdout


def end_stranger(pid: int, alive: Callable[[], bool], endings: tuple[Ending, ...]) -> None:
    """End a process that is not our child but was one of an earlier start."""
    for ending in (*endings, Ending(signal.SIGKILL, 10)):
        with suppress(ProcessLookupError):
            if ending.signal == signal.SIGKILL and os.getpgid(pid) == pid:
                os.killpg(pid, ending.signal)
            else:
                os.kill(pid, ending.signal)
        if wait_until(lambda: not alive(), ending.seconds):
            return
    raise CannotStart(f"Process {pid} of an earlier start does not end, not even by kill -9.")


class Register:
    """A file that remembers which processes an instance has started,
    so that the next start can end what is left.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.births: dict[str, str | None] = {}

    def add(self, child: Child) -> None:
        """Raises OSError if the file cannot be written (a full disk), and has ended the child:
        the next start would not know of it.
        """
        self.births[str(child.process.pid)] = birth(child.process.pid)
        try:
            self._write()
        except OSError:
            stop(child)
            raise

    def end_what_is_left(self) -> None:
        with suppress(FileNotFoundError, ValueError):  # none, or cut off by a full disk
            left: dict[str, str | None] = json.loads(self.path.read_text())
            for number, born in left.items():
                self._end(int(number), born)
        self._write()

    def _end(self, pid: int, born: str | None) -> None:
        if born and birth(pid) == born:
            end_stranger(pid, lambda: birth(pid) == born, POLITE)

    def _write(self) -> None:
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(self.births))
        draft.replace(self.path)
