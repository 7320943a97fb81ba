"""A web process's sign of life, left by a thread of its own as long as the process serves (contract 2.4).

The thread also writes down what the process has counted of its answers to games, and looks for the answers
themselves if another server has become the primary.
"""

import logging
import threading

from django.conf import settings
from django.db import connection

from lib.database import REFUSED_WRITES, drop_unfit_connection
from players.access.answer_counts import ANSWER_COUNTS
from wallet.kept_answers import KEPT_ANSWERS
from wallet.models import Pulse
from wallet.outages import SILENCE, leave_pulse
from wallet.takeovers import TAKEOVERS

logger = logging.getLogger(__name__)

EVERY_SECONDS = 20.0
assert SILENCE.total_seconds() > 3 * EVERY_SECONDS


class Heartbeat(threading.Thread):
    """Leaves a sign of life at once, and then every so many seconds, until `end`.
    Goes on trying while the database is away.
    """

    def __init__(self, every: float = EVERY_SECONDS) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.every = every
        self.ending = threading.Event()
        self.fails = False

    def run(self) -> None:
        self.beat()
        look_for_answers()
        while not self.ending.wait(self.every):
            self.beat()
            write_counts()
            look_for_answers()
        write_counts()

    def beat(self) -> None:
        """Leaves one sign of life; says so when that begins to fail, and when it succeeds again."""
        try:
            try:
                leave_pulse(Pulse.Part.WEB)
            finally:
                # This thread's own. Open in between, it would only be one more that can break.
                connection.close()
        except Exception as problem:  # whatever it was: the end of this thread would pass for an outage
            drop_unfit_connection(problem)
            if not self.fails:
                logger.exception("this process cannot leave its heartbeat, and goes on trying")
            self.fails = True
            return
        REFUSED_WRITES.forget()
        if self.fails:
            logger.warning("this process leaves its heartbeat again")
        self.fails = False

    def end(self, seconds: float = 2.0) -> None:
        """No more signs of life; waits for one under way, so that its connection is closed in order."""
        self.ending.set()
        self.join(seconds)


def write_counts() -> None:
    """Writes down what was counted. What fails is kept for the next time, and is no sign of an outage."""
    try:
        try:
            ANSWER_COUNTS.write()
        finally:
            connection.close()
    except Exception as problem:  # noqa: BLE001 (nor may it end the thread)
        drop_unfit_connection(problem)
        logger.warning("the counts of answers are not written down yet: %s", type(problem).__name__)


def look_for_answers() -> None:
    """What fails is looked for the next time, and is no sign of an outage."""
    try:
        try:
            TAKEOVERS.look()
        finally:
            connection.close()
    except Exception as problem:  # noqa: BLE001 (nor may it end the thread)
        drop_unfit_connection(problem)
        logger.warning("answers are not looked for yet: %s", type(problem).__name__)


def start_heartbeat() -> Heartbeat:
    """The running heartbeat of this process."""
    if not settings.DATABASE_DISTRIBUTED:
        KEPT_ANSWERS.begin()
    heartbeat = Heartbeat()
    heartbeat.start()
    return heartbeat
