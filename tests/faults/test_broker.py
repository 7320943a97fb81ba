"""A broker that forgets everything, is gone for a while, hangs, or holds what is not ours.

Workers go on by themselves, and money never waits for it.
"""

import random
import time
from datetime import datetime

from lib.clock import now
from tests.config.test_broker_transport import POISON, message
from tests.faults.platform_processes import LONG, SEED, Platform, eventually, rounds
from tests.faults.unfinished import assert_settled_without_a_hand, lay_table, wait_until_finished
from tests.support.callers import Caller, PlayerSession
from tests.support.game_query_server import FakeGame
from wallet.models import Pulse

# How long Valkey is dead, and then hangs, in seconds.
ABSENCES = ((60.0, 60.0), (1.0, 20.0)) if LONG else ((5.0, 3.0),)
DROPPED = "a message of the broker is dropped"
PREFIX = "quantum-wallet:"
# A withdrawal beside a broker that is gone takes no longer than this.
PROMPT_SECONDS = 20.0


def wait_for_heartbeat(since: datetime) -> None:
    """Until a message that was sent after that moment has come through the queue."""
    eventually(
        Pulse.objects.filter(part=Pulse.Part.QUEUE, at__gt=since).exists,
        "the heartbeat comes through the queue",
    )


def test_broker__emptied_again_and_again_costs_only_time(platform: Platform, game: FakeGame) -> None:
    dice, table, left = random.Random(SEED), lay_table(platform.callers, game), []
    processes = [platform.start("beat"), platform.start("worker")]
    wait_for_heartbeat(now())
    for _ in range(rounds(15, 400)):
        left += table.leave_open(8)
        platform.servers.flush_valkey()
        time.sleep(dice.uniform(0, 0.4))
    wait_for_heartbeat(now())
    assert_settled_without_a_hand(platform, left, game)
    assert not any(process.ended for process in processes)


def test_broker__money_moves_without_it_and_sweeps_resume_after(platform: Platform, game: FakeGame) -> None:
    table = lay_table(platform.callers, game)
    web, url = platform.serve()
    processes = [web, platform.start("beat"), platform.start("worker")]
    everybody, player_session = Caller(None, url=url), platform.callers.player_session(url=url)
    eventually(lambda: health(everybody) == (200, "ok"), "the workers are healthy")
    servers, left = platform.servers, table.leave_open(40)
    for dead, hanging in ABSENCES:
        for leave, come_back, seconds in (
            (servers.kill_valkey, servers.start_valkey, dead),
            (servers.hang_valkey, servers.wake_valkey, hanging),
        ):
            leave()
            left += table.leave_open(20)
            assert health(everybody) == (503, "unreachable")
            play_for(seconds, player_session, everybody)
            come_back()
            wait_for_heartbeat(now())
            eventually(lambda: health(everybody) == (200, "ok"), "the workers are healthy again")
            wait_until_finished(left)
    assert_settled_without_a_hand(platform, left, game)
    assert not any(process.ended for process in processes)


def test_broker__that_became_a_replica_ends_nothing(platform: Platform) -> None:
    web, url = platform.serve()
    processes = [web, platform.start("beat"), platform.start("worker")]
    everybody, player_session = Caller(None, url=url), platform.callers.player_session(url=url)
    eventually(lambda: health(everybody) == (200, "ok"), "the workers are healthy")
    for _ in range(rounds(2, 20)):
        platform.servers.demote_valkey()
        for _ in range(10):
            player_session.done("confirmWithdrawal", player_session.opened("withdraw", "0.02"))
            assert everybody.send("GET", "/readyz").status == 200
            time.sleep(0.2)
        platform.servers.promote_valkey()
        wait_for_heartbeat(now())
    assert not any(process.ended for process in processes)


def test_broker__poison_is_dropped_and_ends_no_worker(platform: Platform) -> None:
    processes = [platform.start("beat"), platform.start("worker")]
    wait_for_heartbeat(now())
    broker, worker = platform.servers.valkey_client(), processes[1]
    for raw, _ in POISON.values():
        broker.lpush(f"{PREFIX}settle", raw)
    # One that a lost worker seems to have taken, and an order to end.
    broker.hset(f"{PREFIX}unacked", "lost", "no JSON")
    broker.zadd(f"{PREFIX}unacked_index", {"lost": 0})
    broker.publish("/0.celery.pidbox", message(b'{"method": "shutdown"}'))
    poison = [raw for raw, problem in POISON.values() if problem != "taken"]
    eventually(lambda: platform.said(worker).count(DROPPED) >= len(poison), "all poison is dropped")
    wait_for_heartbeat(now())
    for queue in ("settle", "check"):
        broker.set(f"{PREFIX}{queue}", "no list")
    for key in ("unacked", "unacked_index", "_kombu.binding.settle"):
        broker.delete(f"{PREFIX}{key}")
        broker.lpush(f"{PREFIX}{key}", "of a wrong type")
    wait_for_heartbeat(now())
    assert not any(process.ended for process in processes)


def health(caller: Caller) -> tuple[int, str]:
    """The status of /healthz/workers, and what it says of the broker."""
    try:
        answer = caller.send("GET", "/healthz/workers")
    except OSError:
        return 0, "not serving yet"
    return answer.status, str(answer.body["broker"])


def play_for(seconds: float, player_session: PlayerSession, everybody: Caller) -> None:
    """Withdrawals and confirmations for so long, while the workers are ill and everything else is well."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.monotonic()
        mm = player_session.opened("withdraw", "0.02")
        player_session.done("confirmWithdrawal", mm)
        assert time.monotonic() - began < PROMPT_SECONDS
        assert everybody.send("GET", "/readyz").status == 200
        assert health(everybody) == (503, "unreachable")
        time.sleep(0.2)
