"""What can be done about an order, each where it makes sense."""

from typing import Any
from uuid import UUID

from django import forms
from django.db.models import Exists, F, OuterRef
from django.http import QueryDict

from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.formatting import moment
from lib.backoffice.forms import RadioWidget
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin
from lib.backoffice.stored_texts import reworded
from payments.admin.bulk_retry import SEND_AGAIN
from payments.admin.reasons import lowered
from payments.admin.refund_actions import RefundOrder
from payments.admin.verification import VerifyOfOrder
from payments.approvals.acceptance import ACCEPT_CALLBACK, AcceptancePayload
from payments.callbacks.acceptance import contradicting
from payments.callbacks.queries import MOST_ASKED, NotAskable, askable, request_query
from payments.callbacks.queries import NONE_LEFT as NONE_ASKABLE
from payments.callbacks.reverification import unverified
from payments.deliveries.operations import NotPossible, send_again
from payments.models import Callback, Delivery, Order, Payment, RefusedCallback
from payments.nudges import nudge
from payments.tasks import deliver_task, query_payments_task
from players.admin.approved_action import ApprovedAction, TwoStepRequestForm

MOST_OFFERED = 10
NONE_LEFT = _("No callback of this order contradicts it and could be its payment.")


class CallbackForm(TwoStepRequestForm):
    """Which callback; the newest is chosen."""

    callback = forms.ChoiceField(widget=RadioWidget, label=_("Callback"))

    def __init__(self, offered: list[Callback], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offered = {str(row.pk): row for row in offered}
        choices = [(id, named(row)) for id, row in self.offered.items()]
        self.fields["callback"].choices = choices  # type: ignore[attr-defined]
        self.fields["callback"].initial = next(iter(self.offered), None)
        self.order_fields(["callback", "reason"])

    def clean_callback(self) -> Callback:
        return self.offered[self.cleaned_data["callback"]]


def named(row: Callback) -> str:
    """How operators tell callbacks of one order from each other."""
    problem = lowered(reworded(row.problem))
    return f"{row.provider.name}, {moment(row.received_at)}, {row.message_id}: {problem}"


class AcceptCallback(ApprovedAction[Order]):
    """Requests that a callback that contradicts the order counts as its payment."""

    title, permission, kind = _("Accept a payment"), "payments.accept_callback", ACCEPT_CALLBACK

    def form_for(self, row: Order, data: QueryDict | None) -> CallbackForm:
        offered = list(contradicting(row.pk).order_by("-pk")[:MOST_OFFERED])
        if not offered:
            raise Refused(NONE_LEFT)
        return CallbackForm(offered, data)

    def page(self, row: Order) -> Page:
        says = [
            _("The provider has signed each of these, and it contradicts the order: ask the provider first."),
            _("You will see what accepting it would do, and be asked to confirm."),
        ]
        return Page(_("Accept a callback as this order's payment"), says, _("Continue"))

    def payload(self, row: Order, given: dict[str, Any]) -> AcceptancePayload:
        return AcceptancePayload(row.pk, given["callback"].pk)


class AskProvider(PageAction[Order]):
    """Has the provider asked what became of what was begun there."""

    title, permission = _("Ask the provider now"), "payments.query_payment"
    refusals = (NotAskable,)

    def page(self, row: Order) -> Page:
        payments = list(askable(row.pk).select_related("provider")[:MOST_ASKED])
        if not payments:
            raise NotAskable(NONE_ASKABLE)
        names = ", ".join(dict.fromkeys(payment.provider.name for payment in payments))
        says = [
            _("{names} is asked what became of the payment that was begun there.").format(names=names),
            _("If it says that it is paid, that counts as its callback would, and once."),
            _("Another amount contradicts the order. Without an answer, nothing changes."),
        ]
        return Page(_("Ask the provider now?"), says, _("Ask the provider now"))

    def do(self, act: Act[Order]) -> str:
        number = len(request_query(act.row, actor=act.actor, reason=act.reason))
        words = (
            _("The provider is asked.")
            if number == 1
            else _("The provider is asked about {number} payments.")
        )
        return format_lazy(words, number=number)

    def afterwards(self, act: Act[Order], done: str) -> str:
        nudge(query_payments_task)
        return _("{done} In a moment, this page tells what it said.").format(done=done)


class DeliverAgain(PageAction[Order]):
    """Tells the game once more, under the same message id."""

    title, permission = _("Deliver again"), SEND_AGAIN
    refusals = (NotPossible,)

    def page(self, row: Order) -> Page:
        delivery = delivery_of(row)
        says = [
            _(
                "{game} is told once more, at once, to deliver {product} to {uid}, "
                "under the same message id. The schedule of attempts starts anew."
            ).format(game=row.game, product=row.product_code, uid=row.player.uid)
        ]
        if delivery.delivered_at:
            says.append(
                _("The game has accepted it already. It must recognise the id, and not deliver twice.")
            )
        return Page(_("Deliver this order again?"), says, self.title, danger=bool(delivery.delivered_at))

    def do(self, act: Act[Order]) -> str:
        send_again(delivery_of(act.row), actor=act.actor, reason=act.reason)
        return _("The game is being told again.")

    def afterwards(self, act: Act[Order], done: str) -> str:
        nudge(deliver_task, str(delivery_of(act.row).pk))
        return done


def delivery_of(order: Order) -> Delivery:
    found = Delivery.objects.filter(order=order).first()
    if found is None:
        raise Refused(_("There is no delivery: the order is not paid, or the game has nothing to deliver."))
    return found


class OrderActions(PageAdmin):
    """The actions of an order's page, by what it needs."""

    actions_detail = ("ask_provider", "verify_refused", "accept", "deliver_again", "refund")
    ask_provider, verify_refused, accept = AskProvider(), VerifyOfOrder(), AcceptCallback()
    deliver_again, refund = DeliverAgain(), RefundOrder()

    def pointless_actions(self, id: UUID) -> set[str]:
        paid = Payment.objects.filter(order_id=OuterRef("pk"), state=Payment.State.PAID)
        unfinished = Delivery.objects.filter(order_id=OuterRef("pk")).exclude(state=Delivery.State.RETURNED)
        useful = {
            "ask_provider": Exists(askable(OuterRef("pk"))),
            "verify_refused": Exists(unverified(RefusedCallback.objects.filter(said_order=OuterRef("pk")))),
            "accept": Exists(contradicting(OuterRef("pk"))) & ~Exists(paid),
            "deliver_again": Exists(unfinished),
            # Where everything has gone back, there is nothing left.
            "refund": Exists(paid.filter(returned__lt=F("amount"))),
        }
        found = Order.objects.filter(pk=id).values(**useful).first() or {}
        return {name for name in useful if not found.get(name)}
