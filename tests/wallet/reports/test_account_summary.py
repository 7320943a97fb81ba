"""The account summary: what it counts as what, and that a changed minor unit is found, wherever it is."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from lib.clock import now
from players.models import Player
from tests.conftest import Clock
from tests.support.callers import PlayerSession, make_party, open_session
from tests.support.own_database import OwnLedger, own_ledger
from wallet.reports.account_summary import BEFORE_ALL, REPORT, Summary, read_wallets
from wallet.reports.period import Kind, read_period
from wallet.reports.report import Asked, rows_of, sum_up

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database whose owner we are, and in which the time is the tests' own."""
    with own_ledger(f"{database_name}_summary") as ledger:
        ledger.keep()
        yield ledger


@pytest.fixture
def clock(ledger: OwnLedger) -> Iterator[Clock]:
    clock = Clock(ledger.owner)
    clock.stand(MONDAY)
    yield clock
    clock.restore()
    ledger.restore()


@pytest.fixture
def story(ledger: OwnLedger, clock: Clock) -> PlayerSession:
    """100.00 credited and 30.25 spent on Monday; 2.00 won, 1.50 reserved and 0.50 debited on Tuesday; nothing
    on Wednesday; 5.00 spent on Thursday, which is today.
    """
    party, player = make_party(), ledger.callers.player()
    story = open_session(party, player)
    story.adjust("credit", 100_00)
    story.done("confirmWithdrawal", story.opened("withdraw", "30.25"))
    clock.stand(MONDAY + DAY)
    story = open_session(party, player)
    story.done("confirmDeposit", story.opened("deposit", "2.00"))
    story.opened("withdraw", "1.50")
    story.adjust("debit", 50)
    clock.stand(MONDAY + 3 * DAY)
    story = open_session(party, player)
    story.done("confirmWithdrawal", story.opened("withdraw", "5.00"))
    # What happens now is not before now.
    clock.stand(MONDAY + 3 * DAY + timedelta(hours=1))
    return story


def asked(days_later: int = 0, kind: Kind = Kind.DAY, **narrowed: str) -> Asked:
    return Asked(read_period(kind.value, str((MONDAY + days_later * DAY).date()), now()), **narrowed)  # type: ignore[arg-type]


def summary(days_later: int = 0, kind: Kind = Kind.DAY) -> Summary:
    [found] = read_wallets(asked(days_later, kind), BEFORE_ALL, 10)
    return found


def amounts(found: Summary) -> tuple[int, ...]:
    return found[3:10]


@pytest.mark.usefixtures("story")
def test_summary__has_what_happened_on_each_day() -> None:
    # Opening, paid in, won, spent, refunded, adjusted, closing.
    assert amounts(summary(0)) == (0, 0, 0, 30_25, 0, 100_00, 69_75)
    assert amounts(summary(1)) == (69_75, 0, 2_00, 0, 0, -50, 71_25)
    assert amounts(summary(2)) == (71_25, 0, 0, 0, 0, 0, 71_25)
    assert amounts(summary(3)) == (71_25, 0, 0, 5_00, 0, 0, 66_25)
    assert amounts(summary(3, Kind.MONTH_TO_DATE)) == (0, 0, 2_00, 35_25, 0, 99_50, 66_25)
    assert all(summary(day).adds_up for day in range(4))
    assert [summary(day)[10:12] for day in range(4)] == [(0, 0), (0, 1_50), (1_50, 1_50), (1_50, 1_50)]


def test_summary__of_debt_goes_below_zero(story: PlayerSession, clock: Clock) -> None:
    story.adjust("debit", 100_00, into_debt=True)
    clock.stand(MONDAY + 3 * DAY + timedelta(hours=2))
    assert amounts(summary(3))[5:] == (-100_00, -33_75)
    assert summary(3).adds_up


@pytest.mark.usefixtures("story")
def test_rows__are_of_wallets_with_activity_or_of_all() -> None:
    assert [len(list(rows_of(REPORT, asked(day)))) for day in range(4)] == [1, 1, 0, 1]
    assert [len(list(rows_of(REPORT, asked(day, scope="all")))) for day in range(4)] == [1, 1, 1, 1]
    assert [len(list(rows_of(REPORT, asked(0, currency=code)))) for code in ("XAG", "EUR")] == [1, 0]


@pytest.mark.usefixtures("story")
def test_rows__before_a_wallet_was_opened_has_none() -> None:
    assert list(rows_of(REPORT, asked(-1, scope="all"))) == []


def test_rows__of_test_players_are_none(story: PlayerSession) -> None:
    Player.objects.filter(pk=story.player.pk).update(is_test=True)
    assert list(rows_of(REPORT, asked(0, scope="all"))) == []


# A minor unit more or less in any line, in whatever it says, and a line that is not there.
CHANGES = {
    "amount": "UPDATE wallet_entry SET amount = amount + 1 WHERE wallet_id = %s AND seq = %s",
    "spendable": "UPDATE wallet_entry SET spendable = spendable - 1 WHERE wallet_id = %s AND seq = %s",
    "reserved": "UPDATE wallet_entry SET reserved = reserved + 1 WHERE wallet_id = %s AND seq = %s",
    "debt": "UPDATE wallet_entry SET debt = debt + 1 WHERE wallet_id = %s AND seq = %s",
    "from spendable to reserved": "UPDATE wallet_entry SET spendable = spendable - 1, reserved = reserved + 1"
    " WHERE wallet_id = %s AND seq = %s",
    "account": "UPDATE wallet_entry SET credit = debit, debit = credit WHERE wallet_id = %s AND seq = %s",
    "gone": "DELETE FROM wallet_entry WHERE wallet_id = %s AND seq = %s",
}
# Moves nothing: an announced amount, and the opening of the wallet.
MOVES_NOTHING = {1, 5}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seq", range(1, 11))
def test_changed_minor_unit__is_found(ledger: OwnLedger, story: PlayerSession, seq: int, change: str) -> None:
    wallet = story.wallet()
    assert wallet.entry_count == 10
    if change in ("amount", "account") and seq in MOVES_NOTHING:
        pytest.skip("what is not moved is in no report")
    ledger.owner.execute(CHANGES[change], [wallet.pk, seq])
    faults = [day for day in range(4) if not summary(day).adds_up]
    assert faults
    assert [row.fault for row in rows_of(REPORT, asked(faults[0]))] != [""]
    assert sum_up(REPORT, asked(faults[0])).faults == 1
    assert not summary(3, Kind.MONTH_TO_DATE).adds_up


@pytest.mark.parametrize("column", ["spendable", "reserved", "debt"])
def test_changed_wallet__is_found(ledger: OwnLedger, story: PlayerSession, column: str) -> None:
    change = f"UPDATE wallet_wallet SET {column} = {column} + 1 WHERE id = %s"
    ledger.owner.execute(change, [story.wallet().pk])
    # Only the last day says what the wallet holds now.
    assert [summary(day).adds_up for day in range(4)] == [True, True, True, False]
    [row] = rows_of(REPORT, asked(3))
    assert "or is not what the wallet holds" in str(row.fault)
