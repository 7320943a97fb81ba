"""What moved today and before, in each currency and each game, who played, and what players are owed."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import Any, NamedTuple

from django.http import QueryDict

from config.home.charts import Chart, chart
from config.home.figures import (
    MOST_GAMES,
    Account,
    Choice,
    Figures,
    GameRow,
    Moved,
    Offered,
    Totals,
    read_choice,
    read_figures,
    read_offered,
)
from lib.backoffice.formatting import link, moment
from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.pages import Section
from wallet.admin.amounts import amount_cell, bare_cell
from wallet.currencies import show_amount
from wallet.models import ClosedDay

# Currencies that are shown at once; the filter shows the others.
MOST_CURRENCIES = 6
OWED_HEADERS = (
    _("Currency"),
    _("Spendable"),
    _("Reserved"),
    _("Announced"),
    _("Together"),
    _("Debt of players"),
)
# Each day up to the same hour but for the first column, or every morning would look like a loss.
COMPARED = (
    _("Today so far"),
    _("Today until {hour}"),
    _("Yesterday until {hour}"),
    _("A week ago until {hour}"),
)
GAME_HEADERS = (
    _("Game"),
    _("Spent so far"),
    _("Won so far"),
    _("Net until {hour}"),
    _("Yesterday until {hour}"),
    _("A week ago until {hour}"),
)
NO_MONEY = _("No money has moved on these days.")
NO_PLAYERS = _("Nobody has played on these days.")
NO_MONEY_YET = _("No money has moved today, nor until {hour} on the days before.")
NO_PLAYERS_YET = _("Nobody has played today, nor until {hour} on the days before.")
NO_WALLETS = _("No wallet has been opened yet.")


class Line(NamedTuple):
    """One line of what moved: how much it is of a day, in minor units, by what its accounts were moved."""

    label: str
    amount: Callable[[Callable[[str], Moved]], int]


LINES = (
    Line(_("Paid in"), lambda of: of(Account.PROVIDER_CLEARING).debits),
    Line(_("Paid back: refunds and chargebacks"), lambda of: of(Account.PROVIDER_CLEARING).credits),
    Line(_("Credited for payments"), lambda of: of(Account.ISSUANCE).debits),
    Line(_("Spent in games, and items sold"), lambda of: of(Account.GAME_REVENUE).credits),
    Line(_("Won in games"), lambda of: of(Account.GAME_PAYOUT).debits),
    Line(
        _("Net of games: spent less won"),
        lambda of: (
            of(Account.GAME_REVENUE).credits
            - of(Account.GAME_REVENUE).debits
            - of(Account.GAME_PAYOUT).debits
            + of(Account.GAME_PAYOUT).credits
        ),
    ),
    Line(_("Credited by operators"), lambda of: of(Account.ADJUSTMENTS).debits),
    Line(_("Debited by operators"), lambda of: of(Account.ADJUSTMENTS).credits),
    Line(_("Debt written off"), lambda of: of(Account.WRITE_OFF).debits),
)
CHARTED = (LINES[0], LINES[3], LINES[4])


class Charts(NamedTuple):
    """Pictures of the last days, and the table that says the same."""

    title: str
    pictures: list[Chart]
    table: Section


class Money(NamedTuple):
    """The page's part about money, as its template shows it."""

    offered: Offered
    choice: Choice
    notes: list[str]
    sections: list[Section]
    charts: list[Charts]


def read_money(asked: QueryDict, at: datetime) -> Money:
    """At the moment `at`, filtered as the page's address asks."""
    offered = read_offered()
    choice = read_choice(asked, offered)
    figures = read_figures(choice, at)
    codes = sorted({code for _, code, _ in figures.totals})
    shown = codes[:MOST_CURRENCIES]
    return Money(
        offered,
        choice,
        notes(figures, choice, codes[MOST_CURRENCIES:]),
        [
            owed_section(figures),
            *(moved_section(code, figures) for code in shown),
            games_section(figures),
            activity_section(figures),
        ],
        [*(currency_charts(code, figures) for code in shown), activity_charts(figures)],
    )


def notes(figures: Figures, choice: Choice, left_out: list[str]) -> list[str]:
    """What must be known to read the figures."""
    found = []
    if figures.read_up_to:
        found.append(_("Today is summed up to {moment}.").format(moment=moment(figures.read_up_to)))
        found.append(compared_until(figures))
    else:
        found.append(_("Today is not summed up yet: the job does that every minute."))
    found.append(_("Test players are counted in.") if choice.with_test else _("Test players are left out."))
    if figures.unfinished:
        words = ngettext_lazy(
            "{number} earlier day is not summed up yet, and counts as nothing.",
            "{number} earlier days are not summed up yet, and count as nothing.",
            figures.unfinished,
        )
        found.append(words.format(number=figures.unfinished))
    if left_out:
        found.append(_("Not shown at once: {codes}. Choose one to see it.").format(codes=", ".join(left_out)))
    return found


def compared_until(figures: Figures) -> str:
    """Up to when the days are compared, in a sentence."""
    if not figures.until:
        return _("No hour of today is over yet that the days before could be compared with.")
    return _("The days before are compared until {hour} UTC, the last full hour.").format(hour=hour(figures))


