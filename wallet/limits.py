"""A player's limits (contract 2.5): what they are, and how they are changed.

The ledger holds withdrawals to them (`wallet/sql/limits.sql`); payments hold orders to them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from psycopg.types.numeric import Int8

from lib.backoffice.languages import stored
from players.models import Game, Player
from wallet import ledger
from wallet.ledger_statements import CHANGE_LIMIT, LIMITS
from wallet.models import PlayerLimit, Wallet
from wallet.operations import limit_withdrawals
from wallet.outcomes import LimitRefused

Kind, Period, SetBy = PlayerLimit.Kind, PlayerLimit.Period, PlayerLimit.SetBy
# The periods that each kind of limit can be of.
PERIODS: dict[str, tuple[str, ...]] = {
    Kind.DEPOSIT: (Period.DAY, Period.WEEK, Period.MONTH, Period.ROLLING),
    Kind.SPEND: (Period.DAY, Period.WEEK, Period.MONTH, Period.ROLLING),
    Kind.LOSS: (Period.DAY, Period.WEEK, Period.MONTH, Period.ROLLING),
    Kind.SINGLE: (Period.NONE,),
    Kind.BALANCE: (Period.NONE,),
    Kind.TIME: (Period.DAY,),
}
# Minutes of a day.
MOST_MINUTES = 24 * 60
BY_PLAYER = stored("Asked for by the player.")
REFUSED = ("not_found", "too_early", "too_many", "takes_two")


class LimitName(NamedTuple):
    """Which of a wallet's limits; without a game, it is of all games."""

    kind: str
    period: str
    game: Game | None = None
    set_by: str = SetBy.PLAYER


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it stands. Amounts are in minor units, or in minutes for one of time.

    `amount` is None if none counts yet; `pending_amount` is None if it is to go. `used` is None if nothing
    is used up. `since` is when its period began.
    """

    kind: str
    period: str
    game_id: UUID | None
    set_by: str
    amount: int | None
    used: int | None
    pending_at: datetime | None = None
    pending_amount: int | None = None
    needs_confirmation: bool = False
    since: datetime | None = None


# What of a wallet's limits of a kind is used, one after the other: payments know it of deposit and balance.
Used = Callable[[Wallet, Sequence[Limit]], Sequence[int]]
USED: dict[str, Used] = {}


def read_limits(player: Player, currency: str) -> list[Limit]:
    """A player's limits in one currency, with what is used of them."""
    wallet = Wallet.objects.filter(player=player, currency_id=currency).first()
    return limits_of(wallet) if wallet else []


def limits_of(wallet: Wallet) -> list[Limit]:
    """The limits of a wallet, with what is used of them."""
    found = with_used([as_limit(row) for row in limit_rows(wallet)], wallet) if wallet.limited_at else []
    if wallet.withdrawal_limit is not None:
        single = Limit(Kind.SINGLE, Period.NONE, None, SetBy.OPERATOR, wallet.withdrawal_limit, None)
        found.append(single)
    return found


def limit_rows(wallet: Wallet) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(LIMITS, {"player": wallet.player_id, "currency": wallet.currency_id})
        return list(cursor.fetchall())


def as_limit(row: tuple[object, ...]) -> Limit:
    """A row of `ledger_limits`; of time, seconds are whole minutes here."""
    _, game_id, kind, period, set_by, amount, pending_amount, pending_at, confirms, since, used = row
    number = None if used is None else int(used)  # type: ignore[call-overload]
    return Limit(
        kind=str(kind),
        period=str(period),
        game_id=game_id,  # type: ignore[arg-type]
        set_by=str(set_by),
        amount=amount,  # type: ignore[arg-type]
        used=number // 60 if number is not None and kind == Kind.TIME else number,
        pending_at=pending_at,  # type: ignore[arg-type]
        pending_amount=pending_amount,  # type: ignore[arg-type]
        needs_confirmation=bool(confirms),
        since=since,  # type: ignore[arg-type]
    )


def with_used(limits: Sequence[Limit], wallet: Wallet) -> list[Limit]:
    """The limits, those too with what is used of them of which only others know that."""
    known: dict[Limit, int] = {}
    for kind, used in USED.items():
        if asked := [limit for limit in limits if limit.kind == kind]:
            known |= dict(zip(asked, used(wallet, asked), strict=True))
    return [replace(limit, used=known.get(limit, limit.used)) for limit in limits]


def change_limit(
    player: Player,
    currency: str,
    name: LimitName,
    *,
    act: str,
    amount: int | None = None,
    actor: str,
    reason: str,
    is_approved: bool = False,
) -> str:
    """Sets a limit to `amount` (`act` set), removes it (remove), confirms what waits (confirm) or takes it
    back (cancel).

    Returns set, removed, requested (it counts later), confirmed, cancelled or unchanged. A limit of the
    operators is loosened by two people, who have agreed if it `is_approved`. Raises `LimitRefused`
    (not_found, too_early, too_many, takes_two).
    """
    if act == "set":
        ledger.open_wallet(player_id=player.pk, currency=currency, actor=actor)
    wallet = Wallet.objects.filter(player=player, currency_id=currency).first()
    if wallet is None:
        raise LimitRefused("not_found")
    if is_gate(name):
        return change_gate(wallet, act, amount, actor=actor, reason=reason, is_approved=is_approved)
    parameters = {
        "player": player.pk,
        "currency": currency,
        "game": name.game.pk if name.game else None,
        "kind": name.kind,
        "period": name.period,
        "set_by": name.set_by,
        "act": act,
        "amount": None if amount is None else Int8(amount),
        "profile": settings.LIMIT_PROFILE,
        "actor": actor,
        "reason": reason,
        "is_approved": is_approved,
    }
    outcome = str(ledger.value(CHANGE_LIMIT, parameters))
    if outcome in REFUSED:
        raise LimitRefused(outcome)
    return outcome


def is_looser(old: int | None, new: int | None) -> bool:
    """Whether a bound leaves more room than another one; None is no bound."""
    return old is not None and (new is None or new > old)


def is_gate(name: LimitName) -> bool:
    """Whether it is the wallet's own bound of a single withdrawal, which the journal has."""
    return name.set_by == SetBy.OPERATOR and name.kind == Kind.SINGLE and name.game is None


def change_gate(
    wallet: Wallet, act: str, amount: int | None, *, actor: str, reason: str, is_approved: bool
) -> str:
    if act == "remove" and wallet.withdrawal_limit is None:
        raise LimitRefused("not_found")
    if act not in ("set", "remove"):
        return "unchanged"
    if not limit_withdrawals(wallet, most=amount, actor=actor, reason=reason, is_approved=is_approved):
        return "unchanged"
    return "set" if amount else "removed"
