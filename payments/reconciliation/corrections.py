"""Which of the acts that there are would make a wallet what the file says: decided without a database."""

from typing import Any, Literal, NamedTuple

from payments.models import Difference
from payments.reconciliation.columns import CONFIRMED

Kind = Difference.Kind
SIGNS = {"withdrawal": -1, "deposit": 1}
Event = Literal["confirmed", "rolled_back"]


class Correction(NamedTuple):
    """An adjustment, in minor units."""

    type: Literal["credit", "debit"]
    amount: int


def correction_of(row: Difference) -> Correction | None:
    """What the player would have to get or give; None if that cannot be said, or is nothing."""
    if row.player_id is None or row.type not in SIGNS or row.ours.get("state") == "pending":
        return None
    if row.kind not in (Kind.AMOUNT, Kind.STATE, Kind.MISSING_HERE, Kind.MISSING_THERE):
        return None
    difference = SIGNS[row.type] * (moved_there(row) - moved_here(row))
    if not difference:
        return None
    return Correction("credit" if difference > 0 else "debit", abs(difference))


def moved_there(row: Difference) -> int:
    return amount_in(row.theirs) if row.theirs.get("state") == CONFIRMED else 0


def moved_here(row: Difference) -> int:
    if row.kind == Kind.STATE:
        # Whatever it is called here: the file says otherwise.
        return 0 if row.theirs.get("state") == CONFIRMED else amount_in(row.ours)
    return amount_in(row.ours) if row.ours.get("state") == "confirmed" else 0


def amount_in(side: dict[str, Any]) -> int:
    return int(side.get("amount") or 0)


def settlement_of(row: Difference) -> Event | None:
    """How the file says that what is pending here has ended; None if it says nothing of it."""
    if row.kind != Kind.STATE or row.type not in SIGNS or row.ours.get("state") != "pending":
        return None
    return {CONFIRMED: "confirmed", "void": "rolled_back"}.get(row.theirs.get("state", ""))  # type: ignore[return-value]
