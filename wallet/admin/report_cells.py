"""The cells of reports, as pages show them and as files have them, and what their totals say."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from lib.backoffice.formatting import NOTHING, badge, clock, link, name, short_id, wrapped
from lib.backoffice.languages import _, english, ngettext_lazy
from lib.clock import timestamp
from wallet.admin.amounts import bare_cell, digits
from wallet.currencies import decimals_of
from wallet.money import to_major
from wallet.reports.report import Look, Report, Row, Thing, Totals

# What a file says of a report without a row.
NO_ACTIVITY = _("No activity")
PAGES = {
    "wallet": "wallet_wallet_change",
    "player": "players_player_change",
    "game": "players_game_change",
    "transaction": "wallet_transaction_change",
}
ONLY_FIRST = _("Of the first {number} rows: a file has all of them, and the totals at its end.")


# --- On pages -----------------------------------------------------------------------------------------


def headers(report: Report) -> list[Any]:
    """The columns' names; the last column says what is wrong with a row, where something can be."""
    found = [column.label for column in report.columns]
    return [*found, _("Check")] if report.at_fault else found


def shown_row(report: Report, row: Row) -> list[Any]:
    """A row by `headers`."""
    cells = [
        shown(value, column.look, row.currency)
        for value, column in zip(row.values, report.columns, strict=True)
    ]
    return [*cells, verdict(row.fault)] if report.at_fault else cells


def is_number(report: Report, place: int) -> bool:
    """Whether the column there has amounts or numbers."""
    return place < len(report.columns) and report.columns[place].look in (Look.AMOUNT, Look.NUMBER)


def shown(value: Any, look: Look, currency: str) -> Any:
    """One value."""
    if isinstance(value, Thing) and look is Look.ID:
        return link(short_id(value.id), PAGES[value.kind], value.id)
    if isinstance(value, Thing):
        words = name(value.text)
        return link(words, PAGES[value.kind], value.id) if value.kind else words
    if look is Look.AMOUNT:
        return bare_cell(value, currency)
    if look is Look.NUMBER:
        return digits(f"{value:,}" if isinstance(value, int) else value or NOTHING)
    if look is Look.TIME:
        return clock(value)
    return wrapped(value)


def verdict(fault: Any) -> Any:
    return wrapped(fault) if fault else badge(_("in order"), "success")


def total_rows(report: Report, totals: Totals) -> list[list[Any]]:
    """The sums by `headers`, a row for each currency; none if nothing is summed up."""
    rows = [shown_row(report, row) for row in sums(report, totals, _("total"))]
    return [[*row[:-1], ""] for row in rows] if report.at_fault else rows


def sums(report: Report, totals: Totals, word: Any) -> Iterator[Row]:
    """The totals as rows: the first column has the word."""

    def value(number: int, look: Look, code: str) -> Any:
        if number in totals.sums[code]:
            return totals.sums[code][number]
        if look is Look.CURRENCY:
            return code
        return Thing(word, "", None) if number == 0 else None

    for code in sorted(totals.sums):
        values = [value(number, column.look, code) for number, column in enumerate(report.columns)]
        yield Row(tuple(values), code)


def verdict_on(report: Report, totals: Totals) -> Any:
    """Whether all rows are in order, in a sentence, if they are checked."""
    if not report.at_fault:
        return ""
    return report.at_fault(totals.faults) if totals.faults else report.in_order


def counted(totals: Totals) -> Any:
    """Of how many rows that and the sums are."""
    if not totals.is_whole:
        return ONLY_FIRST.format(number=f"{totals.rows:,}")
    words = ngettext_lazy("{number} row.", "{number} rows.", totals.rows)
    return words.format(number=f"{totals.rows:,}")


# --- In files -----------------------------------------------------------------------------------------


def file_headers(report: Report) -> list[str]:
    with english():
        return [str(label) for label in headers(report)]


def file_rows(report: Report, rows: Iterator[Row]) -> Iterator[Sequence[Any]]:
    """The rows, read while the file is sent; then the totals, and how many rows there were: a file without
    that line was cut off.
    """
    totals = Totals()
    for row in rows:
        totals.add(report, row)
        yield plain_row(report, row)
    if not totals.rows:
        yield [plain(NO_ACTIVITY, Look.TEXT, "")]
    for row in sums(report, totals, "total"):
        yield plain_row(report, row)[: len(report.columns)]
    yield ["rows", totals.rows]
    if report.at_fault:
        yield ["rows at fault", totals.faults]


def plain_row(report: Report, row: Row) -> list[Any]:
    """A row by `file_headers`."""
    cells = [
        plain(value, column.look, row.currency)
        for value, column in zip(row.values, report.columns, strict=True)
    ]
    return [*cells, plain(row.fault or "in order", Look.TEXT, "")] if report.at_fault else cells


def plain(value: Any, look: Look, currency: str) -> Any:
    """One value: amounts in major units with the currency's decimals, times in UTC, texts in English."""
    if value is None:
        return ""
    if look is Look.AMOUNT:
        return to_major(value, decimals_of(currency) or 0)
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, int):
        return value
    with english():
        return str(value.text if isinstance(value, Thing) else value)
