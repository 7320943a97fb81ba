"""Orders within a player's limits of what is paid in and of the balance (contract 2.5)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection

from payments.models import Order
from tests.conftest import Clock
from tests.support.callers import Answer, PlayerSession, open_session, unique
from tests.support.limits import limit, used
from tests.support.shop import ShopSetup, fresh, make_shop_setup


def paying(shop_setup: ShopSetup) -> PlayerSession:
    """A session in euros: what is paid in is limited in the currency that is paid."""
    return shop_setup.player_session("EUR")


def test_deposit__counts_open_orders_and_paid_ones(shop_setup: ShopSetup) -> None:
    seat = paying(shop_setup)
    limit(seat, "deposit", "day", 9_98)
    shop_setup.paid(seat)
    assert used(seat, "deposit", "day") == 4_99
    assert shop_setup.initiate(seat, "sword").error == 111
    again = unique("cp")
    first = shop_setup.initiate(seat, cpOrderId=again)
    assert (first.status, first.error) == (200, None)
    assert used(seat, "deposit", "day") == 9_98
    # It counts already, and is answered as before.
    repeated = shop_setup.initiate(seat, cpOrderId=again)
    assert repeated.body["orderId"] == first.body["orderId"]
    assert shop_setup.initiate(seat).error == 111
    assert Order.objects.filter(player=seat.player).count() == 2


def test_open_order__counts_until_it_is_over_and_pays_even_then(shop_setup: ShopSetup, clock: Clock) -> None:
    seat = paying(shop_setup)
    limit(seat, "deposit", "rolling", 4_99)
    order = shop_setup.order(seat)
    assert shop_setup.initiate(seat).error == 111
    clock.go_ahead(timedelta(minutes=61))
    assert used(seat, "deposit", "rolling") == 0
    second = shop_setup.order(seat)
    clock.restore()
    # Both are paid, the first one late: beyond the limit, but it did arrive.
    for one in (order, second):
        assert shop_setup.webhooks.tell("payment.succeeded", one).status == 200
        assert fresh(one).state == "delivered"
    assert used(seat, "deposit", "rolling") == 9_98
    clock.go_ahead(timedelta(hours=25))
    assert used(seat, "deposit", "rolling") == 0
    assert shop_setup.initiate(seat.elsewhere()).error is None


def test_refund__gives_no_allowance_back(shop_setup: ShopSetup) -> None:
    seat = paying(shop_setup)
    limit(seat, "deposit", "week", 4_99)
    order = shop_setup.paid(seat)
    assert shop_setup.webhooks.tell("payment.refunded", order).status == 200
    assert fresh(order).state == "refunded"
    assert used(seat, "deposit", "week") == 4_99
    assert shop_setup.initiate(seat).error == 111


def test_deposit__of_one_game_leaves_others_alone(shop_setup: ShopSetup) -> None:
    seat, other = paying(shop_setup), make_shop_setup(shop_setup.callers)
    limit(seat, "deposit", "month", 1, game=shop_setup.game)
    assert shop_setup.initiate(seat).error == 111
    assert other.initiate(open_session(other.party, seat.player, "EUR")).error is None


def test_balance__counts_what_is_spendable_and_the_credit_of_open_orders(shop_setup: ShopSetup) -> None:
    seat = shop_setup.player_session()
    limit(seat, "balance", "", 1000_00)
    seat.adjust("credit", 100_00)
    assert shop_setup.initiate(seat, "pack").error == 111
    # An item is no money in the wallet.
    assert shop_setup.initiate(seat, "sword").error is None
    assert shop_setup.initiate(seat).error is None
    assert used(seat, "balance", "") == 600_00
    assert shop_setup.initiate(seat).error == 111


def test_orders__started_at_once_do_not_pass_a_limit(shop_setup: ShopSetup) -> None:
    seat = paying(shop_setup)
    limit(seat, "deposit", "day", 3 * 4_99)

    def start(_: int) -> Answer:
        try:
            return shop_setup.initiate(seat)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(start, range(8)))
    assert sorted(answer.error or 0 for answer in answers) == [0, 0, 0, 111, 111, 111, 111, 111]
    assert used(seat, "deposit", "day") == 3 * 4_99
