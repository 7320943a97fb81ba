"""What a callback claims that could not be verified: for people who look for it, never to act on."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from payments.providers.adapters import adapter_for
from payments.providers.protocol import Event, ProviderConfig, RawCallback
from payments.providers.signatures.refused import Refused
from payments.settlement.decide import NUMBER
from wallet.currencies import decimals_of
from wallet.money import InvalidAmount, to_minor

# Adapters read what was verified. Of what was not, anything may be missing.
UNREADABLE = (Refused, ValueError, ArithmeticError, LookupError, TypeError, AttributeError, RecursionError)
TYPE_LENGTH = 40


class Claims(NamedTuple):
    """As far as it can be read; `amount` in minor units of `currency`."""

    message_id: str = ""
    type: str = ""
    order_id: UUID | None = None
    reference: str = ""
    amount: int | None = None
    currency: str = ""


def read_claims(config: ProviderConfig, raw: RawCallback) -> Claims:
    """What an unverified callback says, by its provider's scheme."""
    try:
        event = adapter_for(config.scheme).read(config, raw)
    except UNREADABLE:
        return Claims()
    amount, currency = named_amount(config, event)
    type = str(event.type or "")[:TYPE_LENGTH]
    return Claims(event.message_id, type, event.order_id, event.reference, amount, currency)


def named_amount(config: ProviderConfig, event: Event) -> tuple[int | None, str]:
    """The amount that an event names, in minor units, and its currency; of order-notify the price."""
    if event.echoed is None:
        return event.amount, event.currency if event.amount is not None else ""
    code, price = config.currency or "", event.echoed.price
    decimals = decimals_of(code)
    if decimals is None or not NUMBER.fullmatch(price):
        return None, ""
    try:
        return to_minor(Decimal(price), decimals), code
    except InvalidAmount:
        return None, ""
