"""Sends events over HTTP: outside of every atomic block, to a few receivers at once."""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from uuid import UUID

from django.conf import settings

from lib.backoffice.languages import stored
from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from lib.outbound.client import Unanswered, post_json
from payments.models import EventReceiver
from payments.pushes.operations import Push, lease, lose, next_push, record_answer, release, watch_failing
from wallet.events.cursor import CursorRefused
from wallet.events.positions import number_all
from wallet.job_runs import Run

logger = logging.getLogger(__name__)
# Receivers, of which each gets one message at a time.
AT_ONCE = 16
RUN_SECONDS = 20.0
# While nobody answers, so often a run looks whether others are due.
LOOK_SECONDS = 0.25
NUMBER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class PushResponse:
    """What came of a message: a status, or why there was none."""

    status: int | None
    problem: str = ""
    took_ms: int | None = None


def send(push: Push) -> PushResponse:
    """Sends a message once. Touches no database, and raises nothing."""
    if push.problem:
        return PushResponse(None, push.problem)
    try:
        reply = post_json(push.receiver.url, push.body, headers=push.headers)
    except Unanswered as problem:
        return PushResponse(None, str(problem), problem.took_ms)
    refused = "" if 200 <= reply.status < 300 else stored("status {status}").format(status=reply.status)
    return PushResponse(reply.status, refused, reply.took_ms)


@dataclass
class Pusher:
    """What is under way in one run."""

    pool: ThreadPoolExecutor
    # By the monotonic clock.
    began: float
    numbered: float = float("-inf")
    under_way: dict[Future[PushResponse], Push] = field(default_factory=dict)
    # Receivers that have taken all that this run found for them.
    served: set[UUID] = field(default_factory=set)

    def fill(self, run: Run) -> None:
        """Begins a message to each receiver that is due, as long as there is time and room.

        One that fails is tried early in a run only: its time-out is over when the run is.
        """
        self.look_anew()
        while (took := time.monotonic() - self.began) < RUN_SECONDS:
            limit = AT_ONCE - len(self.under_way)
            with_failing = took < RUN_SECONDS - settings.OUTGOING_TOTAL_SECONDS
            receivers = lease(now(), left_out=self.served, with_failing=with_failing, limit=limit)
            if not receivers:
                break
            for receiver in receivers:
                self.begin(receiver, run)

    def look_anew(self) -> None:
        """Once a second, so that nobody waits for a receiver that hangs: what has happened since."""
        if time.monotonic() < self.numbered + NUMBER_SECONDS:
            return
        number_all(Run("number_events"))
        self.numbered = time.monotonic()
        self.served.clear()

    def begin(self, receiver: EventReceiver, run: Run) -> None:
        before = receiver.cursor_position
        try:
            push = next_push(receiver)
        except CursorRefused as problem:
            lose(receiver, problem)
            return
        if push is None:
            release(receiver)
            if receiver.cursor_position == before:
                self.served.add(receiver.pk)
            return
        run.looked_at += push.count
        self.under_way[self.pool.submit(copy_context().run, send, push)] = push

    def take(self, run: Run) -> None:
        """Waits a little for an answer, and writes down all that are there."""
        ended, _ = wait(self.under_way, LOOK_SECONDS, return_when=FIRST_COMPLETED)
        for future in ended:
            push = self.under_way.pop(future)
            if write_down(push, future.result()):
                run.done += push.count
            else:
                run.failed += 1


def push_due(run: Run) -> None:
    """Sends the events that are there, and those that come meanwhile, to all receivers that are due.

    It ends when nothing is under way, and after `RUN_SECONDS` waits for what is.
    """
    if settings.DATABASE_DISTRIBUTED:
        return
    watch_failing(now())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        pusher = Pusher(pool, time.monotonic())
        pusher.fill(run)
        while pusher.under_way:
            pusher.take(run)
            pusher.fill(run)


def write_down(push: Push, response: PushResponse) -> bool:
    """Writes down what came of a message. Returns whether it is taken."""
    try:
        return record_answer(push, status=response.status, problem=response.problem, took_ms=response.took_ms)
    except FAILURES as problem:
        drop_unfit_connection(problem)
        # Its lease runs out, and it is sent again under the same id.
        logger.exception("what came of events to %s cannot be written down", push.receiver)
        return False
