"""The full history of an order, as tables on its page."""

from typing import Any

from lib.backoffice.formatting import NOTHING, clipped, clock, link, short_id
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from lib.backoffice.stored_texts import reworded, reworded_failure
from payments.admin import deliveries
from payments.admin.callbacks import CALLBACK_HEADERS, callback_row
from payments.admin.refused_callbacks import of_order, section_of
from payments.admin.states import in_words, show_order_state, show_payment_state, show_refund_state
from payments.models import Callback, Delivery, Order, OrderEvent, Payment, Refund
from wallet.admin.amounts import amount_cell
from wallet.admin.transaction_states import show_state
from wallet.models import Transaction

# The latest of each; more than these has no order but one that is being attacked, or retried for days.
MOST_ROWS = 100
EVENT_HEADERS = (
    _("When (UTC)"),
    _("Event"),
    _("State after it"),
    _("Amount"),
    _("By"),
    _("Note"),
    _("Callback"),
)
PAYMENT_HEADERS = (
    _("Started (UTC)"),
    _("Provider"),
    _("State"),
    _("Amount"),
    _("Returned"),
    _("Provider's reference"),
    _("Paid (UTC)"),
    _("Problem"),
)
REFUND_HEADERS = (
    _("Created (UTC)"),
    _("Kind"),
    _("State"),
    _("Amount"),
    _("Credit taken back"),
    _("Provider"),
    _("Provider's reference"),
    _("By"),
    _("Reason"),
)
LEDGER_HEADERS = (_("Transaction"), _("Type"), _("State"), _("Amount"), _("Opened (UTC)"))


def sections(order: Order) -> list[Section]:
    """The tables, in the order in which one asks for them."""
    payments = list(
        Payment.objects.filter(order=order).select_related("provider").order_by("-pk")[:MOST_ROWS]
    )
    refunds = list(Refund.objects.filter(order=order).select_related("provider").order_by("-pk")[:MOST_ROWS])
    callbacks = Callback.objects.filter(order=order).defer("headers", "body").order_by("-pk")[:MOST_ROWS]
    refused = section_of(
        of_order(order),
        _("Refused callbacks (unverified)"),
        _("No refused callback names it."),
        str(order.pk),
    )
    told = Delivery.objects.filter(order=order).select_related("order__player", "game")
    return [
        Section(
            Order,
            _("Events"),
            EVENT_HEADERS,
            events(order),
            _("None, which is an error: the audit reports why."),
        ),
        Section(
            Order,
            _("Payments"),
            PAYMENT_HEADERS,
            [payment_row(row, order) for row in payments],
            _("The player has not been sent to a provider yet."),
        ),
        Section(
            Refund,
            _("Refunds and chargebacks"),
            REFUND_HEADERS,
            [refund_row(row, order) for row in refunds],
            _("Nothing has been refunded."),
        ),
        Section(
            Delivery,
            _("Delivery"),
            deliveries.HEADERS,
            [deliveries.delivery_row(row) for row in told],
            without_delivery(order),
        ),
        Section(
            Callback,
            _("Callbacks"),
            CALLBACK_HEADERS,
            [callback_row(row) for row in callbacks],
            _("No callback for this order yet."),
        ),
        *([refused] if refused.rows else []),
        Section(Transaction, _("Ledger"), LEDGER_HEADERS, ledger_rows(order), _("No money has moved.")),
    ]


def events(order: Order) -> list[tuple[Any, ...]]:
    """The events, the newest first, by `EVENT_HEADERS`."""
    found = OrderEvent.objects.filter(order=order).order_by("-pk")[:MOST_ROWS]
    return [
        (
            clock(event.at),
            in_words(event.what),
            show_order_state(event.new_state) if event.new_state != event.old_state else NOTHING,
            amount_cell(event.amount, order.currency_id),
            event.actor,
            clipped(note_of(event)),
            link(_("callback"), "payments_callback_change", event.callback_id)
            if event.callback_id
            else NOTHING,
        )
        for event in found
    ]


def note_of(event: OrderEvent) -> str:
    """The note of an event; what an operator gave as a reason stays as it is."""
    is_persons = event.actor.startswith("operator:")
    return event.note if is_persons else reworded(event.note)


def payment_row(payment: Payment, order: Order) -> tuple[Any, ...]:
    """A payment by `PAYMENT_HEADERS`."""
    return (
        clock(payment.started_at),
        link(payment.provider.slug, "payments_provider_change", payment.provider_id),
        show_payment_state(payment),
        amount_cell(payment.amount, order.currency_id),
        amount_cell(payment.returned, order.currency_id) if payment.paid_at else NOTHING,
        clipped(payment.reference or payment.start_reference),
        clock(payment.paid_at),
        reworded_failure(payment.problem) or NOTHING,
    )


def refund_row(refund: Refund, order: Order) -> tuple[Any, ...]:
    """A refund or chargeback by `REFUND_HEADERS`."""
    return (
        link(clock(refund.created_at), "payments_refund_change", refund.pk),
        refund.get_kind_display(),
        show_refund_state(refund),
        amount_cell(refund.amount, order.currency_id),
        amount_cell(refund.clawback, str(order.credit_currency_id)) if refund.clawback else NOTHING,
        refund.provider.slug,
        clipped(refund.reference),
        refund.actor,
        refund.reason or reworded(refund.problem) or NOTHING,
    )


def without_delivery(order: Order) -> str:
    return (
        _("None yet: the game is told once the order is paid.")
        if order.is_delivered_by_game
        else _("None: the product is a credit of the wallet.")
    )


def ledger_rows(order: Order) -> list[tuple[Any, ...]]:
    """Every transaction that the order caused, by `LEDGER_HEADERS`; the first is the oldest."""
    of_this = Transaction.objects.filter(reference=order.pk, player_id=order.player_id)
    return [
        (
            link(short_id(row.pk), "wallet_transaction_change", row.pk),
            row.get_type_display(),
            show_state(row),
            amount_cell(row.amount, row.wallet.currency_id),
            clock(row.opened_at),
        )
        for row in of_this.select_related("wallet").defer("wallet__head").order_by("pk")[:MOST_ROWS]
    ]
