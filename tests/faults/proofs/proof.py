"""What every proof has: a web server under load, and the row of figures that comes of it."""

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from config.launcher.processes import Child
from tests.faults.platform_processes import PATIENCE, SEED, Platform, eventually
from tests.faults.traffic import Player, assert_all_kept, is_ready, played, playing_on, sit_down

FUNDS = 1_000_000_00
PLAYERS = 8
# Between two transactions of a player, where workers must get on as well, in seconds.
PAUSE = 0.1
# `make proofs ARGS="--minutes 10"` has fewer faults than it would, if they take longer.
MOST_SECONDS = math.inf
HEAD = (
    "| fault | times | answered | refused (503) | no answer | answered again after s: median, max | seen |\n"
    "|---|---|---|---|---|---|---|"
)


@dataclass
class Proof:
    """A row of the table. `players` have answers of which none may be lost."""

    fault: str
    platform: Platform
    players: list[Player] = field(default_factory=list)
    times: int = 0
    # No fault more after this, by the monotonic clock.
    until: float = math.inf
    # Seconds from the end of each fault to the next answer.
    waited: list[float] = field(default_factory=list)
    seen: str = ""

    def rounds(self, most: int) -> Iterator[None]:
        """Each counts when it is over; fewer than `most` if the time is."""
        while self.times < most and not self.is_over:
            yield
            self.times += 1

    @property
    def is_over(self) -> bool:
        """Whether as much time as it was given has passed."""
        return time.monotonic() > self.until

    def play_some(self, calls: int = 40) -> None:
        """Until so many more calls are answered."""
        so_far = played(self.players)
        eventually(
            lambda: played(self.players) >= so_far + calls or any(player.problem for player in self.players),
            "the games get answers",
        )

    def note_return(self, since: float) -> None:
        """Waits for the first answer after a fault that ended at `since`, in seconds since 1970."""
        deadline = time.monotonic() + PATIENCE
        while not (later := [at for player in self.players if (at := last_answer(player)) > since]):
            assert time.monotonic() < deadline, "nothing is answered any more"
            time.sleep(0.005)
        self.waited.append(min(later) - since)

    def assert_whole(self) -> None:
        """Every answer that a game had is in the ledger, and is given again; and the audit is green."""
        assert_all_kept(self.players, FUNDS)
        self.platform.assert_whole()

    def row(self) -> str:
        statuses = [player.statuses for player in self.players]
        answered, refused, none = (sum(each[status] for each in statuses) for status in (200, 503, 0))
        waited = f"{statistics.median(self.waited):.2f}, {max(self.waited):.2f}" if self.waited else "at once"
        return f"| {self.fault} | {self.times} | {answered} | {refused} | {none} | {waited} | {self.seen} |"


def last_answer(player: Player) -> float:
    return player.book[-1].at if player.book else 0.0


def serve(platform: Platform, **environment: str) -> tuple[Child, str]:
    """A web server that is ready, and its URL."""
    web, url = platform.serve(WEB_WORKERS="2", **environment)
    eventually(lambda: is_ready(url), "the web server is ready")
    return web, url


@contextmanager
def under_load(
    platform: Platform, url: str, fault: str, players: int = PLAYERS, pause: float = 0.0
) -> Iterator[Proof]:
    """Games that play on until the block ends; then it is looked whether anything of it is lost."""
    with playing_on(sit_down(platform, url, players, FUNDS), SEED, pause) as playing:
        proof = Proof(fault, platform, playing, until=time.monotonic() + MOST_SECONDS)
        proof.play_some()
        yield proof
        proof.play_some()
    proof.assert_whole()
    eventually(lambda: is_ready(url), "the web server is ready again")
