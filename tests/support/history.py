"""A history in a database of its own, for tests of pages and sums that need more than a few rows."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import environ
import psycopg
from django.core.management import call_command
from django.db import connection
from django.test import override_settings
from psycopg import sql

from payments.history.maker import Made, Wanted, make_history
from payments.providers.registry import PROVIDERS
from tests.support.own_database import remake, use


@contextmanager
def own_history(name: str, *, days: int = 3, players: int = 20, seed: int = 7) -> Iterator[Made]:
    """A database with a history until now, which everything in this process uses meanwhile.

    With the application's rights, as a demonstration; it takes some seconds, so make one for a module:

        @pytest.fixture(scope="module")
        def history(database: None, database_name: str) -> Iterator[Made]:
            with own_history(f"{database_name}_history") as made:
                yield made
    """
    with own_demonstration(name):
        made = invent(days=days, players=players, seed=seed)
        use_as_application()
        yield made


@contextmanager
def own_demonstration(name: str) -> Iterator[None]:
    """A migrated database without a row, which everything uses meanwhile, as its owner; DEMO is on."""
    with new_database(name), override_settings(DEMO=True):
        call_command("migrate", verbosity=0)
        yield


@contextmanager
def new_database(name: str, template: str = "template1") -> Iterator[None]:
    """A copy of a database that nobody is connected to, used as its owner instead of the present one."""
    before = {key: connection.settings_dict[key] for key in ("NAME", "USER", "PASSWORD")}
    copy = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as server:
        connection.close()
        remake(server, name, again=False)
        server.execute(copy)
        try:
            use(NAME=name)
            use_as_owner()
            PROVIDERS.forget()
            yield
        finally:
            use(**before)
            PROVIDERS.forget()
            remake(server, name, again=False)


def invent(*, days: int = 3, players: int = 20, seed: int = 7, until: datetime | None = None) -> Made:
    """Makes a history in the present database, whose owner we are."""
    wanted = Wanted(days, players, seed, until or datetime.now(UTC), "http://127.0.0.1:8000")
    return make_history(wanted)


def use_as_application() -> None:
    """From now on with the rights that the platform has."""
    ours = environ.Env.db_url_config(os.environ["DATABASE_URL"])
    use(USER=ours["USER"], PASSWORD=ours["PASSWORD"])


def use_as_owner() -> None:
    theirs = environ.Env.db_url_config(os.environ["DATABASE_OWNER_URL"])
    use(USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
