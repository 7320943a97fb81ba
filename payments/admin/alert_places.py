"""Where alerts about payments lead: orders, refunds and providers, and what mends them."""

from lib.backoffice.languages import _, format_lazy
from payments.admin.bulk_retry import SEND_AGAIN
from payments.admin.refunds import REFUND
from payments.admin.shops import PAUSE
from payments.admin.signing_secrets import KEYS
from payments.admin.verification import VERIFY
from payments.models import EventReceiver, Order, Provider, Refund, RefundTotal
from wallet.admin.alert_places import PLACES, Place, Places, Subjects, end_of, ids_in
from wallet.models import Alert, Wallet

Kind = Alert.Kind


def order_place(id: object) -> Place:
    return Place(format_lazy(_("order {id}"), id=end_of(id)), Order, "change", id)


def of_undelivered(subjects: Subjects) -> Places:
    return {
        subject: [order_place(id), Place(_("Deliver again"), Order, "deliver_again", id, SEND_AGAIN)]
        for subject, id in ids_in(subjects).items()
    }


def of_held_credits(subjects: Subjects) -> Places:
    """What the wallet did not take is put right in the wallet."""
    orders = Order.objects.filter(pk__in=ids_in(subjects).values())
    credited = {
        row.pk: (row.player_id, row.credit_currency_id)
        for row in orders.only("player_id", "credit_currency_id")
    }
    rows = Wallet.objects.filter(player__in={player for player, _ in credited.values()})
    wallets = {(player, code): id for id, player, code in rows.values_list("pk", "player_id", "currency_id")}
    return {
        str(id): [order_place(id), *adjusting(wallets[of])] if of in wallets else [order_place(id)]
        for id, of in credited.items()
    }


def adjusting(id: object) -> list[Place]:
    return [Place(_("Credit or debit"), Wallet, "adjust", id, "wallet.adjust_balance")]


def of_refunds(subjects: Subjects) -> Places:
    """An open one is asked about again; instead of a refused one another is requested on the order's page."""
    rows = Refund.objects.filter(pk__in=ids_in(subjects).values()).only("order_id", "state")
    return {str(row.pk): [refund_place(row), *mending(row)] for row in rows}


def refund_place(row: Refund) -> Place:
    return Place(format_lazy(_("refund {id}"), id=end_of(row.pk)), Refund, "change", row.pk)


def mending(row: Refund) -> list[Place]:
    order = order_place(row.order_id)
    if row.state in Refund.OPEN:
        return [Place(_("Query the provider again"), Refund, "requery", row.pk, REFUND), order]
    if row.state == Refund.State.REFUSED:
        return [order, Place(_("Refund"), Order, "refund", row.order_id, REFUND)]
    return [order]


def of_returns(subjects: Subjects) -> Places:
    """A refund or dispute, or all that went back of a payment."""
    totals = RefundTotal.objects.filter(pk__in=ids_in(subjects).values()).values_list("pk", "order_id")
    return {str(id): [order_place(order)] for id, order in totals} | of_refunds(subjects)


def of_providers(subjects: Subjects) -> Places:
    """A secret is entered on the provider's page; what came meanwhile is verified again there."""
    rows = Provider.objects.filter(slug__in=list(subjects)).values_list("slug", "pk")
    return {
        slug: [
            Place(format_lazy(_("provider {slug}"), slug=slug), Provider, "change", id),
            Place(_("Enter a secret"), Provider, "enter_secret", id, KEYS),
            Place(_("Verify refused callbacks"), Provider, "verify_refused", id, VERIFY),
        ]
        for slug, id in rows
    }


def of_receivers(subjects: Subjects) -> Places:
    rows = EventReceiver.objects.filter(pk__in=ids_in(subjects).values()).values_list("pk", "name")
    return {
        str(id): [
            Place(format_lazy(_("event receiver {name}"), name=name), EventReceiver, "change", id),
            Place(_("Resume"), EventReceiver, "resume", id, PAUSE),
        ]
        for id, name in rows
    }


PLACES |= {
    Kind.EVENTS_NOT_TAKEN: of_receivers,
    Kind.CREDIT_HELD: of_held_credits,
    Kind.REFUND_OPEN: of_refunds,
    Kind.REFUND_REFUSED: of_refunds,
    Kind.RETURN_CHANGED: of_returns,
    Kind.DELIVERY_GIVEN_UP: of_undelivered,
    Kind.CALLBACKS_REFUSED: of_providers,
}
