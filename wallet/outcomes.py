"""What operations on wallets end with instead of success, in the domain's words."""


class LedgerRefused(Exception):
    """The ledger did not do what was asked: nothing has moved.

    `outcome` is the ledger's own name for the reason (`wallet/sql` lists them). `balance` is the wallet's, in
    minor units of `currency`: as it is now, or as it was when a remembered refusal was made; None if no
    wallet is known.
    """

    def __init__(self, outcome: str, *, balance: int | None = None, currency: str = "") -> None:
        super().__init__(outcome)
        self.outcome = outcome
        self.balance = balance
        self.currency = currency


class UnknownCurrency(Exception):
    """There is no currency of that `code`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class LimitRefused(Exception):
    """A player's limit was not changed: `outcome` is not_found, too_early, too_many or takes_two."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
