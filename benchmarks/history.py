"""Loads settled transactions in bulk, with the journal, chains and calls that the ledger would have written.

`python -m benchmarks.history DATABASE TRANSACTIONS DAYS PART PARTS` writes the share of one of several
processes.
"""

import os
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import django
import psycopg

from benchmarks.databases import connect

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from wallet.audit.hash_chain import EntryRow, TransactionRow, ending, entry_hash, opening  # noqa: E402
from wallet.audit.replay import MOVES  # noqa: E402 (needs the setup)

PENDING = timedelta(hours=72)
AMOUNT = 100
# Of ten transactions: what they are, and how they end.
KINDS = [("withdrawal", "rolled_back"), *[("deposit", "confirmed")] * 3, *[("withdrawal", "confirmed")] * 6]
ACTOR, ADDRESS, CURRENCY = "game:bench", "127.0.0.1", "XAG"
ENDPOINTS = {
    ("withdrawal", "opened"): "withdraw",
    ("withdrawal", "confirmed"): "confirmWithdrawal",
    ("withdrawal", "rolled_back"): "rollbackWithdrawal",
    ("deposit", "opened"): "deposit",
    ("deposit", "confirmed"): "confirmDeposit",
}
TRANSACTIONS = (
    "wallet_transaction (id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, "
    "amount, refusal, description, source, actor, opened_at, opened_seq, due_at, settled_at, settled_seq, "
    "settled_source, settled_actor, reason)"
)
ENTRIES = (
    "wallet_entry (player_id, wallet_id, seq, transaction_id, event, debit, credit, amount, "
    "spendable, reserved, announced, debt, actor, note, at, version, hash)"
)
CALLS = (
    "wallet_apicall (id, at, game_id, player_id, transaction_id, credential, endpoint, mm_transaction_id, "
    "amount, currency_code, address, outcome, replayed, took_us)"
)
ABSENT = "\\N"
# The format of the chain that the ledger writes.
VERSION = 2


class Moment(NamedTuple):
    """A time as the database takes it, and in microseconds as the chain covers it."""

    text: str
    microseconds: int


class Round:
    """One transaction of every wallet:
    they open within the same second, and are settled half a second later.
    """

    def __init__(self, second: datetime) -> None:
        self.second = int(second.timestamp())
        self.texts = {days: f"{second + days:%Y-%m-%d %H:%M:%S}" for days in (timedelta(), PENDING)}

    def at(self, microsecond: int, later: timedelta = timedelta()) -> Moment:
        seconds = self.second + int(later.total_seconds())
        return Moment(f"{self.texts[later]}.{microsecond:06}+00", seconds * 1_000_000 + microsecond)

    def new_id(self) -> str:
        """A UUIDv7 of this second."""
        time_, random = f"{self.second * 1000:012x}", os.urandom(9).hex()
        return f"{time_[:8]}-{time_[8:]}-7{random[:3]}-a{random[3:6]}-{random[6:]}"


@dataclass
class Account:
    """A wallet as its last entry left it; amounts in minor units."""

    player_id: str
    wallet_id: str
    session_id: str
    spendable: int
    reserved: int
    announced: int
    debt: int
    seq: int
    head: bytes

    def append(self, t: TransactionRow, event: str, at: Moment, subject: bytes) -> str:
        """The next entry, as a line for COPY."""
        debit, credit, announced = MOVES[t.type, event]
        amount = t.amount or 0
        self.spendable += amount * ((credit == "spendable") - (debit == "spendable"))
        self.reserved += amount * ((credit == "reserved") - (debit == "reserved"))
        self.announced += amount * announced
        self.seq += 1
        entry = EntryRow(
            player_id=self.player_id,
            wallet_id=self.wallet_id,
            seq=self.seq,
            transaction_id=t.id,
            event=event,
            debit=debit,
            credit=credit,
            amount=amount,
            spendable=self.spendable,
            reserved=self.reserved,
            announced=self.announced,
            debt=self.debt,
            actor=ACTOR,
            note="",
            at=at.microseconds,
            version=VERSION,
            hash=b"",
        )
        self.head = entry_hash(self.head, entry, subject)
        return (
            f"{self.player_id}\t{self.wallet_id}\t{self.seq}\t{t.id}\t{event}\t"
            f"{debit or ABSENT}\t{credit or ABSENT}\t{amount}\t"
            f"{self.spendable}\t{self.reserved}\t{self.announced}\t{self.debt}\t{ACTOR}\t\t{at.text}\t{VERSION}\t\\\\x{self.head.hex()}\n"
        )


