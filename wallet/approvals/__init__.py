"""Acts on wallets, transactions and limits that need a second person."""

from players.approvals.kinds import register
from wallet.approvals.adjustment import ADJUSTMENT
from wallet.approvals.payout_limits import PAYOUT_LIMIT_CHANGE

register(ADJUSTMENT, PAYOUT_LIMIT_CHANGE)
