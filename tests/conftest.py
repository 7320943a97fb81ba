"""The tests' ground: a database of its own for every test process, used with the application's own rights.

`make test` runs everything. LONG=1 in the environment adds the forms that take minutes (marked `long`);
QUICK=1, which `make quick`
sets, leaves out what is slow (`tests/support/slow.py`, and what is marked `slow`).
No test rolls back or empties a table, which the application's role could not do:
every test makes players and games of its own.
"""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import environ
import psycopg
import pytest

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
os.environ.setdefault("SECRET_KEY", "a key that only tests have, long enough for the settings")
os.environ.setdefault("CREDENTIAL_KEY", "another key that only tests have, long enough as well")
os.environ.setdefault("ENCRYPTION_KEYS", "a third key that only tests have and that is long enough")
# Tests of second factors ask for them.
os.environ.setdefault("SECOND_FACTOR_REQUIRED", "0")
os.environ.setdefault("ALLOWED_HOSTS", "localhost,127.0.0.1,testserver")
django.setup()
# Whoever imports them first: what they assert is told like a test's own.
pytest.register_assert_rewrite("tests.faults.traffic", "tests.faults.unfinished")

from django.conf import settings  # noqa: E402 (the settings need the lines above)
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from psycopg import sql  # noqa: E402

from players.access.credentials import CREDENTIALS  # noqa: E402
from players.access.throttling import FAILURES  # noqa: E402
from tests.support.callers import Callers, PlayerSession, make_callers  # noqa: E402
from tests.support.citus import FORGER, distribute, given_ports, remake_elsewhere  # noqa: E402
from tests.support.slow import is_slow  # noqa: E402
from tests.support.standby import OwnStandby, running_standby  # noqa: E402
from tests.support.web_server import served  # noqa: E402
from wallet import currencies  # noqa: E402

# The names of collected files are known only where `make run` has collected them.
settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}

CLOCK = "CREATE OR REPLACE FUNCTION wallet_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT {} $$"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Slow files are not even imported by `make quick`: that alone takes seconds."""
    return True if os.environ.get("QUICK") and is_slow(collection_path) else None


def is_marked_slow(item: pytest.Item) -> bool:
    uses_server = isinstance(item, pytest.Function) and {"server", "own_standby"} & set(item.fixturenames)
    return bool(uses_server) or item.get_closest_marker("slow") is not None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("QUICK"):
        slow = [item for item in items if is_marked_slow(item)]
        config.hook.pytest_deselected(items=slow)
        items[:] = [item for item in items if item not in slow]
    if not os.environ.get("LONG") and os.environ.get("FAULTS") != "long":
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes minutes: LONG=1 and `make faults` run it"))


def in_database(url: str, name: str) -> str:
    """The same URL for another database of that server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def database_name() -> str:
    return "test_" + os.environ.get("PYTEST_XDIST_WORKER", "main")


MIGRATED = "MIGRATED_DATABASE"


