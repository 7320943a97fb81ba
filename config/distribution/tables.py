"""Where each table's rows lie in a distributed database: the one list."""

# What belongs to a player lies where the player's other rows lie.
PLAYER = "player_id"
BY_PLAYER = (
    "wallet_wallet",
    "wallet_transaction",
    "wallet_entry",
    "wallet_apicall",
    "wallet_newevent",
    "players_playerevent",
    "wallet_playerlimit",
    "wallet_limitusage",
    "wallet_limitchange",
    "wallet_archivemark",
)
# On every machine: what a call reads beside the player's own, and what is small and hangs on a transaction.
EVERYWHERE = (
    "wallet_currency",
    "players_game",
    "players_player",
    "players_gamesession",
    "players_platformswitch",
    "wallet_discrepancy",
    "wallet_inquiry",
)
# On the first machine, and seen from all: what counts for a game, whoever plays it.
SHARED = ("wallet_payoutlimit", "wallet_payoutcounter")
# All others lie on the first machine, and only it sees them.

# Which argument of a function tells where it runs: on the machine that has this player.
RUN_BY_PLAYER = {
    "ledger_open": "p_player",
    "ledger_settle": "p_player",
    "ledger_query": "p_player",
    "ledger_open_wallet": "p_player",
    "ledger_lock_wallet": "p_player",
    "ledger_gate": "p_player",
    "ledger_change_limit": "p_player",
    "ledger_limits": "p_player",
    "ledger_post": "p_player",
    "ledger_set_aside": "p_player",
}
