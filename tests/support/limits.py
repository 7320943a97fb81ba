"""Players with limits."""

from players.models import Game
from tests.support.callers import PlayerSession
from wallet.limits import Limit, LimitName, change_limit, read_limits

ALL = "00000000-0000-0000-0000-000000000000"


def change(
    seat: PlayerSession,
    kind: str,
    period: str,
    act: str,
    amount: int | None = None,
    *,
    game: Game | None = None,
    set_by: str = "player",
    is_approved: bool = False,
) -> str:
    """A limit of the session's player in its currency is changed; `amount` in minor units or minutes."""
    name = LimitName(kind, period, game, set_by)
    said = {"actor": "tests", "reason": "", "is_approved": is_approved}
    return change_limit(seat.player, seat.currency, name, act=act, amount=amount, **said)  # type: ignore[arg-type]


def limit(seat: PlayerSession, kind: str, period: str, amount: int, **more: object) -> None:
    """A limit that counts at once."""
    assert change(seat, kind, period, "set", amount, **more) == "set"  # type: ignore[arg-type]


def standing(seat: PlayerSession, kind: str, period: str, set_by: str = "player") -> Limit | None:
    """The player's limit of this kind, of all games, as it stands."""
    found = [
        one
        for one in read_limits(seat.player, seat.currency)
        if (one.kind, one.period, one.game_id, one.set_by) == (kind, period, None, set_by)
    ]
    return found[0] if found else None


def used(seat: PlayerSession, kind: str, period: str) -> int | None:
    found = standing(seat, kind, period)
    assert found is not None
    return found.used


def make_limits(seat: PlayerSession) -> None:
    """Limits of all kinds and of both, with changes that wait and changes that are over."""
    limit(seat, "deposit", "month", 500_00)
    limit(seat, "spend", "day", 50_00)
    change(seat, "spend", "day", "set", 80_00)
    limit(seat, "spend", "rolling", 40_00, game=seat.game)
    change(seat, "spend", "rolling", "remove", game=seat.game)
    change(seat, "spend", "rolling", "cancel", game=seat.game)
    change(seat, "spend", "rolling", "remove", game=seat.game)
    limit(seat, "loss", "week", 60_00, set_by="operator")
    limit(seat, "balance", "", 900_00, set_by="operator")
    limit(seat, "single", "", 30_00, set_by="operator")
    limit(seat, "time", "day", 90)
