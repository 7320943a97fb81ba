"""What the audit asks the database besides: no walk through the wallets meets these rows."""

from collections.abc import Callable, Iterable

from wallet.audit.problems import Problem

# Each question, by what it looks for, names the rows that should not be there. Apps that have tables besides
# add theirs in `ready()`.
ORPHANS = {
    "wallets of no player": (
        "FROM wallet_wallet x WHERE NOT EXISTS (SELECT 1 FROM players_player p WHERE p.id = x.player_id)"
    ),
    "transactions of no wallet": (
        "FROM wallet_transaction x WHERE NOT EXISTS (SELECT 1 FROM wallet_wallet w "
        "WHERE w.id = x.wallet_id AND w.player_id = x.player_id)"
    ),
    "transactions of no session": (
        "FROM wallet_transaction x WHERE session_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM players_gamesession s WHERE s.id = x.session_id "
        "AND s.player_id = x.player_id AND s.game_id = x.game_id AND s.is_kept)"
    ),
    "transactions of no game": (
        "FROM wallet_transaction x WHERE game_id IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM players_game g WHERE g.id = x.game_id)"
    ),
    "operators' acts that adjusted nothing": (
        "FROM wallet_adjustment x WHERE x.id NOT IN (SELECT a.id FROM wallet_adjustment a "
        "JOIN wallet_transaction t ON t.id = a.id AND t.player_id = a.player_id)"
    ),
    "discrepancies of no transaction": (
        "FROM wallet_discrepancy x WHERE x.id NOT IN (SELECT d.id FROM wallet_discrepancy d "
        "JOIN wallet_transaction t ON t.id = d.transaction_id AND t.player_id = d.player_id)"
    ),
    "corrections of no discrepancy": (
        "FROM wallet_transaction x "
        "WHERE x.type IN ('late_withdrawal', 'late_deposit', 'withdrawal_back', 'deposit_back') "
        "AND NOT EXISTS (SELECT 1 FROM wallet_discrepancy d WHERE d.correction_id = x.id "
        "AND d.player_id = x.player_id AND d.transaction_id = x.reverses_id)"
    ),
    "limits of which nothing is counted": (
        "FROM wallet_playerlimit x WHERE NOT EXISTS (SELECT 1 FROM wallet_limitusage u "
        "JOIN wallet_wallet w ON w.id = u.wallet_id AND w.player_id = u.player_id "
        "WHERE u.player_id = x.player_id AND u.wallet_id = x.wallet_id AND w.limited_at IS NOT NULL "
        "AND u.game_id = coalesce(x.game_id, '00000000-0000-0000-0000-000000000000'))"
    ),
    "wallets limited since another time than their first limit": (
        "FROM wallet_wallet x LEFT JOIN (SELECT player_id, wallet_id, min(at) AS began "
        "FROM wallet_limitchange GROUP BY player_id, wallet_id) c "
        "ON c.player_id = x.player_id AND c.wallet_id = x.id WHERE x.limited_at IS DISTINCT FROM c.began"
    ),
    "discrepancies whose correction is not there": (
        "FROM wallet_discrepancy x WHERE x.correction_id IS NOT NULL AND x.id NOT IN "
        "(SELECT d.id FROM wallet_discrepancy d "
        "JOIN wallet_transaction t ON t.id = d.correction_id AND t.player_id = d.player_id)"
    ),
}

# Further checks, each by what it looks for: it says what is wrong. They read in the audit's own snapshot.
CHECKS: dict[str, Callable[[], Iterable[str | Problem]]] = {}
