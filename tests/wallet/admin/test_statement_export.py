"""A player's statement as a file, on paper, and as a drawing."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from lib.clock import now
from players.models import AuditEvent, Player
from tests.support.admin_pages import get, operator, page, signed_in
from tests.support.callers import PlayerSession, unique
from wallet.admin import balance_chart, statement_export
from wallet.models import Wallet
from wallet.statement import balances_at


def exported(client: Client, player: Player, **given: str) -> Any:
    return client.post(page(Player, player, "export_statement"), given)


def rows_of(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_export__has_every_line_and_is_recorded(client: Client, player_session: PlayerSession) -> None:
    player_session.opened("withdraw", "30.25")
    response = exported(client, player_session.player, kind="moved", **{"as": "csv"})
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    spent, credited = rows_of(response)
    assert (spent["added"], spent["taken"], spent["spendable after"]) == ("", "30.25", "69.75")
    assert (spent["type"], spent["event"], spent["game"]) == (
        "withdrawal",
        "opened",
        player_session.game.slug,
    )
    assert (credited["added"], credited["taken"], credited["currency"]) == ("100.00", "", "XAG")
    [event] = AuditEvent.objects.filter(subject_id=player_session.player.pk, action="export_statement")
    assert event.note == "2 lines of the statement were exported (kind moved)."


def test_export__takes_what_looks_like_a_formula_for_text(
    client: Client, player_session: PlayerSession
) -> None:
    mm = f"=HYPERLINK({unique('x')})"
    player_session.done("withdraw", mm, "1.00")
    [row] = rows_of(exported(client, player_session.player, kind="withdrawal"))
    assert row["game's id"] == f"'{mm}"


def test_export__of_too_much_is_refused_and_says_so(
    client: Client, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statement_export, "MOST_EXPORTED", 1)
    response = exported(client, player_session.player)
    assert response.status_code == 302
    assert "narrow the conditions" in get(client, response["Location"])


def test_export__is_for_who_may_and_by_post_alone(client: Client, player_session: PlayerSession) -> None:
    place, see = page(Player, player_session.player, "export_statement"), "players.view_player"
    onlooker = signed_in(operator(see, "wallet.view_wallet"))
    moneyless = signed_in(operator(see, "players.export_player"))
    assert [one.post(place).status_code for one in (onlooker, moneyless)] == [403, 403]
    assert client.get(place).status_code == 302
    assert place in get(client, page(Player, player_session.player))
    assert place not in get(onlooker, page(Player, player_session.player))


def test_print__has_the_same_lines_without_menus(client: Client, player_session: PlayerSession) -> None:
    player_session.opened("withdraw", "30.25")
    text = exported(client, player_session.player, kind="withdrawal", **{"as": "page"}).content.decode()
    for words in (f"Statement of <bdi>{player_session.player.uid}", "It is reserved until", "69.75 XAG"):
        assert words in text, words
    assert "nav" not in text


def test_balances__are_those_of_the_moment(player_session: PlayerSession) -> None:
    before = now()
    player_session.opened("withdraw", "30.25")
    wallet, after = player_session.wallet(), now()
    moments = [before - timedelta(days=1), before, after]
    found = balances_at(player_session.player, [wallet.pk], moments)
    assert [found[wallet.pk, moment] for moment in moments] == [0, 100_00, 69_75]


def test_chart__steps_from_balance_to_balance() -> None:
    assert balance_chart.points([0, 10, 10, 5], 0, 10) == "0,80 200,80 200,0 400,0 400,0 600,0 600,40"
    assert balance_chart.points([7, 7], 7, 7) == "0,80 600,80 600,80"


def test_chart__is_said_in_words_and_as_a_table(client: Client, player_session: PlayerSession) -> None:
    player_session.opened("withdraw", "30.25")
    text = get(client, page(Player, player_session.player))
    assert "now 69.75 XAG, lowest 0.00 XAG, highest 69.75 XAG." in text
    wallets = list(Wallet.objects.filter(player=player_session.player))
    [chart] = balance_chart.charts_of(player_session.player, wallets)
    assert (chart.rows[0], len(chart.rows)) == (("now", "69.75 XAG"), 31)
    clerk = signed_in(operator("players.view_player"))
    assert "<polyline" not in get(clerk, page(Player, player_session.player))
