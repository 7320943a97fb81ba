"""The standby is read where it may be, and the primary answers whatever the standby cannot."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test import override_settings

from lib import standby as module
from lib.database import FAILURES
from lib.standby import ALIAS, STANDBY, Reason, is_read, reader, written
from players.models import Operator, Player
from tests.support.callers import PlayerSession
from tests.support.launcher import eventually
from tests.support.standby import OwnStandby, named
from wallet.models import Currency, Wallet

SLEEPS = "SELECT pid FROM pg_stat_activity WHERE query LIKE %s AND pid <> pg_backend_pid()"


@pytest.fixture
def standby(own_standby: OwnStandby) -> Iterator[OwnStandby]:
    own_standby.follow()
    with own_standby.used():
        yield own_standby


def where() -> str:
    """The database that a list would read."""
    return STANDBY.read(lambda: reader().alias)


def reason(after: str = "") -> str:
    with STANDBY.reading(after) as reading:
        assert is_read() == reading.is_open
        return reading.reason


def test_no_standby__everything_is_the_primary(database: None) -> None:
    assert (where(), reason(), ALIAS in connections) == ("default", "", False)


def test_standby__is_read_within_the_block_alone(standby: OwnStandby, player_session: PlayerSession) -> None:
    mine = Wallet.objects.filter(player=player_session.player)
    standby.follow()
    with standby.standing_still():
        player_session.done("withdraw", "mm-1", "5.00")
        with STANDBY.reading() as reading:
            assert reading.is_open
            assert [wallet.spendable for wallet in mine.all()] == [100_00]
            assert mine.get().player.pk == player_session.player.pk
        assert [wallet.spendable for wallet in mine.all()] == [95_00]


def test_standby__what_decides_is_read_at_the_primary(standby: OwnStandby) -> None:
    """Rights and operators, rows to be locked, and whatever is in a transaction there."""
    with STANDBY.reading():
        assert Operator.objects.all().db == "default"
        assert Wallet.objects.all().db == ALIAS
        with transaction.atomic():
            assert not Player.objects.select_for_update().filter(uid="nobody").exists()
    with transaction.atomic(), STANDBY.reading() as reading:
        assert (reading.is_open, Wallet.objects.all().db) == (False, "default")


def test_standby__a_row_of_it_is_written_to_the_primary(
    standby: OwnStandby, player_session: PlayerSession
) -> None:
    standby.follow()
    with STANDBY.reading():
        player = Player.objects.get(pk=player_session.player.pk)
    assert player._state.db == ALIAS
    player.nickname = "written"
    player.save(update_fields=["nickname"])
    assert Player.objects.get(pk=player.pk).nickname == "written"


def test_standby__that_lacks_ones_own_change_is_not_read(standby: OwnStandby) -> None:
    with standby.standing_still():
        standby.write()
        assert reason(written()) == Reason.OWN_CHANGE
        assert reason("no place at all") == ""
    standby.follow()
    assert reason(written()) == ""


def test_standby__long_work_waits_for_what_was_committed(standby: OwnStandby) -> None:
    with standby.standing_still():
        standby.write()
        resume = threading.Timer(0.3, lambda: standby.owner.execute("SELECT pg_wal_replay_resume()"))
        resume.start()
        assert STANDBY.read(lambda: reader().alias, written(), is_long=True) == ALIAS
        resume.join()


def test_standby__that_is_too_far_behind_is_not_read(standby: OwnStandby) -> None:
    with standby.standing_still(), override_settings(DATABASE_REPORTS_LAG=1):
        standby.write()
        eventually(lambda: reason() == Reason.BEHIND)
        state = STANDBY.state()
        assert state
        assert (state.is_standby, state.is_near) == (True, False)
    standby.follow()
    assert where() == ALIAS


def test_standby__that_cancels_is_replaced_by_the_primary(standby: OwnStandby, owner: Any) -> None:
    """The primary takes a table's lock, and the standby's replay waits for nobody."""
    asked: list[str] = []

    def lock() -> None:
        eventually(lambda: standby.owner.execute(SLEEPS, ["%sleep(60)%"]).fetchone())
        with owner.transaction():
            owner.execute("LOCK wallet_currency IN ACCESS EXCLUSIVE MODE")

    def work() -> str:
        asked.append(reader().alias)
        seconds = 60 if is_read() else 0
        with reader().cursor() as cursor:
            cursor.execute(f"SELECT pg_sleep({seconds}) FROM wallet_currency LIMIT 1")
        return reader().alias

    Currency.objects.get_or_create(code="XAG", defaults={"decimals": 2})
    standby.follow()
    locking = threading.Thread(target=lock)
    locking.start()
    with STANDBY.reading() as reading:
        assert STANDBY.read(work) == "default"
        assert reading.reason == Reason.CANCELLED
    locking.join()
    assert asked == [ALIAS, "default"]
    # It serves as before.
    assert where() == ALIAS


def test_standby__a_failure_of_the_primary_is_one(standby: OwnStandby) -> None:
    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 / 0")

    with pytest.raises(FAILURES):
        STANDBY.read(work)


def test_standby__that_is_away_is_asked_again_after_a_while(
    standby: OwnStandby, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[int] = []
    ask: Callable[[], Any] = STANDBY.ask_once

    def counted() -> Any:
        asked.append(1)
        return ask()

    monkeypatch.setattr(STANDBY, "ask_once", counted)
    theirs = connections[ALIAS]
    with monkeypatch.context() as context:
        context.setitem(theirs.settings_dict, "HOST", str(tmp_path))
        assert [reason() for _ in range(3)] == [Reason.AWAY] * 3
        assert len(asked) == 1
    assert reason() == Reason.AWAY
    monkeypatch.setattr(STANDBY, "away_until", time.monotonic() - 1)
    # One thread asks; nobody waits for it.
    with STANDBY.asking:
        assert reason() == Reason.AWAY
    assert (reason(), len(asked)) == ("", 2)


def test_standby__a_connection_that_broke_is_made_anew(standby: OwnStandby) -> None:
    assert where() == ALIAS
    backend = connections[ALIAS].connection.info.backend_pid
    standby.owner.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
    assert where() == ALIAS
    assert connections[ALIAS].connection.info.backend_pid != backend


def test_standby__that_hangs_is_waited_for_a_moment(
    standby: OwnStandby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STATE_SECONDS", 0.2)
    assert where() == ALIAS
    hung = [connections[ALIAS].connection.info.backend_pid, standby.server.process.pid]
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    try:
        assert reason() == Reason.AWAY
        assert STANDBY.away_until > time.monotonic()
    finally:
        for pid in hung:
            os.kill(pid, signal.SIGCONT)
    STANDBY.forget()
    assert where() == ALIAS


def test_primary__is_no_standby(database: None) -> None:
    ours = connection.settings_dict
    place, port = ours["OPTIONS"].get("host") or ours["HOST"], str(ours["PORT"] or "5432")
    with named(place, port):
        assert (reason(), where()) == (Reason.NO_STANDBY, "default")
    # A pooler asks nobody.
    with named(place, port, target_session_attrs="any"):
        assert (reason(), where()) == (Reason.NO_STANDBY, "default")


def test_standby__of_another_database_is_not_read(standby: OwnStandby) -> None:
    STANDBY.cluster = 1
    assert (reason(), where()) == (Reason.OTHER_SERVER, "default")


def test_standby__no_call_in_a_loop_reads_it(standby: OwnStandby, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "in_loop", lambda: True)
    assert where() == "default"
