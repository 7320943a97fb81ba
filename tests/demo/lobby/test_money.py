"""What the lobby says of a player's money."""

from datetime import timedelta
from typing import Any

from demo.lobby.money import money_of
from tests.support.callers import PlayerSession


def test_money__tells_what_waits_from_what_the_game_is_asked_about(
    player_session: PlayerSession, settings: Any
) -> None:
    player_session.opened("withdraw", "1.00")
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.00"))
    before = money_of(player_session.player, "http://wallet.test/")
    settings.PENDING_TTL = timedelta(0)
    after = money_of(player_session.player, "http://wallet.test/")
    assert [(view.pending, view.asked_about) for view in (before, after)] == [(1, 0), (0, 1)]
