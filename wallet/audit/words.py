"""What differs, as people call it: accounts, and amounts with their currency."""

from wallet.currencies import show_amount


def account_name(account: str | None) -> str:
    """An account, or what else the ledger has a name for."""
    return account.replace("_", " ") if account else "nothing"


def balances(has: dict[str, int], right: dict[str, int], code: str) -> str:
    """Which balances are wrong: what they should be and what they are."""
    return ", ".join(
        f"{name} should be {show_amount(right[name], code)}, is {show_amount(has[name], code)}"
        for name in right
        if has[name] != right[name]
    )


def movement(debit: str | None, credit: str | None) -> str:
    """What moved from where to where."""
    return f"{account_name(debit)} to {account_name(credit)}" if debit or credit else "nothing"


def limit(minor: int | None, code: str) -> str:
    """A wallet's limit of withdrawals."""
    return "none" if minor is None else show_amount(minor, code)
