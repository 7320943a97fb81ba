"""gunicorn's first process, whose reload (SIGHUP) nobody feels: the old workers answer until the new ones do.

gunicorn's own ends the old workers when the new ones are only forked. If these do not start, the old ones
go on. So do the others if a worker that ended cannot be replaced, which ends gunicorn's own.
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
# Before another try to replace a worker, while others serve.
PAUSE_SECONDS = 5.0
ENDINGS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}
# What gunicorn takes from its settings (Arbiter.setup).
SET_UP = ("cfg", "worker_class", "address", "_num_workers", "timeout", "proc_name")


class NotReloadedError(Exception):
    """The new workers do not serve; the text says why."""


class ReloadingArbiter(Arbiter):  # type: ignore[misc]
    """A worker's `is_serving`, shared memory of one byte, is set by config/gunicorn.py and by the worker."""

    # The age of the youngest old worker, while a reload goes on.
    old_age: int | None = None
    # When workers may be replaced, on the monotonic clock, while others serve.
    replace_at = 0.0

    def reload(self) -> None:
        """Whatever fails, from the import of the worker's class to a fork, leaves the old workers as they
        were.
        """
        self.old_age = age = self.worker_age
        before = {name: getattr(self, name) for name in SET_UP}
        try:
            super().reload()
        except (Exception, SystemExit) as problem:
            if os.getpid() != self.pid:
                # A new worker, which ends.
                raise
            self.kill_younger_than(age)
            self.__dict__.update(before)
            self.app.cfg = self.cfg
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

        Raises NotReloadedError if they do not.
        """
        end = time.monotonic() + START_SECONDS
        while not self.is_to_end():
            self.reap()
            new = self.younger_than(old_age)
            if len(new) < self.cfg.workers:
                raise NotReloadedError("a new worker ended")
            if time.monotonic() > end:
                raise NotReloadedError(f"a new worker took more than {START_SECONDS:.0f} s")
            if all(worker.is_serving[0] for worker in new.values()):
                return
            time.sleep(0.05)

    def reap_workers(self) -> None:
        if problem := self.reap():
            self.replace_later(problem)

    def spawn_workers(self) -> None:
        """Replaces the workers that have ended."""
        if time.monotonic() < self.replace_at and self.any_serves():
            return
        try:
            super().spawn_workers()
        except OSError as problem:
            self.replace_later(problem)

    def replace_later(self, problem: BaseException) -> None:
        """Puts it off; raises `problem`, which ends the server, if no worker serves."""
        if not self.any_serves():
            raise problem
        self.replace_at = time.monotonic() + PAUSE_SECONDS
        why = problem.reason if isinstance(problem, HaltServer) else problem
        self.log.error("A worker cannot be replaced, and the others go on: %s", why)

    def any_serves(self) -> bool:
        return any(worker.is_serving[0] for worker in self.WORKERS.values())

    def reap(self) -> HaltServer | None:
        """Takes note of all workers that ended; returns what gunicorn would end for."""
        found = None
        while True:
            try:
                super().reap_workers()
            except HaltServer as problem:
                found = problem
            else:
                return found

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
