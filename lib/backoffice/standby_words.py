"""What operators are told of the standby that lists and reports are read from."""

from lib.backoffice.languages import _
from lib.standby import CURRENT, Reading, Reason

REASONS = {
    Reason.AWAY: _("the standby does not answer"),
    Reason.NO_STANDBY: _("the address of the standby leads to a server that is none"),
    Reason.OTHER_SERVER: _("the address of the standby leads to another database"),
    Reason.BEHIND: _("the standby is too far behind"),
    Reason.OWN_CHANGE: _("the standby does not have your last change yet"),
    Reason.CANCELLED: _("the standby could not answer"),
}
READ_THERE = _("Read from a standby, {lag} s behind.")
READ_HERE = _("Read from the primary database: {reason}.")


def read_from() -> str:
    """Where the present block reads, in a sentence; empty if there is no standby."""
    reading = CURRENT.get()
    return tell(reading) if reading else ""


def tell(reading: Reading) -> str:
    if reading.is_open:
        return READ_THERE.format(lag=f"{reading.lag or 0:,.1f}")
    return READ_HERE.format(reason=REASONS[reading.reason]) if reading.reason else ""
