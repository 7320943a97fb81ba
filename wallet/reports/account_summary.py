"""Account summary: what each wallet held before and after the period, and what lies between."""

from typing import Any, NamedTuple
from uuid import UUID

from lib.backoffice.languages import _, ngettext_lazy
from lib.standby import reader
from wallet.reports.report import Asked, Batch, Column, Look, Report, Row, Thing

OWN = "('spendable', 'reserved', 'debt')"
# A batch looks for those that have moved through so many wallets at once, and so often at most.
AT_ONCE, MOST_TURNS = 100, 40
BEFORE_ALL = UUID(int=0)

# Where each wallet's journal stands before two moments is found by halving, as `wallet.statement` does it:
# its numbers have no gap. Where one is missing, halving ends too early, and the wallet is not found.
# A line must be what the line before it and its own movement say, in each of the player's accounts.
WALLETS = f"""
    WITH RECURSIVE chosen AS (
        SELECT w.id, w.player_id, w.currency_id, w.entry_count, w.spendable, w.reserved, w.debt, p.uid
        FROM wallet_wallet w JOIN players_player p ON p.id = w.player_id
        WHERE NOT p.is_test AND w.id > %(after)s AND w.opened_at < %(until)s
            AND (%(currency)s = '' OR w.currency_id = %(currency)s)
        ORDER BY w.id LIMIT %(size)s
    ), halved AS (
        SELECT id, player_id, is_end, moment, 0::bigint AS low, entry_count + 1 AS high
        FROM chosen
        CROSS JOIN (VALUES (false, %(since)s::timestamptz), (true, %(until)s)) AS ends (is_end, moment)
        UNION ALL
        SELECT halved.id, halved.player_id, is_end, moment,
            CASE WHEN entry.at < moment THEN entry.seq ELSE low END,
            CASE WHEN entry.at < moment THEN high ELSE entry.seq END
        FROM halved JOIN wallet_entry entry
            ON entry.player_id = halved.player_id AND entry.wallet_id = halved.id
            AND entry.seq = (low + high) / 2
        WHERE high - low > 1
    ), places AS (
        SELECT id, coalesce(max(low) FILTER (WHERE NOT is_end), 0) AS first,
            coalesce(max(low) FILTER (WHERE is_end), 0) AS last,
            greatest(min(high - low) FILTER (WHERE NOT is_end), min(high - low) FILTER (WHERE is_end)) = 1
                AS is_found
        FROM halved GROUP BY id
    )
    SELECT chosen.id, chosen.uid, chosen.currency_id,
        coalesce(opening.spendable + opening.reserved - opening.debt, 0),
        paid_in, won, spent, refunded, adjusted,
        coalesce(closing.spendable + closing.reserved - closing.debt, 0),
        coalesce(opening.reserved, 0), coalesce(closing.reserved, 0),
        last - first,
        is_found AND is_chained AND lines = last - first
            AND (last < chosen.entry_count
                OR (closing.spendable, closing.reserved, closing.debt)
                    IS NOT DISTINCT FROM (chosen.spendable, chosen.reserved, chosen.debt))
    FROM chosen JOIN places ON places.id = chosen.id
    LEFT JOIN wallet_entry opening ON opening.wallet_id = chosen.id AND opening.player_id = chosen.player_id
        AND opening.seq = first
    LEFT JOIN wallet_entry closing ON closing.wallet_id = chosen.id AND closing.player_id = chosen.player_id
        AND closing.seq = last
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(change) FILTER (WHERE debit = 'issuance'), 0) AS paid_in,
            coalesce(-sum(change) FILTER (WHERE credit = 'issuance'), 0) AS refunded,
            coalesce(-sum(change) FILTER (WHERE 'game_revenue' IN (debit, credit)), 0) AS spent,
            coalesce(sum(change) FILTER (WHERE 'game_payout' IN (debit, credit)), 0) AS won,
            coalesce(sum(change) FILTER (
                WHERE 'adjustments' IN (debit, credit) OR 'write_off' IN (debit, credit)), 0) AS adjusted,
            coalesce(bool_and(is_next), true) AS is_chained,
            count(*) AS lines
        FROM (
            SELECT entry.seq, entry.debit, entry.credit,
                CASE WHEN entry.credit IN {OWN} THEN entry.amount ELSE 0 END
                    - CASE WHEN entry.debit IN {OWN} THEN entry.amount ELSE 0 END AS change,
                entry.spendable = lag(entry.spendable, 1, 0::bigint) OVER numbered
                    + CASE 'spendable' WHEN entry.credit THEN entry.amount WHEN entry.debit THEN -entry.amount
                        ELSE 0 END
                AND entry.reserved = lag(entry.reserved, 1, 0::bigint) OVER numbered
                    + CASE 'reserved' WHEN entry.credit THEN entry.amount WHEN entry.debit THEN -entry.amount
                        ELSE 0 END
                AND entry.debt = lag(entry.debt, 1, 0::bigint) OVER numbered
                    + CASE 'debt' WHEN entry.debit THEN entry.amount WHEN entry.credit THEN -entry.amount
                        ELSE 0 END AS is_next
            FROM wallet_entry entry
            WHERE entry.player_id = chosen.player_id AND entry.wallet_id = chosen.id
                AND entry.seq BETWEEN first AND last
            WINDOW numbered AS (ORDER BY entry.seq)
        ) line
        WHERE line.seq > first
    ) moved
    ORDER BY chosen.id
"""  # noqa: S608 (our own constants)


