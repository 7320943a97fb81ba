"""Makes a history on a platform that has none."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet

from lib.clock import now
from payments.history import incidents
from payments.history.director import Director
from payments.history.past import Past
from payments.history.people import people
from payments.history.stage import close_stage, make_stage
from payments.history.unfinished import hold_the_rest
from payments.history.visits import days
from payments.history.world import World
from payments.orders.operations import expire_orders
from players.audit_trail.chain import link_events
from players.models import Player
from wallet.audit.daily_totals import close_days
from wallet.audit.scheduled import audit_all
from wallet.figures import fold_figures, unfinished_days
from wallet.job_runs import recorded
from wallet.models import Entry, Transaction

# What the demonstration itself makes.
DEMO_PLAYERS = "demo-"
OWNS = """
    SELECT pg_has_role(current_user, proowner, 'USAGE') FROM pg_proc
    WHERE oid = to_regprocedure('wallet_now()')
"""
PREPARE = "SELECT call_log_prepare_day(day::date) FROM generate_series(%s::date, %s::date, '1 day') day"
MOST_DAYS = 365


class CannotMake(Exception):
    """Why no history can be made here, and what to do instead; the text is for a person at a terminal."""


class Wanted(NamedTuple):
    """So many players over so many days until a moment; `seed` decides everything else."""

    days: int
    players: int
    seed: int
    until: datetime
    url: str


class Made(NamedTuple):
    """How much there is now, and what the audit said of it."""

    players: int
    transactions: int
    entries: int
    verdict: str


def require_possible() -> None:
    """Raises `CannotMake` where real money may be, where others play, or where there is a history."""
    if not settings.DEMO:
        raise CannotMake(
            "A history is invented. Set DEMO=1 where that is meant, and never where real money is."
        )
    with connection.cursor() as cursor:
        cursor.execute(OWNS)
        found = cursor.fetchone()
    if not found or not found[0]:
        raise CannotMake(
            "This is the work of the database's owner, on a migrated database: set DATABASE_OWNER_URL."
        )
    stranger = strangers().first()
    if stranger is not None:
        raise CannotMake(
            f"There are players here already, the first is {stranger.uid}: a history begins before all "
            "others, and one that was interrupted is not continued. Make it on a new database."
        )


def strangers() -> QuerySet[Player]:
    """Players that the demonstration did not make, the first ones first."""
    return Player.objects.exclude(uid__startswith=DEMO_PLAYERS).order_by("pk")


def make_history(wanted: Wanted, told: Callable[[datetime], None] = lambda moment: None) -> Made:
    """Makes it, as the database's owner, and looks whether everything is right.

    Raises `CannotMake`, and `ValueError` if that much cannot be wanted. Short ones are one atomic block.
    """
    if not 1 <= wanted.days <= MOST_DAYS or wanted.players < 1:
        raise ValueError(f"a history has 1 to {MOST_DAYS} days, and at least one player")
    require_possible()
    began = wanted.until - timedelta(days=wanted.days)
    with connection.cursor() as cursor:
        cursor.execute(PREPARE, [began.date(), wanted.until.date()])
    director = Director(Past(wanted.seed, began), wanted.until)
    director.begin(began, opening(director, wanted))
    director.run(told)
    return look(wanted)


def opening(director: Director, wanted: Wanted) -> Iterator[datetime]:
    """What comes first and last: the stage, and its end a moment before the present."""
    random = Random(wanted.seed)  # noqa: S311 (the same again is what is wanted)
    began = director.past.moment
    cast = people(random, wanted.players, began.date(), wanted.days)
    world = World(director, make_stage(wanted.url), cast, random)
    world.begin(began, days(world, began.date()))
    incidents.plan(world, began)
    yield wanted.until - timedelta(microseconds=1)
    while expire_orders(world.now):
        pass
    close_stage()
    hold_the_rest()


def look(wanted: Wanted) -> Made:
    """Sums up what is over, links what was recorded, and audits the ledger."""
    link_events()
    with recorded("daily_totals") as run:
        close_days(run)
    with recorded("fold_figures") as run:
        fold_figures(run)
        while unfinished_days(now()):
            fold_figures(run)
    with recorded("audit_all") as run:
        audit_all(run)
    if run.failed:
        raise AssertionError(f"what was made is not right: {run.note}")
    return Made(Player.objects.count(), Transaction.objects.count(), Entry.objects.count(), run.note)
