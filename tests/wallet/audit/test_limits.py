"""What is counted for limits is compared with the journal."""

import psycopg
import pytest

from tests.support.callers import PlayerSession
from tests.support.limits import ALL, limit
from wallet.audit.limits import differing_usage

COLUMNS = [f"{period}_{what}" for period in ("day", "week", "month", "rolling") for what in ("spent", "won")]


def found(seat: PlayerSession) -> list[str]:
    return [words for words in differing_usage() if str(seat.wallet().pk) in words]


@pytest.mark.parametrize("column", COLUMNS)
def test_usage__that_differs_by_a_minor_unit_is_found(
    player_session: PlayerSession, owner: "psycopg.Connection[object]", column: str
) -> None:
    limit(player_session, "loss", "day", 50_00)
    player_session.call("withdraw", "w-1", "20.00")
    player_session.call("deposit", "d-1", "3.00")
    player_session.call("confirmDeposit", "d-1")
    assert found(player_session) == []
    change = f"UPDATE wallet_limitusage SET {column} = {column} + %s WHERE wallet_id = %s"
    owner.execute(change, [1, player_session.wallet().pk])
    period = "24 hours" if column.startswith("rolling") else column.split("_")[0]
    (words,) = found(player_session)
    assert words.endswith(f"what is counted of all games is not what the journal says ({period})")
    owner.execute(change, [-1, player_session.wallet().pk])
    assert found(player_session) == []


def test_usage__of_one_game_is_compared(
    player_session: PlayerSession, owner: "psycopg.Connection[object]"
) -> None:
    limit(player_session, "spend", "day", 50_00, game=player_session.game)
    change = "UPDATE wallet_limitusage SET day_spent = day_spent + %s WHERE wallet_id = %s AND game_id <> %s"
    owner.execute(change, [1, player_session.wallet().pk, ALL])
    (words,) = found(player_session)
    assert f"game {player_session.game.pk}" in words
    owner.execute(change, [-1, player_session.wallet().pk, ALL])
