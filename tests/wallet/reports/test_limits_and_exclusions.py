"""Limits and exclusions: every change with before and after, by whom and why."""

from typing import Any

from lib.clock import now
from players.exclusions import exclude_player
from players.models import Player
from tests.support.callers import PlayerSession
from tests.support.limits import change
from tests.support.owned import owned
from wallet.operations import limit_withdrawals
from wallet.reports.limits_and_exclusions import REPORT
from wallet.reports.period import read_period
from wallet.reports.report import Asked, Thing, rows_of


def told(session: PlayerSession, **narrowed: Any) -> list[tuple[str, ...]]:
    """What the report of today says of a player, without the time."""
    rows = rows_of(REPORT, Asked(read_period("", "", now()), **narrowed))
    own = [row.values for row in rows if row.values[1].text == session.player.uid]
    return [tuple(map(in_text, values[2:])) for values in own]


def in_text(value: Any) -> str:
    return str(value.text if isinstance(value, Thing) else value)


def test_limits__are_told_with_before_and_after(player_session: PlayerSession) -> None:
    change(player_session, "spend", "day", "set", 50_00)
    change(player_session, "spend", "day", "set", 20_00, game=player_session.game)
    change(player_session, "time", "day", "set", 90, set_by="operator")
    change(player_session, "spend", "day", "set", 80_00)
    change(player_session, "spend", "day", "cancel")
    first, of_game, minutes, raised, taken_back = told(player_session)
    assert first == ("spent per day, all games", "XAG", "set", "no limit", "50.00 XAG", "tests", "")
    game = player_session.game.slug
    assert of_game == (f"spent per day, only in {game}", "XAG", "set", "no limit", "20.00 XAG", "tests", "")
    assert minutes[4] == "90 minutes"
    assert raised[2:4] == ("requested", "50.00 XAG")
    assert raised[4].startswith("80.00 XAG from 20")
    assert taken_back[2:5] == ("cancelled", "80.00 XAG", "50.00 XAG")


def test_gate__of_operators_is_told(player_session: PlayerSession) -> None:
    wallet = player_session.wallet()
    limit_withdrawals(wallet, most=30_00, actor="operator:anna", reason="Asked for")
    said = ("largest single withdrawal, all games", "XAG", "set", "", "30.00 XAG", "anna", "Asked for")
    assert told(player_session) == [said]


def test_statuses__are_told_with_both(player_session: PlayerSession) -> None:
    exclude_player(
        player_session.player.pk, until=None, set_by="operator", actor="operator:anna", reason="Own wish"
    )
    assert told(player_session) == [
        ("status", "", "set", "active", "self-excluded", "anna", "Own wish"),
    ]


def test_currency__narrows_to_its_limits(player_session: PlayerSession) -> None:
    change(player_session, "spend", "day", "set", 50_00)
    player_session.block()
    assert [one[0] for one in told(player_session)] == ["spent per day, all games", "status"]
    assert [one[0] for one in told(player_session, currency="XAG")] == ["spent per day, all games"]
    assert told(player_session, currency="EUR") == []


def test_test_players__are_left_out(player_session: PlayerSession) -> None:
    change(player_session, "spend", "day", "set", 50_00)
    limit_withdrawals(player_session.wallet(), most=30_00, actor="operator:anna", reason="")
    player_session.block()
    assert len(told(player_session)) == 3
    owned(Player).filter(pk=player_session.player.pk).update(is_test=True)
    assert told(player_session) == []
