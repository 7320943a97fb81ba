"""What is owned, what happened to it, and what the platform does by itself."""

from wallet.models.calls import ApiCall, Discrepancy
from wallet.models.checks import Alert, AlertMessage, Checkpoint, ClosedDay, DailyTotal
from wallet.models.ledger import Adjustment, Currency, Entry, Transaction, Wallet
from wallet.models.payout import DepositSpan, PayoutCounter, PayoutLimit
from wallet.models.sweeps import Inquiry, JobRun, Outage, Pulse, Question

__all__ = [
    "Adjustment",
    "Alert",
    "AlertMessage",
    "ApiCall",
    "Checkpoint",
    "ClosedDay",
    "Currency",
    "DailyTotal",
    "DepositSpan",
    "Discrepancy",
    "Entry",
    "Inquiry",
    "JobRun",
    "Outage",
    "PayoutCounter",
    "PayoutLimit",
    "Pulse",
    "Question",
    "Transaction",
    "Wallet",
]
