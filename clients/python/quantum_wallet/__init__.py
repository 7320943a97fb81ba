"""A client for the Quantum Wallet platform: exact, typed, and safe to repeat."""

from quantum_wallet.async_client import AsyncWalletClient
from quantum_wallet.async_entry import AsyncEntryClient
from quantum_wallet.client import WalletClient
from quantum_wallet.deliveries import Delivery, verify_delivery
from quantum_wallet.entry import EntryClient
from quantum_wallet.errors import (
    AlreadyConfirmed,
    AlreadyRolledBack,
    Expired,
    ForeignCurrency,
    InsufficientFunds,
    InvalidRequest,
    LimitReached,
    NotAccepted,
    OtherContent,
    PlayerBarred,
    Refused,
    TransactionNotFound,
    Unanswered,
    UnknownSession,
    WalletError,
)
from quantum_wallet.final_state import FinalState, FinalStateQuery, final_state, query_answer, verify_query
from quantum_wallet.genuine import NotGenuine, Untimely
from quantum_wallet.messages import Malformed
from quantum_wallet.money import Money
from quantum_wallet.schedule import Schedule
from quantum_wallet.transactions import Deposit, Step, Transaction, Withdrawal, from_dict
from quantum_wallet.transport import Credential, Exchange, Settings

__version__ = "0.1.0"

__all__ = [
    "AlreadyConfirmed",
    "AlreadyRolledBack",
    "AsyncEntryClient",
    "AsyncWalletClient",
    "Credential",
    "Delivery",
    "Deposit",
    "EntryClient",
    "Exchange",
    "Expired",
    "FinalState",
    "FinalStateQuery",
    "ForeignCurrency",
    "InsufficientFunds",
    "InvalidRequest",
    "LimitReached",
    "Malformed",
    "Money",
    "NotAccepted",
    "NotGenuine",
    "OtherContent",
    "PlayerBarred",
    "Refused",
    "Schedule",
    "Settings",
    "Step",
    "Transaction",
    "TransactionNotFound",
    "Unanswered",
    "UnknownSession",
    "Untimely",
    "WalletClient",
    "WalletError",
    "Withdrawal",
    "final_state",
    "from_dict",
    "query_answer",
    "verify_delivery",
    "verify_query",
]
