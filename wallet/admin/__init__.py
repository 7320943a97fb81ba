"""What operators see and do about money."""

from wallet.admin import (
    alerts,
    calls,
    checkpoints,
    currencies,
    daily_totals,
    discrepancies,
    inquiries,
    job_runs,
    players,
    transactions,
    wallets,
)

__all__ = [
    "alerts",
    "calls",
    "checkpoints",
    "currencies",
    "daily_totals",
    "discrepancies",
    "inquiries",
    "job_runs",
    "players",
    "transactions",
    "wallets",
]
