"""Inquiries: begins them, leases those that it is time to ask about, and does what follows from an answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from lib.clock import now
from lib.ids import new_id
from players.models import Game
from wallet.alerts import clear_alert, raise_alert
from wallet.models import Alert, Inquiry, Question, Transaction
from wallet.models.leased import lease_due
from wallet.operations import resolve_transaction
from wallet.outcomes import LedgerRefused
from wallet.settlement.due import uninquired
from wallet.settlement.rules import ANSWERS_REMEMBERED, Settle, Wait, forgets, next_step
from wallet.settlement.status_query import QueryResult

# Longer than a question can take: a lost worker's inquiries are asked again after it.
LEASE = timedelta(minutes=3)
Answer = Inquiry.Answer
SETTLING = [Answer.CONFIRMED, Answer.ROLLED_BACK]
WORDS = [*SETTLING, Answer.UNKNOWN, Answer.PENDING]
# What an answer changes of an inquiry.
COUNTED = (
    *("last_answer", "leased_until", "unusable_in_a_row", "unusable_since"),
    *("unknown_answers", "unknown_since", "pending_answers", "pending_since"),
)


@dataclass(frozen=True, slots=True)
class AskedInquiry:
    """An inquiry that is ours to ask about, and the question that was written down for it."""

    inquiry: Inquiry
    question: Question


def begin_inquiries(at: datetime, limit: int) -> int:
    """Begins an inquiry for each due transaction that has to be asked about, and puts in doubt what is held.

    Returns how many.
    """
    rows = [begun(found, at) for found in uninquired(at).select_related("game")[:limit]]
    # Two sweeps at once begin the same ones: each is there once.
    Inquiry.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def begun(due: Transaction, at: datetime) -> Inquiry:
    if due.game is None:
        raise ValueError("only a transaction of a game can be pending")
    row = Inquiry(pk=new_id(), transaction=due, player_id=due.player_id, game=due.game, began_at=at)
    if due.game.query_url:
        row.next_attempt_at = at
    else:
        row.doubt, row.doubt_since = Inquiry.Doubt.HELD, at
    return row


def close_settled(at: datetime) -> int:
    """Closes inquiries about what has been settled meanwhile, by whomever. Returns how many."""
    settled = Inquiry.objects.filter(closed_at=None, transaction__settled_at__isnull=False)
    # As a list: on several machines a change reads no other machine.
    ids = list(settled.values_list("pk", flat=True))
    return Inquiry.objects.filter(pk__in=ids, closed_at=None).update(
        closed_at=at, next_attempt_at=None, leased_until=None
    )


def lease(at: datetime, worker: str, left_out: Sequence[UUID], limit: int) -> list[AskedInquiry]:
    """Takes inquiries that it is time to ask about, but for games in `left_out`, and writes down a question
    for each.
    """
    with transaction.atomic():
        open_ones = Inquiry.objects.filter(closed_at=None).exclude(game_id__in=left_out)
        asked = F("questions_asked") + 1
        rows = lease_due(open_ones, at, lease=LEASE, limit=limit, questions_asked=asked)
        questions = [
            Question(pk=new_id(), inquiry=row, game_id=row.game_id, asked_by=worker, asked_at=at)
            for row in rows
        ]
        Question.objects.bulk_create(questions)
    return [AskedInquiry(row, question) for row, question in zip(rows, questions, strict=True)]


def is_early(due: Transaction, at: datetime) -> bool:
    """Whether a transaction is not due yet: an operator had the game asked.

    Until it is due only an answer that settles it counts: the game has not had its time to settle it itself.
    """
    return due.due_at is not None and due.due_at > at


def record(leased: AskedInquiry, due: Transaction, result: QueryResult) -> Inquiry | None:
    """Writes down what came of a question, and counts it while the inquiry is open.

    None where it was recorded before.
    """
    at = now()
    with transaction.atomic():
        inquiry = Inquiry.objects.select_for_update().get(pk=leased.inquiry.pk)
        is_new = Question.objects.filter(pk=leased.question.pk, answered_at=None).update(
            answered_at=at,
            answer=result.answer,
            problem=result.problem,
            status=result.status,
            body=result.body,
            took_ms=result.took_ms,
        )
        if not is_new:
            return None
        if inquiry.closed_at is None:
            if is_early(due, at):
                inquiry.last_answer, inquiry.leased_until = result.answer, at + LEASE
            else:
                count(inquiry, result.answer, at)
            inquiry.save(update_fields=COUNTED)
    return inquiry


def count(inquiry: Inquiry, answer: str, at: datetime) -> None:
    """Counts an answer. Should nobody come to act on it, the game is asked again when the lease is over."""
    inquiry.last_answer, inquiry.leased_until = answer, at + LEASE
    if answer == Answer.UNUSABLE:
        inquiry.unusable_in_a_row += 1
        inquiry.unusable_since = inquiry.unusable_since or at
        return
    inquiry.unusable_in_a_row, inquiry.unusable_since = 0, None
    if answer == Answer.UNKNOWN:
        inquiry.unknown_answers += 1
        inquiry.unknown_since = inquiry.unknown_since or at
    elif answer == Answer.PENDING:
        inquiry.pending_answers += 1
        inquiry.pending_since = inquiry.pending_since or at
        inquiry.unknown_answers, inquiry.unknown_since = 0, None


def act(inquiry: Inquiry, due: Transaction, answer: str) -> str:
    """Does what follows from the game's answer.

    Returns the event that settled the transaction, or nothing.
    """
    if inquiry.closed_at is not None and answer not in SETTLING:
        return ""
    # Also where somebody has decided meanwhile: the ledger writes down what contradicts.
    at = now()
    if is_early(due, at) and answer not in SETTLING:
        wait(inquiry, Wait(due.due_at), at)
        return ""
    step = next_step(inquiry, due.type, answer, at, game_forgets=watch_memory(due.game))
    if isinstance(step, Settle):
        return settle(inquiry, step)
    wait(inquiry, step, at)
    return ""


def settle(inquiry: Inquiry, step: Settle) -> str:
    """Ends the transaction and the inquiry.

    Whoever else ended it in the meantime has won, and the ledger has noted a contradiction.
    """
    try:
        resolve_transaction(
            inquiry.transaction_id,
            event=step.event,
            source=Transaction.Source.SWEEP,
            actor="sweep",
            reason=step.reason,
        )
        event = step.event
    except LedgerRefused:
        event = ""
    close(inquiry)
    return event


def close(inquiry: Inquiry) -> None:
    """Nothing is left to ask: the transaction is settled."""
    Inquiry.objects.filter(pk=inquiry.pk, closed_at=None).update(
        closed_at=now(), next_attempt_at=None, leased_until=None
    )


def wait(inquiry: Inquiry, step: Wait, at: datetime) -> None:
    doubt_since = None if not step.doubt else inquiry.doubt_since or at
    Inquiry.objects.filter(pk=inquiry.pk, closed_at=None).update(
        next_attempt_at=step.next_attempt_at, leased_until=None, doubt=step.doubt, doubt_since=doubt_since
    )


def watch_memory(game: Game | None) -> bool:
    """Whether a game suddenly says UNKNOWN more often than not; raises an alert about it, and clears it."""
    if game is None:
        return False
    answers = list(
        Question.objects.filter(game=game, answer__in=WORDS)
        .order_by("-answered_at")
        .values_list("answer", flat=True)[:ANSWERS_REMEMBERED]
    )
    has_forgotten = forgets(answers)
    if has_forgotten:
        text = (
            f"{answers.count(Answer.UNKNOWN)} of the last {len(answers)} answers of {game.slug} were "
            "UNKNOWN: "
            "nothing expires on that answer until it recovers."
        )
        raise_alert(Alert.Kind.GAME_FORGETS, game.slug, text)
    else:
        clear_alert(Alert.Kind.GAME_FORGETS, game.slug, reason="The game knows its transactions again.")
    return has_forgotten
