"""What Stripe's events say, as far as they are about our orders.

Only fields that every version of its API has are read.
"""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

from payments.providers.protocol import Event, EventType
from payments.providers.signatures.order_notify import refuse_constant
from payments.providers.signatures.refused import Refused
from payments.providers.stripe_checkout.minor_units import Inexpressible, from_stripe
from wallet.currencies import decimals_of

# How our own ids are called in Stripe's metadata.
ORDER_KEY, PAYMENT_KEY, REFUND_KEY = "wallet_order_id", "wallet_payment_id", "wallet_refund_id"
ID = re.compile(r"[!-~]{1,255}")
ORDER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
CURRENCY = re.compile(r"[a-z]{3}")
MOST = 10**17
# Of a dispute that is no inquiry: the money has been taken from us.
TAKEN_AWAY = frozenset({"needs_response", "under_review", "lost"})

Thing = dict[str, Any]


class Senseless(Exception):
    """Why a genuine event cannot be acted on; the text is for operators."""


def read_event(body: bytes, *, is_live: bool) -> Event:
    """What a genuine body says; where it makes no sense, an event with a `problem`.

    Raises `Refused` where it has not even an id.
    """
    try:
        said = json.loads(body.decode(), parse_constant=refuse_constant)
    except (ValueError, RecursionError) as problem:
        raise Refused("The body is not JSON in UTF-8.") from problem
    id = said.get("id") if isinstance(said, dict) else None
    if not isinstance(id, str) or not ID.fullmatch(id):
        raise Refused("The event has no id.")
    try:
        return read_kind(id, said, is_live=is_live)
    except (Senseless, Inexpressible) as problem:
        return Event(id, problem=str(problem))


def read_kind(id: str, said: Thing, *, is_live: bool) -> Event:
    if said.get("object") != "event":
        raise Senseless("it is no snapshot event: the endpoint must send those")
    if said.get("livemode") is not is_live:
        raise Senseless(f"it is not of the {'live' if is_live else 'test'} mode that this provider is in")
    kind, data = said.get("type"), said.get("data")
    if not isinstance(kind, str) or not isinstance(data, dict):
        raise Senseless("type or data is missing")
    reader = READERS.get(kind)
    if reader is None:
        return Event(id)
    thing = data.get("object")
    if not isinstance(thing, dict):
        raise Senseless("data has no object")
    return reader(id, thing)


# --- Payments -------------------------------------------------------------------------------------------


def read_completed(id: str, session: Thing) -> Event:
    # A slow way of paying has only begun: an event of its own tells its end.
    return Event(id) if session.get("payment_status") == "unpaid" else read_paid(id, session)


def read_paid(id: str, session: Thing) -> Event:
    if session.get("payment_status") != "paid":
        raise Senseless("the session is complete, but nothing was paid")
    amount, currency = amount_of(session, "amount_total")
    return Event(
        id,
        EventType.SUCCEEDED,
        order_of(session),
        name_of(session, "payment_intent"),
        amount,
        currency,
        start_reference=name_of(session, "id"),
    )


def read_unpaid(id: str, session: Thing) -> Event:
    return Event(
        id,
        EventType.FAILED,
        order_of(session),
        name_of(session, "payment_intent"),
        start_reference=name_of(session, "id"),
    )


# --- Money that goes back -------------------------------------------------------------------------------


def read_refunded(id: str, charge: Thing) -> Event:
    """It has no reference: a charge tells how much has gone back in all, not which refund it was."""
    total, currency = amount_of(charge, "amount_refunded")
    return Event(
        id,
        EventType.REFUNDED,
        order_of(charge),
        currency=currency,
        payment_reference=name_of(charge, "payment_intent"),
        total=total,
    )


def read_refund_failed(id: str, refund: Thing) -> Event:
    raise Senseless(
        f"refund {name_of(refund, 'id')} has failed: its money is ours again, "
        "and where it is booked as done a person has to decide"
    )


def read_dispute_created(id: str, dispute: Thing) -> Event:
    # An inquiry takes no money; where it becomes a dispute, `funds_withdrawn` says so.
    return read_withdrawn(id, dispute) if dispute.get("status") in TAKEN_AWAY else Event(id)


def read_withdrawn(id: str, dispute: Thing) -> Event:
    return read_dispute(id, EventType.CHARGED_BACK, dispute)


def read_dispute_closed(id: str, dispute: Thing) -> Event:
    return (
        read_dispute(id, EventType.CHARGE_BACK_REVERSED, dispute)
        if dispute.get("status") == "won"
        else Event(id)
    )


def read_reinstated(id: str, dispute: Thing) -> Event:
    if dispute.get("status") != "won":
        # A part comes back of a dispute that is not won;
        # how much is told only in the currency of the account.
        raise Senseless(
            f"money of dispute {name_of(dispute, 'id')} came back, but it is not won: a person has to look"
        )
    return read_dispute(id, EventType.CHARGE_BACK_REVERSED, dispute)


def read_dispute(id: str, type: EventType, dispute: Thing) -> Event:
    """The same whichever of its events tells it, so that a dispute acts once.

    It carries no metadata of ours.
    """
    amount, currency = amount_of(dispute, "amount")
    return Event(
        id,
        type,
        reference=name_of(dispute, "id"),
        amount=amount,
        currency=currency,
        payment_reference=name_of(dispute, "payment_intent"),
    )


READERS: dict[str, Callable[[str, Thing], Event]] = {
    "checkout.session.completed": read_completed,
    "checkout.session.async_payment_succeeded": read_paid,
    "checkout.session.async_payment_failed": read_unpaid,
    # `checkout.session.expired` is nothing to act on:
    # the player may have chosen again, and an order expires by itself.
    "charge.refunded": read_refunded,
    "refund.failed": read_refund_failed,
    "charge.dispute.created": read_dispute_created,
    "charge.dispute.funds_withdrawn": read_withdrawn,
    "charge.dispute.closed": read_dispute_closed,
    "charge.dispute.funds_reinstated": read_reinstated,
}


# --- Fields ---------------------------------------------------------------------------------------------


def order_of(thing: Thing) -> UUID | None:
    """Our order, as it was named when the payment was started.

    None if the payment was not started by us.
    """
    metadata = thing.get("metadata")
    named = metadata.get(ORDER_KEY) if isinstance(metadata, dict) else None
    return UUID(named) if isinstance(named, str) and ORDER.fullmatch(named) else None


def name_of(thing: Thing, field: str) -> str:
    """One of Stripe's ids."""
    name = thing.get(field)
    if not isinstance(name, str) or not ID.fullmatch(name):
        raise Senseless(f"{field} is missing or no id")
    return name


def amount_of(thing: Thing, field: str) -> tuple[int, str]:
    """An amount in our minor units, and its currency."""
    amount, said = thing.get(field), thing.get("currency")
    if not isinstance(amount, int) or isinstance(amount, bool) or not 0 <= amount < MOST:
        raise Senseless(f"{field} is missing or no amount")
    if not isinstance(said, str) or not CURRENCY.fullmatch(said):
        raise Senseless("currency is missing or malformed")
    currency = said.upper()
    decimals = decimals_of(currency)
    if decimals is None:
        raise Senseless(f"currency {currency} is not known here")
    return from_stripe(amount, currency, decimals), currency
