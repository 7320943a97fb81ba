"""The broker has no memory left, takes no writes, hangs, or is dead; then it is well again."""

import itertools
import time
from collections.abc import Callable, Collection

from lib.clock import now
from tests.faults.platform_processes import Platform, eventually
from tests.faults.proofs.proof import PAUSE, Proof, serve, under_load
from tests.faults.servers import Servers
from tests.faults.unfinished import assert_settled_once, count_unfinished, lay_table
from tests.support.game_query_server import playing
from wallet.models import Pulse

ILL_SECONDS = 2.0
Act = Callable[[Servers], None]
WAYS: dict[str, tuple[Act, Act]] = {
    "out of memory": (Servers.starve_valkey, Servers.feed_valkey),
    "read-only": (Servers.demote_valkey, Servers.promote_valkey),
    "hanging": (Servers.hang_valkey, Servers.wake_valkey),
    "dead": (Servers.kill_valkey, Servers.start_valkey),
}


def prove(platform: Platform, times: int, ways: Collection[str] = WAYS) -> Proof:
    """Each of the ways `times` times: no call is refused for it, and sweeps go on by themselves."""
    web, url = serve(platform)
    processes = [web, platform.start("beat"), platform.start("worker")]
    wait_for_heartbeat()
    recovered: list[float] = []
    with playing() as game, under_load(platform, url, f"Redis {', '.join(ways)}", pause=PAUSE) as proof:
        left = []
        table = lay_table(platform.callers, game)
        each_in_turn = itertools.cycle(WAYS[way] for way in ways)
        for _, (begin, end) in zip(proof.rounds(times * len(ways)), each_in_turn, strict=False):
            begin(platform.servers)
            left += table.leave_open(8)
            time.sleep(ILL_SECONDS)
            end(platform.servers)
            well = time.monotonic()
            wait_for_heartbeat()
            recovered.append(time.monotonic() - well)
        eventually(lambda: count_unfinished(left) == 0, "all that was due is settled")
        assert sum(player.statuses[503] + player.statuses[0] for player in proof.players) == 0
    assert_settled_once(left)
    assert not any(process.ended for process in processes)
    proof.seen = (
        f"{len(left)} due transactions settled without a hand; the workers' messages flow again after "
        f"{max(recovered):.1f} s at most"
    )
    return proof


def wait_for_heartbeat() -> None:
    """Until a message that is sent from now on has come through the queue."""
    since = now()
    eventually(
        Pulse.objects.filter(part=Pulse.Part.QUEUE, at__gt=since).exists,
        "the heartbeat comes through the queue",
    )
