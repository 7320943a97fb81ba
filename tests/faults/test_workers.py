"""Workers that are killed in the middle of a sweep, and more of them than are needed."""

import os
import random
import signal
import socket
import time
from collections import Counter
from datetime import datetime, timedelta

from config.launcher.processes import Child
from lib.clock import now
from tests.conftest import Clock
from tests.faults.platform_processes import SEED, Platform, children_of, eventually, kill_group, rounds
from tests.faults.unfinished import assert_all_is_settled, assert_settled_without_a_hand, lay_table
from tests.support.game_query_server import FakeGame
from wallet.models import JobRun
from wallet.settlement.inquiries import LEASE


def wait_for_sweep(since: datetime) -> None:
    """Until a worker begins a sweep after that moment."""
    eventually(JobRun.objects.filter(task="settle_due", began_at__gte=since).exists, "a sweep begins")


def kill_somehow(dice: random.Random, worker: Child) -> bool:
    """kill -9 of the whole worker, of its first process alone, or of one that works for it.

    Returns whether the worker is gone.
    """
    how = dice.choice(["all", "first", "one"])
    if how == "one" and (pool := children_of(worker)):
        os.kill(dice.choice(pool), signal.SIGKILL)
        return False
    if how == "all":
        kill_group(worker)
    else:
        worker.process.kill()
        worker.process.wait(10)
    return True


def test_worker__killed_at_any_moment_of_a_sweep_settles_once(
    platform: Platform, clock: Clock, game: FakeGame
) -> None:
    dice, table, left = random.Random(SEED), lay_table(platform.callers, game), []
    platform.start("beat")
    worker = platform.start("worker")
    for _ in range(rounds(8, 100)):
        began = now()
        left += table.leave_open(40)
        wait_for_sweep(began)
        time.sleep(dice.uniform(0, 0.5))
        if kill_somehow(dice, worker):
            worker = platform.start("worker")
    # What the dead had leased is free again when their leases are over.
    clock.go_ahead(LEASE)
    assert_settled_without_a_hand(platform, left, game)


def test_worker__two_beats_three_workers_settle_and_query_once(platform: Platform, game: FakeGame) -> None:
    table, left = lay_table(platform.callers, game, players=12), []
    # So often that there is always one more sweep under way.
    for name in ("worker", "worker", "worker", "beat", "beat"):
        platform.start(name, SETTLE_SECONDS="0.04")
    for _ in range(rounds(3, 100)):
        wait_for_sweep(now())
        left += table.leave_open(100, due_at=now() + timedelta(seconds=1.5))
    assert_all_is_settled(left, game)
    worked = working(platform)
    platform.end_all()  # the audit gives way to them, and they never rest
    platform.assert_whole()
    asked = Counter(said["mmTransactionId"] for said in game.asked)
    assert asked == {one.mm: 1 for one in left if one.is_asked_about}
    runs = JobRun.objects.filter(task="settle_due", worker__in=worked, looked_at__gt=0)
    assert runs.values("worker").distinct().count() > 1
    assert not runs.exclude(failed=0, error="").exists()
    # Nobody waited in a circle, or wrote without the wallet's lock.
    log = platform.servers.postgres_log()
    assert [problem for problem in ("deadlock detected", "wallet_entry_pkey") if problem in log] == []


def working(platform: Platform) -> list[str]:
    """The names, in runs, of all processes that work for the workers at this moment."""
    return [
        f"{socket.gethostname()}:{pid}"
        for child, _ in platform.started.values()
        for pid in children_of(child)
    ]
