"""Sweeps that die at a chosen moment: `python -m tests.faults.dying` reads from each line after how many statements the next one has to.

A step is a statement that the database has answered, or a commit. 0 never dies. Each sweep is a process of its own, forked
from this one, so that the interpreter need not start for each; the answer is a line: `died` or `completed`, and the steps.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from wallet.runs import recorded  # noqa: E402 (models need the setup)
from wallet.settling.sweep import settle_due  # noqa: E402


class Steps:
    """Counts what the database has done for this process, and kills it after the last step that it may take."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.taken = 0

    def counted(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self.taken += 1
            if self.taken == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return step

    def watch(self) -> None:
        for owner, name in ((psycopg.Cursor, "execute"), (psycopg.Cursor, "executemany"), (psycopg.Connection, "commit")):
            setattr(owner, name, self.counted(getattr(owner, name)))


def sweep_until(last: int) -> int:
    """A whole run, as the worker does it; returns the steps that it took."""
    steps = Steps(last)
    steps.watch()
    is_finished = False
    while not is_finished:
        with recorded("settle_due") as run:
            is_finished = settle_due(run)
    return steps.taken


def sweep_in_a_child(last: int) -> str:
    """What became of it, in words."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.write(writing, str(sweep_until(last)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reading) as answer:
        taken = answer.read()
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return f"died {last}"
    return f"completed {taken}" if status == 0 else "failed 0"


if __name__ == "__main__":
    for line in sys.stdin:
        print(sweep_in_a_child(int(line)), flush=True)
