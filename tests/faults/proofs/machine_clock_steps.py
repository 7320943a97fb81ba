"""The clock of the machine steps under PostgreSQL, the web server, workers and beat at once."""

import random
from datetime import datetime, timedelta

from tests.faults.machine_clock import MachineClock
from tests.faults.platform_processes import SEED, Platform, eventually
from tests.faults.proofs.clock_steps import MOST_SECONDS, leave_pending
from tests.faults.proofs.proof import PAUSE, Proof, serve, under_load
from wallet.models import Pulse, Transaction


def prove(platform: Platform, times: int) -> Proof:
    """After each step games are answered, and messages go through the queue; what is pending for 72 h stays
    so.
    """
    dice, clock = random.Random(SEED), MachineClock(platform.directory)
    platform.servers.stop_postgres()
    platform.begin_postgres(**clock.environment(has_threads=False))
    given = clock.environment()
    web, url = serve(platform, **given)
    processes = [web, platform.start("beat", **given), platform.start("worker", **given)]
    wait_for_messages(None)
    pending = leave_pending(platform)
    fault = "clock of the machine stepped, up to an hour forward or back"
    with under_load(platform, url, fault, pause=PAUSE) as proof:
        for _ in proof.rounds(times):
            clock.step(timedelta(seconds=dice.randint(-MOST_SECONDS, MOST_SECONDS)))
            before = last_message()
            proof.play_some(8)
            wait_for_messages(before)
        clock.step(timedelta(0))
    assert not any(process.ended for process in processes)
    assert Transaction.objects.filter(pk__in=pending, state="pending").count() == len(pending)
    platform.end_all()
    platform.restart_postgres()
    platform.assert_whole()
    proof.seen = "after each step messages went through the queue, and what was pending for 72 h stayed so"
    return proof


def last_message() -> datetime | None:
    return Pulse.objects.filter(part=Pulse.Part.QUEUE).values_list("at", flat=True).first()


def wait_for_messages(before: datetime | None) -> None:
    """Until another has come, whatever time it is."""
    eventually(lambda: last_message() != before, "messages go through the queue")
