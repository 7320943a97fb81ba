"""A player's limits (contract 2.5): what they are, and how they are changed.

The ledger holds withdrawals to them (`wallet/sql/limits.sql`); payments hold orders to them.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import connection
from psycopg.types.numeric import Int8

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
BY_PLAYER = "Asked for by the player."
REFUSED = ("not_found", "too_early", "too_many")


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


# What of deposit and balance limits is used, which payments know: by wallet and limit.
Used = Callable[[Wallet, Limit], int]
USED: dict[str, Used] = {}


def read_limits(player: Player, currency: str) -> list[Limit]:
    """A player's limits in one currency, with what is used of them."""
    wallet = Wallet.objects.filter(player=player, currency_id=currency).first()
    return limits_of(wallet) if wallet else []


def limits_of(wallet: Wallet) -> list[Limit]:
    """The limits of a wallet, with what is used of them."""
    found = [as_limit(row, wallet) for row in limit_rows(wallet)] if wallet.limited_at else []
    if wallet.withdrawal_limit is not None:
        single = Limit(Kind.SINGLE, Period.NONE, None, SetBy.OPERATOR, wallet.withdrawal_limit, None)
        found.append(single)
    return found


def limit_rows(wallet: Wallet) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(LIMITS, {"player": wallet.player_id, "currency": wallet.currency_id})
        return list(cursor.fetchall())


def as_limit(row: tuple[object, ...], wallet: Wallet) -> Limit:
    """A row of `ledger_limits`."""
    _, game_id, kind, period, set_by, amount, pending_amount, pending_at, confirms, since, used = row
    limit = Limit(
        kind=str(kind),
        period=str(period),
        game_id=game_id,  # type: ignore[arg-type]
        set_by=str(set_by),
        amount=amount,  # type: ignore[arg-type]
        used=None,
        pending_at=pending_at,  # type: ignore[arg-type]
        pending_amount=pending_amount,  # type: ignore[arg-type]
        needs_confirmation=bool(confirms),
        since=since,  # type: ignore[arg-type]
    )
    return with_used(limit, wallet, used)


def with_used(limit: Limit, wallet: Wallet, used: object) -> Limit:
    """The limit with what is used of it: seconds of time as whole minutes, and what only payments know."""
    if limit.kind == Kind.TIME:
        number: int | None = int(used) // 60  # type: ignore[call-overload]
    elif limit.kind in USED:
        number = USED[limit.kind](wallet, limit)
    else:
        number = None if used is None else int(used)  # type: ignore[call-overload]
    return replace(limit, used=number)


def change_limit(
    player: Player,
    currency: str,
    name: LimitName,
    *,
    act: str,
    amount: int | None = None,
    actor: str,
    reason: str,
) -> str:
    """Sets a limit to `amount` (`act` set), removes it (remove), confirms what waits (confirm) or takes it
    back (cancel).

    Returns set, removed, requested (it counts later), confirmed, cancelled or unchanged. Raises
    `LimitRefused` (not_found, too_early, too_many).
    """
    if act == "set":
        ledger.open_wallet(player_id=player.pk, currency=currency, actor=actor)
    wallet = Wallet.objects.filter(player=player, currency_id=currency).first()
    if wallet is None:
        raise LimitRefused("not_found")
    if is_gate(name):
        return change_gate(wallet, act, amount, actor=actor, reason=reason)
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
    }
    outcome = str(ledger.value(CHANGE_LIMIT, parameters))
    if outcome in REFUSED:
        raise LimitRefused(outcome)
    return outcome


def is_gate(name: LimitName) -> bool:
    """Whether it is the wallet's own bound of a single withdrawal, which the journal has."""
    return name.set_by == SetBy.OPERATOR and name.kind == Kind.SINGLE and name.game is None


def change_gate(wallet: Wallet, act: str, amount: int | None, *, actor: str, reason: str) -> str:
    if act == "remove" and wallet.withdrawal_limit is None:
        raise LimitRefused("not_found")
    if not limit_withdrawals(wallet, most=amount, actor=actor, reason=reason):
        return "unchanged"
    return "set" if amount else "removed"
