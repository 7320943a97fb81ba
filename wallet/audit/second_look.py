"""A difference between machines is one only if a second look finds it as well."""

import time
from collections.abc import Callable
from dataclasses import replace

from django.conf import settings

from wallet.audit.report import Report

# What was being committed on one machine is committed on all by then.
PAUSE_SECONDS = 10.0


def confirmed(report: Report, again: Callable[[], Report]) -> Report:
    """A report of one database as it is; of a distributed one, what `again` still finds of it.

    Each machine is read at a moment of its own. So an operator's act, which lies on the first, can be seen
    before what it did on the player's, or the other way round.
    """
    if not settings.DATABASE_DISTRIBUTED or not report.problem_count:
        return report
    time.sleep(PAUSE_SECONDS)
    return found_again(again(), report)


def found_again(second: Report, first: Report) -> Report:
    """The second report, but only with the wallets and things that the first one told of as well."""
    both = replace(second, problem_count=0, problems=[], by_wallet={}, of_ledger={})
    for id, found in second.by_wallet.items():
        if id in first.by_wallet:
            both.add_wallet(id, found.first, found.count)
    for subject, found in second.of_ledger.items():
        if subject in first.of_ledger:
            both.add_ledger(subject, found.first, found.count)
    return both
