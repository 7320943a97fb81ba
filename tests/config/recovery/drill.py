"""`make drill`: a platform under load is restored to random seconds, and after its server is lost.

Prints how much was lost (RPO) and how long it took (RTO). Fails if a ledger is not whole, or if an answer is
lost that was given before the moment, although the log is there.
"""

import os
import random
import shutil
import statistics
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from config.recovery.manifest import read_manifest
from config.recovery.write_ahead_log import PARTIAL, last_commit
from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.faults.platform_processes import Platform, running_platform
from tests.faults.traffic import OPENINGS, Player, played, playing_on, type_of
from tests.support.launcher import eventually
from tests.support.recovery import as_owner, copying, give, receiving, started

PLAYERS, FUNDS = 4, 1_000_000_00
FOUND = "SELECT type, mm_transaction_id, settled_at IS NOT NULL FROM wallet_transaction"
TOOK = "It took: "


@dataclass(frozen=True)
class Outcome:
    """One restore: how many calls were answered before the moment and how many of them are lost."""

    answered: int
    lost: int
    # From the first answer that is lost to the moment.
    lost_seconds: float
    # Until the restored database was open.
    seconds: float
    parts: str


@dataclass
class Drill:
    """A platform with its backup, the log since, and the calls that were answered meanwhile."""

    platform: Platform
    place: Path
    players: list[Player] = field(default_factory=list)

    def restore(self, log: Path, moment: float, *words: str) -> Outcome:
        """Restores with the command, and looks for each answer that was given before the moment."""
        data = self.place / "restored"
        command = [
            "restore",
            str(self.place / "backup"),
            "--wal",
            str(log),
            "--to",
            str(data),
            *words,
            "--yes",
        ]
        began = time.monotonic()
        done = self.platform.manage(*command, environment=self.environment())
        seconds = time.monotonic() - began
        # The audit, heads and checkpoint agree, or it fails.
        assert done.returncode == 0, done.stdout + done.stderr
        missed = self.missed(data, moment)
        shutil.rmtree(data)
        answered = sum(told.at <= moment for player in self.players for told in player.book)
        [parts] = [line.partition(TOOK)[2] for line in done.stdout.splitlines() if TOOK in line]
        return Outcome(answered, len(missed), moment - min(missed, default=moment), seconds, parts)

    def back_up(self) -> None:
        made = self.platform.manage("backup", str(self.place / "backup"), environment=self.environment())
        assert made.returncode == 0, made.stderr

    def environment(self) -> dict[str, str]:
        programs, url = settings.POSTGRES_PROGRAMS, settings.DATABASE_BACKUP_URL
        return self.platform.environment | {"POSTGRES_PROGRAMS": programs, "DATABASE_BACKUP_URL": url}

    def missed(self, data: Path, moment: float) -> list[float]:
        """When the calls were answered that are not there, of all before the moment."""
        with (
            started(data, read_manifest(self.place / "backup").database) as server,
            as_owner(server) as owner,
        ):
            known = {(type, mm): bool(is_settled) for type, mm, is_settled in owner.execute(FOUND).fetchall()}
        return [
            told.at
            for player in self.players
            for told in player.book
            if told.at <= moment and not is_there(known, told.endpoint, told.mm)
        ]

    def snapshot(self, number: int) -> tuple[Path, float]:
        """The log as it had been received if the server were lost now, and this moment."""
        target = self.place / f"wal-{number}"
        target.mkdir()
        for path in sorted((self.place / "wal").iterdir()):
            copy = shutil.copyfile if path.suffix == PARTIAL else os.link
            copy(path, target / path.name)
        return target, time.time()


def is_there(known: dict[tuple[object, object], bool], endpoint: str, mm: str) -> bool:
    is_settled = known.get((type_of(endpoint), mm))
    return is_settled is not None and (endpoint in OPENINGS or is_settled)


@contextmanager
def prepared() -> Iterator[Drill]:
    """A durable platform that serves, with a checkpoint."""
    with running_platform(durable=True) as platform, copying(platform.owner_url):
        drill = Drill(platform, platform.directory / "place")
        for directory in (drill.place, drill.place / "wal"):
            directory.mkdir()
        give(drill.place)
        made = platform.manage("make_checkpoint")
        assert made.returncode == 0, made.stderr
        yield drill


def play(drill: Drill, seconds: float, losses: list[float]) -> list[tuple[Path, float]]:
    """Backs up under load, and plays on. Returns what is left of the log at each of the moments `losses`, in
    seconds after the backup.
    """
    _, url = drill.platform.serve()
    sessions = [drill.platform.callers.player_session(FUNDS, url=url) for _ in range(PLAYERS)]
    with receiving(drill.place / "wal", "drill"):
        with playing_on(sessions, 1) as players:
            drill.players = players
            done = drill.platform.manage(
                "backup", str(drill.place / "backup"), environment=drill.environment()
            )
            assert done.returncode == 0, done.stderr
            began, left = time.monotonic(), []
            for number, after in enumerate(sorted(losses)):
                time.sleep(max(began + after - time.monotonic(), 0))
                left.append(drill.snapshot(number))
            time.sleep(max(began + seconds - time.monotonic(), 0))
        end = datetime.now(UTC)
        # The heartbeat's, after all that was played.
        eventually(lambda: (last := last_commit(drill.place / "wal")) and last.at > end)
    give(drill.place)
    return left


def run(options: Namespace) -> None:
    dice = random.Random(options.seed)
    with prepared() as drill:
        losses = [dice.uniform(0, options.seconds) for _ in range(options.losses)]
        left = play(drill, options.seconds, losses)
        first = read_manifest(drill.place / "backup").ended_at.timestamp()
        print(f"{played(drill.players)} calls were answered in {options.seconds:.0f} s of play.")
        moments = [dice.uniform(first, first + options.seconds) for _ in range(options.restores)]
        show("to a random second", (to_moment(drill, moment) for moment in moments))
        show("after the server was lost", (drill.restore(log, lost) for log, lost in left))


def to_moment(drill: Drill, moment: float) -> Outcome:
    outcome = drill.restore(
        drill.place / "wal", moment, "--until", datetime.fromtimestamp(moment, UTC).isoformat()
    )
    assert outcome.lost == 0, outcome
    return outcome


def show(title: str, outcomes: Iterator[Outcome]) -> None:
    """Prints each as it comes, then what they have in common."""
    print(f"\nRestored {title}")
    print("   answered   lost   RPO s   RTO s")
    all_of_them = []
    for one in outcomes:
        print(
            f"   {one.answered:8} {one.lost:6} {one.lost_seconds:7.3f} {one.seconds:7.1f}   {one.parts}",
            flush=True,
        )
        all_of_them.append(one)
    for name, values in (
        ("calls lost", [float(one.lost) for one in all_of_them]),
        ("RPO, in seconds", [one.lost_seconds for one in all_of_them]),
        ("RTO, in seconds", [one.seconds for one in all_of_them]),
    ):
        middle = statistics.median(values)
        print(f"   {name}: min {min(values):.3f}, median {middle:.3f}, max {max(values):.3f}")
    print(f"   audit green: {len(all_of_them)} of {len(all_of_them)}", flush=True)


def arguments() -> Namespace:
    parser = ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--restores", type=int, default=50, help="to random seconds (default: 50)")
    parser.add_argument("--losses", type=int, default=10, help="after the server is lost (default: 10)")
    parser.add_argument("--seconds", type=float, default=60, help="of play (default: 60)")
    parser.add_argument("--seed", type=int, default=7, help="of the moments (default: 7)")
    return parser.parse_args()


if __name__ == "__main__":
    run(arguments())
