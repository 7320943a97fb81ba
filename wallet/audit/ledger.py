"""Reads the ledger in one snapshot and compares everything with everything (design: balances are caches)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

import psycopg
from django.conf import settings
from django.db import transaction

from lib.standby import reader
from wallet.audit.daily_totals import Moved, add_movement, differing_days
from wallet.audit.duplicates import duplicates
from wallet.audit.figures import differing_figures
from wallet.audit.hash_chain import EntryRow, TransactionRow
from wallet.audit.orphans import CHECKS, ORPHANS
from wallet.audit.problems import Problem, as_problem, as_sentence, problem
from wallet.audit.replay import KEPT_PROBLEMS, Replay, WalletRow
from wallet.currencies import show_amount

BATCH = 5_000
# Players whose wallets are read by one question, where not all are: few enough to be looked up one by one.
PLAYERS_AT_ONCE = 200
# What is told of one wallet; the rest is counted.
KEPT_OF_A_WALLET = 5


def microseconds(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


# On several machines only what is of one player is on one of them.
BESIDE = "AND t.player_id = e.player_id" if settings.DATABASE_DISTRIBUTED else ""
WALLETS_WHERE = f"""
    SELECT player_id::text, id::text, currency_id, spendable, reserved, announced, debt, entry_count, head,
        {microseconds("frozen_at")}, withdrawal_limit, {microseconds("opened_at")}
    FROM wallet_wallet {{where}} ORDER BY player_id, id
"""
ENTRIES_WHERE = f"""
    SELECT e.player_id::text, e.wallet_id::text, e.seq, e.transaction_id::text, e.event, e.debit, e.credit,
        e.amount, e.spendable, e.reserved, e.announced, e.debt, e.actor, e.note, {microseconds("e.at")},
        e.version, e.hash,
        t.id::text, t.player_id::text, t.wallet_id::text, t.game_id::text, t.session_id::text, t.type,
        t.mm_transaction_id, t.state, t.amount, t.refusal, t.description, t.source, t.actor,
        t.reverses_id::text, {microseconds("t.opened_at")}, t.opened_seq, {microseconds("t.due_at")},
        {microseconds("t.settled_at")}, t.settled_seq, t.settled_source, t.settled_actor, t.reason,
        t.reference::text
    FROM wallet_entry e LEFT JOIN wallet_transaction t ON t.id = e.transaction_id {BESIDE} {{where}}
    ORDER BY e.player_id, e.wallet_id, e.seq
"""
WALLETS, WALLETS_OF = (
    WALLETS_WHERE.format(where=""),
    WALLETS_WHERE.format(where="WHERE player_id = ANY(%s::uuid[])"),
)
ENTRIES, ENTRIES_OF = (
    ENTRIES_WHERE.format(where=""),
    ENTRIES_WHERE.format(where="WHERE e.player_id = ANY(%s::uuid[])"),
)
ENTRY_WIDTH = len(EntryRow._fields)
Row = tuple[Any, ...]

# Transactions that no entry leads to: no replay meets them. Each belongs to a wallet that is there.
UNOPENED_WHERE = """
    SELECT t.wallet_id::text, t.id::text FROM wallet_transaction t
        JOIN wallet_wallet w ON w.id = t.wallet_id AND w.player_id = t.player_id
    WHERE NOT EXISTS (SELECT 1 FROM wallet_entry e WHERE e.player_id = t.player_id
        AND e.wallet_id = t.wallet_id AND e.seq = t.opened_seq AND e.transaction_id = t.id) {where}
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


@dataclass
class Found:
    """What is wrong with one thing: how much, and the first of it."""

    count: int = 0
    first: list[Problem] = field(default_factory=list)

    @property
    def key(self) -> str:
        """The same as long as the same is wrong."""
        return self.counted("; ".join(one.key for one in self.first))

    @property
    def text(self) -> str:
        """For people."""
        return as_sentence(self.counted("; ".join(one.words for one in self.first)))

    def counted(self, told: str) -> str:
        return told if self.count <= len(self.first) else f"{self.count} differences, the first: {told}"


