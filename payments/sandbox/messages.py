"""The callbacks that the sandbox sends, signed as each scheme has it."""

import secrets
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lib.clock import now
from lib.http.responses import ENCODER
from payments.models import Provider
from payments.providers.protocol import EventType
from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signatures.order_notify import Notification
from payments.providers.signing_secrets import new_webhook_secret
from payments.sandbox.bills import Bill
from wallet.currencies import decimals_of
from wallet.money import to_major


@dataclass(frozen=True, slots=True)
class Message:
    """A callback as it goes over the wire, and what it says in a word."""

    what: str
    body: str
    headers: dict[str, str]


def new_reference(prefix: str) -> str:
    """An id of the sandbox's own."""
    return f"{prefix}_{secrets.token_hex(12)}"


def event(
    bill: Bill, type: EventType, reference: str, amount: int, *, payment: str = "", is_forged: bool = False
) -> Message:
    """A Standard Webhook about an order. `amount` in minor units; `payment` is which payment goes back."""
    data: dict[str, Any] = {
        "orderId": bill.order,
        "providerReference": reference,
        "amount": major(bill, amount),
        "currencyCode": bill.currency,
    }
    if bill.config.scheme == Provider.Scheme.SANDBOX:
        # What the contract's body has no words for, and the sandbox's own has.
        data |= {"paymentReference": payment} if payment else {"startReference": bill.reference}
    body = ENCODER.encode({"type": type, "data": data})
    id, at = new_reference("msg"), int(now().timestamp())
    signature = standard_webhooks.sign(
        id, at, body, new_webhook_secret() if is_forged else bill.config.callback_secrets[0]
    )
    return Message(
        str(type),
        body.decode(),
        {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature},
    )


def notification(bill: Bill, amount: int, *, is_forged: bool = False) -> Message:
    """An order-notify callback: paid."""
    fields = dict(bill.fields or {}) | {"ts": str(int(now().timestamp() * 1000))}
    if amount != bill.amount:
        fields["productPrice"] = str(major(bill, amount))
    secret = secrets.token_urlsafe(24) if is_forged else bill.config.callback_secrets[0]
    signed = fields | {"sign": order_notify.sign(Notification(**fields, sign=""), secret)}
    return Message("order-notify", ENCODER.encode(signed).decode(), {})


def success(bill: Bill, reference: str, amount: int | None = None, *, is_forged: bool = False) -> Message:
    """The callback that tells of a payment, in the provider's own scheme."""
    amount = bill.amount if amount is None else amount
    if bill.config.scheme == Provider.Scheme.ORDER_NOTIFY:
        return notification(bill, amount, is_forged=is_forged)
    return event(bill, EventType.SUCCEEDED, reference, amount, is_forged=is_forged)


def major(bill: Bill, amount: int) -> Decimal:
    decimals = decimals_of(bill.currency)
    if decimals is None:
        raise AssertionError("a bill has a known currency")
    return to_major(amount, decimals)
