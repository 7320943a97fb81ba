"""Where a player's money is now, and how it came there."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.urls import reverse

from demo.lobby.words import ORDERS, Tone, words_of
from lib.clock import now
from payments.checkout.payments import checkout_url
from payments.models import Order
from players.models import Player
from wallet.currencies import show_amount
from wallet.models import Transaction

LATEST, LATEST_ORDERS = 8, 4
# In the currency of a payment: what a provider holds for the platform, and nothing of the player's.
OF_PROVIDERS = (
    *(Transaction.Type.PAYMENT, Transaction.Type.SALE),
    *(Transaction.Type.PAYMENT_RETURN, Transaction.Type.SALE_RETURN),
)
# What a game opens, and can leave unfinished.
FROM_GAMES = (Transaction.Type.WITHDRAWAL, Transaction.Type.DEPOSIT)


@dataclass(frozen=True, slots=True)
class Holding:
    """A wallet; `parts` are what it holds besides the spendable balance, where that is anything."""

    spendable: str
    parts: list[tuple[str, str]]
    is_frozen: bool


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened, or an order. `url` leads to its page for operators."""

    text: str
    note: str
    amount: str
    tone: Tone
    at: datetime
    url: str
    pay_url: str = ""


@dataclass(frozen=True, slots=True)
class MoneyView:
    """All that the lobby shows of a player's money."""

    holdings: list[Holding]
    lines: list[Line]
    orders: list[Line]
    # Of games' transactions that are not settled: those that are too young to be asked about, and the others.
    pending: int
    asked_about: int


def money_of(player: Player, base: str) -> MoneyView:
    """`base` is where the platform was reached, for the orders' addresses."""
    rows = Transaction.objects.filter(player=player).exclude(type__in=OF_PROVIDERS)
    latest = rows.select_related("game", "wallet").order_by("-opened_at", "-opened_seq")[:LATEST]
    orders = Order.objects.filter(player=player).select_related("product", "game").order_by("-pk")
    pending = rows.filter(type__in=FROM_GAMES, state=Transaction.State.PENDING)
    number, old = pending.count(), pending.filter(opened_at__lte=now() - settings.PENDING_TTL).count()
    return MoneyView(
        holdings=holdings_of(player),
        lines=[line_of(row) for row in latest],
        orders=[order_line(order, base) for order in orders[:LATEST_ORDERS]],
        pending=number - old,
        asked_about=old,
    )


def holdings_of(player: Player) -> list[Holding]:
    """The player's wallets, those that hold something of the player's own."""
    holdings: list[Holding] = []
    for wallet in player.wallets.order_by("opened_at"):
        amounts = (wallet.reserved, wallet.announced, wallet.debt)
        named = zip(("reserved", "announced", "debt"), amounts, strict=True)
        parts = [(name, show_amount(amount, wallet.currency_id)) for name, amount in named if amount]
        spendable = show_amount(wallet.spendable, wallet.currency_id)
        if wallet.spendable or parts or not holdings:
            holdings.append(Holding(spendable, parts, wallet.frozen_at is not None))
    return holdings


def purse_of(player: Player) -> str:
    """What a player can spend, in a word; the wallets are there already."""
    wallets = sorted(player.wallets.all(), key=lambda wallet: wallet.opened_at)
    full = [wallet for wallet in wallets if wallet.spendable] or wallets[:1]
    return ", ".join(show_amount(wallet.spendable, wallet.currency_id) for wallet in full)


def line_of(row: Transaction) -> Line:
    words = words_of(row)
    amount = "" if row.amount is None else f"{words.sign}{show_amount(row.amount, row.wallet.currency_id)}"
    url = reverse("admin:wallet_transaction_change", args=[row.pk])
    return Line(words.text, words.note, amount, words.tone, row.opened_at, url)


def order_line(order: Order, base: str) -> Line:
    note, tone = ORDERS[Order.State(order.state)]
    is_open = order.state in (Order.State.CREATED, Order.State.FAILED)
    return Line(
        text=order.product.name,
        note=note,
        amount=show_amount(order.price, order.currency_id),
        tone=tone,
        at=order.created_at,
        url=reverse("admin:payments_order_change", args=[order.pk]),
        pay_url=checkout_url(order, base) if is_open else "",
    )
