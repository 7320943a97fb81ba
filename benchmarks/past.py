"""A database with a long past: settled transactions written in bulk, as the ledger would have left them."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql

from benchmarks.command import say, step
from benchmarks.databases import CannotMeasure, checkpoint, connect
from benchmarks.servers import ENDINGS
from config.launcher.processes import start, stop, wait_until
from config.launcher.supervisor import ROOT

# The transactions reach so many days back, evenly; each day has its part of the call log.
DAYS = 30
LOADED = ("wallet_transaction", "wallet_entry", "wallet_apicall")


def load(name: str, transactions: int) -> None:
    """Fills the database, without its indexes while rows come, and leaves it as a database in use is:
    vacuumed and analysed.
    """
    parts = min(4, os.cpu_count() or 1)
    with connect(name, owner=True) as connection:
        for days in range(-DAYS - 1, 2):
            connection.execute("SELECT call_log_prepare_day(current_date + %s)", [days])
        with indexes_put_aside(connection):
            say(f"Loading {transactions} settled transactions with {parts} processes …")
            with step(" "):
                write_history(name, transactions, parts)
            print("Building the indexes … ", end="", flush=True)
            index_began = time.monotonic()
        say(f"{time.monotonic() - index_began:.1f} s")
        with step("Vacuuming and analysing"):
            connection.execute("VACUUM (ANALYZE)")
    checkpoint()


def write_history(name: str, transactions: int, parts: int) -> None:
    """All processes at once; one that fails ends the others."""
    with ExitStack() as stack:
        children = []
        for part in range(parts):
            command = [
                sys.executable,
                "-m",
                "benchmarks.history",
                name,
                str(transactions),
                str(DAYS),
                str(part),
                str(parts),
            ]
            child = start(f"history {part}", command, environment=os.environ, endings=ENDINGS, directory=ROOT)
            stack.callback(stop, child)
            children.append(child)
        wait_until(
            lambda: all(child.ended for child in children) or any(child.process.poll() for child in children)
        )
        if any(child.process.poll() != 0 for child in children):
            raise CannotMeasure("The history could not be loaded.")


@contextmanager
def indexes_put_aside(connection: psycopg.Connection) -> Iterator[None]:
    """Takes the tables' indexes and unique keys away, as far as nothing depends on them,
    and makes the same ones again.
    """
    again: list[str] = []
    keys = connection.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = ANY(%s::regclass[]) AND contype IN ('p', 'u')",
        [list(LOADED)],
    ).fetchall()
    for table, key, definition in keys:
        if removed(connection, f"ALTER TABLE {table} DROP CONSTRAINT {key}"):
            again.append(f"ALTER TABLE {table} ADD CONSTRAINT {key} {definition}")
    rest = connection.execute(
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index i "
        "WHERE indrelid = ANY(%s::regclass[]) "
        "AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)",
        [list(LOADED)],
    ).fetchall()
    for index, definition in rest:
        if removed(connection, f"DROP INDEX {index}"):
            # PostgreSQL tells of the parent alone, whose parts would be left without.
            again.append(definition.replace(" ON ONLY ", " ON ", 1))
    yield
    connection.execute("SET maintenance_work_mem = '512MB'")
    for statement in again:
        connection.execute(statement.encode())


def removed(connection: psycopg.Connection, statement: str) -> bool:
    try:
        connection.execute(statement.encode())
    except psycopg.errors.DependentObjectsStillExist:
        return False
    return True


def describe(name: str) -> dict[str, int]:
    """How much there is now."""
    with connect(name, owner=True) as connection:
        counts: dict[str, int] = {}
        for key, table in zip(("transactions", "entries", "calls"), LOADED, strict=True):
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            ).fetchone()
            assert row is not None
            counts[key] = row[0]
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
    say(
        f"  {counts['transactions']} transactions, {counts['entries']} entries, {counts['calls']} calls, "
        f"{row[0] / 1e9:.1f} GB"
    )
    return counts | {"database_bytes": row[0]}