@dataclass
class Report:
    """What an audit found.

    `problems` holds the first ones, `by_wallet` and `of_ledger` those of each wallet and each other thing.
    """

    wallets: int = 0
    entries: int = 0
    problem_count: int = 0
    problems: list[str] = field(default_factory=list)
    by_wallet: dict[str, Found] = field(default_factory=dict)
    of_ledger: dict[str, Found] = field(default_factory=dict)
    moved: Moved = field(default_factory=dict)

    def add_wallet(self, wallet_id: str, problems: Sequence[Problem], count: int) -> None:
        """Counts what is wrong with a wallet, and keeps the first of it."""
        if count:
            self.add(
                self.by_wallet.setdefault(wallet_id, Found()),
                f"wallet {wallet_id} ",
                problems,
                count,
                KEPT_OF_A_WALLET,
            )

    def add_ledger(self, subject: str, problems: Sequence[str | Problem], count: int = 1) -> None:
        """Counts what is wrong and not of one wallet."""
        if count:
            found, told = self.of_ledger.setdefault(subject, Found()), [as_problem(one) for one in problems]
            self.add(found, f"{subject}: ", told, count, KEPT_PROBLEMS)

    def add(self, found: Found, prefix: str, problems: Sequence[Problem], count: int, kept: int) -> None:
        found.count += count
        found.first += problems[: kept - len(found.first)]
        self.problem_count += count
        self.problems += [prefix + one.words for one in problems[: KEPT_PROBLEMS - len(self.problems)]]

    @property
    def accounts(self) -> Counter[tuple[str, str]]:
        """What stands on each account, in minor units: credits less debits."""
        sums: Counter[tuple[str, str]] = Counter()
        for (_, currency, debit, credit), (amount, _) in self.moved.items():
            for account, sign in ((debit, -1), (credit, 1)):
                if account:
                    sums[currency, account] += sign * amount
        return sums


def orphans(what: str, ids: list[str]) -> list[Problem]:
    """Rows that should not be there, by what they are; they are named once."""
    return [problem(id, f"{what}: {id}" if id == ids[0] else id) for id in ids]


@contextmanager
def snapshot() -> Iterator[psycopg.Connection]:
    """One moment of the database, whatever goes on meanwhile; for reading only. Of the standby, where that is
    read.
    """
    theirs = reader()
    with transaction.atomic(using=theirs.alias):
        with theirs.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute("SET LOCAL statement_timeout = 0")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield theirs.connection


def audit_ledger(progress: Callable[[Report], None] = lambda report: None) -> Report:
    """Replays every wallet, and asks for what no replay meets.

    `progress` is called after each batch of entries.
    """
    report = Report()
    with snapshot() as raw:
        check_wallets(raw, report, progress)
        check_sums(raw, report)
        for day in differing_days(raw, report.moved):
            report.add_ledger("daily totals", [day])
        for figures in differing_figures(raw):
            report.add_ledger("figures", [figures])
        for what, rows in ORPHANS.items():
            found = raw.execute(
                f"SELECT x.id::text, count(*) OVER () {rows} ORDER BY x.id LIMIT {KEPT_PROBLEMS}"
            ).fetchall()
            report.add_ledger(what, orphans(what, [id for id, _ in found]), found[0][1] if found else 0)
        for index, count, told in duplicates(raw, KEPT_PROBLEMS):
            report.add_ledger(index, told, count)
        for what, problems in CHECKS.items():
            found_problems = list(problems())
            report.add_ledger(what, found_problems, len(found_problems))
    return report


def audit_players(player_ids: Iterable[str]) -> Report:
    """Replays all wallets of these players."""
    report, rest = Report(), iter(player_ids)
    with snapshot() as raw:
        while players := list(islice(rest, PLAYERS_AT_ONCE)):
            check_wallets(raw, report, players=players)
    return report


