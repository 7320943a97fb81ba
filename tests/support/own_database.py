"""A ledger in a database of its own, for tests that change what nobody may change.

The other tests' database stays as it is.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import environ
import psycopg
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from psycopg import sql

from config.launcher.programs import postgres_programs
from players.access.credentials import CREDENTIALS
from tests.conftest import MIGRATED, in_database
from tests.support.callers import Callers, make_callers
from tests.support.citus import FORGER, distribute, given_ports, remake_elsewhere
from wallet import currencies
from wallet.models import AuditedMovement, AuditMark, AuditPart, AuditPass

TABLES = ("wallet_entry", "wallet_transaction", "wallet_wallet")
# And what is kept beside them.
KEPT = (*TABLES, "wallet_adjustment")
# What audits found, which fits no ledger that was put back.
AUDITED = (AuditPart, AuditPass, AuditMark, AuditedMovement)


@dataclass(frozen=True)
class OwnLedger:
    """`owner` is a superuser to whom no trigger, and so no foreign key, applies."""

    owner: "psycopg.Connection[Any]"
    callers: Callers
    url: str

    def keep(self) -> None:
        """Remembers the rows of money as they are now."""
        self.owner.execute("DROP SCHEMA IF EXISTS kept CASCADE; CREATE SCHEMA kept")
        for table in map(sql.Identifier, KEPT):
            self.owner.execute(sql.SQL("CREATE TABLE kept.{0} AS TABLE {0}").format(table))

    def clear(self, *models: type[Model]) -> None:
        """Deletes all rows of these models."""
        for model in models:
            self.owner.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(model._meta.db_table)))

    def restore(self) -> None:
        """Makes them so again."""
        with self.owner.transaction():
            for table in map(sql.Identifier, KEPT):
                self.owner.execute(sql.SQL("DELETE FROM {0}").format(table))
                self.owner.execute(sql.SQL("INSERT INTO {0} TABLE kept.{0}").format(table))


@contextmanager
def own_ledger(name: str) -> Iterator[OwnLedger]:
    """Everything in this process uses that database meanwhile, with the application's rights."""
    server, ours = os.environ["DATABASE_OWNER_URL"], connection.settings_dict
    before = dict(ours)
    with psycopg.connect(server, autocommit=True) as server_connection:
        remake(server_connection, name, source=os.environ.get(MIGRATED, "template1"))
        try:
            theirs = environ.Env.db_url_config(server)
            use(NAME=name, USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
            if MIGRATED not in os.environ:
                call_command("migrate", verbosity=0)
            distribute(name)
            use(USER=before["USER"], PASSWORD=before["PASSWORD"])
            with psycopg.connect(in_database(as_forger(server), name), autocommit=True) as owner:
                owner.execute("SET session_replication_role = replica")
                yield OwnLedger(owner, make_callers(), in_database(os.environ["DATABASE_URL"], name))
        finally:
            use(**{key: before[key] for key in ("NAME", "USER", "PASSWORD")})
            remake(server_connection, name, again=False)


@contextmanager
def empty_database(name: str) -> Iterator["psycopg.Connection[Any]"]:
    """A database without a table, which everything in this process uses meanwhile, as its owner."""
    server, before = os.environ["DATABASE_OWNER_URL"], dict(connection.settings_dict)
    theirs = environ.Env.db_url_config(server)
    with psycopg.connect(server, autocommit=True) as administrator:
        remake(administrator, name)
        try:
            use(NAME=name, USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
            with psycopg.connect(in_database(server, name), autocommit=True) as owner:
                yield owner
        finally:
            use(**{key: before[key] for key in ("NAME", "USER", "PASSWORD")})
            remake(administrator, name, again=False)


def fill(empty: str) -> bool:
    """Copies the migrated database of this test run into an empty one of another server, as its owner.

    Whether there is one to copy: otherwise the migrations have to make it.
    """
    if MIGRATED not in os.environ:
        return False
    source, programs = (
        in_database(os.environ["DATABASE_OWNER_URL"], os.environ[MIGRATED]),
        postgres_programs(None),
    )
    dumped = subprocess.run([programs / "pg_dump", source], capture_output=True, check=True)
    quietly = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    subprocess.run([programs / "psql", *quietly, empty], input=dumped.stdout, capture_output=True, check=True)
    return True


def remake(
    server: "psycopg.Connection[Any]", name: str, *, again: bool = True, source: str = "template1"
) -> None:
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    if again:
        copied = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(copied.format(sql.Identifier(name), sql.Identifier(source)))
    remake_elsewhere(name, again=again)


def as_forger(url: str) -> str:
    """A distributed database obeys a role's own settings on all its servers, and a session's on one."""
    if not given_ports():
        return url
    parts = urlsplit(url)
    return parts._replace(netloc=f"{FORGER}@{parts.netloc.rpartition('@')[2]}").geturl()


def use(**changes: str) -> None:
    """From now on Django connects so; what the process remembers of another database is forgotten."""
    connection.close()
    connection.settings_dict.update(changes)
    CREDENTIALS.forget()
    currencies.forget()
