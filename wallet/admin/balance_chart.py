"""What each wallet of a player held at the end of each of the last days: drawn, and as a table."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple

from lib.backoffice.languages import _
from lib.clock import now
from players.models import Player
from wallet.archive.entries import ArchiveAway
from wallet.currencies import show_amount
from wallet.models import Wallet
from wallet.statement import balances_at

DAYS = 30
# The wallets that are drawn: those used last.
MOST_CHARTS = 3
WIDTH, HEIGHT = 600, 80
SUMMARY = _(
    "Spendable {code} at the ends of the last {days} days: now {now}, lowest {lowest}, highest {highest}."
)


class Chart(NamedTuple):
    """A wallet's spendable balance over time. `line` are points of a drawing of `WIDTH` by `HEIGHT`."""

    title: str
    summary: str
    line: str
    highest: str
    lowest: str
    rows: Sequence[tuple[str, str]]


def charts_of(player: Player, wallets: Sequence[Wallet]) -> list[Chart]:
    """The charts of the wallets with the longest journals that have held anything lately."""
    chosen = sorted(wallets, key=lambda wallet: -wallet.entry_count)[:MOST_CHARTS]
    if not chosen:
        return []
    at = now()
    moments = ends_of_days(at)
    try:
        known = balances_at(player, [wallet.pk for wallet in chosen], moments)
    except ArchiveAway:
        # The statement below says so.
        return []
    drawn = []
    for wallet in chosen:
        balances = [*(known[wallet.pk, moment] for moment in moments), wallet.spendable]
        drawn += [chart(wallet.currency_id, [*moments, at], balances)] if any(balances) else []
    return drawn


def ends_of_days(at: datetime) -> list[datetime]:
    """The ends of the last days (UTC), the oldest first."""
    today = datetime.combine(at.date(), time(), at.tzinfo)
    return [today - timedelta(days=days) for days in range(DAYS - 1, -1, -1)]


def chart(code: str, moments: Sequence[datetime], balances: Sequence[int]) -> Chart:
    """The chart of one wallet, by what it held at some moments, in minor units."""
    lowest, highest = min(balances), max(balances)
    summary = SUMMARY.format(
        code=code,
        days=DAYS,
        now=show_amount(balances[-1], code),
        lowest=show_amount(lowest, code),
        highest=show_amount(highest, code),
    )
    days = [f"{moment - timedelta(microseconds=1):%Y-%m-%d}" for moment in moments[:-1]] + [_("now")]
    rows = [(day, show_amount(balance, code)) for day, balance in zip(days, balances, strict=True)]
    line = points(balances, lowest, highest)
    return Chart(code, summary, line, show_amount(highest, code), show_amount(lowest, code), rows[::-1])


def points(balances: Sequence[int], lowest: int, highest: int) -> str:
    """Steps from left to right: a balance stays until it changes."""
    span = max(highest - lowest, 1)
    heights = [HEIGHT - (balance - lowest) * HEIGHT // span for balance in balances]
    places = [WIDTH * number // (len(balances) - 1) for number in range(len(balances))]
    corners = [f"{places[0]},{heights[0]}"]
    for (_start, before), (place, after) in pairwise(zip(places, heights, strict=True)):
        corners += [f"{place},{before}", f"{place},{after}"]
    return " ".join(corners)
