"""What the tests of deliveries share.

A game that alone is told, a run that tells it, and what came of that.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from payments.deliveries.operations import pause_deliveries
from payments.deliveries.worker import deliver_due
from payments.models import Delivery, DeliveryAttempt, Order, Shop
from tests.conftest import Clock
from tests.support.callers import Callers
from tests.support.game_order_server import GameServer
from tests.support.shop import ShopSetup, make_shop_setup
from wallet.job_runs import Run

# Tells the games that were paused here from others.
OTHERS_PAUSED = datetime(2031, 5, 6, tzinfo=UTC)


@contextmanager
def alone(callers: Callers, game: GameServer) -> Iterator[ShopSetup]:
    """A shop of the test's own, whose game listens; all other games are paused meanwhile."""
    Shop.objects.filter(paused_at=None).update(paused_at=OTHERS_PAUSED)
    served_shop = make_shop_setup(callers, game.url)
    game.secrets.append(served_shop.delivery_secret)
    yield served_shop
    assert game.problems == []
    pause_deliveries(served_shop.shop)
    Shop.objects.filter(paused_at=OTHERS_PAUSED).update(paused_at=None)


def sweep() -> Run:
    """A whole run."""
    run = Run("deliver_due")
    assert deliver_due(run)
    return run


def delivery_of(order: Order) -> Delivery:
    return Delivery.objects.get(order=order)


def stand(served_shop: ShopSetup, clock: Clock) -> tuple[Order, datetime]:
    """A paid order, and the moment since when it is to be delivered, at which the clock stands."""
    order = served_shop.paid(product="sword")
    start = delivery_of(order).created_at
    clock.stand(start)
    return order, start


def tries_of(order: Order) -> list[tuple[int | None, str]]:
    """Status and problem of each try."""
    rows = DeliveryAttempt.objects.filter(delivery__order=order).order_by("pk")
    return list(rows.values_list("status", "problem"))
