"""What Stripe's events say, as far as they are about our orders.

Only fields that every version of its API has are read.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from lib.backoffice.languages import stored
from payments.providers.protocol import Event, EventType
from payments.providers.signatures.order_notify import refuse_constant
from payments.providers.signatures.refused import Refused
from payments.providers.stripe_checkout.minor_units import Inexpressible, from_stripe
from wallet.currencies import decimals_of

# How our own ids are called in Stripe's metadata.
ORDER_KEY, PAYMENT_KEY, REFUND_KEY = "wallet_order_id", "wallet_payment_id", "wallet_refund_id"
ID = re.compile(r"[!-~]{1,255}")
MOST_ID = 255
WORD = re.compile(r"[a-z_]{1,40}")
ORDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CURRENCY = re.compile(r"[a-z]{3}")
MOST = 10**17
LATEST = 10**11
# Of a refund: what is under way, what is done, and what failed for good.
UNDER_WAY, DONE, FAILED = (
    frozenset({"pending", "requires_action"}),
    frozenset({"succeeded"}),
    frozenset({"failed", "canceled"}),
)
# Of a dispute: inquiries that take no money, disputes that hold it, and those that hold none any more.
# Those that were prevented or refunded instead have refunds of their own.
INQUIRIES = frozenset({"warning_needs_response", "warning_under_review"})
HOLDING = frozenset({"needs_response", "under_review", "lost"})
LET_GO = frozenset({"won", "warning_closed", "prevented", "charge_refunded"})
ENDS = LET_GO | {"lost"}

Thing = dict[str, Any]


NOT_LIVE = stored("it is not of the live mode that this provider is in")
NOT_TEST = stored("it is not of the test mode that this provider is in")


class Senseless(Exception):
    """Why a genuine event cannot be acted on; the text is for operators."""


def read_event(body: bytes, *, is_live: bool | None) -> Event:
    """What a genuine body says; where it makes no sense, an event with a `problem`.

    Of whichever mode, if `is_live` is None. Raises `Refused` where it has not even an id.
    """
    try:
        said = json.loads(body.decode(), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise Refused(stored("The body is not JSON in UTF-8.")) from problem
    id = said.get("id") if isinstance(said, dict) else None
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise Refused(stored("The event has no id."))
    try:
        return read_kind(id, said, is_live=is_live)
    except (Senseless, Inexpressible) as problem:
        return Event(id, problem=str(problem))


def read_kind(id: str, said: Thing, *, is_live: bool | None) -> Event:
    if said.get("object") != "event":
        raise Senseless(stored("it is no snapshot event: the endpoint must send those"))
    if said.get("account") is not None:
        # Of an account that is connected to ours: our payments are never made there.
        return Event(id)
    if is_live is not None and said.get("livemode") is not is_live:
        raise Senseless(NOT_LIVE if is_live else NOT_TEST)
    kind, data = said.get("type"), said.get("data")
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise Senseless(stored("type or data is missing"))
    reader, told_by = READERS.get(kind), TELLERS.get(kind)
    if reader is None and told_by is None:
        return Event(id)
    thing = data.get("object")
    if not isinstance(thing, dict):
        raise Senseless(stored("data has no object"))
    if told_by is not None:
        return read_return(id, thing, time_of(said, "created"), told_by)
    return reader(id, thing) if reader else Event(id)


# --- Payments -------------------------------------------------------------------------------------------


def read_completed(id: str, session: Thing) -> Event:
    # A slow way of paying has only begun: an event of its own tells its end.
    return Event(id) if session.get("payment_status") == "unpaid" else read_paid(id, session)


def read_paid(id: str, session: Thing) -> Event:
    order_id = order_of(session)
    if order_id is None:
        # Something else that the account sells.
        return Event(id)
    if session.get("payment_status") != "paid":
        raise Senseless(stored("the session is complete, but nothing was paid"))
    amount, currency = amount_of(session, "amount_total")
    return Event(
        id,
        EventType.SUCCEEDED,
        order_id,
        name_of(session, "payment_intent"),
        amount,
        currency,
        start_reference=name_of(session, "id"),
    )


def read_unpaid(id: str, session: Thing) -> Event:
    order_id = order_of(session)
    if order_id is None:
        return Event(id)
    return Event(
        id,
        EventType.FAILED,
        order_id,
        name_of(session, "payment_intent"),
        start_reference=name_of(session, "id"),
    )


# What is kept of a session that was asked about; the rest tells of the payer.
SESSION_FIELDS = (
    *("id", "object", "livemode", "status", "payment_status", "amount_total", "currency"),
    *("payment_intent", "metadata"),
)


def read_session(body: bytes) -> Event:
    """What a session says that was asked about: that it is paid, as its callback says it, or how it stands.

    That a payment failed is told by an event alone: a session says only that it is unpaid.
    """
    session = json.loads(body)
    status, paid = (word_of(session, field) for field in ("status", "payment_status"))
    id = f"query-{name_of(session, 'id')}-{paid}"[:MOST_ID]
    if paid == "unpaid":
        return Event(id, order_id=order_of(session), said=f"not paid ({status})")
    try:
        return read_paid(id, session)
    except (Senseless, Inexpressible) as problem:
        return Event(id, EventType.SUCCEEDED, order_of(session), problem=str(problem))


# --- Money that goes back -------------------------------------------------------------------------------


class About(NamedTuple):
    """What every event about a return is about: the event's id, the payment, our order and the time."""

    id: str
    payment: str
    order_id: UUID | None
    at: datetime


