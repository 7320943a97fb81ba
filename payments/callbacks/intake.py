"""Takes callbacks in (contract 4.2).

They are verified, stored once, decided, and committed with the money in one atomic block.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F, Q

from lib.backoffice.languages import stored
from lib.clock import now
from lib.ids import new_id
from lib.texts import storable
from payments import prepared_sql
from payments.callbacks.digests import content_digest, signed_digest
from payments.models import Callback, Order, Payment, Refund, RefundTotal
from payments.orders.events import Actor
from payments.providers.adapters import adapter_for
from payments.providers.places import PLACES
from payments.providers.protocol import Event, ProviderConfig, ProviderUnavailable, RawCallback
from payments.settlement.commit import commit
from payments.settlement.decide import KINDS, decide
from payments.settlement.plan import plan
from payments.settlement.returns import UNDECIDED
from payments.settlement.snapshot import OrderSnapshot, snapshot_of
from payments.settlement.steps import Contradict, Nothing, Step
from wallet.ledger_tries import LOST_RACES
from wallet.models import Transaction

Outcome = Callback.Outcome
# Two callbacks at once that name each other's ids:
# the loser of the race looks again, and finds what the winner did.
MOST_TRIES = 3
# As the unique indexes have it.
TAKEN = "outcome IN ('acted', 'nothing', 'duplicate')"
SAME_THING = f"provider_id = %s AND type = %s AND reference = %s AND {TAKEN} AND reference <> ''"
SAME_RETURN = "provider_id = %s AND kind = %s AND reference = %s AND reference <> ''"
CAME_AGAIN = stored("it came again, and was taken")
# A callback that could not be acted on is off the operators' list when it is.
RESOLVED = """
    UPDATE payments_callback
    SET resolved_at = %s, resolved_by = 'platform', reason = %s
    WHERE provider_id = %s AND outcome IN ('contradicts', 'no_order') AND resolved_at IS NULL
      AND (signed_digest = %s OR (message_id = %s AND (content_digest = %s OR body = %s)))
