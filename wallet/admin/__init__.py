"""What operators see and do about money."""

from wallet.admin import (
    alerts,
    approval_rules,
    approvals,
    calls,
    checkpoints,
    currencies,
    daily_totals,
    discrepancies,
    job_runs,
    manual_review,
    names,
    payout_limits,
    player_money,
    transactions,
    wallets,
)

__all__ = [
    "alerts",
    "approval_rules",
    "approvals",
    "calls",
    "checkpoints",
    "currencies",
    "daily_totals",
    "discrepancies",
    "job_runs",
    "manual_review",
    "names",
    "payout_limits",
    "player_money",
    "transactions",
    "wallets",
]
