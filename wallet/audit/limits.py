"""What is counted for players' limits, compared with the journal."""

from collections.abc import Iterator

from lib.standby import reader
from wallet.models.limits import ALL_GAMES

DIFFERENCES = "SELECT wallet::text, game::text, what FROM ledger_limit_differences()"


def differing_usage() -> Iterator[str]:
    """Wallets of which something else is counted than their journal says, in the present snapshot."""
    with reader().cursor() as cursor:
        cursor.execute(DIFFERENCES)
        found = cursor.fetchall()
    for wallet_id, game_id, what in found:
        of_what = "all games" if game_id == ALL_GAMES else f"game {game_id}"
        yield f"wallet {wallet_id}: what is counted of {of_what} is not what the journal says ({what})"
