"""Game totals: what players spent and won in each game."""

from collections import Counter
from uuid import UUID

from lib.backoffice.formatting import NOTHING
from lib.backoffice.languages import _
from players.models import Game
from wallet.models import Entry
from wallet.reports.moved import net_between
from wallet.reports.report import Asked, Batch, Column, Look, Report, Row, Thing

Account = Entry.Account


def read(asked: Asked, place: str, size: int) -> Batch:
    """A row for each game and currency that it moved: they are summed up beforehand, and all come at once."""
    period, game = asked.period, asked.game
    net = net_between(period.since, period.until, currency=asked.currency, game=game.pk if game else None)
    spent, won = Counter[tuple[UUID | None, str]](), Counter[tuple[UUID | None, str]]()
    for account, moved in net.items():
        if account.name == Account.GAME_REVENUE:
            spent[account.game_id, account.currency] += moved
        if account.name == Account.GAME_PAYOUT:
            won[account.game_id, account.currency] -= moved
    games = Game.objects.in_bulk({game_id for game_id, _code in spent.keys() | won.keys() if game_id})
    rows = [
        row(games.get(key[0]) if key[0] else None, key[1], spent[key], won[key])
        for key in spent.keys() | won.keys()
    ]
    return Batch(sorted(rows, key=lambda row: (str(row.values[0].text), row.currency)))


def row(game: Game | None, code: str, spent: int, won: int) -> Row:
    """A game in a currency by the report's columns."""
    name = Thing(game.name, "game", game.pk) if game else Thing(NOTHING, "", None)
    return Row((name, code, spent, won, spent - won, share(won, spent)), code)


def share(won: int, spent: int) -> str:
    """What was won in per cent of what was spent, rounded down to hundredths; empty if nothing was spent."""
    if spent <= 0:
        return ""
    hundredths = won * 10_000 // spent
    return f"{hundredths // 100}.{hundredths % 100:02} %"


REPORT = Report(
    name="game-totals",
    title=_("Game totals"),
    question=_("What did players spend and win in each game?"),
    rule="GLI-19 3.0, 2.9.2",
    note=_(
        "Spent counts once a game has confirmed it, with items that were paid for directly; won once it is "
        "paid out. What was corrected afterwards counts when it was corrected."
    ),
    columns=(
        Column(_("Game")),
        Column(_("Currency"), Look.CURRENCY),
        Column(_("Spent in games, and items sold"), Look.AMOUNT, is_summed=True),
        Column(_("Won in games"), Look.AMOUNT, is_summed=True),
        Column(_("Net of games: spent less won"), Look.AMOUNT, is_summed=True),
        Column(_("Won of spent"), Look.NUMBER),
    ),
    permissions=("wallet.view_closedday", "players.view_game"),
    read=read,
    by_game=True,
)
