"""What operators do about a discrepancy without moving money: they own it, and close it with a reason."""

from lib.clock import now
from players.models import Operator
from wallet.models import Alert, Discrepancy


def close_discrepancy(discrepancy: Discrepancy, *, actor: str, reason: str) -> bool:
    """Nothing is to be booked: the game has taken back what it handed out, say.

    Returns whether it was open.
    """
    rows = Discrepancy.objects.filter(pk=discrepancy.pk, closed_at=None)
    return bool(rows.update(closed_at=now(), closed_by=actor, reason=reason))


def give(row: Discrepancy | Alert, owner: Operator | None) -> None:
    """From now on this operator sees to it; None: nobody does."""
    row.owner = owner
    row.save(update_fields=["owner"])
