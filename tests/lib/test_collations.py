"""A start, and `/readyz`, notice that text is ordered in another way than when the indexes were built."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured

from config.launcher.supervisor import ROOT
from config.refusals import refuse_start
from lib.collations import changed_collations
from tests.support.callers import Caller

Owner = psycopg.Connection[Any]
RECORD = "UPDATE pg_database SET datcollversion = %s WHERE datname = current_database()"


@pytest.fixture
def upgraded(owner: Owner, database: None) -> Iterator[str]:
    """A database whose language was of another version when its indexes were built."""
    before = owner.execute(
        "SELECT datcollversion, datname, pg_database_collation_actual_version(oid) FROM pg_database "
        "WHERE datname = current_database()"
    ).fetchone()
    assert before is not None
    if before[2] is None:
        pytest.skip("this database's order of text has no version")
    owner.execute(RECORD, ["2.28-before"])
    yield before[1]
    owner.execute(RECORD, [before[0]])


def test_collations__are_unchanged_at_first(database: None) -> None:
    assert changed_collations() == []
    refuse_start()


def test_start__is_refused_with_what_to_run(owner: Owner, upgraded: str) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        refuse_start()
    sentence = str(caught.value)
    assert f"DATABASE {upgraded} says version 2.28-before, and the system has " in sentence
    assert "REINDEX INDEX CONCURRENTLY auth_group_name_key;" in sentence
    assert f"ALTER DATABASE {upgraded} REFRESH COLLATION VERSION;" in sentence
    # By its bytes, which no system orders otherwise.
    assert "transaction_once_per_game_and_player" not in sentence

    statements = sentence.partition("Run as the owner: ")[2].partition(" Then")[0]
    for statement in statements.split(";")[:-1]:
        owner.execute(statement)
    refuse_start()


def test_readiness__names_what_has_changed(upgraded: str) -> None:
    answer = Caller(None).send("GET", "/readyz")
    changed = [f"DATABASE {upgraded}"]
    assert (answer.status, answer.body) == (503, {"status": "to be reindexed", "changed": changed})


def test_collation__of_one_column_is_compared_too(owner: Owner, database: None) -> None:
    """Whatever index depends on it."""
    provider = owner.execute(
        "SELECT quote_ident(collname) FROM pg_collation "
        "WHERE pg_collation_actual_version(oid) IS NOT NULL AND collencoding IN (-1, 6) "
        "AND collprovider <> 'd' LIMIT 1"
    ).fetchone()
    assert provider is not None
    collation = provider[0]
    owner.execute(
        f"CREATE TABLE in_words (name text COLLATE {collation}); CREATE INDEX ON in_words (lower(name))"
    )
    version = "UPDATE pg_collation SET collversion = {} WHERE oid = %s::regcollation RETURNING collversion"
    before = owner.execute("SELECT collversion FROM pg_collation WHERE oid = %s::regcollation", [collation])
    was = before.fetchone()
    assert was is not None
    try:
        owner.execute(version.format("'1.0-before'"), [collation])
        (changed,) = changed_collations()
        assert (changed.recorded, changed.indexes) == ("1.0-before", ["in_words_lower_idx"])
        assert changed.refresh.startswith("ALTER COLLATION ")
        assert changed.refresh.endswith(" REFRESH VERSION;")
        owner.execute(changed.refresh)
        assert changed_collations() == []
    finally:
        owner.execute(
            "UPDATE pg_collation SET collversion = %s WHERE oid = %s::regcollation", [*was, collation]
        )
        owner.execute("DROP TABLE in_words")


@pytest.mark.parametrize("part", ["worker", "beat"])
def test_worker_and_beat__do_not_start(upgraded: str, database_url: str, part: str, tmp_path: Path) -> None:
    options = {"worker": ["-P", "solo"], "beat": ["-s", str(tmp_path / "schedule"), "--pidfile="]}
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "config.celery", "-q", part, *options[part]],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert b"REINDEX INDEX CONCURRENTLY" in done.stderr
