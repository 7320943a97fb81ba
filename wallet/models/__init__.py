"""What is owned, what happened to it, and what the platform does by itself."""

from wallet.models.calls import ApiCall, Discrepancy
from wallet.models.checks import AccountDay, Alert, Checkpoint, FoldedDay
from wallet.models.ledger import Currency, Entry, Transaction, Wallet
from wallet.models.sweeps import Inquiry, Outage, Pulse, Question, SweepRun

__all__ = [
    "AccountDay",
    "Alert",
    "ApiCall",
    "Checkpoint",
    "Currency",
    "Discrepancy",
    "Entry",
    "FoldedDay",
    "Inquiry",
    "Outage",
    "Pulse",
    "Question",
    "SweepRun",
    "Transaction",
    "Wallet",
]
