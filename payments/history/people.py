"""Who plays in a history, and when: chosen by the seed alone, without a database."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from random import Random
from typing import Any
from uuid import UUID

NAMES = (
    *("anna", "ben", "chloe", "david", "elif", "felix", "greta", "hugo", "ines", "jonas", "kaito", "lena"),
    *("mateo", "nora", "oskar", "paula", "quentin", "rosa", "sven", "tilda", "umut", "vera", "wanda", "yuki"),
)
TITLES = ("", "", "", "lucky", "Captain", "Lady", "Dr", "silver", "Old", "Mighty")
# Country, language, hours ahead of UTC, and how many of a hundred.
LANDS = (
    *(("DE", "de", 1, 34), ("AT", "de", 1, 12), ("GB", "en", 0, 18), ("FR", "fr", 1, 12)),
    *(("ES", "es", 1, 8), ("PL", "pl", 1, 6), ("TR", "tr", 3, 5), ("JP", "ja", 9, 5)),
)
# How many of a hundred players are so, and the chance that one of them plays on a day.
HABITS = ((12, 0.80), (33, 0.35), (55, 0.09))
# The hours of a day at home: nobody much at four, most after dinner.
HOURS = (12, 7, 4, 2, 1, 1, 2, 5, 8, 10, 12, 14, 18, 18, 16, 17, 20, 27, 36, 46, 52, 48, 36, 22)
WEEKEND, SATURDAY = 1.35, 5
# Who was there before the history begins, and who comes on its way.
FROM_THE_BEGINNING = 0.6


@dataclass(slots=True)
class Person:
    """A player: who they are, and how they play. `stake` is a share of what they hold."""

    uid: str
    nickname: str
    country: str
    language: str
    hours_ahead: int
    activity: float
    rounds: float
    stake: float
    joins_on: date
    is_test: bool
    id: UUID = field(default=UUID(int=0))
    is_barred: bool = False
    bought: int = 0

    @property
    def attributes(self) -> dict[str, str]:
        """As the web front tells them."""
        return {"nickname": self.nickname, "country": self.country, "language": self.language}


def chosen(random: Random, weighted: tuple[tuple[Any, ...], ...], weight: int) -> Any:
    """One of some, by the weight that stands at that place in each."""
    return random.choices(weighted, [one[weight] for one in weighted])[0]


def people(random: Random, number: int, first: date, days: int) -> list[Person]:
    """So many, the first ones there from the `first` day on."""
    return [person(random, place, number, first, days) for place in range(number)]


def person(random: Random, place: int, number: int, first: date, days: int) -> Person:
    country, language, ahead, _ = chosen(random, LANDS, 3)
    name, title = random.choice(NAMES), random.choice(TITLES)
    late = max(0.0, (place / number - FROM_THE_BEGINNING) / (1 - FROM_THE_BEGINNING))
    return Person(
        uid=f"p-{random.randrange(10**7):07}-{place:05}",
        nickname=" ".join(part for part in (title, name) if part) + str(random.choice(("", place))),
        country=country,
        language=language,
        hours_ahead=ahead,
        activity=chosen(random, HABITS, 0)[1] * random.uniform(0.8, 1.2),
        rounds=random.choice((3, 6, 6, 9, 14)),
        stake=random.choice((0.01, 0.02, 0.04, 0.08)),
        joins_on=first + timedelta(days=int(late * days)),
        is_test=random.random() < 0.04,
    )


def visits_of(random: Random, person: Person, day: date) -> list[datetime]:
    """When a player comes on a day; on the first one surely."""
    if day < person.joins_on:
        return []
    chance = person.activity * (WEEKEND if day.weekday() >= SATURDAY else 1)
    number = sum(random.random() < chance * share for share in (1, 0.3))
    if day == person.joins_on:
        number = max(1, number)
    return sorted(moment_of(random, person, day) for _ in range(number))


def moment_of(random: Random, person: Person, day: date) -> datetime:
    """A moment of the player's own day."""
    [hour] = random.choices(range(len(HOURS)), HOURS)
    at_home = timezone(timedelta(hours=person.hours_ahead))
    since = timedelta(hours=hour, microseconds=random.randrange(3_600_000_000))
    return datetime.combine(day, time(), at_home) + since
