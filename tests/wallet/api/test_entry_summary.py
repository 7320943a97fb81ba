"""A player's summary: the last twelve months by game, and what was paid in for life (contract 3)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from players.models import Player
from tests.conftest import Clock
from tests.support.callers import Callers, PlayerSession, open_session, unique
from tests.support.shop import make_shop_setup

MARCH = datetime(2026, 3, 15, 12, tzinfo=UTC)


def summary(callers: Callers, player: Player, currency: str = "XAG") -> dict[str, Any]:
    given = {"uid": player.uid, "currencyCode": currency, "limit": 1, "summary": True}
    answer = callers.front.post("/entry/statement", given)
    assert (answer.status, answer.error) == (200, None), answer.raw
    found: dict[str, Any] = answer.body["summary"]
    return found


def played(found: dict[str, Any]) -> dict[str, list[tuple[str, str, str]]]:
    """The games of the months that have any."""
    return {
        month["month"]: [
            (one["game"], str(one["spent"]["amount"]), str(one["won"]["amount"])) for one in month["games"]
        ]
        for month in found["months"]
        if month["games"]
    }


def spends(session: PlayerSession, amount: str) -> None:
    session.done("confirmWithdrawal", session.opened("withdraw", amount))


def wins(session: PlayerSession, amount: str) -> None:
    session.done("confirmDeposit", session.opened("deposit", amount))


def at(clock: Clock, moment: str) -> None:
    clock.stand(datetime.fromisoformat(f"{moment}+00:00"))


def test_summary__has_spent_and_won_by_month_and_game(callers: Callers, clock: Clock) -> None:
    player = callers.player()
    at(clock, "2025-03-31T23:59")
    first = open_session(callers.game, player)
    first.adjust("credit", 100_00)
    # The thirteenth month.
    spends(first, "50.00")
    at(clock, "2025-04-01T00:00")
    spends(open_session(callers.game, player), "1.00")
    at(clock, "2026-02-28T12:00")
    one, other = open_session(callers.game, player), open_session(callers.other_game, player)
    spends(one, "2.00")
    spends(one, "3.00")
    wins(one, "4.50")
    wins(other, "0.25")
    # Neither reserved nor given back is spent, nor announced won.
    one.opened("withdraw", "7.00")
    one.done("rollbackWithdrawal", one.opened("withdraw", "8.00"))
    one.opened("deposit", "9.00")
    clock.stand(MARCH)
    found = summary(callers, player)
    assert [month["month"] for month in found["months"]] == [
        *("2026-03", "2026-02", "2026-01", "2025-12", "2025-11", "2025-10", "2025-09", "2025-08", "2025-07"),
        *("2025-06", "2025-05", "2025-04"),
    ]
    assert played(found) == {
        "2026-02": sorted(
            [(callers.game.game.slug, "5.00", "4.50"), (callers.other_game.game.slug, "0.00", "0.25")]
        ),
        "2025-04": [(callers.game.game.slug, "1.00", "0.00")],
    }
    # An operator's credit is no payment.
    assert str(found["paidIn"]["amount"]) == "0.00"


def test_summary__months_begin_in_the_platforms_zone(callers: Callers, clock: Clock, settings: Any) -> None:
    settings.PLATFORM_ZONE = "Europe/Vienna"
    at(clock, "2026-02-28T23:30")
    session = callers.player_session(10_00)
    spends(session, "1.00")
    found = summary(callers, session.player)
    assert found["months"][0]["month"] == "2026-03"
    assert list(played(found)) == ["2026-03"]


def test_summary__has_what_was_paid_in_and_refunded_for_life(callers: Callers, clock: Clock) -> None:
    shop = make_shop_setup(callers)
    order = shop.paid()
    spends(open_session(shop.party, order.player), "400.00")
    # What is no longer there is taken back as debt.
    assert shop.webhooks.tell("payment.refunded", order).status == 200
    assert shop.paid(open_session(shop.party, order.player), "pack").state == "paid"
    sword = shop.paid(shop.player_session("EUR"), "sword")
    clock.go_ahead(timedelta(days=200))
    # An item that is paid for directly is spent in no wallet.
    assert played(summary(callers, sword.player, "EUR")) == {}
    clock.go_ahead(timedelta(days=800))
    found = summary(callers, order.player)
    assert (str(found["paidIn"]["amount"]), str(found["refunded"]["amount"])) == ("1500.00", "500.00")
    assert played(found) == {}


def test_summary__of_whoever_has_no_wallet_is_empty(callers: Callers) -> None:
    found = summary(callers, callers.player(), "JPY")
    assert len(found["months"]) == 12
    assert played(found) == {}
    assert found["paidIn"] == found["refunded"] == {"amount": 0, "currencyCode": "JPY"}


@pytest.mark.parametrize("fields", [{}, {"summary": False}, {"summary": None}])
def test_statement__without_it_is_as_it_was(callers: Callers, fields: dict[str, Any]) -> None:
    given = {"uid": callers.player().uid, "currencyCode": "XAG"}
    assert callers.front.post("/entry/statement", given | fields).body == {"lines": [], "next": None}


@pytest.mark.parametrize("value", [1, "true", [], {}])
def test_summary__is_asked_for_by_true_alone(callers: Callers, value: Any) -> None:
    given = {"uid": callers.player().uid, "currencyCode": "XAG", "summary": value}
    assert callers.front.post("/entry/statement", given).error == 101


def test_summary__of_the_unknown_is_refused(callers: Callers) -> None:
    given = {"uid": unique("p"), "currencyCode": "XAG", "summary": True}
    assert callers.front.post("/entry/statement", given).error == 101
