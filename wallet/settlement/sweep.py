"""The sweep: takes what is due in bounded batches, and leaves the rest to the next run."""

import logging
import time
from collections import Counter
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from lib.backoffice.languages import stored
from lib.clock import now
from lib.database import FAILURES, drop_unfit_connection
from wallet import ledger
from wallet.alerts import raise_alert
from wallet.job_runs import Run
from wallet.models import Alert, Inquiry, Transaction
from wallet.models.leased import fair_share
from wallet.operations import resolve_transaction
from wallet.outages import present_pause
from wallet.outcomes import LedgerRefused
from wallet.settlement.due import batches, expiring
from wallet.settlement.inquiries import (
    AskedInquiry,
    act,
    begin_inquiries,
    close_settled,
    is_early,
    lease,
    record,
    wait,
)
from wallet.settlement.rules import Wait
from wallet.settlement.status_query import QueryResult, ask, status_query

logger = logging.getLogger(__name__)

# Wallets that one statement locks until it commits: a game waits for no more than these.
EXPIRING_BATCH = 64
# Looked for at once: what is due is found in a few milliseconds, however much of it.
EXPIRING_PAGE = 512
# Rest after a batch beside others, as a share of the time that it took: the wallet API comes first.
REST = 0.5
# Who used the database within this time is still at work: a game's next call is on its way.
LATELY = "100 milliseconds"
ENROLLING_BATCH = 2_000
# Under way at once, of which so many of one game: one that is slow leaves the others their places.
QUESTIONS_AT_ONCE, MOST_OF_A_GAME = 32, 8
# While nobody answers, so often a run looks for what has become due since.
LOOK_SECONDS = 0.25
# A game that gave so many unusable answers in a run is left alone until the next one.
MOST_UNUSABLE = 3
# After this a run ends, so that a worker that is told to end can; the next one goes on.
RUN_SECONDS = 20.0
OTHERS = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
          AND (state IS DISTINCT FROM 'idle' OR state_change > clock_timestamp() - %s::interval))
