"""Names are not resolved, or only after half a minute: games that are asked by name cannot be asked."""

import itertools
import time
from pathlib import Path
from urllib.parse import urlsplit

from config.launcher.supervisor import ROOT
from lib.clock import now
from tests.faults.platform_processes import Platform, eventually
from tests.faults.proofs.clock_steps import wait_for_sweeps
from tests.faults.proofs.proof import PAUSE, Proof, serve, under_load
from tests.faults.unfinished import Left, assert_settled_once, count_unfinished, leave, rich_session
from tests.support.callers import make_party
from tests.support.game_query_server import FakeGame, playing, says
from wallet.models import Inquiry

NAMELESS = str(ROOT / "tests" / "faults" / "nameless")
STATES = ("away", "silent")
AWAY_SECONDS = 3.0


def prove(platform: Platform, times: int) -> Proof:
    """Both ways `times` times: no call waits for it, nothing is settled, and what could not be asked is."""
    names = platform.directory / "names"
    names.write_text("there")
    given = {"PYTHONPATH": NAMELESS, "NAMES": str(names), "OUTGOING_TOTAL_SECONDS": "2"}
    web, url = serve(platform, **given)
    processes = [web, platform.start("beat"), platform.start("worker", **given)]
    wait_for_sweeps(1)
    with playing() as game, under_load(platform, url, f"DNS {', '.join(STATES)}", pause=PAUSE) as proof:
        game.otherwise = says("CONFIRMED")
        left = []
        for _, state in zip(proof.rounds(times * len(STATES)), itertools.cycle(STATES), strict=False):
            names.write_text(state)
            left += leave_and_wait(platform, game, names)
        assert sum(player.statuses[503] + player.statuses[0] for player in proof.players) == 0
    assert_settled_once(left)
    assert not any(process.ended for process in processes)
    proof.seen = f"{len(left)} due transactions settled as their games said, once those could be found"
    return proof


def leave_and_wait(platform: Platform, game: FakeGame, names: Path) -> list[Left]:
    """What is due while no name is resolved is asked about in vain, and settled afterwards."""
    party = make_party(query_url=f"http://game.test:{urlsplit(game.url).port}/state")
    sessions = [rich_session(platform.callers, party) for _ in range(2)]
    left = [leave(each, "withdrawal", 5, "confirmed") for each in sessions]
    inquiries = Inquiry.objects.filter(transaction__in=[one.id for one in left])
    eventually(inquiries.filter(unusable_in_a_row__gt=0).exists, "a game is asked in vain")
    time.sleep(AWAY_SECONDS)
    assert count_unfinished(left) == len(left) + inquiries.count()
    names.write_text("there")
    eventually(lambda: ask_now(left) == 0, "what was due is settled")
    return left


def ask_now(left: list[Left]) -> int:
    """How many are unfinished; the pause after a question in vain, a minute at first, is over."""
    waiting = Inquiry.objects.filter(transaction__in=[one.id for one in left], closed_at=None)
    waiting.filter(leased_until=None, next_attempt_at__gt=now()).update(next_attempt_at=now())
    return count_unfinished(left)