"""
# What moves if money comes in, or is kept again.
CAME_IN = (Transaction.Type.PAYMENT, Transaction.Type.SALE)
LOST = (IntegrityError, OperationalError, *LOST_RACES)
PROBLEM_LENGTH = 255
SAME_AS = stored("the same as {id}")
# Genuine, and not acted on.
REFUSED = (Outcome.CONTRADICTS, Outcome.NO_ORDER)
# The headers that are kept: those that a signature needs,
# and no credentials that somebody may have sent along.
KEPT_HEADERS = (
    "content-type",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "stripe-signature",
    "user-agent",
)


class IntakeResult(NamedTuple):
    """What came of a callback (a `Callback.Outcome`), and in a few words why it was not acted on."""

    outcome: str
    problem: str = ""
    # What has become due by it.
    delivery_id: UUID | None = None


class Arrival(NamedTuple):
    """A genuine callback as it is stored, and when it is taken in, under its order's lock.

    It holds who sent it and what it says.
    """

    config: ProviderConfig
    event: Event
    raw: RawCallback
    order: Order | None
    at: datetime

    def row(self, result: IntakeResult) -> Callback:
        """The row of the callback, not yet written: as it was received (contract 4.2, rule 1).

        Of a refused one only what is signed is kept, or nobody's words would fill the operators' list.
        """
        body = self.event.kept_body if result.outcome in REFUSED else None
        return Callback(
            id=new_id(),
            provider_id=self.config.id,
            order=self.order,
            message_id=self.event.message_id,
            type=str(self.event.type or ""),
            reference=self.reference(result),
            content_digest=content_digest(self.event, self.raw.body),
            signed_digest=signed_digest(self.event, self.raw.body),
            headers=kept_headers(self.raw),
            body=self.raw.body if body is None else body,
            address=self.raw.address or None,
            source=Callback.Source.QUERY if self.raw.is_answer else Callback.Source.CALLBACK,
            outcome=result.outcome,
            problem=storable(result.problem, PROBLEM_LENGTH),
            received_at=self.at,
            last_seen_at=self.at,
        )

    def reference(self, result: IntakeResult) -> str:
        """The provider's id of what it is about, by which a callback acts once (rule 4).

        What says how something stands is said again and again: only its message acts once.
        """
        is_taken = result.outcome not in REFUSED
        return "" if self.event.told_at is not None and is_taken else self.event.reference


def kept_headers(raw: RawCallback) -> dict[str, str]:
    return {name: storable(raw.headers[name]) for name in KEPT_HEADERS if name in raw.headers}


def take_in(config: ProviderConfig, raw: RawCallback) -> IntakeResult:
    """Verifies a callback, stores it and acts on it, or counts it if it came before.

    When this returns it is committed.

    Raises `Refused` if it is not genuine; then nothing is stored. Raises `ProviderUnavailable` if the
    provider has to be asked and cannot be; then it is stored for operators, until it comes again.
    """
    adapter = adapter_for(config.scheme)
    event = adapter.verify(config, raw)
    if event.told_at is not None and is_of_unknown_payment(config, event):
        try:
            with PLACES.take(config.id):
                event = adapter.find_order(config, event)
        except ProviderUnavailable:
            take_surely(config, event, raw)
            raise
    result = take_surely(config, event, raw)
    if result.problem == UNDECIDED:
        with PLACES.take(config.id):
            event = adapter.confirm(config, event)
        return take_surely(config, event, raw)
    return result


def take_answer(config: ProviderConfig, event: Event, body: bytes) -> IntakeResult:
    """Stores what a provider answered when it was asked, and acts on it as on a callback.

    The connection, and who we are to the provider, stand for the signature.
    """
    return take_surely(config, event, RawCallback({}, body, "", int(now().timestamp()), is_answer=True))


def is_of_unknown_payment(config: ProviderConfig, event: Event) -> bool:
    """Whether an event names neither an order nor a payment that is known."""
    if event.order_id is not None or not event.payment_reference:
        return False
    return not Payment.objects.filter(provider_id=config.id, reference=event.payment_reference).exists()


def take_surely(config: ProviderConfig, event: Event, raw: RawCallback) -> IntakeResult:
    """Stores a genuine callback and acts on it, in one atomic block; a lost race is run again."""
    for attempt in range(1, MOST_TRIES + 1):
        try:
            with transaction.atomic():
                return take_genuine(config, event, raw)
        except LOST as problem:
            if attempt == MOST_TRIES or not is_lost_race(problem):
                raise
    raise AssertionError("unreachable")


def is_lost_race(problem: Exception) -> bool:
    """Whether the same again may succeed.

    A deadlock, or an id that somebody else used in the same instant.
    """
    return isinstance(problem, (IntegrityError, *LOST_RACES)) or isinstance(problem.__cause__, LOST_RACES)


def take_genuine(config: ProviderConfig, event: Event, raw: RawCallback) -> IntakeResult:
    # The order first: whatever else acts on it waits here.
    order = lock_order(event, config)
    at, known, snapshot = look(order, config, event)
    arrival = Arrival(config, event, raw, order, at)
    if known is not None:
        return take_again(arrival, known)
    if event.problem:
        return refuse(arrival, IntakeResult(Outcome.CONTRADICTS, event.problem))
    if snapshot is None and event.type is not None:
        return refuse(arrival, IntakeResult(Outcome.NO_ORDER, stored("there is no such order")))
    step = decide(snapshot, event) if snapshot else Nothing("nothing that is acted on")
    if isinstance(step, Contradict):
        return refuse(arrival, IntakeResult(Outcome.CONTRADICTS, step.problem))
    return act(arrival, snapshot, step)


def act(arrival: Arrival, snapshot: OrderSnapshot | None, step: Step) -> IntakeResult:
    """Stores the callback, and commits the plan for its step."""
    if snapshot is None:
        result = IntakeResult(Outcome.NOTHING)
        store(arrival.row(result), arrival)
        return result
    callback = arrival.row(IntakeResult(Outcome.ACTED))
    planned = plan(snapshot, step, Actor(f"provider:{arrival.config.slug}", "provider", arrival.at, callback))
    if isinstance(step, Nothing):
        callback.outcome = Outcome.NOTHING
    elif planned.is_duplicate and any(one.type in CAME_IN for one in planned.money):
        callback.outcome = Outcome.DUPLICATE
    store(callback, arrival)
    return IntakeResult(callback.outcome, delivery_id=commit(planned))


def store(callback: Callback, arrival: Arrival) -> None:
    """Writes a callback that is taken, and takes what was refused of it before off the operators' list."""
    with prepared_sql.together():
        prepared_sql.insert(callback)
        same = (callback.signed_digest, callback.message_id, callback.content_digest, callback.body)
        prepared_sql.execute(RESOLVED, (arrival.at, CAME_AGAIN, arrival.config.id, *same))


