"""What operators see and do about money."""

from wallet.admin import calls, currencies, players, transactions, wallets

__all__ = ["calls", "currencies", "players", "transactions", "wallets"]
