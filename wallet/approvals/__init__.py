"""Acts on wallets and transactions that need a second person."""

from players.approvals.kinds import register
from wallet.approvals.adjustment import ADJUSTMENT

register(ADJUSTMENT)