@pytest.fixture(scope="session")
def migrated(database_name: str, django_db_blocker: Any) -> str:
    """A migrated database, which others are copied from: to migrate takes many times as long.

    `make mutate` brings its own.
    """
    assert "DATABASE_OWNER_URL" in os.environ, (
        "run the tests with `make test`, which starts the servers that they need"
    )
    if MIGRATED not in os.environ:
        name, ours = f"{database_name}_migrated", connection.settings_dict
        theirs = environ.Env.db_url_config(os.environ["DATABASE_OWNER_URL"])
        before = {key: ours[key] for key in ("NAME", "USER", "PASSWORD")}
        copy_database(name, "template1")
        with django_db_blocker.unblock():
            connection.close()
            ours.update(NAME=name, USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
            call_command("migrate", verbosity=0)
            connection.close()
            ours.update(before)
        os.environ[MIGRATED] = name
    return os.environ[MIGRATED]


def copy_database(name: str, source: str) -> None:
    """A new database like that one, in the place of an earlier one of its name."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(source))
        )


@pytest.fixture(scope="session")
def django_db_setup(database_name: str, migrated: str, django_db_blocker: Any) -> Iterator[None]:
    """This process's database. The application has the connection, and its rights must suffice."""
    copy_database(database_name, migrated)
    remake_elsewhere(database_name)
    ours = connection.settings_dict
    app = {"USER": ours["USER"], "PASSWORD": ours["PASSWORD"]}
    theirs = environ.Env.db_url_config(os.environ["DATABASE_OWNER_URL"])
    with django_db_blocker.unblock():
        connection.close()
        ours.update(NAME=database_name, USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
        distribute(database_name)
        connection.close()
        # What only a test may do, to whom no trigger applies: `tests/support/owned.py`.
        options = f"{ours['OPTIONS']['options']} -c session_replication_role=replica"
        connections.databases["owner"] = {**ours, "OPTIONS": {**ours["OPTIONS"], "options": options}}
        if given_ports():
            connections.databases["owner"]["USER"] = FORGER
        ours.update(app)
        yield
        connections.close_all()


@pytest.fixture(scope="session")
def owner(django_db_setup: None, database_name: str) -> Iterator["psycopg.Connection[Any]"]:
    """The database's owner, who can do what the application cannot; every statement commits."""
    url = in_database(os.environ["DATABASE_OWNER_URL"], database_name)
    with psycopg.connect(url, autocommit=True) as owner:
        yield owner


@pytest.fixture(scope="session", autouse=True)
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """Opens the database to every test; without servers (`make test` starts them) only some can run."""
    if "DATABASE_OWNER_URL" not in os.environ or not request.config.pluginmanager.hasplugin("django"):
        yield
        return
    request.getfixturevalue("django_db_setup")
    with request.getfixturevalue("django_db_blocker").unblock():
        yield


@pytest.fixture(scope="session")
def callers(database: None) -> Callers:
    """Two games and the web front."""
    return make_callers()


@pytest.fixture
def player_session(callers: Callers) -> PlayerSession:
    """A new player with 100.00 XAG and a session in the first game."""
    return callers.player_session()


@pytest.fixture(scope="session")
def database_url(database_name: str) -> str:
    """Where the application finds this process's database."""
    return in_database(os.environ["DATABASE_URL"], database_name)


@pytest.fixture(scope="session")
def server(callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server on the same database."""
    log: Path = tmp_path_factory.mktemp("server") / "server.log"
    with served(log, DATABASE_URL=database_url) as url:
        yield url


@pytest.fixture(scope="session")
def own_standby(database: None, owner: "psycopg.Connection[Any]") -> Iterator[OwnStandby]:
    """A hot standby of the tests' own server."""
    with running_standby() as standby:
        yield standby


class Clock:
    """The database's clock, which the whole platform goes by."""

    def __init__(self, owner: "psycopg.Connection[Any]") -> None:
        self.owner = owner

    def stand(self, moment: datetime) -> None:
        """Stops at a moment."""
        self.replace(f"'{moment.isoformat()}'::timestamptz")

    def go_ahead(self, by: timedelta) -> None:
        """Goes on, ahead of the true time."""
        self.replace(f"clock_timestamp() + interval '{by.total_seconds()} seconds'")

    def restore(self) -> None:
        self.replace("clock_timestamp()")

    def replace(self, expression: str) -> None:
        self.owner.execute(CLOCK.format(expression))


@pytest.fixture
def clock(owner: "psycopg.Connection[Any]", database: None) -> Iterator[Clock]:
    """A clock that a test can set; afterwards it is right again."""
    clock = Clock(owner)
    yield clock
    clock.restore()


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process remembers is forgotten before each test; settings of this machine do not count."""
    monkeypatch.setattr(settings, "API_ALLOWED_NETWORKS", [])
    monkeypatch.setattr(settings, "ADMIN_ALLOWED_NETWORKS", [])
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", [])
    CREDENTIALS.forget()
    currencies.forget()
    FAILURES.paused_until = 0.0
    FAILURES.local.clear()
