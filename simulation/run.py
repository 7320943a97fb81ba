"""One simulation from its players' making to the comparison of their balances."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from uuid import uuid4

from simulation.client import Connection, Unreachable
from simulation.crew import Crew
from simulation.deck import Story
from simulation.parties import Parties, Unusable
from simulation.player import CURRENCIES, Hands, Player, World
from simulation.progress import Progress
from simulation.stories import DECK
from simulation.tally import Tally

# A story that is seldom told is in the first of so many decks.
SELDOM_DECKS = 4
# How many balances of a player are compared: four of each wallet.
BALANCES = 4 * len(CURRENCIES)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is played, and by how many at a time."""

    players: int
    transactions: int
    concurrency: int
    seed: int


@dataclass(slots=True)
class Part:
    """A player and the stories that it still has to play, the next one last."""

    player: Player
    stories: list[Story]


def deal(plan: Plan) -> list[list[Story]]:
    """The stories of each player: shuffled decks, exactly `plan.transactions` of them together."""
    rng = random.Random(plan.seed)  # noqa: S311 (a game, not a secret)
    hands: list[list[Story]] = [[] for _ in range(plan.players)]
    seats, left, decks = cycle(hands), plan.transactions, 0
    while left:
        deck = [story for story in DECK for _ in range(story.copies or decks % SELDOM_DECKS == 0)]
        rng.shuffle(deck)
        for story in deck:
            if story.transactions <= left:
                next(seats).append(story)
                left -= story.transactions
        decks += 1
    return hands


class Simulation:
    """What is made, played and compared; everything it counts is in `tally`."""

    def __init__(
        self, parties: Parties, plan: Plan, *, progress: Progress, tally: Tally, say: Callable[[str], None]
    ) -> None:
        self.plan = plan
        self.tally = tally
        self.progress = progress
        self.crew = Crew(parties.url, plan.concurrency, tally, say)
        self.world = World(uuid4().hex[:8], parties.games, parties.platform, tally)
        self.parts = [
            Part(Player(number, self.world, plan.seed), stories) for number, stories in enumerate(deal(plan))
        ]
        self.seconds = 0.0

    def check_server(self) -> None:
        """Raises Unusable where the server is not there, or does not know the credentials."""
        connection = Connection(self.crew.url, Tally(), self.crew.stop)
        try:
            for caller, path in (
                (self.world.platform, "/entry/balance"),
                *((game, "/wallet/getBalance") for game in self.world.games),
            ):
                reply = connection.once(caller, path)
                if reply.status in (400, 401):
                    raise Unusable(
                        f"The server at {self.crew.url} refuses the credential of {caller.slug}: are the "
                        "credentials that server's?"
                    )
                if reply.code != 101:
                    raise Unusable(
                        f"{self.crew.url} does not answer as the wallet does (HTTP {reply.status} to {path})."
                    )
        except Unreachable as problem:
            raise Unusable(
                f"There is no server at {self.crew.url}: {problem}. Start one with `make run`, or name "
                "another with --url."
            ) from problem
        finally:
            connection.close()

    def run(self) -> None:
        """The whole simulation; Ctrl-C cuts it short."""
        try:
            self.play()
            self.compare()
        finally:
            self.progress.clear()
            self.crew.close()

    def play(self) -> None:
        """Makes the players, and plays all stories."""
        players = [part.player for part in self.parts]
        self.crew.work(
            players,
            make,
            lambda: self.progress.show("Making players", sum(p.is_ready for p in players), len(players)),
        )
        self.progress.phase()
        began = time.monotonic()
        parts = [part for part in self.parts if part.stories and part.player.is_ready]
        self.crew.work(
            parts,
            self.take_turn,
            lambda: self.progress.show("Playing", self.tally.done, self.plan.transactions),
        )
        self.seconds = time.monotonic() - began
        self.progress.phase()

    def take_turn(self, part: Part, hands: Hands) -> bool:
        """Plays a player's next story. Returns whether there are more."""
        story = part.stories.pop()
        part.player.hands = hands
        story.play(part.player)
        self.tally.played(story.name, story.transactions)
        return bool(part.stories)

    def compare(self) -> None:
        """Compares every balance of the book with the server's.

        Also after an interruption, but not where the server is gone.
        """
        if self.crew.gave_up:
            return
        self.crew.stop.clear()
        players = [part.player for part in self.parts if part.player.is_made]
        self.crew.work(
            players,
            self.compare_player,
            lambda: self.progress.show("Comparing balances", self.tally.balances, len(players) * BALANCES),
        )
        self.progress.phase()

    def compare_player(self, player: Player, hands: Hands) -> bool:
        player.hands = hands
        for difference in player.compare():
            self.tally.differ(difference)
        return False


def make(player: Player, hands: Hands) -> bool:
    player.hands = hands
    player.make()
    return False
