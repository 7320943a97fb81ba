"""A game of its own with bounds on what it may pay out."""

from lib.clock import now
from tests.support.callers import PlayerSession, make_party
from wallet.models import PayoutCounter, PayoutLimit
from wallet.payout_limits import with_net_payout


def limit(seat: PlayerSession, *, largest: int | None = None, daily: int | None = None) -> PayoutLimit:
    """The bounds of the session's game in its currency from now on, in minor units."""
    limits = {"largest_deposit": largest, "daily_payout": daily}
    rows = PayoutLimit.objects.filter(game=seat.game, currency=seat.currency)
    if not rows.update(**limits):
        PayoutLimit.objects.create(game=seat.game, currency_id=seat.currency, **limits)
    return rows.get()


def net_payout_today(row: PayoutLimit) -> int:
    """What the game has paid out net today, in minor units."""
    return int(with_net_payout(PayoutLimit.objects.filter(pk=row.pk)).get().net_today)  # type: ignore[attr-defined]


def counters(row: PayoutLimit) -> list[int]:
    """What each counter of today has counted."""
    today = PayoutCounter.objects.filter(game=row.game, currency=row.currency, day=now().date())
    return [int(net) for net in today.order_by("number").values_list("net", flat=True)]


def bounded() -> PayoutLimit:
    """A game that nobody plays, with both bounds."""
    return PayoutLimit.objects.create(
        game=make_party().game, currency_id="XAG", largest_deposit=50_00, daily_payout=1000_00
    )
