"""`make events`: writers commit late and out of order, and who follows the feed is killed again and again."""

import argparse
import os
import random
import signal
import sqlite3
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.support.callers import PlayerSession
from tests.support.event_feed import HELD
from tests.support.own_database import OwnLedger, own_ledger
from wallet.events.cursor import Cursor, read_cursor
from wallet.events.feed import read_feed
from wallet.events.positions import number_events
from wallet.models import NewEvent, Wallet

WRITERS = 12
# Each transaction writes up to so many lines, after one pause and before another, in seconds.
MOST_LINES, LONGEST_PAUSE = 60, 0.02
# One in so many is rolled back.
UNDONE = 20
# A number (xid) first, then a pause, then the lock: transactions that began early write late.
WRITE = """
    DO $do$
    BEGIN
        PERFORM pg_current_xact_id();
        PERFORM pg_sleep({early});
        FOR number IN 1..{lines} LOOP
            PERFORM ledger_gate('{player}', 'XAG', 'limit_set', {first} + number, 'test', '', true);
            PERFORM ledger_post(
                '{player}', NULL, ARRAY[gen_random_uuid()], ARRAY['XAG'],
                ARRAY[CASE WHEN (number + {first}) % 3 = 0 THEN 'clawback' ELSE 'top_up' END],
                ARRAY[1 + (number * 7919 + {first}) % 5000], ARRAY[NULL::uuid], NULL, '', 'provider', 'test',
                '');
        END LOOP;
        PERFORM pg_sleep({late});
    END $do$
"""


