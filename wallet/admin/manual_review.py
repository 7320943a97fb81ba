"""Why a person has to decide about a transaction, in an operator's words."""

from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, moment
from wallet.models import Inquiry

Doubt = Inquiry.Doubt
# Why a person has to decide, in a word, and what usually helps.
DOUBTS = {
    Doubt.HELD: ("held", "Ask the game's people what became of it, then confirm or roll back."),
    Doubt.UNKNOWN_DEPOSIT: (
        "unknown",
        "The game announced money for the player and now does not know it. Roll it back only when the game's people say that nothing was won.",
    ),
    Doubt.PENDING_TOO_LONG: (
        "still pending",
        "The game knows it and cannot end it: its people have to. The platform goes on asking.",
    ),
    Doubt.UNREACHABLE: (
        "unreachable",
        "See below what the game's server answered, and tell its people. The platform goes on asking.",
    ),
    Doubt.GAME_FORGETS: (
        "game forgets",
        "The game may have lost its data: decide nothing by its word until its people say that it is complete. The platform goes on asking.",
    ),
}


def show_doubt(inquiry: Inquiry) -> SafeString:
    """Why it is on the list, in a word."""
    if inquiry.closed_at:
        return badge("closed")
    return badge(DOUBTS[Doubt(inquiry.doubt)][0], "warning") if inquiry.doubt else badge("waiting", "info")


def tally(inquiry: Inquiry) -> str:
    """How often the game was asked, and what it said how often."""
    said = [f"asked {inquiry.questions_asked} times"]
    if inquiry.unknown_answers:
        said.append(f"UNKNOWN {inquiry.unknown_answers} times since {moment(inquiry.unknown_since)}")
    if inquiry.pending_answers:
        said.append(f"PENDING {inquiry.pending_answers} times since {moment(inquiry.pending_since)}")
    if inquiry.unusable_in_a_row:
        said.append(
            f"no usable answer {inquiry.unusable_in_a_row} times in a row since {moment(inquiry.unusable_since)}"
        )
    return sentence("; ".join(said))


def sentence(text: str) -> str:
    """Words as a sentence begins."""
    return text[:1].upper() + text[1:] if text else NOTHING
