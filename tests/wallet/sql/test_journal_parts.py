"""The journal's parts: a month each, which no withdrawal needs, and all as unchangeable as the whole."""

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import DataError, ProgrammingError

from tests.conftest import Clock, in_database
from tests.support.callers import PlayerSession
from tests.support.invariants import problems_of
from wallet.journal_parts import prepare_months

Owner = psycopg.Connection[Any]
PARTS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'wallet_entry'::regclass"
# Entries of tests at other times are in it, too.
DEFAULT = "wallet_entry_default"


def parts(owner: Owner) -> set[str]:
    return {name for (name,) in owner.execute(PARTS).fetchall()}


@pytest.fixture
def months_undone(owner: Owner) -> Iterator[set[str]]:
    """Months that a test makes are gone afterwards, and their entries are where they were."""
    before = parts(owner)
    yield before
    for name in parts(owner) - before:
        with owner.transaction():
            owner.execute(f"ALTER TABLE wallet_entry DETACH PARTITION {name}")
            owner.execute(f"INSERT INTO wallet_entry SELECT * FROM {name}")
            owner.execute(f"DROP TABLE {name}")


def lines(owner: Owner, player_session: PlayerSession) -> list[tuple[int, str]]:
    """A player's entries, and in which part each is."""
    return owner.execute(
        "SELECT seq, tableoid::regclass::text FROM wallet_entry WHERE player_id = %s ORDER BY seq",
        [player_session.player.pk],
    ).fetchall()


def prepare(month: date) -> bool:
    """As the application's role."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT journal_prepare_month(%s)", [month])
        return bool(cursor.fetchone()[0])


def test_month__nobody_prepared_stops_no_withdrawal(
    player_session: PlayerSession, owner: Owner, clock: Clock
) -> None:
    clock.stand(datetime.fromisoformat("2033-07-09T12:00:00+00:00"))
    player_session.opened("deposit", "1.00")
    assert lines(owner, player_session)[-1] == (3, DEFAULT)


def test_month__takes_over_what_default_caught(
    player_session: PlayerSession, owner: Owner, clock: Clock, months_undone: set[str]
) -> None:
    for moment in ("2031-05-31T23:59:59.999999", "2031-06-01T00:00", "2031-06-30T23:59:59.9", "2031-07-01"):
        clock.stand(datetime.fromisoformat(f"{moment}+00:00" if "T" in moment else f"{moment}T00:00+00:00"))
        player_session.opened("deposit", "1.00")
    before = [seq for seq, _ in lines(owner, player_session)]
    assert prepare(date(2031, 6, 1))
    assert not prepare(date(2031, 6, 1))
    assert parts(owner) - months_undone == {"wallet_entry_203106"}
    month = "wallet_entry_203106"
    found = lines(owner, player_session)
    assert [part for _, part in found[2:]] == [DEFAULT, month, month, DEFAULT]
    assert [seq for seq, _ in found] == before
    assert problems_of(player_session.player) == []
    clock.stand(datetime.fromisoformat("2031-06-15T12:00:00+00:00"))
    player_session.opened("deposit", "1.00")
    assert lines(owner, player_session)[-1][1] == month


def test_months__are_made_ahead(owner: Owner, clock: Clock, months_undone: set[str]) -> None:
    clock.stand(datetime.fromisoformat("2032-11-30T23:30:00+00:00"))
    assert (prepare_months(), prepare_months()) == (3, 0)
    assert parts(owner) - months_undone == {f"wallet_entry_{month}" for month in (203211, 203212, 203301)}


def test_month__is_left_for_another_night_while_somebody_reads_for_long(
    owner: Owner, database_name: str, clock: Clock, months_undone: set[str]
) -> None:
    clock.stand(datetime.fromisoformat("2032-11-30T23:30:00+00:00"))
    with psycopg.connect(in_database(os.environ["DATABASE_OWNER_URL"], database_name)) as reader:
        reader.execute("SELECT FROM wallet_entry LIMIT 1")
        assert prepare_months() == 0
        assert parts(owner) == months_undone
        reader.rollback()
    assert prepare_months() == 3


def test_month__is_never_made_twice_over_the_first_part(owner: Owner) -> None:
    [(ended,)] = owner.execute("SELECT min(ended) FROM journal_parts()").fetchall()
    before = (ended.replace(day=1, month=ended.month - 1) if ended.month > 1 else None) or ended.replace(
        year=ended.year - 1, month=12
    )
    assert not prepare(before.date())


@pytest.mark.parametrize("month", ["2026-11-02", "1999-01-01", "2999-01-01", None])
def test_month__is_one_of_the_years_around_today(month: str | None) -> None:
    with pytest.raises(DataError, match="journal_prepare_month takes no month"), transaction.atomic():
        connection.cursor().execute("SELECT journal_prepare_month(%s)", [month])


@pytest.mark.parametrize("part", ["wallet_entry", "wallet_entry_first", DEFAULT])
@pytest.mark.parametrize("statement", ["UPDATE {} SET seq = seq", "DELETE FROM {}", "TRUNCATE {}"])
def test_part__is_as_unchangeable_as_the_journal(
    owner: Owner, player_session: PlayerSession, clock: Clock, part: str, statement: str
) -> None:
    for moment in ("2001-02-03T12:00:00+00:00", "2034-02-03T12:00:00+00:00"):
        clock.stand(datetime.fromisoformat(moment))
        player_session.opened("deposit", "1.00")
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(statement.format(part))
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        connection.cursor().execute(statement.format(part))


def test_number__is_unique_within_a_part(owner: Owner, player_session: PlayerSession) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute(
            "INSERT INTO wallet_entry SELECT * FROM wallet_entry WHERE player_id = %s",
            [player_session.player.pk],
        )
