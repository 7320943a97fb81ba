"""Orders: started by a game, expired by a sweep (contract 4.1)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from lib.clock import now
from lib.ids import new_id
from payments.models import Order, Price, Product, Shop
from payments.orders.events import Actor, record_event
from payments.orders.limits import exceeds_limits
from payments.orders.outcomes import OrderOutcome, OrderRefused
from players.models import GameSession, Player
from players.operations import require_active
from players.switches import require_openings
from wallet.models import Wallet
from wallet.money import BOUND

EXPIRING_BATCH = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a game asks for. `price` in minor units; `token_hash` stands for the player's session."""

    token_hash: bytes
    cp_order_id: str
    product_code: str
    price: int
    currency: str
    server_id: int
    ext_params: str
    return_url: str


class SessionOwner(NamedTuple):
    """Whose session it is, and whether it lives."""

    player: Player
    language: str
    is_live: bool


def initiate_order(game_id: UUID, wanted: Wanted, *, actor: str) -> Order:
    """Starts an order, or finds the one that was started under this id.

    Raises `OrderRefused`, `PlayerRefused` (player_barred), or `InMaintenance`; then nothing has changed.
    """
    session = find_owner(game_id, wanted.token_hash)
    with transaction.atomic():
        found = known_order(game_id, wanted, session.player)
        if found is not None:
            return found
        require_openings()
        if not session.is_live:
            raise OrderRefused(OrderOutcome.SESSION_ENDED)
        made = new_order(game_id, wanted, session)
        if exceeds_limits(session.player, game_id, made):
            # Unless it was started just now by the same request, and counts already.
            found = known_order(game_id, wanted, session.player)
            if found is None:
                raise OrderRefused(OrderOutcome.LIMIT_REACHED)
            return found
        # Two at once: one of them makes it, the other finds it.
        _, is_new = Order.objects.get_or_create(
            game_id=game_id, cp_order_id=wanted.cp_order_id, defaults=made
        )
        order = known_order(game_id, wanted, session.player)
        if order is None:
            raise AssertionError("the order was just made, by us or by somebody else")
        if is_new:
            record_event(order, "created", Actor(actor, "game", order.created_at))
        return order


def find_owner(game_id: UUID, token_hash: bytes) -> SessionOwner:
    """Who a token of this game belongs to, live or not. Raises `OrderRefused` (unknown_session)."""
    session = (
        GameSession.objects.select_related("player").filter(token_hash=token_hash, game_id=game_id).first()
    )
    if session is None:
        raise OrderRefused(OrderOutcome.UNKNOWN_SESSION)
    is_live = session.ended_at is None and session.expires_at > now()
    return SessionOwner(session.player, session.language or session.player.language, is_live)


def known_order(game_id: UUID, wanted: Wanted, player: Player) -> Order | None:
    """The order of that id, or None. Raises `OrderRefused` (other_content)."""
    order = Order.objects.filter(game_id=game_id, cp_order_id=wanted.cp_order_id).first()
    if order is None:
        return None
    known = (
        order.player_id,
        order.product_code,
        order.price,
        order.currency_id,
        order.server_id,
        order.ext_params,
        order.return_url,
    )
    asked = (
        player.pk,
        wanted.product_code,
        wanted.price,
        wanted.currency,
        wanted.server_id,
        wanted.ext_params,
        wanted.return_url,
    )
    if known != asked:
        raise OrderRefused(OrderOutcome.OTHER_CONTENT)
    return order


def new_order(game_id: UUID, wanted: Wanted, session: SessionOwner) -> dict[str, Any]:
    """The columns of a new order. Raises `OrderRefused`, `PlayerRefused`.

    Price and credit are as they are now.
    """
    at = now()
    product = find_product(game_id, wanted, at)
    shop = Shop.objects.filter(game_id=game_id).first()
    if product.is_delivered and (shop is None or not shop.order_url):
        # Nobody pays for what cannot be delivered.
        raise OrderRefused(OrderOutcome.UNDELIVERABLE)
    if wanted.return_url and (shop is None or origin_of(wanted.return_url) not in shop.return_origins):
        raise OrderRefused(OrderOutcome.FOREIGN_RETURN_URL)
    require_active(session.player)
    if product.credit and would_overflow(session.player, str(product.credit_currency_id), product.credit):
        raise OrderRefused(OrderOutcome.WALLET_FULL)
    return {
        "id": new_id(),
        "player": session.player,
        "page_key": secrets.token_urlsafe(18),
        "product": product,
        "product_code": product.code,
        "server_id": wanted.server_id,
        "ext_params": wanted.ext_params,
        "return_url": wanted.return_url,
        "language": session.language,
        "currency_id": wanted.currency,
        "price": wanted.price,
        "credit": product.credit,
        "credit_currency_id": product.credit_currency_id,
        "is_delivered_by_game": product.is_delivered,
        "created_at": at,
        "expires_at": at + timedelta(minutes=settings.ORDER_TTL_MINUTES),
    }


def find_product(game_id: UUID, wanted: Wanted, at: datetime) -> Product:
    """The product, where it is on sale at exactly that price. Raises `OrderRefused`."""
    product = Product.objects.filter(game_id=game_id, code=wanted.product_code).first()
    if product is None:
        raise OrderRefused(OrderOutcome.UNKNOWN_PRODUCT)
    if (product.on_sale_from and at < product.on_sale_from) or (
        product.on_sale_to and at >= product.on_sale_to
    ):
        raise OrderRefused(OrderOutcome.NOT_ON_SALE)
    if not Price.objects.filter(product=product, currency_id=wanted.currency, amount=wanted.price).exists():
        raise OrderRefused(OrderOutcome.PRICE_MISMATCH)
    return product


def would_overflow(player: Player, currency: str, credit: int) -> bool:
    """Whether the wallet could not hold `credit` minor units more."""
    # Added here: in a query, Django takes the sum for an integer of 32 bits, and answers by itself that it is
    # never so large.
    held = (
        Wallet.objects.filter(player=player, currency_id=currency)
        .values_list("spendable", "reserved", "announced")
        .first()
    )
    return sum(held or ()) + credit >= BOUND


def origin_of(url: str) -> str:
    """Scheme, host and port of a https address as browsers write them; empty where it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if (
        parts.scheme != "https"
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
        or "\\" in url
        or " " in url
    ):
        return ""
    return f"https://{parts.hostname}" + (f":{port}" if port not in (None, 443) else "")


def find_order(game_id: UUID, cp_order_id: str) -> Order:
    """An order of this game. Raises `OrderRefused` (not_found)."""
    order = Order.objects.filter(game_id=game_id, cp_order_id=cp_order_id).first()
    if order is None:
        raise OrderRefused(OrderOutcome.NOT_FOUND)
    return order


def expire_orders(at: datetime) -> int:
    """Expires a batch of orders that nobody paid in time. Returns how many.

    A payment that comes later still counts.
    """
    with transaction.atomic():
        due = Order.objects.filter(Q(state=Order.State.CREATED), expires_at__lte=at).order_by("expires_at")
        orders = list(due.select_for_update(of=("self",), skip_locked=True)[:EXPIRING_BATCH])
        for order in orders:
            order.state = Order.State.EXPIRED
            record_event(order, "expired", Actor("sweep", "sweep", at), old_state=Order.State.CREATED)
        Order.objects.filter(pk__in=[order.pk for order in orders]).update(state=Order.State.EXPIRED)
    return len(orders)
