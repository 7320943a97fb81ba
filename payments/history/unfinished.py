"""What a game leaves unfinished: the sweep ends it, asks the game, or a person decides."""

from datetime import timedelta
from typing import Literal

from lib.clock import now
from payments.history.calls import Visit, ends
from payments.history.director import Story
from payments.history.operators import requested
from payments.history.world import World
from wallet import ledger
from wallet.approvals.settlement import SETTLEMENT, SettlementPayload
from wallet.models import Inquiry, Transaction
from wallet.settlement.due import batches, expiring
from wallet.settlement.inquiries import AskedInquiry, act, begin_inquiries, close_settled, lease, record, wait
from wallet.settlement.rules import Wait
from wallet.settlement.status_query import QueryResult
from wallet.settlement.sweep import EXPIRED

WORKER = "worker-1:214"
BATCH = 64
Answer = Inquiry.Answer
# What a backend that is asked says, one answer after another, the last one again and again.
COURSES: tuple[tuple[str, ...], ...] = (
    (Answer.CONFIRMED,),
    (Answer.CONFIRMED,),
    (Answer.UNUSABLE, Answer.UNUSABLE, Answer.ROLLED_BACK),
    (Answer.PENDING, Answer.PENDING, Answer.CONFIRMED),
    (Answer.UNKNOWN,),
    (Answer.PENDING,),
    (Answer.UNUSABLE,),
)
# What nobody but a person can settle.
REVIEWED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("deposit", (Answer.UNKNOWN,)),
    ("withdrawal", (Answer.PENDING,)),
)
BODIES = {
    Answer.CONFIRMED: '{"state": "CONFIRMED"}',
    Answer.ROLLED_BACK: '{"state": "ROLLED_BACK"}',
    Answer.UNKNOWN: '{"state": "UNKNOWN"}',
    Answer.PENDING: '{"state": "PENDING"}',
}


def abandoned(world: World, here: Visit, type: str, mm: str, course: tuple[str, ...] | None = None) -> Story:
    """A pending transaction of which the game says nothing more; after the platform ended it, it may.

    With a `course` the game answers so, and nobody decides.
    """
    opened = Transaction.objects.get(
        player_id=here.person.id, game=here.house.game, type=type, mm_transaction_id=mm
    )
    world.answers[opened.pk] = list(world.random.choice(COURSES) if course is None else course)
    yield (opened.due_at or world.now) + timedelta(seconds=world.random.uniform(5, 60))
    sweep(world)
    while (inquiry := Inquiry.objects.filter(transaction=opened, closed_at=None).first()) is not None:
        if inquiry.next_attempt_at is None:
            if course is None:
                yield from decided(world, inquiry)
            return
        yield inquiry.next_attempt_at + timedelta(seconds=world.random.uniform(1, 60))
        sweep(world)
    if world.happens(0.5):
        yield world.after(60, 5_000)
        ends(world, here, "confirmed", type, mm)


def sweep(world: World) -> None:
    """What the platform does about everything that is due at this moment."""
    at = now()
    close_settled(at)
    for batch in batches(expiring(at), BATCH):
        ledger.expire_transactions(transaction_ids=batch, actor="sweep", reason=EXPIRED)
    begin_inquiries(at, BATCH)
    for one in lease(at, WORKER, [], BATCH):
        ask(world, one)


def ask(world: World, one: AskedInquiry) -> None:
    """A question to a game, whose answer is known here."""
    due = Transaction.objects.select_related("game").get(pk=one.inquiry.transaction_id)
    said = world.answers.get(due.pk) or [Answer.CONFIRMED]
    answer = Answer(said.pop(0) if len(said) > 1 else said[0])
    inquiry = record(one, due, result_of(answer, world.random.randrange(20, 300)))
    if inquiry is not None:
        act(inquiry, due, answer)


def result_of(answer: str, took_ms: int) -> QueryResult:
    if answer == Answer.UNUSABLE:
        return QueryResult(answer, "status 502", 502, "Bad gateway", took_ms)
    return QueryResult(answer, "", 200, BODIES[Answer(answer)], took_ms)


def decided(world: World, inquiry: Inquiry) -> Story:
    """Two operators decide what nobody else can; of some, nobody has so far."""
    if world.happens(0.4):
        return
    yield world.after(3_600, 40_000)
    event: Literal["confirmed", "rolled_back"] = "confirmed" if world.happens(0.5) else "rolled_back"
    payload = SettlementPayload(inquiry.pk, event)
    yield from requested(world, SETTLEMENT, payload, "Their support told us how the round ended.")


def hold_the_rest() -> None:
    """The games cannot be asked any more: what is open waits for a person."""
    for inquiry in Inquiry.objects.filter(closed_at=None).exclude(next_attempt_at=None):
        wait(inquiry, Wait(None, inquiry.doubt or Inquiry.Doubt.HELD), now())
