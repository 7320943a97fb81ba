"""The players of the demonstration: which there are, and how a new one comes to be."""

import secrets

from django.contrib.auth.hashers import make_password
from django.db import transaction

from lib.ids import new_id
from lib.names import holds_refused, normal_form
from players.models import Operator, Player
from players.operations import put_player
from wallet.operations import adjust_wallet

# `seed_demo` makes the first of them; invented histories have other names.
PREFIX = "demo-"
# Of those that were there first, and of those that came last.
FIRST, LATEST = 3, 5
MOST_NICKNAME = 24
# What a new player begins with, in minor units.
CURRENCY, FUNDS = "XAG", 250_00
ACTOR = "lobby"
REASON = "Pocket money of the demonstration"


class BadNickname(Exception):
    """What was entered is no name; the text says what would be."""


def demo_players(chosen: str = "") -> list[Player]:
    """The players to choose from: the first, then the newest; with the `chosen` one, wherever it stands."""
    ours = Player.objects.filter(uid__startswith=PREFIX).prefetch_related("wallets")
    first = list(ours.order_by("created_at", "pk")[:FIRST])
    known = {player.pk for player in first}
    latest = list(ours.exclude(pk__in=known).order_by("-created_at", "-pk")[:LATEST])
    shown = [*first, *latest]
    if chosen and all(player.uid != chosen for player in shown):
        shown += ours.filter(uid=chosen)
    return shown


@transaction.atomic
def make_player(nickname: str) -> Player:
    """A new player with some money. Raises `BadNickname`."""
    attributes = {"nickname": read_nickname(nickname), "language": "en"}
    player = put_player(f"{PREFIX}{secrets.token_hex(4)}", attributes=attributes, status=None, actor=ACTOR)
    Player.objects.filter(pk=player.pk).update(is_test=True)
    adjust_wallet(
        player,
        CURRENCY,
        type="credit",
        amount=FUNDS,
        transaction_id=new_id(),
        operator=giver(),
        reason=REASON,
    )
    return player


def read_nickname(text: str) -> str:
    """A nickname as it is kept. Raises `BadNickname`."""
    if holds_refused(text):
        raise BadNickname("A nickname has no control characters.")
    name = normal_form(text.strip())
    if not 1 <= len(name) <= MOST_NICKNAME:
        raise BadNickname(f"A nickname has 1 to {MOST_NICKNAME} characters.")
    return name


def giver() -> Operator:
    """In whose name new players get their money: an operator, as the ledger wants, who cannot log in."""
    defaults = {"is_staff": False, "password": make_password(None)}
    return Operator.objects.get_or_create(username=ACTOR, defaults=defaults)[0]
