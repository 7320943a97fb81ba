"""Orders within a player's limits of what is paid in and of the balance (contract 2.5)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, Sum

from lib.clock import WalletNow
from payments.models import Order
from players.models import Player
from wallet import ledger
from wallet.limits import Kind, Limit, limits_of
from wallet.models import Wallet

# Started, and neither paid nor over: it may be paid at any moment.
OPEN = Q(state=Order.State.CREATED, expires_at__gt=WalletNow())


def exceeds_limits(player: Player, game_id: UUID, made: Mapping[str, Any]) -> bool:
    """Whether an order of these columns would exceed what the player may pay in or hold.

    It locks the wallets that have limits, in the order of their ids, until the end of the atomic block. So
    of orders that are started at once, each finds those before it.
    """
    amounts = {
        Kind.DEPOSIT: (made["currency_id"], made["price"]),
        Kind.BALANCE: (made["credit_currency_id"], made["credit"]),
    }
    codes = [code for code, amount in amounts.values() if amount]
    wallets = Wallet.objects.filter(player=player, currency_id__in=codes, limited_at__isnull=False)
    for wallet in wallets.only("id", "player_id", "currency_id").order_by("pk"):
        ledger.lock_wallet(player_id=wallet.player_id, currency=wallet.currency_id)
        locked = Wallet.objects.get(pk=wallet.pk)
        for limit in limits_of(locked):
            currency, amount = amounts.get(Kind(limit.kind), ("", 0))
            if currency != locked.currency_id or not amount or limit.amount is None:
                continue
            concerns = limit.game_id in (None, game_id)
            if concerns and (limit.used or 0) + amount > limit.amount:
                return True
    return False


def paid_in(wallet: Wallet, limits: Sequence[Limit]) -> list[int]:
    """What the player has paid in since each limit's period began, and may still for what is open.

    Gross: what went back is not taken off. A duplicate payment, which is to be refunded, is left out.
    """
    began = min(limit.since for limit in limits if limit.since)
    orders = Order.objects.filter(OPEN | Q(paid_at__gte=began), player=wallet.player_id)
    sums = {f"sum_{number}": Sum("price", filter=concerned(limit)) for number, limit in enumerate(limits)}
    found = orders.filter(currency=wallet.currency_id).aggregate(**sums)
    return [int(found[name] or 0) for name in sums]


def concerned(limit: Limit) -> Q:
    """The orders that count for a limit of what is paid in."""
    # What was paid exactly 24 hours ago is out of the last 24 hours.
    paid = Q(paid_at__gt=limit.since) if limit.period == "rolling" else Q(paid_at__gte=limit.since)
    return (OPEN | paid) & Q(game=limit.game_id) if limit.game_id else OPEN | paid


def held_with_open_orders(wallet: Wallet, limits: Sequence[Limit]) -> list[int]:
    """What is spendable, and will be when the player's open orders are paid: the same for each limit."""
    orders = Order.objects.filter(OPEN, player=wallet.player_id, credit_currency=wallet.currency_id)
    held = wallet.spendable + int(orders.aggregate(whole=Sum("credit"))["whole"] or 0)
    return [held] * len(limits)
