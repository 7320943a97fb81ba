"""Loads settled transactions in bulk, with the journal, chains and calls that the ledger would have written.

`python -m benchmarks.history DATABASE TRANSACTIONS DAYS PART PARTS` writes the share of one of several
processes.
"""

import sys
import time
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import psycopg

from benchmarks.databases import connect

# A wallet as its last line left it; those of this process, by their number among all.
ACCOUNTS: LiteralString = """
CREATE TEMP TABLE account WITH (fillfactor = 40) AS
SELECT number, player_id, wallet_id, session_id, game_id, spendable, reserved, announced, debt, seq, head
FROM (SELECT row_number() OVER (ORDER BY w.id)::integer - 1 AS number, w.player_id, w.id AS wallet_id,
          s.id AS session_id, s.game_id, spendable, reserved, announced, debt, entry_count AS seq, head
      FROM wallet_wallet w JOIN players_gamesession s ON s.player_id = w.player_id) everybody
WHERE number %% %(parts)s = %(part)s
"""
# Of ten transactions: what they are, how they end, and what that moves (the chart has it).
KINDS: LiteralString = """
CREATE TEMP TABLE kind AS
SELECT number, type, state, endpoint, closing,
    (opens).debit AS debit_1, (opens).credit AS credit_1, (opens).announced AS announced_1,
    (ends).debit AS debit_2, (ends).credit AS credit_2, (ends).announced AS announced_2
FROM (SELECT number, type, state, endpoint, closing,
          ledger_legs(type, 'opened') AS opens, ledger_legs(type, state) AS ends
      FROM (VALUES
              (0, 0, 'withdrawal', 'rolled_back', 'withdraw', 'rollbackWithdrawal'),
              (1, 3, 'deposit', 'confirmed', 'deposit', 'confirmDeposit'),
              (4, 9, 'withdrawal', 'confirmed', 'withdraw', 'confirmWithdrawal')
          ) AS given (first, last, type, state, endpoint, closing), generate_series(first, last) number) moved
"""
# A UUIDv7 of a moment, as wallet_new_id makes one of the present.
NEW_ID: LiteralString = """
CREATE FUNCTION pg_temp.id_of(p_at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE AS $$
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM p_at) * 1000)::bigint) FROM 3) FROM 1 FOR 6
    ), 52, 1), 53, 1), 'hex')::uuid
$$
"""
# The sign with which a line moves one of a wallet's figures.
MOVED: LiteralString = """
CREATE FUNCTION pg_temp.moved(p_account text, p_debit text, p_credit text) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_account WHEN p_credit THEN 1 WHEN p_debit THEN -1 ELSE 0 END::bigint
$$
"""
# One transaction of every wallet: they open within the same second, and are settled half a second later.
# Both lines are hashed as ledger_append hashes them, each over the one before.
ROUND: LiteralString = """
WITH drawn AS MATERIALIZED (
    SELECT a.*, k.type, k.state, k.endpoint, k.closing, k.debit_1, k.credit_1, k.announced_1,
        k.debit_2, k.credit_2, k.announced_2, 100::bigint AS amount, 'game:bench'::text AS actor,
        %(at)s + a.number * interval '1 microsecond' AS opened_at,
        %(at)s + a.number * interval '1 microsecond' + interval '500 ms' AS settled_at,
        replace(gen_random_uuid()::text, '-', '') AS mm
    FROM account a JOIN kind k ON k.number = (a.number + %(round)s) %% 10
), opened AS MATERIALIZED (
    SELECT *, pg_temp.id_of(opened_at) AS id, opened_at + interval '72 hours' AS due_at,
        spendable + amount * pg_temp.moved('spendable', debit_1, credit_1) AS spendable_1,
        reserved + amount * pg_temp.moved('reserved', debit_1, credit_1) AS reserved_1,
        announced + amount * announced_1 AS announced_of_1
    FROM drawn
), first AS MATERIALIZED (
    SELECT *,
        spendable_1 + amount * pg_temp.moved('spendable', debit_2, credit_2) AS spendable_2,
        reserved_1 + amount * pg_temp.moved('reserved', debit_2, credit_2) AS reserved_2,
        announced_of_1 + amount * announced_2 AS announced_of_2,
        sha256(record_send(ROW(
            2::smallint, head, player_id, wallet_id, seq + 1, id, 'opened'::text, debit_1, credit_1, amount,
            spendable_1, reserved_1, announced_of_1, debt, actor, ''::text, opened_at,
            ledger_opening(type, game_id, session_id, mm, amount, '', '', 'game', NULL, due_at, NULL)
        ))) AS hash_1
    FROM opened
), settled AS MATERIALIZED (
    SELECT *, sha256(record_send(ROW(
            2::smallint, hash_1, player_id, wallet_id, seq + 2, id, state, debit_2, credit_2, amount,
            spendable_2, reserved_2, announced_of_2, debt, actor, ''::text, settled_at,
            ledger_ending('game', '')
        ))) AS hash_2
    FROM first
), transactions AS (
    INSERT INTO wallet_transaction (
        id, player_id, wallet_id, game_id, session_id, type, mm_transaction_id, state, amount, refusal,
        description, source, actor, opened_at, opened_seq, due_at, settled_at, settled_seq, settled_source,
        settled_actor, reason)
    SELECT id, player_id, wallet_id, game_id, session_id, type, mm, state, amount, '', '', 'game', actor,
        opened_at, seq + 1, due_at, settled_at, seq + 2, 'game', actor, ''
    FROM settled
), lines AS (
    INSERT INTO wallet_entry (
        player_id, wallet_id, seq, transaction_id, event, debit, credit, amount, spendable, reserved,
        announced, debt, actor, note, at, version, hash)
    SELECT player_id, wallet_id, seq + 1, id, 'opened', debit_1, credit_1, amount, spendable_1, reserved_1,
        announced_of_1, debt, actor, '', opened_at, 2, hash_1
    FROM settled
    UNION ALL
    SELECT player_id, wallet_id, seq + 2, id, state, debit_2, credit_2, amount, spendable_2, reserved_2,
        announced_of_2, debt, actor, '', settled_at, 2, hash_2
    FROM settled
), calls AS (
    INSERT INTO wallet_apicall (
        id, at, game_id, player_id, transaction_id, credential, endpoint, mm_transaction_id, amount,
        currency_code, address, outcome, replayed, took_us)
    SELECT pg_temp.id_of(at), at, game_id, player_id, id, %(credential)s, called, mm, sent, currency,
        '127.0.0.1', outcome, false, 1000
    FROM settled, LATERAL (VALUES
        (opened_at, endpoint, amount, 'XAG', 'opened'), (settled_at, closing, NULL, '', state)
    ) AS call (at, called, sent, currency, outcome)
)
UPDATE account SET spendable = spendable_2, reserved = reserved_2, announced = announced_of_2,
    seq = account.seq + 2, head = hash_2
FROM settled WHERE settled.number = account.number
"""
WALLETS: LiteralString = """
UPDATE wallet_wallet SET spendable = account.spendable, reserved = account.reserved,
    announced = account.announced, entry_count = account.seq, head = account.head
FROM account WHERE wallet_wallet.id = account.wallet_id
"""
SESSIONS: LiteralString = (
    "UPDATE players_gamesession SET is_kept = true FROM account WHERE players_gamesession.id = session_id"
)