"""
EXPIRED = "The game left it unfinished and cannot be asked."
# What is under way, and what each question is about.
Questions = dict[Future[QueryResult], tuple[AskedInquiry, Transaction]]


@dataclass
class RunBudget:
    """What a run still has time for, and which games it leaves alone."""

    ends: float = field(default_factory=lambda: time.monotonic() + RUN_SECONDS)
    unusable: Counter[UUID] = field(default_factory=Counter)

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.ends

    @property
    def left_out(self) -> list[UUID]:
        return [game for game, count in self.unusable.items() if count >= MOST_UNUSABLE]


def settle_due(run: Run) -> bool:
    """Settles what is due, asks games about the rest, and puts in doubt what a person must decide.

    Returns whether it came to the end.
    """
    at = now()
    pause = present_pause(at)
    if pause:
        run.note = stored("Nothing is due: {why}.").format(why=pause.reason)
        return True
    budget = RunBudget()
    close_settled(at)
    expire_due(run, at, budget)
    while not budget.is_over and begin_inquiries(at, ENROLLING_BATCH):
        pass
    ask_due(run, budget)
    return not budget.is_over


def expire_due(run: Run, at: datetime, budget: RunBudget) -> None:
    """Expires what cannot be asked about, in batches that lock few wallets for a short time."""
    for batch in expiring_batches(at):
        began = time.monotonic()
        run.looked_at += len(batch)
        run.done += expire_batch(run, batch)
        if budget.is_over:
            return
        took = time.monotonic() - began
        if others_are_at_work():
            time.sleep(took * REST)


def others_are_at_work() -> bool:
    """Whether another connection has used this database lately; one whose state is hidden counts as such."""
    with connection.cursor() as cursor:
        cursor.execute(OTHERS, [LATELY])
        [found] = cursor.fetchone()
    return bool(found)


def expiring_batches(at: datetime) -> Iterator[list[UUID]]:
    for page in batches(expiring(at), EXPIRING_PAGE):
        for first in range(0, len(page), EXPIRING_BATCH):
            yield page[first : first + EXPIRING_BATCH]


def expire_batch(run: Run, batch: list[UUID]) -> int:
    """Expires a batch; where one of it fails, each on its own, so that it holds up no other."""
    try:
        return ledger.expire_transactions(transaction_ids=batch, actor="sweep", reason=EXPIRED)
    except FAILURES as problem:
        drop_unfit_connection(problem)
        logger.exception("a batch of due transactions failed; each is tried on its own")
    return sum(expire_one(run, id) for id in batch)


def expire_one(run: Run, id: UUID) -> int:
    try:
        resolve_transaction(
            id, event="expired", source=Transaction.Source.SWEEP, actor="sweep", reason=EXPIRED
        )
    except LedgerRefused:
        return 0  # settled by somebody else meanwhile
    except FAILURES as problem:
        drop_unfit_connection(problem)
        run.failed += 1
        raise_alert(
            Alert.Kind.SETTLEMENT_FAILED, str(id), f"The due transaction could not be expired: {problem}"
        )
        return 0
    return 1


def ask_due(run: Run, budget: RunBudget) -> None:
    """Asks about everything that it is time to ask about, with nothing held open in the database."""
    questions: Questions = {}
    with ThreadPoolExecutor(QUESTIONS_AT_ONCE) as pool:
        while begin_questions(questions, pool, run, budget):
            answered, _ = futures.wait(questions, LOOK_SECONDS, return_when=FIRST_COMPLETED)
            for future in answered:
                one, due = questions.pop(future)
                record_result(run, one, due, future.result(), budget)


def begin_questions(questions: Questions, pool: ThreadPoolExecutor, run: Run, budget: RunBudget) -> bool:
    """Asks about as many as there is room and time for. Returns whether any are under way."""
    while (room := QUESTIONS_AT_ONCE - len(questions)) and not budget.is_over:
        waiting = Counter(one.inquiry.game_id for one, _ in questions.values())
        full, share = fair_share(waiting, MOST_OF_A_GAME)
        leased = lease(now(), run.worker, [*budget.left_out, *full], min(room, share))
        if not leased:
            break
        for one, due in askable(run, leased):
            questions[pool.submit(copy_context().run, ask, status_query(due))] = one, due
    return bool(questions)


def askable(run: Run, leased: list[AskedInquiry]) -> list[tuple[AskedInquiry, Transaction]]:
    """The leased inquiries whose game can be asked, with their transactions; the others are left unasked."""
    pending = Transaction.objects.select_related("game", "player", "wallet").in_bulk(
        [one.inquiry.transaction_id for one in leased]
    )
    run.looked_at += len(leased)
    found = []
    for one in leased:
        due = pending[one.inquiry.transaction_id]
        if due.settled_at is None and due.game and due.game.query_url:
            found.append((one, due))
        else:
            leave_unasked(run, one, due)
    return found


def record_result(
    run: Run, one: AskedInquiry, due: Transaction, result: QueryResult, budget: RunBudget
) -> None:
    """Writes a game's answer down, then does what follows from it; a failure is the next sweep's work."""
    if result.answer == Inquiry.Answer.UNUSABLE:
        budget.unusable[one.inquiry.game_id] += 1
    try:
        inquiry = record(one, due, result)
        if inquiry and act(inquiry, due, result.answer):
            run.done += 1
    except FAILURES as problem:
        drop_unfit_connection(problem)
        run.failed += 1
        raise_alert(
            Alert.Kind.SETTLEMENT_FAILED,
            str(due.pk),
            f"The game's answer about a due transaction could not be applied: {problem}",
        )


def leave_unasked(run: Run, one: AskedInquiry, due: Transaction) -> None:
    """What was settled meanwhile, or whose game cannot be asked any more: the question was never sent."""
    one.question.delete()
    at = now()
    if due.settled_at is not None:
        close_settled(at)
    elif is_early(due, at):
        wait(one.inquiry, Wait(due.due_at, one.inquiry.doubt), at)
    elif one.inquiry.doubt or (due.game and due.game.unanswered_policy == due.game.Policy.HOLD):
        # What a person was asked to decide does not expire because the game's address was taken away.
        wait(one.inquiry, Wait(None, one.inquiry.doubt or Inquiry.Doubt.HELD), at)
    else:
        run.done += expire_one(run, due.pk)
