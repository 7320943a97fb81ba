"""Dormant accounts: wallets to which nothing has happened for long, and what they hold."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from lib.backoffice.languages import _
from lib.standby import reader
from players.models import GameSession
from wallet.models import Wallet
from wallet.reports.account_summary import AT_ONCE, BEFORE_ALL, MOST_TURNS, Summary, read_wallets
from wallet.reports.report import Asked, Batch, Column, Look, Report, Row, Thing

# The last line of each wallet before a moment, looked for from the end: behind it there are few.
LAST_LINES = """
    SELECT named.wallet_id, line.at
    FROM unnest(%(wallets)s::uuid[], %(players)s::uuid[]) AS named (wallet_id, player_id)
    CROSS JOIN LATERAL (
        SELECT entry.at FROM wallet_entry entry
        WHERE entry.player_id = named.player_id AND entry.wallet_id = named.wallet_id
            AND entry.at < %(since)s
        ORDER BY entry.seq DESC LIMIT 1
    ) line
"""


def read(asked: Asked, place: str, size: int) -> Batch:
    """The dormant wallets behind a place; a bounded number of others is passed over."""
    quiet = quiet_time(asked)
    after, rows = UUID(place) if place else BEFORE_ALL, list[Row]()
    for _turn in range(MOST_TURNS):
        wallets = read_wallets(quiet, after, AT_ONCE)
        for row in dormant(quiet, wallets):
            rows.append(row)
            if len(rows) == size:
                return Batch(rows, str(row.values[0].id))
        if len(wallets) < AT_ONCE:
            return Batch(rows)
        after = wallets[-1].id
    return Batch(rows, str(after))


def quiet_time(asked: Asked) -> Asked:
    """The same, of the days before the end of the period in which nothing may have happened."""
    since = asked.period.until - timedelta(days=settings.DORMANT_DAYS)
    return replace(asked, period=replace(asked.period, since=since))


def dormant(quiet: Asked, wallets: Sequence[Summary]) -> Iterable[Row]:
    """Those of some wallets to which nothing happened, and whose player had no session."""
    silent = [one for one in wallets if not one.lines]
    players = dict(Wallet.objects.filter(pk__in=[one.id for one in silent]).values_list("pk", "player_id"))
    came = set(
        GameSession.objects.filter(
            player_id__in=set(players.values()),
            created_at__gte=quiet.period.since,
            created_at__lt=quiet.period.until,
        ).values_list("player_id", flat=True)
    )
    found = [one for one in silent if players[one.id] not in came]
    lines = last_lines({one.id: players[one.id] for one in found}, quiet.period.since)
    for one in found:
        values: tuple[Any, ...] = (
            Thing(one.uid, "wallet", one.id),
            one.currency,
            one.closing,
            lines.get(one.id),
        )
        yield Row(values, one.currency)


def last_lines(players: dict[UUID, UUID], since: datetime) -> dict[UUID, datetime]:
    """When something happened last to each wallet before a moment."""
    given: dict[str, Any] = {"wallets": list(players), "players": list(players.values()), "since": since}
    with reader().cursor() as cursor:
        cursor.execute(LAST_LINES, given)
        return dict(cursor.fetchall())


REPORT = Report(
    name="dormant-accounts",
    title=_("Dormant accounts"),
    question=_("To which wallets has nothing happened for long, and what do they hold?"),
    rule="GLI-19 3.0, A.3.9; Pennsylvania 811a.9",
    note=_(
        "As it was at the end of the period: no line in the wallet's journal and no session of the player in "
        "the days before (the setting DORMANT_DAYS). A balance is what is spendable and reserved, less debt."
    ),
    columns=(
        Column(_("Player")),
        Column(_("Currency"), Look.CURRENCY),
        Column(_("Balance"), Look.AMOUNT, is_summed=True),
        Column(_("Last line (UTC)"), Look.TIME),
    ),
    permissions=("wallet.view_closedday", "wallet.view_wallet", "players.view_player"),
    read=read,
)
