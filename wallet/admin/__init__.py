"""What operators see and do about money."""

from wallet.admin import accounts, alerts, calls, checkpoints, currencies, discrepancies, inquiries, players, runs, transactions, wallets

__all__ = ["accounts", "alerts", "calls", "checkpoints", "currencies", "discrepancies", "inquiries", "players", "runs", "transactions", "wallets"]
