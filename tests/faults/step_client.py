"""A process that does work on request.

Each work in a child of its own which dies after so many steps (`tests.faults.step_runner`).
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.launcher.supervisor import ROOT
from tests.faults.platform_processes import Platform


class StepClient:
    """Works on request."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self.process = process
        self.log = log

    def work(self, last: int, what: str, *words: str) -> tuple[str, int]:
        """Whether the work `died` after `last` steps or `completed`, and its steps."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join([str(last), what, *words]) + "\n")
        self.process.stdin.flush()
        became, steps = self.process.stdout.readline().split()
        assert became in ("died", "completed"), self.log.read_text()
        return became, int(steps)


@contextmanager
def working(platform: Platform, **environment: str) -> Iterator[StepClient]:
    """Such a process on the platform's database, until the block ends."""
    command = [sys.executable, "-m", "tests.faults.step_runner"]
    path, given = platform.log("dying"), platform.environment | environment
    with (
        path.open("w") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=given, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield StepClient(process, path)
        finally:
            process.kill()
