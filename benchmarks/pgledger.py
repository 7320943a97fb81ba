"""pgledger, to compare with: its tables and accounts, from a checkout that whoever measures has put there."""

import hashlib
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.traffic import CURRENCY, TOKENS

# Of pgledger.sql at the tag v0.7.0: another version is another comparison.
SHA256 = "77b33dbe21c00f3ea8d73e3948d2046bacf7c7d9800e4fdd1e4fdd33bb84467e"
# In the order in which its README says.
FILES = (
    "vendor/scoville-pgsql-ulid/ulid-to-uuid.sql",
    "vendor/scoville-pgsql-ulid/uuid-to-ulid.sql",
    "pgledger.sql",
)
# Each player has an account that must not become negative, and one for what is withdrawn: with one for all,
# every transfer would wait for the same row.
OPEN_ACCOUNTS = """
    SELECT count(*) FROM unnest(%(tokens)s::text[]) token,
        LATERAL pgledger_create_account(token, %(currency)s, allow_negative_balance => false) spendable,
        LATERAL pgledger_create_account('withdrawn ' || token, %(currency)s) withdrawn
"""
FUND_ACCOUNTS = """
    SELECT count(*) FROM
        (SELECT id FROM pgledger_create_account('funds', %(currency)s)) funds,
        pgledger_accounts_view accounts,
        LATERAL pgledger_create_transfer(funds.id, accounts.id, 10000000) funded
    WHERE accounts.name = ANY (%(tokens)s)
"""


def why_not(checkout: Path) -> str | None:
    """Why there is nothing to measure; None if there is."""
    missing = [name for name in FILES if not (checkout / name).is_file()]
    if missing:
        return f"there is no {checkout / missing[-1]}"
    if hashlib.sha256((checkout / "pgledger.sql").read_bytes()).hexdigest() != SHA256:
        return f"{checkout / 'pgledger.sql'} is not that of the tag v0.7.0"
    return None


def install(connection: "psycopg.Connection[Any]", checkout: Path) -> None:
    """Makes its tables and functions, and the players' accounts with money in them."""
    for name in FILES:
        connection.execute((checkout / name).read_bytes())
    values = {"tokens": [token.decode() for token in TOKENS], "currency": CURRENCY}
    for statement in (OPEN_ACCOUNTS, FUND_ACCOUNTS):
        connection.execute(statement, values)
    connection.execute("ANALYZE")
