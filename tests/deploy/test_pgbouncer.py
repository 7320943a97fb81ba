"""The platform behind the shipped PgBouncer, in transaction mode."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.pgbouncer import Pooler, installed, pooled
from clients.kit.checks import CHECKS
from clients.kit.runner import Outcome, Run
from config.launcher.supervisor import ROOT
from tests.support.callers import Callers, unique
from tests.support.conformance import target_at
from tests.support.web_server import inherited, served
from wallet.job_runs import alone

pytestmark = pytest.mark.skipif(
    installed() is None and os.environ.get("CI") != "true",
    reason="PgBouncer is not installed (.ci/pgbouncer)",
)
HELD = "from wallet.job_runs import alone\nwith alone({!r}) as is_ours: print(is_ours)"


@pytest.fixture(scope="module")
def pooler(database: None, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooler]:
    with pooled(database_url, tmp_path_factory.mktemp("pooler")) as pooler:
        yield pooler


@pytest.fixture(scope="module")
def url(pooler: Pooler, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("pooled") / "log"
    # The kit's wrong passwords are not to be counted against others of this address.
    with served(log, AUTH_FAILURES_PER_MINUTE="100000", **pooler.environment) as url:
        yield url


def test_kit__is_green_through_a_pooler(url: str, callers: Callers) -> None:
    target = target_at(url, callers)
    results = list(Run(target, target.redactor()).run(CHECKS))
    assert [result.check.id for result in results if result.outcome is Outcome.FAILED] == []
    assert Counter(result.outcome for result in results)[Outcome.PASSED] > 130


def printed(pooler: Pooler, program: str) -> str:
    """What a program of the platform's prints, behind the pooler."""
    command = [sys.executable, "manage.py", "shell", "-v", "0", "-c", program]
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env=inherited() | pooler.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def test_job__runs_once_at_a_time_through_a_pooler(pooler: Pooler) -> None:
    with alone("test_pooler") as is_ours:
        assert is_ours
        assert printed(pooler, HELD.format("test_pooler")) == "False"
        assert printed(pooler, HELD.format("test_pooler_other")) == "True"
    assert printed(pooler, HELD.format("test_pooler")) == "True"


def test_limits__that_a_pooler_does_not_set_are_missed_at_once(
    callers: Callers, database_url: str, tmp_path: Path
) -> None:
    session = callers.player_session()
    wrong = ("''10ms''", "''1s''")
    with (
        pooled(database_url, tmp_path, wrong) as pooler,
        served(tmp_path / "server.log", **pooler.environment) as url,
    ):
        there = replace(session, caller=session.caller.at(url))
        assert there.call("withdraw", unique("mm"), "1.00").status == 503
    assert "has lock_timeout = 1s, not 10ms" in (tmp_path / "server.log").read_text()
