"""Reports of an invented history: they add up for every wallet and day, and with each other."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID

import pytest

from lib.clock import now
from payments.history.maker import Made
from tests.support.history import own_history
from wallet.audit.daily_totals import begin
from wallet.models import Entry, FiguresDay, Transaction, Wallet
from wallet.reports import game_totals, liabilities
from wallet.reports.account_summary import BEFORE_ALL, REPORT, Summary, read_wallets
from wallet.reports.moved import Account, gaps, net_between
from wallet.reports.period import Kind, read_period
from wallet.reports.report import Asked, rows_of, sum_up

DAY = timedelta(days=1)
# What a transaction that has come to its end counts as, and whether it adds or takes away.
COUNTS = {
    "top_up": ("paid_in", 1),
    "deposit": ("won", 1),
    "late_deposit": ("won", 1),
    "deposit_back": ("won", -1),
    "withdrawal": ("spent", 1),
    "late_withdrawal": ("spent", 1),
    "withdrawal_back": ("spent", -1),
    "clawback": ("refunded", 1),
    "set_aside": ("refunded", 1),
    "credit": ("adjusted", 1),
    "debit": ("adjusted", -1),
    "write_off": ("adjusted", 1),
}


@pytest.fixture(scope="module")
def history(database: None, database_name: str) -> Iterator[Made]:
    with own_history(f"{database_name}_reports", days=3, players=20) as made:
        yield made


@pytest.fixture
def days(history: Made) -> list[date]:
    """Those of the history, the first and the last ones in part."""
    first = Entry.objects.order_by("at").values_list("at", flat=True)[0].astimezone(UTC).date()
    last = now().astimezone(UTC).date()
    return [first + number * DAY for number in range((last - first).days + 1)]


def asked(day: date, kind: Kind = Kind.DAY) -> Asked:
    return Asked(read_period(kind.value, str(day), now()), scope="all")


def summaries(day: date, kind: Kind = Kind.DAY) -> list[Summary]:
    return read_wallets(asked(day, kind), BEFORE_ALL, 100_000)


def by_transactions(day: date) -> Counter[tuple[UUID, str]]:
    """The same by what is known of transactions: by wallet and column, in minor units."""
    found: Counter[tuple[UUID, str]] = Counter()
    period = asked(day).period
    ended = Transaction.objects.filter(
        state="confirmed",
        settled_at__gte=period.since,
        settled_at__lt=period.until,
        type__in=COUNTS,
        player__is_test=False,
    )
    for wallet_id, type, amount in ended.values_list("wallet_id", "type", "amount"):
        column, sign = COUNTS[type]
        found[wallet_id, column] += sign * (amount or 0)
    return found


def test_account_summary__adds_up_for_every_wallet_and_day(days: list[date]) -> None:
    closing: dict[UUID, int] = {}
    for day in days:
        found = summaries(day)
        assert found
        assert all(one.adds_up for one in found)
        assert {one.id: one.opening for one in found} == {one.id: closing.get(one.id, 0) for one in found}
        closing = {one.id: one.closing for one in found}
    held = Wallet.objects.filter(player__is_test=False)
    assert closing == {one.pk: one.spendable + one.reserved - one.debt for one in held}


def test_account_summary__is_what_transactions_say(days: list[date]) -> None:
    seen: Counter[str] = Counter()
    for day in days:
        columns = ("paid_in", "won", "spent", "refunded", "adjusted")
        said = {(one.id, name): getattr(one, name) for one in summaries(day) for name in columns}
        moved = {key: amount for key, amount in said.items() if amount}
        assert moved == {key: amount for key, amount in by_transactions(day).items() if amount}
        seen.update(name for _id, name in moved)
    # What else there is depends on the hour at which the history ends.
    assert {"paid_in", "won", "spent"} <= set(seen)


def test_account_summary__of_a_month_is_that_of_its_days(days: list[date]) -> None:
    month = [day for day in days if day.month == days[0].month]
    whole = {one.id: one for one in summaries(month[-1], Kind.MONTH_TO_DATE)}
    assert all(one.adds_up for one in whole.values())
    spent: Counter[UUID] = Counter()
    for day in month:
        spent.update({one.id: one.spent for one in summaries(day)})
    assert {id: one.spent for id, one in whole.items() if one.spent} == {
        id: number for id, number in spent.items() if number
    }


def test_account_summary__in_pages_has_each_wallet_once(days: list[date]) -> None:
    all_at_once = [one.uid for one in summaries(days[-1])]
    in_pages = [row.values[0].text for row in rows_of(REPORT, asked(days[-1]), 7)]
    assert in_pages == all_at_once
    moved = Asked(asked(days[-2]).period)
    active = [one.uid for one in summaries(days[-2]) if one.lines]
    assert [row.values[0].text for row in rows_of(REPORT, moved, 4)] == active
    assert 0 < len(active) < len(all_at_once)


def test_liabilities__are_what_the_wallets_hold(days: list[date]) -> None:
    for day in days:
        closing: Counter[str] = Counter()
        for one in summaries(day):
            closing[one.currency] += one.closing
        rows = liabilities.read(asked(day), "", 50).rows
        # Owed, less what players owe.
        assert {row.currency: row.values[3] - row.values[6] for row in rows} == {
            code: held for code, held in closing.items() if held
        }
        assert all(row.values[1] + row.values[2] == row.values[3] for row in rows)


def test_game_totals__are_what_players_spent_and_won(days: list[date]) -> None:
    for day in days:
        spent, won = Counter[str](), Counter[str]()
        for one in summaries(day):
            spent[one.currency] += one.spent
            won[one.currency] += one.won
        sums = sum_up(game_totals.REPORT, asked(day)).sums
        # In the other currencies items are sold.
        assert {code: amounts[2] for code, amounts in sums.items() if code == "XAG"} == {
            code: number for code, number in spent.items() if number
        }
        assert {code: amounts[3] for code, amounts in sums.items() if amounts[3]} == {
            code: number for code, number in won.items() if number
        }


def test_net__is_the_same_by_folded_days_and_by_the_journal(days: list[date]) -> None:
    # Within an hour after midnight the last day that is over is not folded yet.
    folded_days = set(FiguresDay.objects.filter(is_final=True).values_list("day", flat=True))
    assert set(days[:-2]) <= folded_days <= set(days[:-1])
    noons = [datetime.combine(day, time(12), UTC) for day in days[:-1]]
    moments = [noons[0] - DAY, *noons, now()]
    by_journal: Counter[Account] = Counter()
    # No whole day lies between two noons.
    for since, until in pairwise(moments):
        by_journal.update(net_between(since, until))
    folded = net_between(moments[0], moments[-1])
    assert folded
    assert {one: net for one, net in folded.items() if net} == {
        one: net for one, net in by_journal.items() if net
    }


def test_gaps__are_what_no_folded_day_covers() -> None:
    monday, noon = date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC)
    tuesday, wednesday, thursday = (begin(monday + number * DAY) for number in (1, 2, 3))
    folded = [monday + DAY, monday + 2 * DAY]
    assert list(gaps(noon, folded, thursday + timedelta(hours=1))) == [
        (noon, tuesday),
        (thursday, thursday + timedelta(hours=1)),
    ]
    assert list(gaps(tuesday, folded, thursday)) == []
    assert list(gaps(tuesday, folded[1:], thursday)) == [(tuesday, wednesday)]
