"""The stories that there are, and how often each is played."""

from collections.abc import Callable
from dataclasses import dataclass

from simulation.player import Player

# How often a story is in the deck; what is seldom is in one deck of several (see `deal`).
OFTEN, USUAL, SELDOM = 3, 1, 0


@dataclass(frozen=True, slots=True)
class Story:
    """`transactions` is how many transaction ids it uses, `copies` how often it is in the deck."""

    name: str
    transactions: int
    copies: int
    play: Callable[[Player], None]


DECK: list[Story] = []


def story(
    transactions: int = 1, copies: int = USUAL
) -> Callable[[Callable[[Player], None]], Callable[[Player], None]]:
    def add(play: Callable[[Player], None]) -> Callable[[Player], None]:
        DECK.append(Story(play.__name__.replace("_", " "), transactions, copies, play))
        return play

    return add
