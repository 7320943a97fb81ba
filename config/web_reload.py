"""gunicorn's first process, whose reload (SIGHUP) nobody feels: the old workers answer until the new ones do.

gunicorn's own ends the old workers when the new ones are only forked. If these do not start, the old ones
go on.
Like config/gunicorn.py this imports nothing of the project. It is itself replaced by a restart alone.
"""

import os
import signal
import time
from typing import Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import HaltServer

# How long new workers may take to import the application.
START_SECONDS = 60.0
ENDINGS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


class NotReloadedError(Exception):
    """The new workers do not serve; the text says why."""


class ReloadingArbiter(Arbiter):  # type: ignore[misc]
    """A worker's `is_serving`, shared memory of one byte, is set by config/gunicorn.py and by the worker."""

    # The age of the youngest old worker, while a reload goes on.
    old_age: int | None = None

    def reload(self) -> None:
        self.old_age, cfg = self.worker_age, self.app.cfg
        try:
            super().reload()
        except (NotReloadedError, SystemExit) as problem:
            if os.getpid() != self.pid:
                # A new worker, which ends.
                raise
            self.app.cfg = cfg
            self.log.error("The reload failed, and the old workers go on: %s", problem)  # noqa: TRY400
        finally:
            self.old_age = None

    def manage_workers(self) -> None:
        """Within a reload, this is where the old workers are ended."""
        if self.old_age is not None:
            self.wait_for_new_workers(self.old_age)
            self.old_age = None
        super().manage_workers()

    def wait_for_new_workers(self, old_age: int) -> None:
        """Returns when all of them serve, or this process is to end.

        Raises NotReloadedError, and none is left, if they do not.
        """
        end = time.monotonic() + START_SECONDS
        while not self.is_to_end():
            problem = self.reap()
            new = self.younger_than(old_age)
            if not problem and len(new) < self.cfg.workers:
                problem = "a new worker ended"
            elif not problem and time.monotonic() > end:
                problem = f"a new worker took more than {START_SECONDS:.0f} s"
            if problem:
                self.kill_younger_than(old_age)
                raise NotReloadedError(problem)
            if all(worker.is_serving[0] for worker in new.values()):
                return
            time.sleep(0.05)

    def reap(self) -> str:
        """Takes note of the workers that ended; what gunicorn would end for, or nothing."""
        try:
            self.reap_workers()
        except HaltServer as problem:
            return str(problem.reason)
        return ""

    def younger_than(self, age: int) -> dict[int, Any]:
        return {pid: worker for pid, worker in self.WORKERS.items() if worker.age > age}

    def kill_younger_than(self, age: int) -> None:
        while new := self.younger_than(age):
            for pid in new:
                self.kill_worker(pid, signal.SIGKILL)
            self.reap()
            time.sleep(0.05)

    def is_to_end(self) -> bool:
        """Whether a signal that ends this process waits; all that wait go on waiting."""
        waiting = []
        while not self.SIG_QUEUE.empty():
            waiting.append(self.SIG_QUEUE.get_nowait())
        for number in waiting:
            self.SIG_QUEUE.put_nowait(number)
        return not ENDINGS.isdisjoint(waiting)