def take_again(arrival: Arrival, known: Callback) -> IntakeResult:
    """What comes of a callback that is known already.

    The same again is counted; the same under another id uses that id up too;
    with other content it is refused.
    """
    event = arrival.event
    # The same bytes are the same, however they were read when they came first.
    is_same = bytes(known.body) == arrival.raw.body and known.message_id == event.message_id
    if not is_same and bytes(known.content_digest) != content_digest(event, arrival.raw.body):
        return refuse(
            arrival, IntakeResult(Outcome.CONTRADICTS, stored("its id was used before with other content"))
        )
    if known.message_id == event.message_id:
        seen = Callback.objects.filter(pk=known.pk)
        seen.update(times_seen=F("times_seen") + 1, last_seen_at=arrival.at)
    else:
        # The reference stays the first one's.
        row = arrival.row(IntakeResult(Outcome.NOTHING, SAME_AS.format(id=known.message_id)))
        row.reference = ""
        prepared_sql.insert(row)
    return IntakeResult(known.outcome)


def refuse(arrival: Arrival, result: IntakeResult) -> IntakeResult:
    """Stores a callback that cannot be acted on, for operators.

    The same again is only counted, or a provider that repeats itself would undo what they resolved. The same
    is what says the same, and what is signed the same: words that nobody signed, and other splits of the
    signed text, add no row.
    """
    row = arrival.row(result)
    same = Q(signed_digest=row.signed_digest) | Q(
        Q(content_digest=row.content_digest) | Q(body=row.body), message_id=row.message_id
    )
    before = Callback.objects.filter(same, provider_id=row.provider_id, outcome__in=REFUSED)
    seen = {"times_seen": F("times_seen") + 1, "last_seen_at": arrival.at}
    if not before.update(**seen, outcome=row.outcome, problem=row.problem):
        prepared_sql.insert(row)
    return result


# --- What is there already ------------------------------------------------------------------------------


def lock_order(event: Event, config: ProviderConfig) -> Order | None:
    """The order that an event names, by our id or by the provider's id of one of its payments."""
    order_id = event.order_id
    if order_id is None and event.payment_reference:
        named = Payment.objects.filter(provider_id=config.id, reference=event.payment_reference)
        order_id = named.values_list("order_id", flat=True).first()
    if order_id is None:
        return None
    return next(iter(prepared_sql.fetch(Order, "id = %s FOR NO KEY UPDATE", order_id)), None)


def look(
    order: Order | None, config: ProviderConfig, event: Event
) -> tuple[datetime, Callback | None, OrderSnapshot | None]:
    """The time, what has taken effect already, and the order as it stands; all under its lock.

    What has taken effect is the callback with this event's id or about the same thing (rule 4).
    """
    kind = KINDS.get(event.type) if event.type and event.reference else None
    # What says how something stands acts by its message alone.
    thing = event.reference if event.told_at is None else ""
    with prepared_sql.together():
        clock = prepared_sql.send("SELECT wallet_now()", ())
        # Two questions, each of which has its unique index.
        same_message = prepared_sql.Question(
            Callback, f"provider_id = %s AND message_id = %s AND {TAKEN}", config.id, event.message_id
        )
        same_thing = prepared_sql.Question(Callback, SAME_THING, config.id, str(event.type or ""), thing)
        same_return = prepared_sql.Question(Refund, SAME_RETURN, config.id, str(kind or ""), event.reference)
        payments, refunds = (
            prepared_sql.Question(model, "order_id = %s ORDER BY id", order.pk if order else None)
            for model in (Payment, Refund)
        )
        totals = prepared_sql.Question(RefundTotal, "order_id = %s ORDER BY id", order.pk if order else None)
    [(at,)] = clock.fetchall()
    # Its own message before another one about the same thing.
    found = [*same_message.rows(), *(same_thing.rows() if event.type is not None else ())]
    known = next(iter(found), None)
    if order is None:
        return at, known, None
    rows = payments.rows(), refunds.rows(), same_return.rows(), totals.rows()
    return at, known, snapshot_of(order, config.id, *rows)
