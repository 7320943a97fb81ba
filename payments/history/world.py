"""What all stories of a history share."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from payments.history.director import Director, Story
from payments.history.people import Person
from payments.history.stage import House, Stage

# What players play with.
CURRENCY = "XAG"


@dataclass(slots=True)
class World:
    """The stage, the people, and chance."""

    director: Director
    stage: Stage
    people: list[Person]
    random: Random
    # By provider: until when it signs with a secret that is not ours, and how often it was.
    wrong_secret_until: dict[str, datetime] = field(default_factory=dict)
    # What a game's backend says when it is asked about a transaction, one answer after another.
    answers: dict[UUID, list[str]] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.director.past.moment

    def after(self, least: float, most: float) -> datetime:
        """A moment between so many seconds from now."""
        return self.now + timedelta(microseconds=round(self.random.uniform(least, most) * 1e6))

    def happens(self, chance: float) -> bool:
        return self.random.random() < chance

    def name(self, prefix: str) -> str:
        """An id that somebody else gives."""
        return f"{prefix}{self.random.getrandbits(64):016x}"

    def begin(self, at: datetime, story: Story) -> None:
        self.director.begin(at, story)

    def house(self, person: Person) -> House:
        """The game that a player plays mostly, or another one."""
        houses = self.stage.houses
        favourite = hash_of(person.uid) % len(houses)
        return houses[favourite] if self.happens(0.7) else self.random.choice(houses)


def hash_of(text: str) -> int:
    """A number that is the same in every process, unlike Python's own."""
    return int.from_bytes(text.encode()[-3:])