@dataclass
class Writers:
    """Threads that write events until there are enough, committed or not."""

    ledger: OwnLedger
    sessions: list[PlayerSession]
    wanted: int
    seed: int
    written: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    problems: list[str] = field(default_factory=list)

    def run(self, number: int) -> None:
        dice = random.Random(self.seed * 1000 + number)
        try:
            with psycopg.connect(self.ledger.url) as database:
                while self.written < self.wanted:
                    self.write(database, dice)
        except psycopg.Error as problem:
            self.problems.append(str(problem))

    def write(self, database: "psycopg.Connection[Any]", dice: random.Random) -> None:
        lines = dice.randint(1, MOST_LINES // 2)
        player: UUID = dice.choice(self.sessions).player.pk
        pauses = {"early": dice.uniform(0, LONGEST_PAUSE), "late": dice.uniform(0, LONGEST_PAUSE)}
        # Limits that follow each other differ.
        first = dice.randint(1, 10**6)
        database.execute(WRITE.format(player=player, lines=lines, first=first, **pauses))
        if dice.randrange(UNDONE):
            database.commit()
            with self.lock:
                self.written += 2 * lines
        else:
            database.rollback()


@dataclass
class Follower:
    """A process that keeps what it has read, with its place, in a file; killed, it goes on from there."""

    file: Path

    def prepare(self) -> None:
        with sqlite3.connect(self.file) as kept:
            kept.execute("CREATE TABLE place (next TEXT)")
            kept.execute("INSERT INTO place VALUES ('')")
            kept.execute("CREATE TABLE told (number INTEGER PRIMARY KEY, id TEXT, wallet TEXT, line INTEGER)")
            kept.execute(
                "CREATE TABLE wallets (player TEXT PRIMARY KEY, line INTEGER, spendable TEXT, reserved TEXT, "
                "debt TEXT)"
            )

    def start(self) -> int:
        """A child of this process. Returns its number."""
        connection.close()
        if child := os.fork():
            return child
        try:
            self.follow()
        finally:
            traceback.print_exc()
            os._exit(1)

    def follow(self) -> None:
        kept = sqlite3.connect(self.file)
        while True:
            number_events(5000)
            [(after,)] = kept.execute("SELECT next FROM place").fetchall()
            page = read_feed(read_cursor(after) if after else Cursor(), 1000)
            if not page.messages:
                time.sleep(0.01)
                continue
            with kept:
                kept.executemany(
                    "INSERT INTO told (id, wallet, line) VALUES (?, ?, ?)", map(row, page.messages)
                )
                for message in page.messages:
                    if message.line is not None:
                        take_in(kept, message)
                kept.execute("UPDATE place SET next = ?", (str(page.following),))


def row(message: Any) -> tuple[Any, ...]:
    return message.id, message.playerId if message.line else "", message.line


def take_in(kept: sqlite3.Connection, message: Any) -> None:
    """The movement, and nothing else, makes the balances."""
    found = kept.execute("SELECT * FROM wallets WHERE player = ?", (message.playerId,)).fetchone()
    held = dict(
        zip(("spendable", "reserved", "debt"), map(int, found[2:]) if found else (0, 0, 0), strict=True)
    )
    for account, sign in ((message.debit, -1), (message.credit, 1)):
        if account in HELD:
            held[account] += sign * (-1 if account == "debt" else 1) * int(message.amount.amount * 100)
    kept.execute(
        "INSERT OR REPLACE INTO wallets VALUES (?, ?, ?, ?, ?)",
        (message.playerId, message.line, *map(str, held.values())),
    )


@dataclass(frozen=True)
class Result:
    """What the follower had in the end."""

    events: int
    kills: int
    seconds: float
    wrong: list[str]


def prove(ledger: OwnLedger, *, events: int, kills: int, players: int, seed: int) -> Result:
    """Writers and one follower at once; then compares what it kept with the ledger."""
    began, dice = time.monotonic(), random.Random(seed)
    sessions = [ledger.callers.player_session(funds=0) for _ in range(players)]
    writers = Writers(ledger, sessions, events, seed)
    with TemporaryDirectory() as directory:
        follower = Follower(Path(directory) / "kept.sqlite")
        follower.prepare()
        threads = [threading.Thread(target=writers.run, args=(number,)) for number in range(WRITERS)]
        # Forked before there are threads that hold anything, and again whenever it was killed.
        for thread in threads:
            thread.start()
        done = 0
        while done < kills or any(thread.is_alive() for thread in threads):
            child = follower.start()
            due = (writers.written / events) * kills
            time.sleep(dice.uniform(0.05, 0.4) if done <= due else dice.uniform(0.5, 2))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            done += 1
        child = follower.start()
        wait_until_read(follower)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        wrong = [*writers.problems, *differences(follower, sessions)]
        [(count,)] = sqlite3.connect(follower.file).execute("SELECT count(*) FROM told").fetchall()
    return Result(count, done, time.monotonic() - began, wrong)


def wait_until_read(follower: Follower) -> None:
    """Until nothing is left to be numbered, and the place stays where it is."""
    last = None
    while True:
        [(place,)] = sqlite3.connect(follower.file).execute("SELECT next FROM place").fetchall()
        if place == last and not NewEvent.objects.exists():
            return
        last = place
        time.sleep(3)


def differences(follower: Follower, sessions: list[PlayerSession]) -> list[str]:
    """What is missing, twice, out of order, or another balance."""
    kept, wrong = sqlite3.connect(follower.file), []
    twice = kept.execute("SELECT id FROM told GROUP BY id HAVING count(*) > 1 LIMIT 5").fetchall()
    wrong += [f"{id} was counted twice" for (id,) in twice]
    lines: dict[str, int] = {}
    for wallet, line in kept.execute("SELECT wallet, line FROM told WHERE wallet <> '' ORDER BY number"):
        if line != lines.get(wallet, 0) + 1:
            wrong.append(f"{wallet}: line {line} after {lines.get(wallet, 0)}")
        lines[wallet] = line
    for session in sessions:
        wallet = Wallet.objects.get(player=session.player)
        [held] = kept.execute("SELECT * FROM wallets WHERE player = ?", (session.player.uid,)).fetchall()
        so = (wallet.entry_count, *map(str, (wallet.spendable, wallet.reserved, wallet.debt)))
        if held[1:] != so:
            wrong.append(f"{session.player.uid}: {held[1:]} instead of {so}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="make events", description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--players", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    with own_ledger("events_proof") as ledger:
        result = prove(ledger, events=given.events, kills=given.kills, players=given.players, seed=seed)
    print(
        f"seed {seed}: {result.events} events by {WRITERS} writers, {result.kills} kills of the follower, "
        f"{result.seconds:.0f} s: {len(result.wrong)} differences"
    )
    for problem in result.wrong[:20]:
        print(problem)
    return bool(result.wrong)


if __name__ == "__main__":
    sys.exit(main())