def hour(figures: Figures) -> str:
    """The hour up to which days are compared, as a clock shows it."""
    return f"{figures.until:02}:00"


def until(figures: Figures, words: Iterable[str]) -> tuple[str, ...]:
    """Texts that name the hour up to which days are compared."""
    return tuple(text.format(hour=hour(figures)) for text in words)


def amount_of(line: Line, code: str, day: date, totals: Totals) -> int:
    return line.amount(lambda account: totals.get((day, code, account), Moved()))


def moved_section(code: str, figures: Figures) -> Section:
    """What moved in a currency today, and by the same hour on the days; a line for what moved at all."""
    moved = [
        (
            line.label,
            [
                amount_of(line, code, figures.today, figures.totals),
                *(amount_of(line, code, day, figures.compared) for day in figures.days),
            ],
        )
        for line in LINES
    ]
    rows = [
        (label, *(bare_cell(amount, code) for amount in amounts)) for label, amounts in moved if any(amounts)
    ]
    title, headers = _("{code} moved").format(code=code), (_("In the currency"), *until(figures, COMPARED))
    return Section(ClosedDay, title, headers, rows, NO_MONEY_YET.format(hour=hour(figures)))


def games_section(figures: Figures) -> Section:
    rows = [game_row(row) for row in figures.games[:MOST_GAMES]]
    title = _("Games")
    if len(figures.games) > MOST_GAMES:
        title = _("The {number} games that moved most").format(number=MOST_GAMES)
    headers = until(figures, GAME_HEADERS)
    return Section(ClosedDay, title, headers, rows, NO_PLAYERS_YET.format(hour=hour(figures)))


def game_row(row: GameRow) -> tuple[Any, ...]:
    """A game by `GAME_HEADERS`."""
    amounts = (row.spent, row.won, *row.net)
    name = link(row.name, "players_game_change", row.id)
    return name, *(amount_cell(amount, row.currency) for amount in amounts)


def activity_section(figures: Figures) -> Section:
    counts = [
        figures.activity.get(figures.today, (0, 0)),
        *(figures.came.get(day, (0, 0)) for day in figures.days),
    ]
    rows = [
        (_("Active players"), *(f"{players:,}" for players, _ in counts)),
        (_("Active sessions"), *(f"{sessions:,}" for _, sessions in counts)),
    ]
    is_empty = not any(sessions for _, sessions in counts)
    return Section(
        ClosedDay,
        _("Players and sessions"),
        (_("Who played"), *until(figures, COMPARED)),
        [] if is_empty else rows,
        NO_PLAYERS_YET.format(hour=hour(figures)),
    )


def currency_charts(code: str, figures: Figures) -> Charts:
    """Pictures of what came in, was spent and was won; the table has every line."""
    days = figures.charted
    pictures = [
        chart(line.label, {day: amount_of(line, code, day, figures.totals) for day in days}, money_in(code))
        for line in CHARTED
    ]
    lines = LINES[:6]
    rows = [
        (str(day), *(bare_cell(amount_of(line, code, day, figures.totals), code) for line in lines))
        for day in reversed(days)
    ]
    headers = (_("Day (UTC)"), *(line.label for line in lines))
    table = Section(ClosedDay, _("{code} by day").format(code=code), headers, rows, NO_MONEY)
    return Charts(_("{code} in the last 30 days").format(code=code), [one for one in pictures if one], table)


def money_in(code: str) -> Callable[[int], str]:
    return lambda amount: show_amount(amount, code)


def activity_charts(figures: Figures) -> Charts:
    counts = {day: figures.activity.get(day, (0, 0)) for day in figures.charted}
    pictures = [
        chart(_("Active players"), {day: players for day, (players, _) in counts.items()}, "{:,}".format),
        chart(_("Active sessions"), {day: sessions for day, (_, sessions) in counts.items()}, "{:,}".format),
    ]
    rows = [
        (str(day), f"{players:,}", f"{sessions:,}") for day, (players, sessions) in reversed(counts.items())
    ]
    table = Section(
        ClosedDay,
        _("Players by day"),
        (_("Day (UTC)"), _("Active players"), _("Active sessions")),
        rows,
        NO_PLAYERS,
    )
    return Charts(_("Players in the last 30 days"), [one for one in pictures if one], table)


def owed_section(figures: Figures) -> Section:
    """What players are owed, as it was a few minutes ago."""
    title = _("Owed to players at {moment}").format(moment=moment(figures.weighed_at))
    if not figures.weighed_at:
        title = _("Owed to players")
    rows = [owed_row(code, held) for code, held in figures.liabilities.items()]
    return Section(ClosedDay, title, OWED_HEADERS, rows, NO_WALLETS)


def owed_row(code: str, held: dict[str, int]) -> tuple[Any, ...]:
    """A currency by `OWED_HEADERS`."""
    parts = [held[name] for name in ("spendable", "reserved", "announced")]
    return code, *(bare_cell(amount, code) for amount in (*parts, sum(parts), held["debt"]))
