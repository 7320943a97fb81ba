"""The database's clock, which all go by, is put forward and back while games play."""

import random
from datetime import timedelta
from uuid import UUID

from lib.clock import now
from tests.conftest import CLOCK
from tests.faults.platform_processes import SEED, Platform, eventually
from tests.faults.proofs.proof import FUNDS, PAUSE, Proof, serve, under_load
from tests.faults.unfinished import open_due
from wallet.models import JobRun, Outage, Pulse, Transaction
from wallet.outages import leave_pulse

# Up to an hour, forward or back; and a step so wide that all that is pending would be due.
MOST_SECONDS = 3600
WEEKS = timedelta(days=14)


def put(platform: Platform, by: timedelta) -> None:
    """The clock is so wrong from now on."""
    with platform.owner() as owner:
        owner.execute(CLOCK.format(f"clock_timestamp() + interval '{by.total_seconds()} seconds'"))


def prove(platform: Platform, times: int) -> Proof:
    dice = random.Random(SEED)
    web, url = serve(platform)
    processes = [web, platform.start("beat"), platform.start("worker")]
    wait_for_sweeps(1)
    pending = leave_pending(platform)
    with under_load(platform, url, "clock stepped, up to an hour forward or back", pause=PAUSE) as proof:
        for _ in proof.rounds(times):
            put(platform, timedelta(seconds=dice.randint(-MOST_SECONDS, MOST_SECONDS)))
            proof.play_some(8)
        put(platform, timedelta(0))
    go_ahead_and_back(platform, pending)
    assert not any(process.ended for process in processes)
    platform.assert_whole()
    proof.seen = (
        "what was pending for 72 h stayed so while the clock was two weeks ahead; what was due was settled "
        "once it was right"
    )
    return proof


def leave_pending(platform: Platform) -> list[UUID]:
    """What is due in three days, and so never in this proof."""
    sessions = [platform.callers.player_session(FUNDS) for _ in range(4)]
    return [open_due(each, "withdrawal", 5, timedelta(hours=72))[0] for each in sessions]


def go_ahead_and_back(platform: Platform, pending: list[UUID]) -> None:
    """A clock that is wrong by weeks settles nothing, and keeps nothing from being settled afterwards."""
    put(platform, WEEKS)
    wait_for_sweeps(2)
    leave_pulse(Pulse.Part.WEB)
    wait_for_sweeps(2)
    put(platform, timedelta(0))
    assert Transaction.objects.filter(pk__in=pending, state="pending").count() == len(pending)
    assert Outage.objects.filter(ended_at__gt=now() + WEEKS / 2).exists()
    # The steps of an hour were silences, too: their two hours' grace is over.
    with platform.owner() as owner:
        owner.execute("DELETE FROM wallet_outage WHERE ended_at <= wallet_now()")
    session = platform.callers.player_session(FUNDS)
    due, _ = open_due(session, "withdrawal", 5, timedelta(0))
    eventually(Transaction.objects.filter(pk=due, state="expired").exists, "what is due is settled")


def wait_for_sweeps(count: int) -> None:
    """Until so many more have come to their end, whatever time it is."""
    ended = JobRun.objects.filter(task="settle_due").exclude(ended_at=None)
    so_far = ended.count()
    eventually(lambda: ended.count() >= so_far + count, "sweeps run")