def read_return(id: str, thing: Thing, at: datetime, reader: Callable[[About, Thing], Event]) -> Event:
    """What an event says of a refund or dispute; with a problem, at least of which payment it is.

    Other products of the account have returns too, in currencies and states that nobody here knows.
    """
    payment = payment_of(thing)
    if not payment:
        # Without a payment intent it was not made by a checkout.
        return Event(id)
    order_id = (
        order_of(thing) or order_of(expanded(thing, "charge")) or order_of(expanded(thing, "payment_intent"))
    )
    try:
        event = reader(About(id, payment, order_id, at), thing)
    except (Senseless, Inexpressible) as problem:
        return Event(id, order_id=order_id, payment_reference=payment, told_at=at, problem=str(problem))
    # A refund or dispute of nothing moves nothing.
    return Event(id) if event.amount == 0 else event


def read_refunded(about: About, charge: Thing) -> Event:
    """It has no reference: a charge tells how much has gone back in all, not which refund it was."""
    total, currency = amount_of(charge, "amount_refunded")
    return Event(
        about.id,
        EventType.REFUNDED,
        about.order_id,
        currency=currency,
        payment_reference=about.payment,
        total=total,
        told_at=about.at,
    )


def read_refund(about: About, refund: Thing) -> Event:
    """How a refund stands. One that is under way counts if a charge's total has it in it."""
    status = status_of(refund, UNDER_WAY | DONE | FAILED)
    if status in UNDER_WAY:
        return Event(about.id)
    amount, currency = amount_of(refund, "amount")
    made_at = time_of(refund, "created")
    return Event(
        about.id,
        EventType.REFUNDED if status in DONE else EventType.REFUND_REVERSED,
        about.order_id,
        name_of(refund, "id"),
        amount,
        currency,
        payment_reference=about.payment,
        told_at=about.at,
        is_final=status in FAILED,
        made_at=made_at if made_at <= about.at else None,
        refund_id=uuid_of(refund, REFUND_KEY),
    )


def read_dispute(about: About, dispute: Thing) -> Event:
    """How a dispute stands, whichever of its events tells it. It carries no metadata of ours."""
    status = status_of(dispute, INQUIRIES | HOLDING | LET_GO)
    if status in INQUIRIES:
        # An inquiry takes no money; where it becomes a dispute, its status says so.
        return Event(about.id)
    return dispute_event(about, dispute, is_gone=status in HOLDING, is_final=status in ENDS)


def read_withdrawn(about: About, dispute: Thing) -> Event:
    """Money was taken, whatever the status says: one that let it go is told by another event."""
    status = status_of(dispute, INQUIRIES | HOLDING | LET_GO)
    return dispute_event(about, dispute, is_gone=True, is_final=status == "lost")


def read_reinstated(about: About, dispute: Thing) -> Event:
    if status_of(dispute, INQUIRIES | HOLDING | LET_GO) in HOLDING:
        # A part comes back of a dispute that is not won;
        # how much is told only in the currency of the account.
        raise Senseless(
            stored("money of dispute {id} came back, but it is not won: a person has to look").format(
                id=name_of(dispute, "id")
            )
        )
    return read_dispute(about, dispute)


