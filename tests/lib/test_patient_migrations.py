"""Migrations that wait for a lock so briefly that nobody notices (lib.patient_migrations)."""

import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import environ
import psycopg
import pytest
from django.db import OperationalError, connection, connections, models
from django.db.migrations.operations import AddField, CreateModel
from django.db.migrations.state import ProjectState

from lib import patient_migrations
from lib.patient_migrations import Patiently
from tests.conftest import in_database

ADDED = Patiently(AddField("patience", "weight", models.IntegerField(null=True)))
COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_name = 'wallet_patience' ORDER BY ordinal_position
"""


def states() -> tuple[ProjectState, ProjectState]:
    before = ProjectState()
    CreateModel("Patience", [("id", models.IntegerField(primary_key=True))]).state_forwards("wallet", before)
    after = before.clone()
    ADDED.state_forwards("wallet", after)
    return before, after


@pytest.fixture
def reader(database_name: str) -> Iterator["psycopg.Connection[Any]"]:
    """Somebody who reads a table, and keeps his lock until he rolls back."""
    url = in_database(os.environ["DATABASE_OWNER_URL"], database_name)
    with psycopg.connect(url) as reader:
        reader.execute("CREATE TABLE wallet_patience (id integer PRIMARY KEY)")
        reader.commit()
        reader.execute("SELECT FROM wallet_patience")
        yield reader
        reader.rollback()
        reader.execute("DROP TABLE wallet_patience")
        reader.commit()


@pytest.fixture
def owner(database_name: str) -> Iterator[Any]:
    """Django's connection as the owner, who migrates."""
    url = in_database(os.environ["DATABASE_OWNER_URL"], database_name)
    wrapper = connection.copy("migrator")
    wrapper.settings_dict = connection.settings_dict | environ.Env.db_url_config(url)
    connections["migrator"] = wrapper
    yield wrapper
    wrapper.close()
    del connections["migrator"]


def columns(owner: Any) -> list[str]:
    with owner.cursor() as cursor:
        cursor.execute(COLUMNS)
        return [row[0] for row in cursor.fetchall()]


def test_patience__lets_go_of_its_place_until_the_lock_is_free(
    reader: "psycopg.Connection[Any]", owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[tuple[float, list[str]]] = []

    def sleep(seconds: float) -> None:
        # Nobody waits behind it meanwhile.
        pauses.append((seconds, columns(owner)))
        if len(pauses) == 3:
            reader.rollback()

    clock = SimpleNamespace(monotonic=lambda: 0.0, sleep=sleep)
    monkeypatch.setattr(patient_migrations, "time", clock)
    before, after = states()
    with owner.schema_editor(atomic=False) as editor:
        ADDED.database_forwards("wallet", editor, before, after)
        assert columns(owner) == ["id", "weight"]
        ADDED.database_backwards("wallet", editor, after, before)
    assert pauses == [(0.2, ["id"])] * 3
    assert columns(owner) == ["id"]


def test_patience__has_an_end(
    reader: "psycopg.Connection[Any]", owner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patient_migrations, "PATIENCE_SECONDS", -1.0)
    with owner.schema_editor(atomic=False) as editor, pytest.raises(OperationalError, match="lock timeout"):
        ADDED.database_forwards("wallet", editor, *states())
    assert columns(owner) == ["id"]


def test_patience__is_not_for_an_atomic_migration(owner: Any) -> None:
    with owner.schema_editor(atomic=True) as editor, pytest.raises(TypeError, match="atomic = False"):
        ADDED.database_forwards("wallet", editor, *states())


def test_patience__is_written_down_as_what_it_is() -> None:
    assert ADDED.deconstruct() == ("Patiently", [ADDED.operation], {})
    assert ADDED.describe() == "Add field weight to patience, as soon as its lock is free"
    assert ADDED.reversible
