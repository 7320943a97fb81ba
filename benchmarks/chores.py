"""What operators do beside the play, each thing over and over in a thread of its own."""

import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.command import say
from config.launcher.processes import Ending, start, stop
from config.launcher.supervisor import ROOT

ENDINGS = (Ending(signal.SIGTERM, 5),)


@dataclass
class Chore:
    """Something that is done again so many seconds after it was done."""

    name: str
    act: Callable[[], None]
    pause_seconds: float
    # When it was done, in seconds since the beginning, and how long it took.
    done: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # Since when it is being done.
    began: float | None = None

    def is_at_work(self, at: float) -> bool:
        """Whether it was being done at that moment, in seconds since the beginning."""
        is_now = self.began is not None and self.began <= at
        return is_now or any(began <= at <= began + took for began, took in self.done)


def children_of(pid: int) -> set[int]:
    return {int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


class Interrupted(Exception):
    """The play has ended, and with it what was under way."""


class Chores:
    """Those of one platform; `environment` is the application's."""

    def __init__(self, environment: Mapping[str, str], owner_url: str, web: Callable[[], int]) -> None:
        self.environment = dict(environment)
        self.owner = self.environment | {"DATABASE_URL": owner_url, "DATABASE_STATEMENT_TIMEOUT": "0"}
        self.owner_url, self.web = owner_url, web
        self.ended = threading.Event()
        self.began = time.monotonic()
        self.place = Path(tempfile.mkdtemp(prefix="promise-"))
        self.chores = [
            Chore("audit of the whole ledger", self.command("audit_ledger", "--quiet"), 180),
            Chore("daily totals", self.command("daily_totals"), 60),
            Chore("signed checkpoint", self.command("make_checkpoint"), 240),
            Chore("PostgreSQL's checkpoint", self.statement("CHECKPOINT"), 120),
            Chore("base backup", self.back_up, 300),
            Chore("VACUUM (ANALYZE)", self.statement("VACUUM (ANALYZE)"), 240),
            Chore("migration of wallet_transaction", self.migrate, 180),
            Chore("reload of the web server", self.reload, 120),
        ]

    def now(self) -> float:
        return time.monotonic() - self.began

    def at_work(self, at: float) -> list[str]:
        return [chore.name for chore in self.chores if chore.is_at_work(at)]

    @contextmanager
    def going_on(self, longest_pause: float) -> Iterator[None]:
        """All of them, until the block ends; with pauses as long as that at most."""
        self.began = time.monotonic()
        threads = [
            threading.Thread(target=self.do, args=(chore, min(chore.pause_seconds, longest_pause), number))
            for number, chore in enumerate(self.chores)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.ended.set()
            for thread in threads:
                thread.join()
            shutil.rmtree(self.place, ignore_errors=True)

    def do(self, chore: Chore, pause: float, number: int) -> None:
        # Not all of them begin in the same moment.
        self.ended.wait(min(5 * number, pause))
        while not self.ended.is_set():
            chore.began = self.now()
            try:
                chore.act()
            except Interrupted:
                return
            except Exception as problem:  # noqa: BLE001 (whatever it is, it breaks the promise)
                chore.failures.append(f"{type(problem).__name__}: {problem}")
                say(f"  {chore.name} failed: {chore.failures[-1]}")
            else:
                chore.done.append((chore.began, self.now() - chore.began))
            chore.began = None
            self.ended.wait(pause)

    def command(self, *words: str) -> Callable[[], None]:
        return lambda: self.run(["manage.py", *words], self.environment)

    def statement(self, text: str) -> Callable[[], None]:
        def act() -> None:
            with psycopg.connect(self.owner_url, autocommit=True) as connection:
                connection.execute(text.encode())

        return act

    def back_up(self) -> None:
        target = self.place / "backup"
        try:
            self.run(["manage.py", "backup", str(target)], self.environment)
        finally:
            shutil.rmtree(target, ignore_errors=True)

    def migrate(self) -> None:
        self.run(["-m", "benchmarks.big_migration"], self.owner)

    def reload(self) -> None:
        """Ends when the old workers have."""
        old = children_of(self.web())
        os.kill(self.web(), signal.SIGHUP)
        while old & children_of(self.web()):
            if self.ended.wait(0.2):
                raise Interrupted

    def run(self, words: Sequence[str], environment: Mapping[str, str]) -> None:
        """Runs a Python command to its end, or until the play ends."""
        with tempfile.TemporaryFile() as said:
            child = start(
                " ".join(words[:2]),
                [sys.executable, *words],
                environment=environment,
                endings=ENDINGS,
                log=said,
                directory=ROOT,
            )
            try:
                while not child.ended:
                    if self.ended.wait(0.1):
                        raise Interrupted
                if child.process.returncode:
                    said.seek(0)
                    raise RuntimeError(said.read().decode(errors="replace")[-2000:])
            finally:
                stop(child)
