"""Tells what happens at the operators' doors: in the audit trail, and in a line of the log."""

import logging

from django.http import HttpRequest

from lib.backoffice.languages import english
from lib.http.addresses import client_address
from players.audit_trail.record import Origin, Outcome, record_act
from players.models import Operator

LOCK_OUT = "lock_out"
logger = logging.getLogger(__name__)


@english()
def tell(
    request: HttpRequest,
    action: str,
    operator: Operator | None,
    *,
    username: str = "",
    outcome: Outcome = Outcome.DONE,
    note: str = "",
) -> None:
    """Records an act of an operator about his own account, in the atomic block of what it does.

    `username` is the name that a stranger has entered, which may be anything.
    """
    known = operator or Operator.objects.filter(username=username).first()
    origin = Origin.of(request, operator=operator, username=username)
    record_act(origin, action=action, subject=known, outcome=outcome, note=note)
    words = action if outcome is Outcome.DONE else f"{action} {outcome}"
    say(request, words, origin.username, note=note, is_warning=words != action or action == LOCK_OUT)


def say(
    request: HttpRequest, action: str, username: str, *, note: str = "", is_warning: bool = False
) -> None:
    """The same as a line of the log alone."""
    words = action.replace("_", " ") + (f" ({note})" if note else "")
    level = logging.WARNING if is_warning else logging.INFO
    logger.log(level, "%s: %s from %s", words, one_line(username), client_address(request.META))


def one_line(username: str) -> str:
    """A name as entered, without what could begin a line or act on a terminal; true names are ASCII."""
    return username[:150].encode("unicode_escape").decode()
