"""What a difference is, in an operator's words."""

from typing import Any

from lib.backoffice.languages import _
from payments.models import Difference

Kind = Difference.Kind
# A short name for lists, and what to do.
KINDS: dict[str, tuple[Any, str]] = {
    Kind.MISSING_HERE: (
        Kind.MISSING_HERE.label,
        _(
            "The file has it, and nothing here has its id. Ask the partner. If money moved there, "
            "correct the wallet; if not, accept it."
        ),
    ),
    Kind.MISSING_THERE: (
        Kind.MISSING_THERE.label,
        _(
            "It was confirmed here, and the file does not have it. Ask the partner. If it is void "
            "there, correct the wallet."
        ),
    ),
    Kind.AMOUNT: (
        Kind.AMOUNT.label,
        _("Find out which amount is right. If the file's is, correct the wallet."),
    ),
    Kind.CURRENCY: (
        Kind.CURRENCY.label,
        _("Look whether the source's columns are right; otherwise ask the partner which one it was."),
    ),
    Kind.STATE: (
        Kind.STATE.label,
        _(
            "If it is pending here, settle it as the file says, or ask. If it is settled, find out which "
            "is right, and correct the wallet if the file is."
        ),
    ),
    Kind.DUPLICATE: (
        Kind.DUPLICATE.label,
        _("The file has the id more than once. Here it counts once; ask the partner to correct the file."),
    ),
    Kind.TIME: (
        Kind.TIME.label,
        _("All else agrees. If many do so, the time zone of the source is wrong; otherwise accept it."),
    ),
    Kind.UNREADABLE: (
        Kind.UNREADABLE.label,
        _("It was not compared. Correct the source's columns, or have the partner correct the row."),
    ),
}
