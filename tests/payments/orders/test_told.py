"""What others are told of orders."""

from tests.support.callers import Callers, unique
from tests.support.event_feed import Reader, feed_end
from tests.support.shop import ShopSetup


def test_feed__tells_an_order_and_its_credit(shop_setup: ShopSetup, callers: Callers) -> None:
    player_session, cp = shop_setup.player_session(), unique("cp")
    reader = Reader(callers.front, feed_end())
    answer = shop_setup.initiate(player_session, "pack", cpOrderId=cp)
    [event] = reader.read()
    assert event == {
        "id": event["id"],
        "type": "order.created",
        "time": event["time"],
        "playerId": player_session.player.uid,
        "isTest": False,
        "game": shop_setup.game.slug,
        "orderId": answer.body["orderId"],
        "cpOrderId": cp,
        "state": "created",
    }
