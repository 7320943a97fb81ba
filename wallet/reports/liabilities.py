"""Liabilities: what all players together were owed when the period began, and when it ended."""

from collections import Counter

from lib.backoffice.languages import _
from wallet.models import Entry
from wallet.reports.moved import BEGINNING, Net, net_between
from wallet.reports.report import Asked, Batch, Column, Look, Report, Row

Account = Entry.Account
OWN = (Account.SPENDABLE, Account.RESERVED, Account.DEBT)


def read(asked: Asked, place: str, size: int) -> Batch:
    """A row for each currency: there are few, and all come at once."""
    period = asked.period
    before = held(net_between(BEGINNING, period.since, currency=asked.currency))
    after = held(net_between(period.since, period.until, currency=asked.currency), before)
    return Batch([row(code, before, after) for code in sorted({code for code, _name in after})])


def held(net: Net, before: "Counter[tuple[str, str]] | None" = None) -> "Counter[tuple[str, str]]":
    """What the players' own accounts come to, by currency and account, on top of what was there before.

    What a player owes is below zero.
    """
    sums: Counter[tuple[str, str]] = Counter(before)
    for account, moved in net.items():
        if account.name in OWN:
            sums[account.currency, account.name] += moved
    return sums


def row(code: str, before: "Counter[tuple[str, str]]", after: "Counter[tuple[str, str]]") -> Row:
    """A currency by the report's columns."""

    def owed(sums: "Counter[tuple[str, str]]") -> int:
        return sums[code, Account.SPENDABLE] + sums[code, Account.RESERVED]

    values = (
        code,
        owed(before),
        owed(after) - owed(before),
        owed(after),
        after[code, Account.SPENDABLE],
        after[code, Account.RESERVED],
        -after[code, Account.DEBT],
    )
    return Row(values, code)


REPORT = Report(
    name="liabilities",
    title=_("Liabilities"),
    question=_("How much money of players does the platform hold?"),
    rule="GLI-19 3.0, 2.9.3",
    note=_(
        "Owed is what is spendable and reserved in all wallets. What players owe stands apart and is not "
        "taken off. Money that games have announced is owed once they confirm it."
    ),
    columns=(
        Column(_("Currency"), Look.CURRENCY),
        Column(_("Owed at the beginning"), Look.AMOUNT),
        Column(_("Change"), Look.AMOUNT),
        Column(_("Owed at the end"), Look.AMOUNT),
        Column(_("Of it spendable"), Look.AMOUNT),
        Column(_("Of it reserved"), Look.AMOUNT),
        Column(_("Debt of players at the end"), Look.AMOUNT),
    ),
    permissions=("wallet.view_closedday",),
    read=read,
)