def write(connection: psycopg.Connection, transactions: int, days: int, part: int, parts: int) -> None:
    """Writes about `transactions` of them, evenly over so many days until now: this process's share of what
    all write together. Round by round, so that the rows of players lie mixed, as time would leave them.
    """
    # PostgreSQL takes no parameters where a table is made.
    psycopg.ClientCursor(connection).execute(ACCOUNTS, {"part": part, "parts": parts})
    for statement in (KINDS, NEW_ID, MOVED, "ANALYZE account", "ANALYZE kind"):
        connection.execute(statement)
    credential = only(connection, "SELECT id FROM players_credential")
    rounds = max(1, round(transactions / int(str(only(connection, "SELECT count(*) FROM wallet_wallet")))))
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(days=days)
    step = timedelta(days=days) / (rounds + 1)
    told = time.monotonic()
    for number in range(rounds):
        at = (began + (number + 1) * step).replace(microsecond=0)
        connection.execute(ROUND, {"at": at, "round": number, "credential": credential})
        if part == 0 and time.monotonic() - told > 5:
            told = time.monotonic()
            print(f"{(number + 1) / rounds:.0%} ", end="", flush=True)
    connection.execute(WALLETS)
    connection.execute(SESSIONS)


def only(connection: psycopg.Connection, question: LiteralString) -> object:
    """The one value that answers a question."""
    row = connection.execute(question).fetchone()
    if row is None:
        raise SystemExit(f"Nothing answers: {question}")
    return row[0]


def main(database: str, transactions: int, days: int, part: int, parts: int) -> None:
    with connect(database, owner=True) as connection:
        connection.execute("SET synchronous_commit = off")
        write(connection, transactions, days, part, parts)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:6]))