def dispute_event(about: About, dispute: Thing, *, is_gone: bool, is_final: bool) -> Event:
    amount, currency = amount_of(dispute, "amount")
    return Event(
        about.id,
        EventType.CHARGED_BACK if is_gone else EventType.CHARGE_BACK_REVERSED,
        about.order_id,
        name_of(dispute, "id"),
        amount,
        currency,
        payment_reference=about.payment,
        told_at=about.at,
        is_final=is_final,
    )


READERS: dict[str, Callable[[str, Thing], Event]] = {
    "checkout.session.completed": read_completed,
    "checkout.session.async_payment_succeeded": read_paid,
    "checkout.session.async_payment_failed": read_unpaid,
    # `checkout.session.expired` is nothing to act on:
    # the player may have chosen again, and an order expires by itself.
}
# What tells how something stands, and since when.
TELLERS: dict[str, Callable[[About, Thing], Event]] = {
    "charge.refunded": read_refunded,
    **dict.fromkeys(
        ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated"), read_refund
    ),
    **dict.fromkeys(
        ("charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed"), read_dispute
    ),
    "charge.dispute.funds_withdrawn": read_withdrawn,
    "charge.dispute.funds_reinstated": read_reinstated,
}


def is_holding(dispute: Thing) -> bool:
    """Whether a dispute, as Stripe describes it now, holds money."""
    return status_of(dispute, INQUIRIES | HOLDING | LET_GO) in HOLDING


# --- Fields ---------------------------------------------------------------------------------------------


def order_of(thing: Thing) -> UUID | None:
    """Our order, as it was named when the payment was started.

    None if the payment was not started by us.
    """
    return uuid_of(thing, ORDER_KEY)


def uuid_of(thing: Thing, key: str) -> UUID | None:
    """One of our own ids, as Stripe repeats it."""
    metadata = thing.get("metadata")
    named = metadata.get(key) if isinstance(metadata, dict) else None
    return UUID(named) if isinstance(named, str) and ORDER.fullmatch(named) else None


def name_of(thing: Thing, field: str) -> str:
    """One of Stripe's ids; what is expanded has it as a field."""
    name = thing.get(field)
    name = name.get("id") if isinstance(name, dict) else name
    if not isinstance(name, str) or not ID.fullmatch(name):
        raise Senseless(stored("{field} is missing or no id").format(field=field))
    return name


def word_of(thing: Thing, field: str) -> str:
    """One of the few words that Stripe has for a state. Raises `ValueError` for anything else."""
    word = thing.get(field)
    if not isinstance(word, str) or not WORD.fullmatch(word):
        raise ValueError(f"{field} is no state")
    return word


def expanded(thing: Thing, field: str) -> Thing:
    """What an id stands for, if it comes expanded."""
    inner = thing.get(field)
    return inner if isinstance(inner, dict) else {}


def payment_of(thing: Thing) -> str:
    """The payment intent of a charge, refund or dispute; empty if it has none, as ours always have.

    Early versions of the API name it at most in a dispute's charge.
    """
    holder = thing if thing.get("payment_intent") is not None else expanded(thing, "charge")
    is_null = "payment_intent" in thing and holder.get("payment_intent") is None
    return "" if is_null else name_of(holder, "payment_intent")


def status_of(thing: Thing, known: frozenset[str]) -> str:
    status = thing.get("status")
    if not isinstance(status, str) or status not in known:
        raise Senseless(stored("its status is none that is known"))
    return status


def time_of(thing: Thing, field: str) -> datetime:
    """A time of Stripe's, which counts seconds since 1970."""
    seconds = thing.get(field)
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds < LATEST:
        raise Senseless(stored("{field} is missing or no time").format(field=field))
    return datetime.fromtimestamp(seconds, UTC)


def amount_of(thing: Thing, field: str) -> tuple[int, str]:
    """An amount in our minor units, and its currency."""
    amount, said = thing.get(field), thing.get("currency")
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount < MOST:
        raise Senseless(stored("{field} is missing or no amount").format(field=field))
    if not isinstance(said, str) or not CURRENCY.fullmatch(said):
        raise Senseless(stored("currency is missing or malformed"))
    currency = said.upper()
    decimals = decimals_of(currency)
    if decimals is None:
        raise Senseless(stored("currency {currency} is not known here").format(currency=currency))
    return from_stripe(amount, currency, decimals), currency
