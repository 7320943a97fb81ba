"""The one-second promise in short: what operators do makes no call fail. `make promise` is the whole."""

import base64
import os
import time
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from benchmarks.chores import Chores
from benchmarks.open_load import OpenLoad
from benchmarks.silent_partner import silent_partner
from benchmarks.traffic import Login
from tests.attack.clients import place_of
from tests.faults.platform_processes import PATIENCE, Platform, eventually, running_platform
from tests.faults.unfinished import open_due, rich_session
from tests.support.callers import make_party
from tests.support.recovery import copying

FUNDS = 1_000_000_00
TRANSACTIONS_PER_SECOND, ROUND_SECONDS = 10, 4
KNOWN = """
    SELECT count(*), count(*) FILTER (WHERE state = 'confirmed') FROM wallet_transaction
    WHERE mm_transaction_id LIKE %s
"""


@pytest.fixture(scope="module")
def durable() -> Iterator[Platform]:
    """A platform that can be backed up."""
    with running_platform(durable=True) as platform, copying(platform.owner_url):
        yield platform


@pytest.fixture
def chores(durable: Platform, url: str, tmp_path: Path) -> Chores:
    """What operators do to it; nothing of it has begun."""
    settings_of_backups = {
        "CHECKPOINT_KEY": base64.b64encode(os.urandom(32)).decode(),
        "CHECKPOINT_DIRECTORY": str(tmp_path),
        "POSTGRES_PROGRAMS": settings.POSTGRES_PROGRAMS,
        "DATABASE_BACKUP_URL": settings.DATABASE_BACKUP_URL,
    }
    web = next(child for child, _ in durable.started.values() if child.name == "web").process.pid
    return Chores(durable.environment | settings_of_backups, durable.owner_url, lambda: web)


@pytest.fixture
def url(durable: Platform) -> str:
    """Of the platform, whose workers serve, too."""
    _, url = durable.serve()
    durable.start("worker")
    durable.start("beat")
    return url


@pytest.mark.long
def test_calls__none_fails_beside_what_operators_do(durable: Platform, url: str, chores: Chores) -> None:
    sessions = [durable.callers.player_session(FUNDS, url=url) for _ in range(5)]
    tokens = [session.token.encode() for session in sessions]
    login = Login(*b64decode((durable.callers.game.caller.authorization or "")[6:]).decode().split(":"))
    with silent_partner() as (partner, held):
        hanging = rich_session(durable.callers, make_party(query_url=f"{partner}/state"))
        for _ in range(4):
            open_due(hanging, "withdrawal", 1, timedelta(0))
        with chores.going_on(longest_pause=2):
            deadline = time.monotonic() + 2 * PATIENCE
            while True:
                load = OpenLoad(place_of(url), login, TRANSACTIONS_PER_SECOND, ROUND_SECONDS, tokens)
                seen = load.run()
                assert (seen.errors, seen.examples, seen.refused) == (0, [], 0)
                count = TRANSACTIONS_PER_SECOND * ROUND_SECONDS
                with durable.owner() as owner:
                    found = owner.execute(KNOWN, [load.prefix.decode() + "-%"]).fetchone()
                assert found == (count, count)
                if all(chore.done for chore in chores.chores) or time.monotonic() > deadline:
                    break
        assert {chore.name: chore.failures for chore in chores.chores if chore.failures} == {}
        # All of them, where the machine is not too busy for that.
        assert any(chore.done for chore in chores.chores)
        eventually(lambda: held, "the partner that hangs is asked")
    durable.assert_whole()