class Summary(NamedTuple):
    """A wallet by `WALLETS`: amounts in minor units; what is reserved is a part of what is held, and waits
    for games. `lines` are those of its journal in the period.
    """

    id: UUID
    uid: str
    currency: str
    opening: int
    paid_in: int
    won: int
    spent: int
    refunded: int
    adjusted: int
    closing: int
    opening_reserved: int
    closing_reserved: int
    lines: int
    is_in_order: bool

    @property
    def difference(self) -> int:
        """What is held at the end beyond what the movements come to."""
        moved = self.paid_in + self.won - self.spent - self.refunded + self.adjusted
        return self.closing - self.opening - moved

    @property
    def adds_up(self) -> bool:
        return self.is_in_order and self.difference == 0


def read_wallets(asked: Asked, after: UUID, size: int) -> list[Summary]:
    """So many wallets of players who are no test players, in the order of their ids, behind `after`."""
    given: dict[str, Any] = {
        "after": after,
        "since": asked.period.since,
        "until": asked.period.until,
        "currency": asked.currency,
        "size": size,
    }
    with reader().cursor() as cursor:
        cursor.execute(WALLETS, given)
        found = cursor.fetchall()
    return [Summary._make([*row[:3], *map(int, row[3:13]), row[13]]) for row in found]


def read(asked: Asked, place: str, size: int) -> Batch:
    """The wallets behind a place; of those that nothing happened to, a bounded number is passed over."""
    after, rows = UUID(place) if place else BEFORE_ALL, list[Row]()
    for _turn in range(MOST_TURNS):
        wallets = read_wallets(asked, after, AT_ONCE)
        for wallet in wallets:
            after = wallet.id
            if asked.scope == "all" or wallet.lines or not wallet.adds_up:
                rows.append(row(wallet))
            if len(rows) == size:
                return Batch(rows, str(after))
        if len(wallets) < AT_ONCE:
            return Batch(rows)
    return Batch(rows, str(after))


def row(wallet: Summary) -> Row:
    """A wallet by the report's columns."""
    who, *amounts = Thing(wallet.uid, "wallet", wallet.id), *wallet[3:12]
    return Row((who, wallet.currency, *amounts), wallet.currency, "" if wallet.adds_up else fault(wallet))


def fault(wallet: Summary) -> Any:
    if wallet.difference:
        return _("The movements do not lead from the opening to the closing balance.")
    return _("A line of the journal does not follow from the one before it, or is not what the wallet holds.")


REPORT = Report(
    name="account-summary",
    title=_("Account summary"),
    question=_("What does each player hold, and does it follow from what happened?"),
    rule="GLI-19 3.0, 2.9.1; Pennsylvania 811a.9 d",
    note=_(
        "Opening + paid in + won - spent - refunded + adjusted = closing. A balance is what is spendable and "
        "reserved, less the player's debt. What a game has reserved, of which the last columns tell, is "
        "spent once the game confirms it."
    ),
    columns=(
        Column(_("Player")),
        Column(_("Currency"), Look.CURRENCY),
        Column(_("Opening"), Look.AMOUNT, is_summed=True),
        Column(_("Paid in"), Look.AMOUNT, is_summed=True),
        Column(_("Won"), Look.AMOUNT, is_summed=True),
        Column(_("Spent"), Look.AMOUNT, is_summed=True),
        Column(_("Refunded"), Look.AMOUNT, is_summed=True),
        Column(_("Adjusted"), Look.AMOUNT, is_summed=True),
        Column(_("Closing"), Look.AMOUNT, is_summed=True),
        Column(_("Reserved before"), Look.AMOUNT, is_summed=True),
        Column(_("Reserved after"), Look.AMOUNT, is_summed=True),
    ),
    permissions=("wallet.view_closedday", "wallet.view_wallet", "players.view_player"),
    read=read,
    scopes=(("moved", _("Wallets with activity")), ("all", _("All wallets"))),
    in_order=_("Every wallet adds up."),
    at_fault=lambda number: ngettext_lazy(
        "{number} wallet does not add up.", "{number} wallets do not add up.", number
    ).format(number=f"{number:,}"),
)
