"""Daily totals: the accounts of all players and the house together, at the end of each day. Read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from lib.backoffice.pagination import BigTableAdmin
from wallet.admin.amounts import bare_cell
from wallet.audit.daily_totals import DAY, Accounts, Totals, account_totals, begin, totals_of_day
from wallet.models import ClosedDay, Entry

HEADERS = (_("Account"), _("Debits of the day"), _("Credits of the day"), _("Entries"), _("Closing balance"))
SIGN = _(
    "A balance is the credits less the debits of all days: positive if the platform owes it, "
    "negative if it is owed to the platform. All balances together are zero."
)
Account = Entry.Account


def section(code: str, moved: Accounts, total: Accounts) -> Section:
    """A currency's accounts. The sum of all balances is zero, or money came from nowhere."""
    names = [account for account in Account if (code, account) in total]
    rows = [
        row(str(account.label), code, moved.get((code, account), Totals()), total[code, account].balance)
        for account in names
    ]
    of_day = [moved.get((code, account), Totals()) for account in names]
    # An entry is in two accounts; it counts once.
    everything = Totals(
        sum(each.debits for each in of_day),
        sum(each.credits for each in of_day),
        sum(each.entries for each in of_day) // 2,
    )
    rows.append(row(_("total"), code, everything, sum(total[code, account].balance for account in names)))
    return Section(ClosedDay, _("Accounts in {code}").format(code=code), HEADERS, rows, "")


def row(name: str, code: str, moved: Totals, balance: int) -> tuple[Any, ...]:
    """An account by `HEADERS`."""
    return (
        name,
        bare_cell(moved.debits, code),
        bare_cell(moved.credits, code),
        f"{moved.entries:,}",
        bare_cell(balance, code),
    )


@admin.register(ClosedDay)
class ClosedDayAdmin(BigTableAdmin):
    """The movements of one day (UTC) on each account, and the closing balances."""

    list_display = ("day_shown", "entries_shown", "closed_clock")
    empty_text = _("The totals of each day are computed the night after, if beat is running.")
    fields = ("day_shown", "entries_shown", "closed_at_shown", "sign")

    day_shown = columns.mono(_("day (UTC)"), "day")
    entries_shown = columns.number(_("journal entries"), "entries")
    closed_clock = columns.clock(_("computed (UTC)"), "closed_at")
    closed_at_shown = columns.moment(_("computed"), "closed_at")

    sign = columns.text(_("note"), lambda row: SIGN)

    def sections(self, request: HttpRequest, obj: ClosedDay) -> list[Section]:
        moved, total = totals_of_day(obj.day), account_totals(begin(obj.day + DAY))
        return [section(code, moved, total) for code in sorted({code for code, _ in total})]
