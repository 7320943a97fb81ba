"""The reasons for which a transaction needs manual review, in an operator's words."""

from datetime import datetime

from django.utils.safestring import SafeString

from lib.backoffice.formatting import badge, moment, sentence
from lib.backoffice.languages import _
from wallet.models import Inquiry

Doubt = Inquiry.Doubt
# The reason in short, and what usually helps.
DOUBTS = {
    Doubt.HELD: (
        _("held"),
        _("Ask the game's operator for the outcome, then confirm or roll back."),
    ),
    Doubt.UNKNOWN_DEPOSIT: (
        _("unknown"),
        _(
            "The game announced a deposit, and now does not know it. "
            "Roll it back only if the game's operator confirms that nothing was won."
        ),
    ),
    Doubt.PENDING_TOO_LONG: (
        _("still pending"),
        _(
            "The game knows the transaction but does not settle it; its operator must. "
            "Status queries continue."
        ),
    ),
    Doubt.UNREACHABLE: (
        _("unreachable"),
        _("See the answers of the game's server below, and inform its operator. Status queries continue."),
    ),
    Doubt.GAME_FORGETS: (
        _("game lost data"),
        _(
            "The game may have lost its data: do not rely on its answers until its operator confirms "
            "that they are complete. Status queries continue."
        ),
    ),
}


def show_doubt(inquiry: Inquiry) -> SafeString:
    """The reason for manual review, in short."""
    if inquiry.closed_at:
        return badge(_("closed"))
    return badge(DOUBTS[Doubt(inquiry.doubt)][0], "warning") if inquiry.doubt else badge(_("waiting"), "info")


def tally(inquiry: Inquiry) -> str:
    """The number of status queries, and of the answers to them."""
    said = [_("{number} sent").format(number=f"{inquiry.questions_asked:,}")]
    if inquiry.unknown_answers:
        said.append(repeated("UNKNOWN", inquiry.unknown_answers, inquiry.unknown_since))
    if inquiry.pending_answers:
        said.append(repeated("PENDING", inquiry.pending_answers, inquiry.pending_since))
    if inquiry.unusable_in_a_row:
        words = _("no usable answer {number} times in a row since {moment}")
        said.append(words.format(number=inquiry.unusable_in_a_row, moment=moment(inquiry.unusable_since)))
    return sentence("; ".join(said))


def repeated(answer: str, number: int, since: datetime | None) -> str:
    """How often the game has given an answer, and since when."""
    return _("{answer} {number} times since {moment}").format(
        answer=answer, number=number, moment=moment(since)
    )