class History:
    """Writes the transactions of some wallets, round by round, so that the rows of players lie mixed,
    as time would leave them.
    """

    def __init__(self, connection: psycopg.Connection, part: int, parts: int) -> None:
        self.connection = connection
        self.part, self.parts = part, parts
        self.game = str(only(connection, "SELECT id FROM players_game"))
        self.credential = str(only(connection, "SELECT id FROM players_credential"))
        rows = connection.execute(
            "SELECT w.player_id::text, w.id::text, s.id::text, spendable, reserved, announced, debt, "
            "entry_count, head "
            "FROM wallet_wallet w JOIN players_gamesession s ON s.player_id = w.player_id ORDER BY w.id"
        ).fetchall()
        self.accounts = [Account(*row) for row in rows[part::parts]]

    def write(self, transactions: int, days: int) -> None:
        """Writes about `transactions` of them, evenly over so many days until now: this process's share of
        what all write together.
        """
        rounds = max(1, round(transactions / self.parts / len(self.accounts)))
        began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
        step = timedelta(days=days) / (rounds + 1)
        told = time.monotonic()
        for number in range(rounds):
            self.write_round(number, Round((began + (number + 1) * step).replace(microsecond=0)))
            if self.part == 0 and time.monotonic() - told > 5:
                told = time.monotonic()
                print(f"{(number + 1) / rounds:.0%} ", end="", flush=True)
        with self.connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE wallet_wallet SET spendable = %s, reserved = %s, announced = %s, entry_count = %s, "
                "head = %s WHERE id = %s",
                [(a.spendable, a.reserved, a.announced, a.seq, a.head, a.wallet_id) for a in self.accounts],
            )
            cursor.executemany(
                "UPDATE players_gamesession SET is_kept = true WHERE id = %s",
                [(a.session_id,) for a in self.accounts],
            )

    def write_round(self, number: int, round_: Round) -> None:
        transactions: list[str] = []
        entries: list[str] = []
        calls: list[str] = []
        for index, account in enumerate(self.accounts):
            place = index * self.parts + self.part
            type_, state = KINDS[(number + place) % len(KINDS)]
            opened, due, settled = round_.at(place), round_.at(place, PENDING), round_.at(500_000 + place)
            t = TransactionRow(
                id=round_.new_id(),
                player_id=account.player_id,
                wallet_id=account.wallet_id,
                game_id=self.game,
                session_id=account.session_id,
                type=type_,
                mm_transaction_id=os.urandom(16).hex(),
                state=state,
                amount=AMOUNT,
                refusal="",
                description="",
                source="game",
                actor=ACTOR,
                reverses_id=None,
                opened_at=opened.microseconds,
                opened_seq=account.seq + 1,
                due_at=due.microseconds,
                settled_at=settled.microseconds,
                settled_seq=account.seq + 2,
                settled_source="game",
                settled_actor=ACTOR,
                reason="",
            )
            entries.append(account.append(t, "opened", opened, opening(t, VERSION)))
            entries.append(account.append(t, state, settled, ending(t)))
            transactions.append(
                f"{t.id}\t{t.player_id}\t{t.wallet_id}\t{t.game_id}\t{t.session_id}\t{type_}\t{t.mm_transaction_id}\t{state}\t{AMOUNT}\t\t\t"
                f"game\t{ACTOR}\t{opened.text}\t{t.opened_seq}\t{due.text}\t{settled.text}\t{t.settled_seq}\tgame\t{ACTOR}\t\n"
            )
            calls.append(self.call(round_.new_id(), t, "opened", opened))
            calls.append(self.call(round_.new_id(), t, state, settled))
        for table, lines in ((TRANSACTIONS, transactions), (ENTRIES, entries), (CALLS, calls)):
            with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                copy.write("".join(lines))

    def call(self, id_: str, t: TransactionRow, event: str, at: Moment) -> str:
        """The call-log row of one step, as a line for COPY."""
        amount, currency = (AMOUNT, CURRENCY) if event == "opened" else (ABSENT, "")
        return (
            f"{id_}\t{at.text}\t{t.game_id}\t{t.player_id}\t{t.id}\t{self.credential}\t"
            f"{ENDPOINTS[t.type, event]}\t{t.mm_transaction_id}\t"
            f"{amount}\t{currency}\t{ADDRESS}\t{event}\tf\t1000\n"
        )


def only(connection: psycopg.Connection, question: str) -> object:
    """The one value that answers a question."""
    row = connection.execute(question).fetchone()
    if row is None:
        raise SystemExit(f"Nothing answers: {question}")
    return row[0]


def main(database: str, transactions: int, days: int, part: int, parts: int) -> None:
    with connect(database, owner=True) as connection:
        connection.execute("SET synchronous_commit = off")
        History(connection, part, parts).write(transactions, days)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:6]))