def check_wallets(
    raw: psycopg.Connection,
    report: Report,
    progress: Callable[[Report], None] = lambda report: None,
    players: list[str] | None = None,
) -> None:
    """Replays the wallets of `players`, or all."""
    with (
        psycopg.ServerCursor(raw, "audit_wallets") as wallets,
        psycopg.ServerCursor(raw, "audit_entries") as entries,
    ):
        wallets.itersize = entries.itersize = BATCH
        ask(wallets, WALLETS, WALLETS_OF, players)
        ask(entries, ENTRIES, ENTRIES_OF, players)
        for wallet, rows in side_by_side(wallets, entries):
            if wallet is None:
                for player_id, wallet_id, seq, *_ in rows:
                    lost = f"entry {seq} of player {player_id}"
                    found = problem(lost, f"{lost} is of a wallet that is not there")
                    report.add_ledger(f"missing wallet {wallet_id}", [found])
            else:
                replay_wallet(wallet, rows, report, progress)
    with psycopg.ServerCursor(raw, "audit_unopened") as unopened:
        ask(unopened, UNOPENED, UNOPENED_OF, players)
        for wallet_id, id in unopened:
            report.add_wallet(wallet_id, [problem(f"transaction {id} has no entry that opens it")], 1)
    with psycopg.ServerCursor(raw, "audit_unasked") as unasked:
        ask(unasked, UNASKED, UNASKED_OF, players)
        for wallet_id, id in unasked:
            report.add_wallet(
                wallet_id, [problem(f"transaction {id} adjusts it without the operator's act")], 1
            )
    progress(report)


def ask(cursor: psycopg.ServerCursor, of_all: str, of_some: str, players: list[str] | None) -> None:
    if players is None:
        cursor.execute(of_all)
    else:
        cursor.execute(of_some, [players])


def side_by_side(
    wallets: Iterable[Row], entries: Iterable[Row]
) -> Iterator[tuple[WalletRow | None, Iterator[Row]]]:
    """Each wallet with its entries, both in the order of their keys.

    None for entries whose wallet is not there.
    """
    groups = groupby(entries, key=itemgetter(0, 1))
    group = next(groups, None)
    for columns in wallets:
        wallet = WalletRow(*columns)
        key = (wallet.player_id, wallet.wallet_id)
        while group is not None and group[0] < key:
            yield None, group[1]
            group = next(groups, None)
        if group is None or group[0] != key:
            yield wallet, iter(())
        else:
            yield wallet, group[1]
            group = next(groups, None)
    while group is not None:
        yield None, group[1]
        group = next(groups, None)


def replay_wallet(
    wallet: WalletRow, rows: Iterator[Row], report: Report, progress: Callable[[Report], None]
) -> None:
    replay = Replay(wallet)
    for row in rows:
        apply(replay, row, report)
        if report.entries % BATCH == 0:
            progress(report)
    replay.finish()
    report.wallets += 1
    report.add_wallet(wallet.wallet_id, replay.problems, replay.problem_count)


def apply(replay: Replay, row: Row, report: Report) -> None:
    """Gives one joined row to the replay, and its movement to the accounts."""
    entry = EntryRow._make(row[:ENTRY_WIDTH])
    named = TransactionRow._make(row[ENTRY_WIDTH:]) if row[ENTRY_WIDTH] is not None else None
    replay.apply(entry, named)
    report.entries += 1
    add_movement(report.moved, entry, replay.wallet.currency)


def check_sums(raw: psycopg.Connection, report: Report) -> None:
    """Per currency: all accounts together are zero, and the players' accounts are what the wallets hold."""
    accounts = report.accounts
    for currency in sorted({currency for currency, _ in accounts}):
        total = sum(amount for (code, _), amount in accounts.items() if code == currency)
        found = problem(
            f"the accounts sum to {total} minor units, not to zero",
            f"all accounts together should be zero, are {show_amount(total, currency)}",
        )
        report.add_ledger(f"currency {currency}", [found], total != 0)
    held = raw.execute(
        "SELECT currency_id, sum(spendable), sum(reserved), -sum(debt) "
        "FROM wallet_wallet GROUP BY currency_id ORDER BY currency_id"
    )
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
