"""The audit of the whole ledger, which a standby takes off the primary."""

import logging
from collections.abc import Callable

from lib.standby import STANDBY, is_read, written
from wallet.audit.ledger import audit_ledger
from wallet.audit.report import Report
from wallet.audit.second_look import confirmed

logger = logging.getLogger(__name__)


def is_taken_off() -> bool:
    """Whether there is a standby that can."""
    return STANDBY.is_configured


def audit_primary(progress: Callable[[Report], None] = lambda report: None) -> Report:
    """What the audit found at the primary, or at all of its machines."""
    return confirmed(audit_ledger(progress), lambda: audit_ledger(progress))


def audit_whole(progress: Callable[[Report], None] = lambda report: None) -> tuple[Report, bool]:
    """What the audit found, and whether it read a standby.

    That has at least all that was committed before. Whatever differs there is looked for at the primary,
    whose word alone counts: a standby can have a fault of its own. If it cancels the audit, the primary is
    read.
    """
    if not STANDBY.is_configured:
        return audit_primary(progress), False
    report, was_there = STANDBY.read(lambda: (audit_ledger(progress), is_read()), written(), is_long=True)
    if was_there and report.problem_count:
        logger.warning("the standby's ledger differs (%s): the primary is audited", report.problems[0])
        return audit_ledger(progress), False
    return report, was_there
