"""Another server becomes the primary, and does not know all that games were answered."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.conf import settings
from django.db import DataError

from lib.ids import new_id
from tests.support.callers import Callers, PlayerSession, unique
from wallet import kept_answers, takeovers
from wallet.kept_answers import KEPT_ANSWERS, Kept
from wallet.models import Alert
from wallet.takeovers import Takeovers

UNTIL = datetime(2027, 1, 31, 14, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    """This process keeps its answers, as a web process does."""
    KEPT_ANSWERS.begin()
    yield
    KEPT_ANSWERS.answers = None


@pytest.fixture
def player_session(callers: Callers) -> PlayerSession:
    return callers.player_session()


def lost(player_session: PlayerSession, endpoint: str, transaction_id: object, *, settles: bool) -> Kept:
    """Kept, as if the old primary had answered it."""
    game_id, mm = player_session.game.pk, unique("mm")
    parameters = {"game": game_id, "endpoint": endpoint, "mm": mm}
    KEPT_ANSWERS.note(parameters, "confirmed" if settles else "opened", str(transaction_id))
    return Kept(game_id, endpoint, mm, str(transaction_id), settles)


def after_a_takeover(monkeypatch: pytest.MonkeyPatch) -> list[Kept]:
    """What is found missing once the server has another timeline."""
    watch = Takeovers()
    assert watch.look() == []
    monkeypatch.setattr(takeovers, "read_server", lambda: (watch.timeline + 1, UNTIL))
    return watch.look()


def test_takeover__what_the_new_primary_has_is_not_missing(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled = player_session.opened("withdraw", "1.00")
    player_session.done("confirmWithdrawal", settled)
    player_session.done("rollbackDeposit", unique("tombstone"))
    assert player_session.call("withdraw", unique("much"), "999999.00").error == 104
    assert player_session.call("confirmWithdrawal", unique("unknown")).error == 106
    assert [one.settles for one in KEPT_ANSWERS.all()] == [False, True, True, False]
    assert after_a_takeover(monkeypatch) == []


def test_takeover__names_what_is_missing_and_tells_people_once(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pending = player_session.transaction(player_session.opened("withdraw", "1.00")).pk
    opening = lost(player_session, "withdraw", new_id(), settles=False)
    settling = lost(player_session, "confirmWithdrawal", pending, settles=True)
    with caplog.at_level(logging.ERROR, "wallet.takeovers"):
        assert after_a_takeover(monkeypatch) == [opening, settling]
    named = f"withdraw {opening.mm} of game {player_session.game.pk} ({opening.transaction_id})"
    said = [record.getMessage() for record in caplog.records if record.name == "wallet.takeovers"]
    assert said[0] == f"the database that took over does not know an answer: {named}"
    assert len(said) == 2
    alert = Alert.objects.get(kind="answers_lost", subject__endswith=opening.transaction_id)
    assert alert.text.startswith(
        "Another database server took over with all until 2027-01-31 14:05:00 UTC. "
        f"It does not know 2 calls that were answered: {named}, confirmWithdrawal {settling.mm} of game "
    )


def test_takeover__the_same_primary_is_not_looked_through(player_session: PlayerSession) -> None:
    watch = Takeovers()
    watch.look()
    lost(player_session, "withdraw", new_id(), settles=False)
    assert watch.look() == []


def test_takeover__that_cannot_be_looked_at_is_looked_at_again(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Takeovers()
    watch.look()
    one = lost(player_session, "withdraw", new_id(), settles=False)
    other = watch.timeline + 1
    monkeypatch.setattr(takeovers, "read_server", lambda: (other, None))
    with monkeypatch.context() as broken:
        broken.setattr(takeovers, "MISSING", "SELECT 1 / 0 WHERE %s IS NOT NULL AND %s IS NOT NULL")
        with pytest.raises(DataError):
            watch.look()
    assert watch.look() == [one]
    assert watch.look() == []


def test_takeover__of_a_distributed_database_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DATABASE_DISTRIBUTED", True)
    watch = Takeovers()
    assert (watch.look(), watch.timeline) == ([], 0)


def test_kept__are_the_last_ones(player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_answers, "MOST", 2)
    KEPT_ANSWERS.begin()
    noted = [lost(player_session, "withdraw", new_id(), settles=False) for _ in range(3)]
    assert KEPT_ANSWERS.all() == noted[1:]
