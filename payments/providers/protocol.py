"""What a module that speaks to a payment provider offers, and what it is given.

None of them touches an order: they read and write messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from lib.backoffice.languages import stored
from lib.http.addresses import Network
from payments.providers.signatures.refused import Refused


class EventType(StrEnum):
    """What a callback says has happened (contract 4.2)."""

    SUCCEEDED = "payment.succeeded"
    FAILED = "payment.failed"
    REFUNDED = "payment.refunded"
    CHARGED_BACK = "payment.charged_back"
    CHARGE_BACK_REVERSED = "payment.charge_back_reversed"
    # A refund failed or was canceled, maybe after it was done. No Standard Webhook says so.
    REFUND_REVERSED = "payment.refund_reversed"


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """A provider as it is configured, with its live secrets.

    Safe to remember, and to use outside of the database.
    """

    id: UUID
    slug: str
    name: str
    scheme: str
    is_active: bool
    is_live: bool
    currency: str | None
    page_url: str
    networks: tuple[Network, ...]
    timeout_seconds: int
    # Newest first. Those that sign callbacks, and the one that calls the provider.
    callback_secrets: tuple[str, ...] = field(repr=False)
    api_secret: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class RawCallback:
    """A callback as it arrived.

    Header names in small letters, the raw body, and the time in seconds since 1970 by the database's clock.
    `is_answer` says that nobody called: the provider was asked, and its answer is the body.
    """

    headers: Mapping[str, str]
    body: bytes
    address: str
    at: int
    is_answer: bool = False


@dataclass(frozen=True, slots=True)
class EchoedOrder:
    """What an order-notify callback repeats of an order, to be compared by value (contract 4.2)."""

    uid: str
    server_id: str
    product_code: str
    price: str
    ext_params: str


@dataclass(frozen=True, slots=True)
class Event:
    """What a verified callback says. Amounts in minor units of `currency`.

    `type` is empty for what the provider tells besides and nobody acts on, and `said` then tells it in a few
    words; `problem` says why a genuine callback makes no sense.
    """

    message_id: str
    type: EventType | None = None
    order_id: UUID | None = None
    reference: str = ""
    amount: int | None = None
    currency: str = ""
    # Where the callback names what starting gave, or the payment that a refund or dispute is of.
    start_reference: str = ""
    payment_reference: str = ""
    # Instead of `amount`: all that was ever refunded of the payment.
    total: int | None = None
    # Of an event that says how a return, or a total, stands (`payments.settlement.returns`): when the
    # provider said so, whether that is the end of its life, and when the return was made.
    told_at: datetime | None = None
    is_final: bool = False
    made_at: datetime | None = None
    # Whether a look at the provider says the same; empty if nobody looked.
    is_confirmed: bool | None = None
    # The refund that we initiated, if the provider repeats our own id of it.
    refund_id: UUID | None = None
    echoed: EchoedOrder | None = None
    problem: str = ""
    said: str = ""
    # If the scheme signs less than the whole body: the signed text, and what is kept of a refused body.
    signed: bytes | None = None
    kept_body: bytes | None = None


@dataclass(frozen=True, slots=True)
class PaymentRequest:
    """An order as a provider is told of it when a player is sent there. `price` in minor units."""

    order_id: UUID
    payment_id: UUID
    uid: str
    server_id: int
    product_code: str
    product_name: str
    ext_params: str
    price: int
    currency: str
    decimals: int
    language: str
    expires_at: datetime
    # Where the player comes back to.
    result_url: str


@dataclass(frozen=True, slots=True)
class HostedPayment:
    """Where the player is sent, and what the provider calls the payment, if it says so already."""

    url: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class PaymentQuery:
    """A payment that a provider is asked about, by what starting it gave."""

    order_id: UUID
    start_reference: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A refund that we initiated. `id` is the same at every repetition; `amount` in minor units."""

    id: UUID
    order_id: UUID
    start_reference: str
    payment_reference: str
    amount: int
    currency: str
    reference: str = ""


