"""What can wait takes the processor from no process that is answering a call."""

import contextlib
import os

# Of ten shares that others want, one is left: it goes on, but slowly.
NICE = 10


def give_way() -> None:
    """This process, and those that it starts, no longer interrupts others when it wakes up. It is no less
    served than they are: it may hold locks that calls wait for.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def stand_back() -> None:
    """This process, and those that it starts, only has what others leave it, and a tenth. It holds no lock
    that a call waits for.
    """
    give_way()
    with contextlib.suppress(OSError):
        os.nice(NICE)
