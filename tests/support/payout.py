"""A game of its own with bounds on what it may pay out."""

from lib.clock import now
from tests.support.callers import PlayerSession, make_party
from wallet.models import Currency, PayoutCounter, PayoutLimit
from wallet.payout_limits import set_payout_limit, with_net_payout


def limit(seat: PlayerSession, *, largest: int | None = None, daily: int | None = None) -> PayoutLimit:
    """The bounds of the session's game in its currency from now on, in minor units."""
    return set_payout_limit(
        seat.game,
        Currency.objects.get(code=seat.currency),
        largest_deposit=largest,
        daily_payout=daily,
    )


def net_payout_today(row: PayoutLimit) -> int:
    """What the game has paid out net today, in minor units."""
    return int(with_net_payout(PayoutLimit.objects.filter(pk=row.pk)).get().net_today)  # type: ignore[attr-defined]


def counters(row: PayoutLimit) -> list[int]:
    """What each counter of today has counted."""
    today = PayoutCounter.objects.filter(game=row.game, currency=row.currency, day=now().date())
    return [int(net) for net in today.order_by("number").values_list("net", flat=True)]


def bounded() -> PayoutLimit:
    """A game that nobody plays, with both bounds."""
    silver = Currency.objects.get(code="XAG")
    return set_payout_limit(make_party().game, silver, largest_deposit=50_00, daily_payout=1000_00)
