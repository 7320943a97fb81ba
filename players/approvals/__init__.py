"""Acts that need a second person: what they are, how they are requested, decided and executed."""

from players.approvals.credentials import CREDENTIAL_CHANGE, NEW_CREDENTIAL
from players.approvals.games import GAME_CHANGE
from players.approvals.kinds import register
from players.approvals.operators import ACCOUNT_OPENING, ROLE_GRANT
from players.approvals.players import LIFTING
from players.approvals.switches import PLATFORM_RESTART

register(
    *(NEW_CREDENTIAL, CREDENTIAL_CHANGE, GAME_CHANGE, ROLE_GRANT, ACCOUNT_OPENING, LIFTING, PLATFORM_RESTART)
)
