"""Counts what games' calls were answered with: in the process's memory, written down every few seconds.

A refusal costs its call a look into a dictionary; what counts for a game is written by a thread of the web
process (config/heartbeat.py). A process that is killed takes the last seconds along: people read this, no
rule does.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from lib.clock import now
from lib.http.examples import redacted
from players.models import AnswerCount

# Stands for an answer that is no refusal.
SUCCESS = 0
# Between two times that they are written down; what is new after that is not counted.
MOST_KEYS = 2_000
DAYS_KEPT = timedelta(days=90)

# In the order of the key, so that two processes wait for each other and no more. The clock is the database's:
# a tally says how long ago it was.
ADD = """
    INSERT INTO players_answercount AS known
        (game_id, day, endpoint, code, times, first_seen_at, last_seen_at, example)
    SELECT game_id, ((wallet_now() - last_ago) AT TIME ZONE 'UTC')::date, endpoint, code, times,
        wallet_now() - first_ago, wallet_now() - last_ago, example
    FROM unnest(%(games)s::uuid[], %(endpoints)s::text[], %(codes)s::smallint[], %(times)s::bigint[],
                %(first_ago)s::interval[], %(last_ago)s::interval[], %(examples)s::text[])
        AS tally (game_id, endpoint, code, times, first_ago, last_ago, example)
    WHERE EXISTS (SELECT 1 FROM players_game WHERE id = game_id)
    ORDER BY 1, 2, 3, 4
    ON CONFLICT (game_id, day, endpoint, code) DO UPDATE SET
        times = known.times + EXCLUDED.times,
        first_seen_at = least(known.first_seen_at, EXCLUDED.first_seen_at),
        last_seen_at = greatest(known.last_seen_at, EXCLUDED.last_seen_at),
        example = coalesce(nullif(EXCLUDED.example, ''), known.example)
"""


class Key(NamedTuple):
    """Whose call, which, and how it was answered: as `AnswerCount` has it."""

    game_id: UUID
    endpoint: str
    code: int


@dataclass(slots=True)
class Tally:
    """What was counted of a key; times of the monotonic clock."""

    first_at: float
    last_at: float
    times: int = 1
    example: str = ""


class AnswerCounts:
    """The counts of this process that are not written down yet."""

    def __init__(self) -> None:
        # Held for moments only, and never while anything is waited for: calls in the loop take it.
        self.lock = threading.Lock()
        self.tallies: dict[Key, Tally] = {}

    def note(self, key: Key, body: Mapping[str, Any] | None = None) -> None:
        """Counts one answer. The first `body` of a key is kept, as people may see it."""
        at = time.monotonic()
        with self.lock:
            tally = self.tallies.get(key)
            if tally is not None:
                tally.times += 1
                tally.last_at = at
                return
            if len(self.tallies) >= MOST_KEYS:
                return
            tally = self.tallies[key] = Tally(at, at)
        if body is not None:
            tally.example = redacted(body)

    def write(self) -> None:
        """Writes down what was counted; if that fails, it is tried again with what comes."""
        with self.lock:
            taken, self.tallies = self.tallies, {}
        if not taken:
            return
        try:
            add(taken)
        except BaseException:
            self.put_back(taken)
            raise

    def put_back(self, taken: dict[Key, Tally]) -> None:
        with self.lock:
            newer, self.tallies = self.tallies, taken
            for key, tally in newer.items():
                if (older := taken.get(key)) is None:
                    if len(taken) < MOST_KEYS:
                        taken[key] = tally
                else:
                    older.times += tally.times
                    older.last_at = tally.last_at
                    older.example = tally.example or older.example


ANSWER_COUNTS = AnswerCounts()


def add(tallies: Mapping[Key, Tally]) -> None:
    """Adds to what is written down, by one statement."""
    at = time.monotonic()
    counted = list(tallies.values())
    parameters: dict[str, Any] = {
        "games": [key.game_id for key in tallies],
        "endpoints": [key.endpoint for key in tallies],
        "codes": [key.code for key in tallies],
        "times": [tally.times for tally in counted],
        "first_ago": [timedelta(seconds=at - tally.first_at) for tally in counted],
        "last_ago": [timedelta(seconds=at - tally.last_at) for tally in counted],
        "examples": [tally.example for tally in counted],
    }
    with connection.cursor() as cursor:
        cursor.execute(ADD, parameters)


def forget_old_answers() -> int:
    """Clears what was counted on days long ago. Returns how many counts."""
    return AnswerCount.objects.filter(day__lt=(now() - DAYS_KEPT).date()).delete()[0]