class RefundStatus(StrEnum):
    """What is known of a refund that we initiated."""

    DONE = "done"
    REFUSED = "refused"
    # Time-outs, server errors, nonsense, and what the provider is still working on:
    # asked about again, never guessed.
    UNKNOWN = "unknown"
    # The provider has never heard of it: it can be asked for again.
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class RefundResult:
    """What a provider said about a refund, and the provider's own id of it."""

    status: RefundStatus
    reference: str = ""
    problem: str = ""
    # Of a description of the refund itself: when it was made, and whether nothing follows that it failed.
    made_at: datetime | None = field(default=None, compare=False)
    is_final: bool = field(default=False, compare=False)


class ProviderUnavailable(Exception):
    """The provider cannot be asked now: no payment is started; the text is for operators."""


class ProviderBusy(ProviderUnavailable):
    """Nothing was asked: too many ask providers at once (`payments.providers.places`)."""


class TellsOnce:
    """An adapter whose events say what happened, each once: there is nothing to look up."""

    def find_order(self, config: ProviderConfig, event: Event) -> Event:
        return event

    def confirm(self, config: ProviderConfig, event: Event) -> Event:
        return event


class NeverAsked:
    """An adapter whose provider cannot be asked what became of a payment."""

    can_query = False

    def query(self, config: ProviderConfig, query: PaymentQuery) -> bytes:
        raise ProviderUnavailable(stored("This provider cannot be asked about payments."))

    def read_answer(self, body: bytes) -> Event:
        raise Refused(stored("This provider is never asked."))


class ProviderAdapter(Protocol):
    """One scheme.

    None of its methods may be called within an atomic block, but `verify`, `read`, `read_answer`, `origins`
    and `takes`.
    `find_order` and `confirm` are asked only about events that say how something stands (`Event.told_at`).
    """

    # Whether refunds can be asked for; elsewhere operators do that at the provider.
    can_refund: bool
    # Whether its callbacks tell of refunds that were made there.
    tells_refunds: bool
    # Whether it is spoken to with a secret of its own, besides those that sign callbacks.
    has_api_secret: bool
    # Whether starting a payment asks the provider over the network.
    calls_to_start: bool
    # Whether it can be asked what became of a payment.
    can_query: bool

    def check_secret(self, text: str) -> None:
        """Raises `ValueError`, in an operator's words, where `text` cannot sign callbacks of this scheme."""

    def takes(self, config: ProviderConfig, currency: str) -> bool:
        """Whether an order in that currency can be paid there."""

    def origins(self, config: ProviderConfig) -> tuple[str, ...]:
        """The origins that a browser is sent to from the checkout."""

    def start(self, config: ProviderConfig, request: PaymentRequest) -> HostedPayment:
        """Begins a payment. Raises `ProviderUnavailable`."""

    def verify(self, config: ProviderConfig, raw: RawCallback) -> Event:
        """The event of a callback. Raises `Refused` if it is not genuine (contract 4.2, rule 1)."""

    def read(self, config: ProviderConfig, raw: RawCallback) -> Event:
        """The event of a callback that was verified when it came, as it is stored.

        The audit reads it again.
        """

    def query(self, config: ProviderConfig, query: PaymentQuery) -> bytes:
        """What the provider says of a payment now, as it is stored. Raises `ProviderUnavailable`.

        The answer has been checked to be about this payment, and `read_answer` can read it.
        """

    def read_answer(self, body: bytes) -> Event:
        """The event of such an answer: a success that its callback would tell with the same content, or none.

        The audit reads it again.
        """

    def find_order(self, config: ProviderConfig, event: Event) -> Event:
        """An event whose payment is not known here, with its order; if it is of none, it says nothing.

        As it is, if the provider knows no such payment.
        Raises `ProviderUnavailable` if nobody can tell now.
        """

    def confirm(self, config: ProviderConfig, event: Event) -> Event:
        """An event that differs from another one of its second, with whether things stand so now.

        Raises `ProviderUnavailable` if nobody can tell now.
        """

    def refund(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        """Asks for a refund; asked again with the same id, the provider does nothing twice."""

    def status(self, config: ProviderConfig, request: RefundRequest) -> RefundResult:
        """What became of a refund that was asked for."""
