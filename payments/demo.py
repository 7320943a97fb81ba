"""Shops, products and providers for a demonstration on one machine."""

import secrets
from typing import Any, NamedTuple

from django.conf import settings

from lib.security.encryption import Unreadable
from payments.models import Price, Product, Provider, Secret, Shop
from payments.providers.signing_secrets import (
    add_callback_secret,
    add_delivery_secret,
    new_webhook_secret,
    open_secret,
)
from players.demo import is_played
from players.models import Game
from wallet.currencies import show
from wallet.money import Money


class Offer(NamedTuple):
    """A product of the demonstration; prices by currency, and the credit in XAG, in minor units."""

    code: str
    name: str
    name_de: str
    prices: dict[str, int]
    credit: int | None = None
    is_delivered: bool = False


OFFERS = (
    Offer("coins-500", "500 silver coins", "500 Silbermünzen", {"EUR": 4_99, "JPY": 750}, credit=500_00),
    Offer("coins-1200", "1,200 silver coins", "1.200 Silbermünzen", {"EUR": 9_99}, credit=1200_00),
    Offer("wm.spin.1", "Ten free rounds", "Zehn Freispiele", {"EUR": 4_99}, is_delivered=True),
    Offer(
        "starter-pack",
        "Starter pack with 2,000 silver coins",
        "Startpaket mit 2.000 Silbermünzen",
        {"EUR": 19_99},
        credit=2000_00,
        is_delivered=True,
    ),
)
# Slug, scheme, the name at the checkout, and the one currency.
PROVIDERS = (
    ("webhooks", Provider.Scheme.STANDARD_WEBHOOKS, "Demo Pay", None),
    ("notify", Provider.Scheme.ORDER_NOTIFY, "Demo Notify", "EUR"),
    ("sandbox", Provider.Scheme.SANDBOX, "Sandbox", None),
)


def demo_shop(game: Game, url: str) -> None:
    """A game's shop with its products, delivering to the game, or if that does not run to a page at `url`."""
    shop, _ = Shop.objects.get_or_create(
        game=game, defaults={"return_origins": [f"https://{game.slug}.example"]}
    )
    Shop.objects.filter(pk=shop.pk).update(order_url=order_url(game, url))
    if not Secret.objects.filter(game=game, retired_at=None).exists():
        add_delivery_secret(game, new_webhook_secret(), actor="seed")
    for offer in OFFERS:
        about = {
            "name": offer.name,
            "name_de": offer.name_de,
            "credit": offer.credit,
            "is_delivered": offer.is_delivered,
        }
        product, is_new = Product.objects.get_or_create(
            game=game,
            code=offer.code,
            defaults=about | {"credit_currency_id": "XAG" if offer.credit else None},
        )
        if is_new:
            Price.objects.bulk_create(
                Price(product=product, currency_id=currency, amount=amount)
                for currency, amount in offer.prices.items()
            )


def order_url(game: Game, url: str) -> str:
    """Where a demo game is told to deliver."""
    if is_played(game.slug):
        return f"{settings.DEMO_GAME_URL}/platform/deliveries"
    return f"{url}/sandbox/deliveries/{game.slug}"


def demo_delivery_secret(game: Game, kept: str | None) -> str:
    """The secret that signs a demo game's deliveries: the `kept` one where it still fits, else a new one."""
    live = Secret.objects.filter(game=game, purpose=Secret.Purpose.DELIVERY, retired_at=None)
    newest = live.order_by("-created_at", "-pk").first()
    if kept and newest and opened(newest) == kept:
        return kept
    made = new_webhook_secret()
    add_delivery_secret(game, made, actor="seed")
    return made


def demo_products() -> list[dict[str, Any]]:
    """Every product of the demonstration at each of its prices, as `var/demo.json` has them."""
    codes = [offer.code for offer in OFFERS]
    prices = (
        Price.objects.filter(product__code__in=codes)
        .select_related("product__game")
        .order_by("product__game__created_at", "product__created_at", "currency")
    )
    return [
        {
            "game": price.product.game.slug,
            "productId": price.product.code,
            "productPrice": plain(show(price.amount, price.currency_id)),
            "currencyCode": price.currency_id,
            "credit": credit_of(price.product),
        }
        for price in prices
    ]


def credit_of(product: Product) -> dict[str, Any] | None:
    if product.credit is None:
        return None
    credit = show(product.credit, str(product.credit_currency_id))
    return {"amount": plain(credit), "currencyCode": credit.currencyCode}


def plain(money: Money) -> float:
    """For a file that people and scripts read; its few digits are exact."""
    return float(money.amount)


def demo_provider(
    slug: str, scheme: str, name: str, currency: str | None, url: str, *, kept: str | None
) -> dict[str, str]:
    """A provider whose pages are the sandbox's at `url`, and whose secret is known.

    The secret is the `kept` one where it still fits, else a new one.
    """
    about = {"scheme": scheme, "name": name, "currency_id": currency}
    provider, _ = Provider.objects.get_or_create(slug=slug, defaults=about)
    Provider.objects.filter(pk=provider.pk).update(page_url=f"{url}/sandbox/{slug}/pay")
    live = Secret.objects.filter(provider=provider, purpose=Secret.Purpose.CALLBACK, retired_at=None)
    if kept is None or kept not in map(opened, live):
        kept = secrets.token_urlsafe(24) if scheme == Provider.Scheme.ORDER_NOTIFY else new_webhook_secret()
        add_callback_secret(provider, kept, actor="seed")
    return {"slug": slug, "scheme": scheme, "secret": kept}


def opened(secret: Secret) -> str:
    """The secret, or nothing where its key is gone."""
    try:
        return open_secret(secret)
    except Unreadable:
        return ""
