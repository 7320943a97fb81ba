"""What players own, and what moved today, by the accounts of all wallets together."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from lib.backoffice.pages import Section
from wallet.admin.amounts import bare_cell
from wallet.audit.daily_totals import (
    DAY,
    Accounts,
    Totals,
    account_totals,
    add_totals,
    begin,
    totals_between,
    totals_of_day,
)
from wallet.models import ClosedDay, Entry

Account = Entry.Account
WEEK = 7 * DAY
OWED_HEADERS = ("Currency", "Spendable", "Reserved", "Together", "Debt of players")
MOVED_HEADERS = ("In the currency", "Today so far", "Yesterday", "A week ago, whole day")
NO_MONEY = "No money has moved yet."


class Line(NamedTuple):
    """One line of what moved: an account, and whether it is its debits or its credits."""

    label: str
    account: str
    of_debits: bool


LINES = (
    Line("Paid in", Account.PROVIDER_CLEARING, True),
    Line("Paid back: refunds and chargebacks", Account.PROVIDER_CLEARING, False),
    Line("Credited for payments", Account.ISSUANCE, True),
    Line("Spent in games, and items sold", Account.GAME_REVENUE, False),
    Line("Won in games", Account.GAME_PAYOUT, True),
    Line("Credited by operators", Account.ADJUSTMENTS, True),
    Line("Debited by operators", Account.ADJUSTMENTS, False),
    Line("Debt written off", Account.WRITE_OFF, True),
)


def money_sections(at: datetime) -> list[Section]:
    """What players own at the moment `at`, then what moved in each currency; days are those of UTC."""
    today = at.astimezone(UTC).date()
    moved = totals_between(begin(today), at)
    owned = add_totals(account_totals(begin(today)), moved)
    days = [moved, totals_of_day(today - DAY), totals_of_day(today - WEEK)]
    return [owned_section(owned), *(moved_section(code, days) for code in currencies(days))]


def owned_section(owned: Accounts) -> Section:
    rows = [owned_row(code, owned) for code in currencies([owned])]
    return Section(ClosedDay, "Money of players", OWED_HEADERS, rows, NO_MONEY)


def owned_row(code: str, owned: Accounts) -> tuple[Any, ...]:
    """A currency by `OWED_HEADERS`."""
    spendable, reserved, debt = (
        owned.get((code, account), Totals()).balance
        for account in (Account.SPENDABLE, Account.RESERVED, Account.DEBT)
    )
    amounts = (spendable, reserved, spendable + reserved, -debt)
    return code, *(bare_cell(amount, code) for amount in amounts)


def moved_section(code: str, days: list[Accounts]) -> Section:
    """What moved in a currency; a line for what moved on any of the days."""
    moved = [(line.label, [amount_of(line, code, day) for day in days]) for line in LINES]
    rows = [
        (label, *(bare_cell(amount, code) for amount in amounts)) for label, amounts in moved if any(amounts)
    ]
    return Section(ClosedDay, f"{code} moved", MOVED_HEADERS, rows, "Nothing has moved on these days.")


def amount_of(line: Line, code: str, day: Accounts) -> int:
    totals = day.get((code, line.account), Totals())
    return totals.debits if line.of_debits else totals.credits


def currencies(days: list[Accounts]) -> list[str]:
    """The codes of the currencies in which anything moved, sorted."""
    return sorted({code for day in days for code, _ in day})
