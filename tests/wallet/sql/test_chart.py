"""The chart of postings: the ledger's, the audit's own, and the one in the documentation say the same."""

from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg.errors import CaseNotFound

from wallet.audit.replay import MOVES, NOTHING, TAKING
from wallet.models import Entry, Transaction

Owner = psycopg.Connection[Any]
ARCHITECTURE = Path(__file__).parents[3] / "docs" / "architecture.md"
HEAD = ["| transaction | event | debit | credit | announced |", "|---|---|---|---|---|"]
# What happens to a wallet, whatever the transaction.
WALLET = "wallet"
EVENTS = (
    *("opened", "confirmed", "rolled_back", "expired", "declined", "tombstone", "rollback_noted"),
    *("adjusted", "posted", "debt_repaid", "wallet_opened", "frozen", "unfrozen", "limit_set"),
)
GAMES = ("withdrawal", "deposit")
MOVES_NOTHING = {
    *((type, event) for type in GAMES for event in ("declined", "tombstone", "rollback_noted")),
    *((WALLET, event) for event in ("wallet_opened", "frozen", "unfrozen", "limit_set")),
}


class Legs(NamedTuple):
    debit: str | None
    shortfall: str | None
    credit: str | None
    announced: int


def legs(owner: Owner, type: str, event: str) -> Legs | None:
    """What the ledger's chart says; None if it has no such event."""
    question = "SELECT debit, shortfall, credit, announced FROM ledger_legs(p_type => %s, p_event => %s)"
    with suppress(CaseNotFound):
        return Legs(*owner.execute(question, [type, event]).fetchall()[0])
    return None


@pytest.fixture(scope="module")
def chart(owner: Owner, database: None) -> dict[tuple[str, str], Legs]:
    pairs = [(type, event) for type in (*Transaction.Type.values, WALLET) for event in EVENTS]
    return {pair: found for pair in pairs if (found := legs(owner, *pair))}


def test_postings__are_the_same_for_ledger_and_audit(chart: dict[tuple[str, str], Legs]) -> None:
    moving = {pair: line for pair, line in chart.items() if pair[0] != WALLET and pair not in MOVES_NOTHING}
    assert {pair: (line.debit, line.credit, line.announced) for pair, line in moving.items()} == {
        **MOVES,
        **{pair: ("spendable", taker, 0) for pair, taker in TAKING.items()},
    }
    assert {pair for pair, line in chart.items() if line.shortfall} == TAKING.keys()
    assert {line.shortfall for line in chart.values()} == {None, "debt"}


def test_postings__that_move_nothing_are_the_listed_ones(chart: dict[tuple[str, str], Legs]) -> None:
    assert {pair for pair, line in chart.items() if line == (None, None, None, 0)} == MOVES_NOTHING
    assert NOTHING == (None, None, 0)
    assert chart[WALLET, "debt_repaid"] == ("spendable", None, "debt", 0)


def test_postings__are_within_a_wallet_or_with_the_house(chart: dict[tuple[str, str], Legs]) -> None:
    """No posting has another player's account: nothing goes from player to player."""
    used = {name for line in chart.values() for name in (line.debit, line.shortfall, line.credit) if name}
    house = {"game_revenue", "game_payout", "provider_clearing", "issuance", "adjustments", "write_off"}
    assert used == set(Entry.Account) == {"spendable", "reserved", "debt"} | house


def test_postings__chart_is_in_the_documentation(chart: dict[tuple[str, str], Legs]) -> None:
    """The table of docs/architecture.md is the one that this test prints."""
    table = "\n".join(
        [*HEAD, *(printed(*pair, line) for pair, line in chart.items() if pair not in MOVES_NOTHING)]
    )
    assert table in ARCHITECTURE.read_text(), f"the table must be:\n{table}"


def printed(type: str, event: str, line: Legs) -> str:
    kind = "any" if type == WALLET else Transaction.Type(type).label
    debit = " ".join(
        [account(line.debit), *([f"(the rest: {account(line.shortfall)})"] if line.shortfall else [])]
    )
    announced = {1: "grows", -1: "shrinks", 0: ""}[line.announced]
    return f"| {kind} | {event.replace('_', ' ')} | {debit} | {account(line.credit)} | {announced} |"


def account(name: str | None) -> str:
    return str(Entry.Account(name).label) if name else "none"
