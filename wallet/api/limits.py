"""A player's limits, as the web front reads and changes them (contract 2.5 and 3)."""

from collections.abc import Iterable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from msgspec import UNSET, Meta, UnsetType

from lib.clock import timestamp
from lib.http.errors import invalid
from lib.http.requests import whole_number
from lib.http.responses import json_answer
from players.access.gate import Call
from players.api.requests import GameSlug, Uid
from players.models import Game
from players.operations import find_game, find_player
from wallet.api import openapi
from wallet.api.entry import CurrencyCode, EntryView, WholeNumber
from wallet.api.requests import AmountIn, read_amount
from wallet.api.responses import LimitAnswer, LimitsAnswer, PendingLimit
from wallet.currencies import show
from wallet.limits import (
    BY_PLAYER,
    MOST_MINUTES,
    PERIODS,
    Kind,
    Limit,
    LimitName,
    Period,
    change_limit,
    read_limits,
)
from wallet.money import Money
from wallet.operations import require_currency

KINDS, WINDOWS = list(PERIODS), [Period.DAY, Period.WEEK, Period.MONTH, Period.ROLLING]
LimitKind = Annotated[str, Meta(extra_json_schema={"enum": [str(kind) for kind in KINDS]})]
Window = Annotated[
    str,
    Meta(
        description="Of deposit, spend and loss; rolling is the last 24 hours. Of time: day, or nothing.",
        extra_json_schema={"enum": [str(window) for window in WINDOWS]},
    ),
]


class LimitNamed(msgspec.Struct):
    """Which limit: of all games, if it names none."""

    kind: LimitKind
    window: Window | UnsetType = UNSET
    game: GameSlug | UnsetType = UNSET


class LimitSet(msgspec.Struct):
    """Which limit, and what it is to be: minutes of a limit of time, an amount of any other."""

    kind: LimitKind
    window: Window | UnsetType = UNSET
    game: GameSlug | UnsetType = UNSET
    amount: AmountIn | UnsetType = UNSET
    minutes: WholeNumber | UnsetType = UNSET


class LimitsRequest(msgspec.Struct):
    """limits: at most one of the four changes."""

    uid: Uid
    currencyCode: CurrencyCode  # noqa: N815
    set: LimitSet | UnsetType = UNSET
    remove: LimitNamed | UnsetType = UNSET
    confirm: LimitNamed | UnsetType = UNSET
    cancel: LimitNamed | UnsetType = UNSET


@openapi.limits(LimitsRequest)
class Limits(EntryView):
    """A player's limits in one currency; what is stricter counts at once, what is looser later."""

    shape = LimitsRequest

    def handle(self, call: Call, given: LimitsRequest) -> HttpResponse:
        acts = [act for act in ("set", "remove", "confirm", "cancel") if getattr(given, act) is not UNSET]
        if len(acts) > 1:
            raise invalid("At most one of set, remove, confirm and cancel may be given.")
        player, code = find_player(given.uid), require_currency(given.currencyCode)
        for act in acts:
            asked = getattr(given, act)
            name = read_name(asked)
            amount = read_bound(asked, name, code) if act == "set" else None
            change_limit(
                player, code, name, act=act, amount=amount, actor=call.caller.actor, reason=BY_PLAYER
            )
        return json_answer(LimitsAnswer(show_limits(read_limits(player, code), code)))


def read_name(asked: LimitNamed | LimitSet) -> LimitName:
    """Which limit is meant. Raises 101."""
    if asked.kind not in PERIODS:
        raise invalid(f"kind must be one of {', '.join(KINDS)}.")
    periods = PERIODS[asked.kind]
    window = str(periods[0]) if asked.window is UNSET and len(periods) == 1 else asked.window
    if window not in periods:
        words = f"window must be one of {', '.join(periods)}" if periods[0] else "there must be no window"
        raise invalid(f"For {asked.kind}, {words}.")
    if asked.game is not UNSET and asked.kind == Kind.BALANCE:
        raise invalid("A limit of the balance is of no game.")
    return LimitName(asked.kind, str(window), None if asked.game is UNSET else find_game(asked.game))


def read_bound(asked: LimitSet, name: LimitName, code: str) -> int:
    """What a limit is to be, in minor units or minutes. Raises 101."""
    if name.kind == Kind.TIME:
        if asked.amount is not UNSET or asked.minutes is UNSET:
            raise invalid("A limit of time has minutes, and no amount.")
        return whole_number(asked.minutes, "set.minutes", 1, MOST_MINUTES)
    if asked.amount is UNSET or asked.minutes is not UNSET:
        raise invalid(f"A limit of {name.kind} has an amount, and no minutes.")
    minor, currency = read_amount(asked.amount)
    if currency != code:
        raise invalid("set.amount must be in currencyCode.")
    return minor


def show_limits(limits: Iterable[Limit], code: str) -> list[LimitAnswer]:
    found = list(limits)
    games = slugs_of({limit.game_id for limit in found if limit.game_id})
    return [show_limit(limit, code, games.get(limit.game_id)) for limit in found]


def slugs_of(ids: set[UUID]) -> dict[Any, str]:
    return dict(Game.objects.filter(pk__in=ids).values_list("pk", "slug")) if ids else {}


def show_limit(limit: Limit, code: str, game: str | None) -> LimitAnswer:
    """A limit as the front sees it."""

    def money(minor: int | None) -> Money | None:
        return None if minor is None or limit.kind == Kind.TIME else show(minor, code)

    def minutes(number: int | None) -> int | None:
        return number if limit.kind == Kind.TIME else None

    pending = limit.pending_at and PendingLimit(
        money(limit.pending_amount),
        minutes(limit.pending_amount),
        timestamp(limit.pending_at),
        limit.needs_confirmation,
    )
    return LimitAnswer(
        kind=limit.kind,
        window=limit.period or None,
        game=game,
        setBy=limit.set_by,
        amount=money(limit.amount),
        minutes=minutes(limit.amount),
        used=money(limit.used),
        usedMinutes=minutes(limit.used),
        pending=pending or None,
    )
