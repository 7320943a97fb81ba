"""What is owned, what happened to it, and what the platform does by itself."""

from wallet.models.archives import ArchivedMovement, ArchivedPart, ArchiveMark
from wallet.models.audits import AuditedMovement, AuditMark, AuditPart, AuditPass
from wallet.models.call_hours import CallHour, CallLogReading, IntegrationStep
from wallet.models.calls import ApiCall, Discrepancy
from wallet.models.checks import Alert, AlertMessage, Checkpoint, ClosedDay, DailyTotal
from wallet.models.events import Event, EventHead, NewEvent
from wallet.models.figures import (
    ActiveSession,
    DailyActivity,
    FiguresDay,
    GameTotal,
    HourActivity,
    HourTotal,
    Liability,
)
from wallet.models.ledger import Adjustment, Currency, Entry, Transaction, Wallet
from wallet.models.limits import LimitChange, LimitUsage, PlayerLimit
from wallet.models.payout import DepositSpan, PayoutCounter, PayoutLimit
from wallet.models.sweeps import Inquiry, JobRun, Outage, Pulse, Question

__all__ = [
    "ActiveSession",
    "Adjustment",
    "Alert",
    "AlertMessage",
    "ApiCall",
    "ArchiveMark",
    "ArchivedMovement",
    "ArchivedPart",
    "AuditMark",
    "AuditPart",
    "AuditPass",
    "AuditedMovement",
    "CallHour",
    "CallLogReading",
    "Checkpoint",
    "ClosedDay",
    "Currency",
    "DailyActivity",
    "DailyTotal",
    "DepositSpan",
    "Discrepancy",
    "Entry",
    "Event",
    "EventHead",
    "FiguresDay",
    "GameTotal",
    "HourActivity",
    "HourTotal",
    "Inquiry",
    "IntegrationStep",
    "JobRun",
    "Liability",
    "LimitChange",
    "LimitUsage",
    "NewEvent",
    "Outage",
    "PayoutCounter",
    "PayoutLimit",
    "PlayerLimit",
    "Pulse",
    "Question",
    "Transaction",
    "Wallet",
]
