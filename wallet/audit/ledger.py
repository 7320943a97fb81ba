"""Reads the ledger in one snapshot and compares everything with everything (design: balances are caches)."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import Any

import psycopg

from wallet.audit.archived import Archived, archived_movements, begin_replay, with_archived
from wallet.audit.daily_totals import add_movement, differing_days
from wallet.audit.duplicates import duplicates
from wallet.audit.figures import differing_figures
from wallet.audit.orphans import CHECKS, ORPHANS
from wallet.audit.problems import Problem, problem
from wallet.audit.replay import KEPT_PROBLEMS, Replay, WalletRow
from wallet.audit.report import Report, add_sums
from wallet.audit.rows import (
    BATCH,
    ENTRIES,
    ENTRIES_OF,
    WALLETS,
    WALLETS_OF,
    Row,
    divided,
    read,
    side_by_side,
    snapshot,
)
from wallet.currencies import show_amount

# Players whose wallets are read by one question, where not all are: few enough to be looked up one by one.
PLAYERS_AT_ONCE = 200

# Transactions that no entry leads to: no replay meets them. Each belongs to a wallet that is there. What
# leads to the older ones may be archived.
UNOPENED_WHERE = """
    SELECT t.wallet_id::text, t.id::text FROM wallet_transaction t
        JOIN wallet_wallet w ON w.id = t.wallet_id AND w.player_id = t.player_id
    WHERE NOT EXISTS (SELECT 1 FROM wallet_entry e WHERE e.player_id = t.player_id
        AND e.wallet_id = t.wallet_id AND e.seq = t.opened_seq AND e.transaction_id = t.id)
    AND NOT EXISTS (SELECT 1 FROM wallet_archivemark m WHERE m.player_id = t.player_id
        AND m.wallet_id = t.wallet_id AND m.entry_count >= t.opened_seq) {where}
    ORDER BY t.id
"""
UNOPENED, UNOPENED_OF = (
    UNOPENED_WHERE.format(where=""),
    UNOPENED_WHERE.format(where="AND t.player_id = ANY(%s::uuid[])"),
)
# Adjustments that are not what an operator's act says.
BY_HAND = (
    "('credit', 'debit', 'write_off', 'late_withdrawal', 'late_deposit', 'withdrawal_back', 'deposit_back')"
)
UNASKED_WHERE = f"""
    SELECT t.wallet_id::text, t.id::text FROM wallet_transaction t
        JOIN wallet_wallet w ON w.id = t.wallet_id AND w.player_id = t.player_id
    WHERE t.type IN {BY_HAND} AND NOT EXISTS (SELECT 1 FROM (SELECT * FROM wallet_adjustment) a
        WHERE (a.id, a.player_id, a.currency_id, a.type, a.amount, a.actor, a.reason)
            = (t.id, t.player_id, w.currency_id, t.type, t.amount, t.actor, t.reason)) {{where}}
    ORDER BY t.id
"""
UNASKED, UNASKED_OF = (
    UNASKED_WHERE.format(where=""),
    UNASKED_WHERE.format(where="AND t.player_id = ANY(%s::uuid[])"),
)


HELD = """
    SELECT currency_id, sum(spendable), sum(reserved), -sum(debt)
    FROM wallet_wallet GROUP BY currency_id ORDER BY currency_id
