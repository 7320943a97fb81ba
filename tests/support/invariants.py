"""The invariants of the ledger, asked of some players' rows.

The audit's own replay, and sums that need no replay.
"""

from django.db import connection

from players.models import Player
from wallet.audit.ledger import apply
from wallet.audit.replay import Replay, WalletRow
from wallet.audit.report import Report
from wallet.audit.rows import ENTRIES, WALLETS

SUMS = """
    SELECT w.currency_id, w.spendable, w.reserved, w.announced,
        coalesce(sum(e.amount) FILTER (WHERE e.credit = 'spendable'), 0)
            - coalesce(sum(e.amount) FILTER (WHERE e.debit = 'spendable'), 0),
        (SELECT coalesce(sum(t.amount), 0) FROM wallet_transaction t
         WHERE t.wallet_id = w.id AND t.state = 'pending' AND t.type IN ('withdrawal', 'set_aside')),
        (SELECT coalesce(sum(t.amount), 0) FROM wallet_transaction t WHERE t.wallet_id = w.id
            AND t.state = 'pending' AND t.type = 'deposit')
    FROM wallet_wallet w LEFT JOIN wallet_entry e ON e.wallet_id = w.id
    WHERE w.player_id = ANY(%s)
    GROUP BY w.id
"""


def problems_of(*players: Player) -> list[str]:
    """What is wrong with the players' wallets: nothing, or sentences."""
    ids = [player.pk for player in players]
    report = Report()
    with connection.cursor() as cursor:
        cursor.execute(WALLETS.replace("ORDER BY", "WHERE player_id = ANY(%s) ORDER BY"), [ids])
        replays = {row[1]: Replay(WalletRow(*row)) for row in cursor.fetchall()}
        cursor.execute(ENTRIES.replace("ORDER BY", "WHERE e.player_id = ANY(%s) ORDER BY"), [ids])
        for row in cursor.fetchall():
            apply(replays[row[1]], row, report)
        for replay in replays.values():
            replay.finish()
        cursor.execute(SUMS, [ids])
        sums = cursor.fetchall()
    return (
        [problem.words for replay in replays.values() for problem in replay.problems]
        + wrong_sums(sums)
        + wrong_accounts(report)
    )


def wrong_sums(sums: list[tuple[object, ...]]) -> list[str]:
    """What is reserved and announced is what is pending; what is spendable is what was moved there."""
    return [
        f"{currency}: holds {held}, should {right}"
        for currency, spendable, reserved, announced, *right in sums
        if (held := [spendable, reserved, announced]) != right
    ]


def wrong_accounts(report: Report) -> list[str]:
    """Every movement is double entry: per currency everything sums to zero."""
    currencies = {currency for currency, _ in report.accounts}
    return [
        f"{wanted}: the accounts do not sum to zero"
        for wanted in sorted(currencies)
        if sum(amount for (currency, _), amount in report.accounts.items() if currency == wanted)
    ]
