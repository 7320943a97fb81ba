"""Games that fail, hang and are paused hold up nobody but themselves (contract 4.3)."""

import time
from collections import Counter

import pytest
from django.conf import settings

from lib.clock import now
from payments.deliveries.operations import pause_deliveries, resume_deliveries
from payments.deliveries.worker import deliver_due, deliver_one
from payments.models import Shop
from tests.support.callers import Callers
from tests.support.deliveries import delivery_of, sweep, tries_of
from tests.support.game_order_server import GameServer, answers, hangs, selling
from tests.support.shop import ShopSetup, fresh, make_shop_setup
from wallet.job_runs import Run


def test_delivery__paused_game_gets_nothing_until_resumed(served_shop: ShopSetup, game: GameServer) -> None:
    assert (pause_deliveries(served_shop.shop), pause_deliveries(served_shop.shop)) == (True, False)
    order = served_shop.paid(product="sword")
    assert sweep().looked_at == 0
    deliver_one(delivery_of(order).pk, "nudged")
    assert (game.told, tries_of(order), delivery_of(order).state) == ([], [], "pending")
    assert (resume_deliveries(served_shop.shop), resume_deliveries(served_shop.shop)) == (True, False)
    sweep()
    assert fresh(order).state == "delivered"


def test_nudge__delivers_at_once_and_leaves_failing_to_sweep(
    served_shop: ShopSetup, game: GameServer
) -> None:
    orders = [served_shop.paid(product="sword") for _ in range(3)]
    deliver_one(delivery_of(orders[0]).pk, "nudged")
    assert (fresh(orders[0]).state, len(game.told)) == ("delivered", 1)
    game.otherwise = answers(500)
    deliver_one(delivery_of(orders[1]).pk, "nudged")
    assert Shop.objects.get(pk=served_shop.shop.pk).failing_since is not None
    game.otherwise = answers(200)
    deliver_one(delivery_of(orders[2]).pk, "nudged")
    assert (fresh(orders[2]).state, len(game.told)) == ("paid", 2)
    sweep()
    assert (fresh(orders[2]).state, Shop.objects.get(pk=served_shop.shop.pk).failing_since) == (
        "delivered",
        None,
    )


def test_sweep__recovered_game_gets_all_that_waited(served_shop: ShopSetup, game: GameServer) -> None:
    Shop.objects.filter(pk=served_shop.shop.pk).update(failing_since=now())
    orders = [served_shop.paid(product="sword") for _ in range(20)]
    run = sweep()
    assert (run.looked_at, run.done, {fresh(order).state for order in orders}) == (20, 20, {"delivered"})


def test_sweep__failing_game_is_left_alone_until_the_next_run(
    served_shop: ShopSetup, game: GameServer
) -> None:
    game.otherwise = answers(500)
    for _ in range(20):
        served_shop.paid(product="sword")
    # At most as many as may be under way at once; then it is known to fail.
    assert 3 <= sweep().looked_at <= 8
    before = len(game.told)
    sweep()
    assert len(game.told) - before == 3


def test_sweep__hanging_game_does_not_hold_up_another(
    served_shop: ShopSetup, game: GameServer, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a busy machine to deliver all of the other game's before a hanging try is given up.
    hangs_for = 6.0
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", hangs_for)
    monkeypatch.setattr("payments.deliveries.worker.RUN_SECONDS", hangs_for + 0.5)
    game.otherwise = hangs
    for _ in range(20):
        served_shop.paid(product="sword")
    with selling() as other_game:
        other = make_shop_setup(callers, other_game.url)
        other_game.secrets.append(other.delivery_secret)
        orders = [other.paid(product="sword") for _ in range(20)]
        for _ in range(2):
            # In the first run nobody knows yet that it hangs.
            began = time.monotonic()
            deliver_due(Run("deliver_due"))
            took = [told.at - began for told in other_game.told]
            assert (len(took), max(took) < hangs_for) == (20, True)
            assert {fresh(order).state for order in orders} == {"delivered"}
            other_game.told.clear()
            orders = [other.paid(product="sword") for _ in range(20)]
        pause_deliveries(other.shop)
    assert Counter(told.fields["cpOrderId"] for told in game.told).most_common(1)[0][1] == 1
