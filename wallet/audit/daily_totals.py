"""Sums up the journal by day and account: house accounts have no balance row that could become hot."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple

import psycopg
from django.db import connection, transaction

from lib.backoffice.languages import stored
from lib.clock import now
from wallet.audit.hash_chain import EntryRow
from wallet.audit.problems import Problem, problem
from wallet.audit.words import account_name
from wallet.currencies import show_amount
from wallet.job_runs import Run
from wallet.models import ArchivedPart, ClosedDay, DailyTotal, FiguresDay
from wallet.placement import beside

# A day is closed once nothing more can come: an entry takes its time under its wallet's lock, a moment before
# it is committed.
SETTLING_TIME = timedelta(hours=1)
DAY = timedelta(days=1)
EPOCH = date(1970, 1, 1)


class Totals(NamedTuple):
    """What was debited to and credited to an account, in minor units, and by how many entries."""

    debits: int = 0
    credits: int = 0
    entries: int = 0

    @property
    def balance(self) -> int:
        """What the platform owes there; negative where it is owed."""
        return self.credits - self.debits


# By currency and account.
Accounts = dict[tuple[str, str], Totals]
# Currency, debited and credited account, minor units, entries.
Movement = tuple[str, str | None, str | None, int, int]
# By day (counted from 1970), currency, debited and credited account: minor units, and entries.
Moved = dict[tuple[int, str, str | None, str | None], list[int]]

# By the wallet's id alone: joined by two columns that say the same, PostgreSQL expects few rows to be left,
# and reads the whole journal, wallet by wallet, for each day.
MOVED = f"""
    SELECT w.currency_id, e.debit, e.credit, coalesce(sum(e.amount), 0)::numeric(40), count(*)
    FROM wallet_entry e JOIN wallet_wallet w ON w.id = e.wallet_id{beside("w", "e")}
    WHERE e.at >= %s AND e.at < %s
    GROUP BY w.currency_id, e.debit, e.credit
"""  # noqa: S608 (our own constants)
CLOSED = """
    SELECT f.day, f.entries, a.currency_id, a.account, a.debits, a.credits, a.entries
    FROM wallet_closedday f LEFT JOIN wallet_dailytotal a ON a.day_id = f.day
    WHERE f.closed_at <= %s
    ORDER BY f.day
"""
SUMS = """
    SELECT currency_id, account, sum(debits), sum(credits), sum(entries)
    FROM wallet_dailytotal WHERE day_id = ANY(%s)
    GROUP BY currency_id, account
"""
CLOSE = """
    INSERT INTO wallet_closedday (day, entries, closed_at) VALUES (%s, 0, wallet_now()) ON CONFLICT DO NOTHING
"""


def close_days(run: Run) -> None:
    """Closes every finished day that is not closed yet, each in an atomic block of its own."""
    for day in unclosed_days(now()):
        run.looked_at += 1
        run.done += close_day(day)
    run.note = stored("{number} days closed.").format(number=run.done)


def unclosed_days(at: datetime) -> list[date]:
    """The days that are finished at the moment `at`, from the first entry's on, and not closed."""
    closed = set(ClosedDay.objects.values_list("day", flat=True))
    first = first_day(min(closed, default=None))
    if first is None:
        return []
    days = (first + number * DAY for number in range((last_finished_day(at) - first).days + 1))
    return [day for day in days if day not in closed]


def first_day(closed: date | None) -> date | None:
    """The first entry's day, where `closed` is the first day that is closed.

    Only where none is, the whole journal is looked through.
    """
    with patiently() as cursor:
        cursor.execute(
            "SELECT min(at) FROM wallet_entry WHERE at < %s", [begin(closed) if closed else "infinity"]
        )
        first = cursor.fetchone()[0]
    return first.astimezone(UTC).date() if first else closed


def last_finished_day(at: datetime) -> date:
    """The last day (UTC) that can be closed at the moment `at`."""
    return (at.astimezone(UTC) - SETTLING_TIME).date() - DAY


def begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def close_day(day: date) -> bool:
    """Closes one finished day, or nothing of it. Returns whether that is new: of two at once, one does it."""
    if day > last_finished_day(now()):
        raise ValueError(f"{day} is not over, or has only just ended")
    with patiently() as cursor:
        cursor.execute(CLOSE, [day])
        if not cursor.rowcount:
            return False
        cursor.execute(MOVED, [begin(day), begin(day + DAY)])
        moved: list[Movement] = cursor.fetchall()
        sums = by_account(moved).items()
        DailyTotal.objects.bulk_create(
            DailyTotal(day_id=day, currency_id=currency, account=account, **of._asdict())
            for (currency, account), of in sums
        )
        ClosedDay.objects.filter(day=day).update(entries=entry_count(moved))
    return True


def reclose_day(day: date) -> None:
    """Closes a day anew, where its journal has been put right since.

    Raises `ValueError` if that is archived: there is nothing left to be summed up.
    """
    if ArchivedPart.objects.filter(ended_at__gt=begin(day)).exists():
        raise ValueError(f"the journal of {day} is archived: bring it back first (manage.py archive_restore)")
    with transaction.atomic():
        ClosedDay.objects.filter(day=day).delete()
        close_day(day)
        FiguresDay.objects.filter(day=day).update(is_final=False)


