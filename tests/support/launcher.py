"""A start of the launcher as a process of its own, for the tests that watch it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from config.launcher.supervisor import ROOT, SHARED

# Writes down what it was given, and stays.
COMMAND = (
    "import json, os, pathlib, sys, time; path = pathlib.Path(sys.argv[1]); draft = path.with_suffix('.new');"
    "draft.write_text(json.dumps(dict(os.environ))); draft.rename(path); time.sleep(60)"
)
PATIENCE = 30.0


@dataclass(frozen=True)
class Start:
    """A launcher that runs, and the environment that it gave its command."""

    process: subprocess.Popen[str]
    environment: dict[str, str]


def arguments(var: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "config.launcher.launch", "--var", str(var), *words]


# What `with` gives a command; the owner's address is for no process that serves.
GIVEN = (*SHARED, "DATABASE_OWNER_URL")


def environment(**more: str) -> dict[str, str]:
    """Ours without what the launcher of this test run has put there."""
    return {name: value for name, value in os.environ.items() if name not in GIVEN} | more


def launch(var: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(var, *words),
        cwd=ROOT,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def started(var: Path, *options: str, **more: str) -> Iterator[Start]:
    """A start that stays until the block ends."""
    given = var / "given.json"
    given.unlink(missing_ok=True)
    command = arguments(var, "with", *options, "--", sys.executable, "-c", COMMAND, str(given))
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(**more), start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            eventually(lambda: given.exists() or process.poll() is not None)
            assert given.exists(), process.communicate()[1]
            yield Start(process, json.loads(given.read_text()))
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


def eventually(true: Callable[[], object], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def processes_below(directory: Path) -> dict[int, list[str]]:
    """The living processes that work in or were given a path below `directory`, with their arguments."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
                if words and (
                    str(directory) in " ".join(words) or os.readlink(entry / "cwd").startswith(str(directory))
                ):
                    found[int(entry.name)] = words
    return found
