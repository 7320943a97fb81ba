"""Acts on wallets and transactions that need a second person."""

from players.approvals.kinds import register
from wallet.approvals.adjustment import ADJUSTMENT
from wallet.approvals.alerts import ACCEPTANCE
from wallet.approvals.approval_rules import RULE_CHANGE, RULE_REMOVAL
from wallet.approvals.discrepancies import CORRECTION
from wallet.approvals.gates import UNFREEZING
from wallet.approvals.limits import LOOSENING
from wallet.approvals.payout_limits import PAYOUT_LIMIT_CHANGE
from wallet.approvals.settlement import SETTLEMENT
from wallet.approvals.write_off import WRITE_OFF

register(
    *(ADJUSTMENT, WRITE_OFF, SETTLEMENT, CORRECTION, UNFREEZING, ACCEPTANCE, PAYOUT_LIMIT_CHANGE),
    *(RULE_CHANGE, RULE_REMOVAL, LOOSENING),
)