@contextmanager
def patiently() -> Iterator[Any]:
    """A cursor in an atomic block, whose statements may take their time: they read days of the journal."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '15min'")
        cursor.execute("SET LOCAL lock_timeout = '15min'")
        yield cursor


def account_totals(at: datetime) -> Accounts:
    """What each account was ever moved before the moment `at`: closed days, and the rest from the journal.

    Cheap while days are closed: it reads the journal of the unfinished day, and of that before it for its
    last hours.
    """
    # Days, not a moment: which ones are summed up stays the same, whatever is closed meanwhile.
    closed = list(
        ClosedDay.objects.filter(day__lt=at.astimezone(UTC).date())
        .order_by("day")
        .values_list("day", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute(SUMS, [closed])
        accounts = {
            (currency, account): Totals(*map(int, sums)) for currency, account, *sums in cursor.fetchall()
        }
        for since, until in gaps(closed, at):
            cursor.execute(MOVED, [since, until])
            by_account(cursor.fetchall(), accounts)
    return accounts


def totals_between(since: datetime, until: datetime) -> Accounts:
    """What moved on each account from `since` to before `until`, by the journal."""
    with connection.cursor() as cursor:
        cursor.execute(MOVED, [since, until])
        return by_account(cursor.fetchall())


def totals_of_day(day: date) -> Accounts:
    """What moved on each account on a day that is over: as it was closed, or by the journal."""
    if not ClosedDay.objects.filter(day=day).exists():
        return totals_between(begin(day), begin(day + DAY))
    return {
        (row.currency_id, row.account): Totals(int(row.debits), int(row.credits), row.entries)
        for row in DailyTotal.objects.filter(day_id=day)
    }


def add_totals(accounts: Accounts, more: Accounts) -> Accounts:
    """The sums of both."""
    names = accounts.keys() | more.keys()
    return {
        name: Totals(*map(sum, zip(accounts.get(name, Totals()), more.get(name, Totals()), strict=True)))
        for name in names
    }


def gaps(closed: list[date], at: datetime) -> Iterator[tuple[datetime | str, datetime]]:
    """The times before `at` that no closed day covers, given those days in their order."""
    since: datetime | str = "-infinity"
    for day in closed:
        if since != begin(day):
            yield since, begin(day)
        since = begin(day + DAY)
    yield since, at


def by_account(moved: Iterable[Movement], accounts: Accounts | None = None) -> Accounts:
    """Adds up movements for each account: what it was debited and what it was credited.

    `accounts` is what is there already.
    """
    sums = {} if accounts is None else accounts
    for currency, debit, credit, amount, entries in moved:
        for account, debited, credited in ((debit, int(amount), 0), (credit, 0, int(amount))):
            if account is not None:
                so_far = sums.get((currency, account), Totals())
                sums[currency, account] = Totals(
                    so_far.debits + debited, so_far.credits + credited, so_far.entries + entries
                )
    return sums


def entry_count(moved: Iterable[Movement]) -> int:
    """How many entries there are, those that moved nothing included."""
    return sum(entries for *_, entries in moved)


# --- For the audit, which reads the whole journal anyway ----------------------------------------------


def add_movement(moved: Moved, entry: EntryRow, currency: str) -> None:
    """Adds an entry's movement to its day."""
    key = (entry.at // 86_400_000_000, currency, entry.debit, entry.credit)
    sums = moved.get(key)
    if sums is None:
        sums = moved[key] = [0, 0]
    sums[0] += entry.amount or 0
    sums[1] += 1


def differing_days(
    raw: psycopg.Connection, moved: Moved, closed_by: datetime | str = "infinity"
) -> Iterator[Problem]:
    """Where what was closed by a moment is not what the journal `moved`."""
    closed: dict[date, tuple[int, Accounts]] = {}
    for day, entries, currency, account, *sums in raw.execute(CLOSED, [closed_by]):
        _, accounts = closed.setdefault(day, (entries, {}))
        if account is not None:
            accounts[currency, account] = Totals(*map(int, sums))
    days: dict[date, list[Movement]] = {}
    for (number, currency, debit, credit), (amount, entries) in moved.items():
        days.setdefault(EPOCH + number * DAY, []).append((currency, debit, credit, amount, entries))
    for day, said in closed.items():
        journal = days.get(day, [])
        right = (entry_count(journal), by_account(journal))
        if said != right:
            found = first_difference(*said, *right)
            yield problem(f"{day}: {found.key}", f"{day}: {found.words}")


def first_difference(said_entries: int, said: Accounts, entries: int, right: Accounts) -> Problem:
    for currency, account in sorted(said.keys() | right.keys()):
        closed, moved = said.get((currency, account), Totals()), right.get((currency, account), Totals())
        if closed != moved:
            total = f"{tuple(closed)} (debits, credits, entries)"
            return problem(
                f"{currency} {account} was totalled as {total}, the journal has {tuple(moved)}",
                f"the total of {account_name(account)} should be {show_totals(moved, currency)}, "
                f"is {show_totals(closed, currency)}",
            )
    return problem(
        f"{said_entries} entries were totalled, the journal has {entries}",
        f"entries totalled should be {entries:,}, are {said_entries:,}",
    )


def show_totals(totals: Totals, code: str) -> str:
    """In words."""
    debits, credits = show_amount(totals.debits, code), show_amount(totals.credits, code)
    return f"{debits} debited and {credits} credited by {counted(totals.entries)}"


def counted(entries: int) -> str:
    return f"{entries:,} {'entry' if entries == 1 else 'entries'}"
