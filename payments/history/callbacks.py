"""What providers tell, by the way of every callback: signed, verified, and taken in."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from lib.clock import now
from payments.callbacks.intake import take_in
from payments.callbacks.rejected import write
from payments.checkout.payments import start_payment
from payments.history.world import World
from payments.models import Order
from payments.providers.protocol import EventType, ProviderConfig, RawCallback
from payments.providers.registry import PROVIDERS
from payments.providers.signatures.refused import Refused
from payments.sandbox.bills import Bill, read_bill
from payments.sandbox.messages import Message, event, success

BASE = "http://localhost:8000/"
ADDRESSES = {"webhooks": "203.0.113.20", "notify": "203.0.113.40", "sandbox": "203.0.113.60"}
STRANGER = "192.0.2.77"


def bill_for(order: Order, slug: str) -> Bill:
    """Starts a payment with a provider, and gives what its page is told."""
    config = config_of(slug)
    hosted = start_payment(order, slug, BASE)
    bill = read_bill(config, dict(parse_qsl(urlsplit(hosted.url).query, keep_blank_values=True)))
    if bill is None:
        raise AssertionError("the address of the page tells the bill")
    return bill


def config_of(slug: str) -> ProviderConfig:
    config = PROVIDERS.find(slug)
    if config is None:
        raise AssertionError("the stage has made all providers")
    return config


def tell_paid(
    world: World, bill: Bill, reference: str, amount: int | None = None, *, times: int = 1
) -> UUID | None:
    """The provider says that the bill is paid, maybe several times. Returns the delivery that is due."""
    is_forged = world.wrong_secret_until.get(bill.config.slug, world.now) > world.now
    message = success(bill, reference, amount, is_forged=is_forged)
    first, *_ = [tell(bill.config, message) for _ in range(times)]
    return first


def tell_event(bill: Bill, type: EventType, reference: str, amount: int, *, payment: str = "") -> UUID | None:
    return tell(bill.config, event(bill, type, reference, amount, payment=payment))


def tell_forged(bill: Bill, reference: str) -> None:
    """Somebody who does not know the secret says that it is paid."""
    tell(bill.config, success(bill, reference, is_forged=True), STRANGER)


def tell(config: ProviderConfig, message: Message, address: str = "") -> UUID | None:
    """Takes a callback in as the platform's own page does; what is not genuine is kept as refused."""
    raw = raw_callback(message, address or ADDRESSES.get(config.slug, "203.0.113.99"))
    try:
        return take_in(config, raw).delivery_id
    except Refused as problem:
        write(config, raw, str(problem))
        return None


def raw_callback(message: Message, address: str) -> RawCallback:
    headers: Mapping[str, str] = {
        "content-type": "application/json",
        "user-agent": "pay-hooks/2.4",
        **message.headers,
    }
    return RawCallback(headers, message.body.encode(), address, int(now().timestamp()))
