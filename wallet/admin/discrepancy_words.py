"""What a discrepancy is, in an operator's words."""

from django.utils.translation import gettext

from lib.backoffice.formatting import moment
from lib.backoffice.languages import _
from wallet.api.errors import answer_to
from wallet.currencies import show_amount
from wallet.models import Discrepancy, Transaction

Kind = Discrepancy.Kind
# A short name for the list; and what is to be done about it.
MEANINGS = {
    Kind.CONFIRM_OF_RETURNED: (
        _("confirmed, but returned"),
        _(
            "Ask the game's operator whether the player has got what was bought or won. "
            "If so, settle it as the game says; if the game took it back, close it."
        ),
    ),
    Kind.ROLLBACK_OF_CONFIRMED: (
        _("rolled back, but confirmed"),
        _(
            "Ask the game's operator whether the transaction is void for the game. "
            "If so, settle it as the game says; if it is not, close it."
        ),
    ),
    Kind.TOMBSTONE_ELSEWHERE: (
        _("id of another player"),
        _(
            "The game may have named the wrong player: ask its operator. "
            "Nothing has moved, and the other transaction stays pending until the game settles it. "
            "Close this once that is clear."
        ),
    ),
}
SENTENCES = {
    Kind.CONFIRM_OF_RETURNED: _(
        "{game} says that the {type} of {amount} is confirmed; the platform ended it as {state} {at}."
    ),
    Kind.ROLLBACK_OF_CONFIRMED: _(
        "{game} says that the {type} of {amount} is rolled back; the platform ended it as {state} {at}."
    ),
    Kind.TOMBSTONE_ELSEWHERE: _(
        "{game} rolled back an id of {uid} that {uid} never had, while it is pending for another player."
    ),
}


def what_happened(row: Discrepancy) -> str:
    """The contradiction, and what the game was answered, in sentences."""
    settled = row.transaction
    said = SENTENCES[Kind(row.kind)].format(
        game=settled.game.slug if settled.game else _("The game"),
        type=settled.get_type_display(),
        amount=show_amount(settled.amount, settled.wallet.currency_id),
        state=settled.get_state_display(),
        at=moment(settled.settled_at),
        uid=row.player.uid,
    )
    return f"{said} {answered(row)}"


def answered(row: Discrepancy) -> str:
    """What the game was answered to its word."""
    answer = answer_to(outcome_of(row.kind, row.transaction))
    if answer is None:
        return _("It was answered with success.")
    return _("It was answered {number}: {words}").format(number=answer[0], words=gettext(answer[1]))


def outcome_of(kind: str, settled: Transaction) -> str:
    """The ledger's outcome of the word that contradicts."""
    is_confirmed = settled.state == Transaction.State.CONFIRMED
    contradicts = (kind == Kind.ROLLBACK_OF_CONFIRMED) == is_confirmed and kind != Kind.TOMBSTONE_ELSEWHERE
    return f"already_{settled.state}" if contradicts else "success"


def ending(row: Discrepancy) -> str:
    """How it was closed, and by whom."""
    words = (
        _("{moment} by {name}, booked as the game says: {reason}")
        if row.correction_id
        else _("{moment} by {name}, closed without a booking: {reason}")
    )
    return words.format(moment=moment(row.closed_at), name=row.closed_by, reason=row.reason)
