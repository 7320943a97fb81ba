"""Adds a shop, a provider and orders that wait for their payment to a seeded database:
`python -m benchmarks.orders COUNT`.

Prints the provider's slug and secret, and the orders' ids, as JSON.
Every fourth order is of an item that the game delivers.
"""

import json
import os
import secrets
import sys
from datetime import timedelta
from typing import Any

import django
from django.db import transaction

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from benchmarks.traffic import CURRENCY  # noqa: E402
from lib.clock import now  # noqa: E402
from lib.ids import new_id  # noqa: E402
from payments.models import Order, Payment, Price, Product, Provider, Shop  # noqa: E402 (models need the setup)
from payments.providers.signing_secrets import add_callback_secret, add_delivery_secret, new_webhook_secret  # noqa: E402
from players.models import Game, Player  # noqa: E402
from wallet.models import Currency  # noqa: E402

PRICE, CREDIT = 4_99, 500_00
ITEM_EVERY = 4


@transaction.atomic
def seed(count: int) -> dict[str, Any]:
    """Makes it all, or nothing."""
    Currency.objects.create(code="EUR", name="Euro", decimals=2)
    game = Game.objects.get()
    Shop.objects.create(game=game, order_url="http://127.0.0.1:9/orders", paused_at=now())
    add_delivery_secret(game, new_webhook_secret(), actor="bench")
    coins = Product.objects.create(
        game=game, code="coins", name="Coins", credit=CREDIT, credit_currency_id=CURRENCY
    )
    item = Product.objects.create(game=game, code="item", name="Item", is_delivered=True)
    Price.objects.bulk_create(
        Price(product=product, currency_id="EUR", amount=PRICE) for product in (coins, item)
    )
    provider = Provider.objects.create(
        slug="bench", name="Bench", scheme=Provider.Scheme.STANDARD_WEBHOOKS, page_url="https://pay.example"
    )
    secret = new_webhook_secret()
    add_callback_secret(provider, secret, actor="bench")
    players, at = list(Player.objects.all()), now()
    orders = [
        order(number, players[number % len(players)], item if number % ITEM_EVERY == 0 else coins, at)
        for number in range(count)
    ]
    Order.objects.bulk_create(orders, batch_size=2000)
    Payment.objects.bulk_create(
        (Payment(id=new_id(), order=one, provider=provider, amount=PRICE, started_at=at) for one in orders),
        batch_size=2000,
    )
    return {"slug": provider.slug, "secret": secret, "orders": [str(one.pk) for one in orders]}


def order(number: int, player: Player, product: Product, at: Any) -> Order:
    return Order(
        id=new_id(),
        game_id=product.game_id,
        player=player,
        cp_order_id=f"bench-{number}",
        page_key=secrets.token_urlsafe(18),
        product=product,
        product_code=product.code,
        server_id=1,
        currency_id="EUR",
        price=PRICE,
        credit=product.credit,
        credit_currency_id=product.credit_currency_id,
        is_delivered_by_game=product.is_delivered,
        created_at=at,
        expires_at=at + timedelta(hours=1),
    )


if __name__ == "__main__":
    print(json.dumps(seed(int(sys.argv[1]))))
