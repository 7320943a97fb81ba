"""Transactions are found by what is random in them, whatever day they are from."""

from datetime import UTC, date, datetime, timedelta

from django.db import connection

from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession, unique
from wallet.models import Transaction
from wallet.models.days import all_days, named_from, of_mm_id

DAY = timedelta(days=1)


def beginning(text: str, most: int) -> list[str]:
    """The games' ids of what was found, in the order in which it was found."""
    found = named_from(text, most)
    names = dict(Transaction.objects.filter(pk__in=found).values_list("pk", "mm_transaction_id"))
    return [str(names[id]) for id in found]


def opened(player_session: PlayerSession, name: str) -> str:
    assert player_session.call("deposit", name, "0.01").error is None
    return name


def test_transaction_days__are_all_from_the_first_to_the_last(callers: Callers, clock: Clock) -> None:
    player_session = callers.player_session()
    clock.stand(datetime(2027, 3, 1, 23, 59, 59, tzinfo=UTC))
    opened(player_session, unique("mm"))
    clock.stand(datetime(2027, 3, 4, 0, 0, tzinfo=UTC))
    opened(player_session, unique("mm"))
    found = all_days()
    assert {date(2027, 3, 1), date(2027, 3, 2), date(2027, 3, 3), date(2027, 3, 4)} <= set(found)
    assert found == [found[0] + number * DAY for number in range(len(found))]


def test_transactions_beginning__are_those_of_the_newest_days(callers: Callers, clock: Clock) -> None:
    player_session, start = callers.player_session(), unique("begin")
    clock.stand(datetime(2027, 3, 1, 12, 0, tzinfo=UTC))
    old = [opened(player_session, f"{start}-a{number}") for number in range(2)]
    clock.stand(datetime(2027, 3, 2, 12, 0, tzinfo=UTC))
    new = [opened(player_session, f"{start}-b{number}") for number in range(2)]
    assert beginning(start, 10) == new + old
    assert beginning(start, 3) == [*new, old[0]]
    assert beginning(start, 1) == [new[0]]
    # No pattern: every character is itself.
    assert beginning(start[:-1] + "_", 10) == []
    assert beginning(start + "-a1" + "~", 10) == []


def test_game_id__is_found_by_an_index(callers: Callers) -> None:
    name = opened(callers.player_session(), unique("mm"))
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = Transaction.objects.filter(of_mm_id(name)).explain()
        cursor.execute("RESET enable_seqscan")
    assert "transaction_by_day_and_mm_id" in plan, plan
    assert "Seq Scan" not in plan, plan
    assert [row.mm_transaction_id for row in Transaction.objects.filter(of_mm_id(name))] == [name]