"""
Progress = Callable[[Report], None]
# What wallets hold, by currency: spendable, reserved, and less their debt, in minor units.
Held = Iterable[tuple[Any, ...]]


def audit_ledger(progress: Progress = lambda report: None) -> Report:
    """Replays every wallet, and asks for what no replay meets.

    `progress` is called after each batch of entries.
    """
    report = Report()
    with snapshot() as raw:
        check_wallets(raw, report, progress)
        for key, sums in archived_movements(raw).items():
            add_sums(report.moved, key, *sums)
        check_sums(report, raw.execute(HELD).fetchall())
        check_days(raw, report)
        for ask in questions().values():
            ask(raw, report)
    return report


def audit_players(player_ids: Iterable[str]) -> Report:
    """Replays all wallets of these players."""
    report, rest = Report(), iter(player_ids)
    with snapshot() as raw:
        while players := list(islice(rest, PLAYERS_AT_ONCE)):
            check_wallets(raw, report, players=players)
            ask_unopened(raw, report, players)
            ask_unasked(raw, report, players)
    return report


def check_wallets(
    raw: psycopg.Connection,
    report: Report,
    progress: Progress = lambda report: None,
    players: list[str] | None = None,
) -> None:
    """Replays the wallets of `players`, or all."""
    of_whom = [] if players is None else [players]
    with (
        read(raw, "audit_wallets", WALLETS if players is None else WALLETS_OF, of_whom) as wallets,
        read(raw, "audit_entries", ENTRIES if players is None else ENTRIES_OF, of_whom) as entries,
    ):
        known = with_archived(raw, ((WalletRow(*columns), None) for columns in wallets))
        for wallet, rows in side_by_side(known, entries):
            if wallet is None:
                report_missing(rows, report)
            else:
                replay_wallet(wallet[0], wallet[1][1], rows, report, progress)
    progress(report)


def report_missing(rows: Iterator[Row], report: Report) -> None:
    """Entries of a wallet that is not there."""
    for player_id, wallet_id, seq, *_ in rows:
        lost = f"entry {seq} of player {player_id}"
        found = problem(lost, f"{lost} is of a wallet that is not there")
        report.add_ledger(f"missing wallet {wallet_id}", [found])


def replay_wallet(
    wallet: WalletRow, since: Archived | None, rows: Iterator[Row], report: Report, progress: Progress
) -> None:
    replay = begin_replay(wallet, None, since)
    for row in rows:
        apply(replay, row, report)
        if report.entries % BATCH == 0:
            progress(report)
    replay.finish()
    report.wallets += 1
    report.add_wallet(wallet.wallet_id, replay.problems, replay.problem_count)


def apply(replay: Replay, row: Row, report: Report) -> None:
    """Gives one joined row to the replay, and its movement to the accounts."""
    entry, named = divided(row)
    replay.apply(entry, named)
    add_movement(report.moved, entry, replay.wallet.currency)
    report.entries += 1


def check_sums(report: Report, held: Held) -> None:
    """Per currency: all accounts together are zero, and the players' accounts are what the wallets hold."""
    accounts = report.accounts
    for currency in sorted({currency for currency, _ in accounts}):
        total = sum(amount for (code, _), amount in accounts.items() if code == currency)
        found = problem(
            f"the accounts sum to {total} minor units, not to zero",
            f"all accounts together should be zero, are {show_amount(total, currency)}",
        )
        report.add_ledger(f"currency {currency}", [found], total != 0)
    for currency, *sums in held:
        for account, amount in zip(("spendable", "reserved", "debt"), sums, strict=True):
            # The difference, not the sums: it stays what it is while the ledger goes on.
            off = amount - accounts[currency, account]
            found = problem(
                f"what wallets hold {account} is {off:+} minor units off what the journal moved",
                f"{account} of all wallets together is {show_amount(abs(off), currency)} "
                f"{'more' if off > 0 else 'less'} than the journal moved",
            )
            report.add_ledger(f"currency {currency}", [found], off != 0)


def check_days(raw: psycopg.Connection, report: Report, closed_by: Any = "infinity") -> None:
    """What was summed up of days that were closed by a moment, and for the first page."""
    for day in differing_days(raw, report.moved, closed_by):
        report.add_ledger("daily totals", [day])
    for figures in differing_figures(raw):
        report.add_ledger("figures", [figures])


# --- What no replay meets -----------------------------------------------------------------------------


def questions() -> dict[str, Callable[[psycopg.Connection, Report], None]]:
    """Each question to the whole database, by what it looks for; it reads all of it, every time."""
    return {
        "transactions that no entry opens": ask_unopened,
        "adjustments without an operator's act": ask_unasked,
        **{what: partial(ask_orphans, what, rows) for what, rows in ORPHANS.items()},
        "rows that stand twice": ask_duplicates,
        **{what: partial(ask_check, what, found) for what, found in CHECKS.items()},
    }


def ask_unopened(raw: psycopg.Connection, report: Report, players: list[str] | None = None) -> None:
    of_whom = [] if players is None else [players]
    with read(raw, "audit_unopened", UNOPENED if players is None else UNOPENED_OF, of_whom) as unopened:
        for wallet_id, id in unopened:
            report.add_wallet(wallet_id, [problem(f"transaction {id} has no entry that opens it")], 1)


def ask_unasked(raw: psycopg.Connection, report: Report, players: list[str] | None = None) -> None:
    of_whom = [] if players is None else [players]
    with read(raw, "audit_unasked", UNASKED if players is None else UNASKED_OF, of_whom) as unasked:
        for wallet_id, id in unasked:
            found = problem(f"transaction {id} adjusts it without the operator's act")
            report.add_wallet(wallet_id, [found], 1)


def ask_orphans(what: str, rows: str, raw: psycopg.Connection, report: Report) -> None:
    found = raw.execute(
        f"SELECT x.id::text, count(*) OVER () {rows} ORDER BY x.id LIMIT {KEPT_PROBLEMS}".encode()
    ).fetchall()
    report.add_ledger(what, orphans(what, [id for id, _ in found]), found[0][1] if found else 0)


def orphans(what: str, ids: list[str]) -> list[Problem]:
    """Rows that should not be there, by what they are; they are named once."""
    return [problem(id, f"{what}: {id}" if id == ids[0] else id) for id in ids]


def ask_duplicates(raw: psycopg.Connection, report: Report) -> None:
    for index, count, told in duplicates(raw, KEPT_PROBLEMS):
        report.add_ledger(index, told, count)


def ask_check(
    what: str, check: Callable[[], Iterable[str | Problem]], raw: psycopg.Connection, report: Report
) -> None:
    """What an app adds; it reads through Django, in the same snapshot."""
    found = list(check())
    report.add_ledger(what, found, len(found))
