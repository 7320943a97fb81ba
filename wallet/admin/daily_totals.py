"""Accounts of players and house together, as they stood at the end of each closed day: read only."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.formatting import clock, moment, mono
from lib.backoffice.pages import Section
from lib.backoffice.pagination import BigTableAdmin
from wallet.admin.amounts import bare_cell
from wallet.audit.daily_totals import DAY, Accounts, Totals, account_totals, begin
from wallet.models import ClosedDay, DailyTotal, Entry

HEADERS = ("Account", "Debits of the day", "Credits of the day", "Entries", "Balance after it")
Account = Entry.Account


def moved_on(day: date) -> Accounts:
    """What a closed day moved, by currency and account."""
    return {
        (row.currency_id, row.account): Totals(int(row.debits), int(row.credits), row.entries)
        for row in DailyTotal.objects.filter(day_id=day)
    }


def section(code: str, moved: Accounts, total: Accounts) -> Section:
    """A currency's accounts; the sum of all balances is zero, or money was made of nothing."""
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
    rows.append(row("all together", code, everything, sum(total[code, account].balance for account in names)))
    return Section(f"Accounts in {code}", HEADERS, rows, "")


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
    """What one day (UTC) moved on each account, and what each held after it."""

    list_display = ("day_shown", "entries_shown", "closed")
    empty_text = "Every night the day before is summed up here, when beat is running."
    fields = ("day_shown", "entries_shown", "closed_at_shown", "sign")

    @admin.display(description="day (UTC)")
    def day_shown(self, obj: ClosedDay) -> SafeString:
        return mono(obj.day)

    @admin.display(description="journal entries")
    def entries_shown(self, obj: ClosedDay) -> str:
        return f"{obj.entries:,}"

    @admin.display(description="summed up (UTC)")
    def closed(self, obj: ClosedDay) -> SafeString:
        return clock(obj.closed_at)

    @admin.display(description="summed up")
    def closed_at_shown(self, obj: ClosedDay) -> str:
        return moment(obj.closed_at)

    @admin.display(description="how to read it")
    def sign(self, obj: ClosedDay) -> str:
        return "A balance is credits less debits of all days: what the platform owes there, and negative where it is owed. All together are zero."

    def sections(self, request: HttpRequest, obj: ClosedDay) -> list[Section]:
        moved, total = moved_on(obj.day), account_totals(begin(obj.day + DAY))
        return [section(code, moved, total) for code in sorted({code for code, _ in total})]
