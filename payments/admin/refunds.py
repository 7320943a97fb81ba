"""Refunds and charge-backs: what goes back to payers, of our own asking or the providers'."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import ReasonForm, ask, done, page_action, page_of
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import actor, read_uuid
from payments.admin.search import orders_named, orders_of_session
from payments.admin.states import show_refund_state
from payments.models import Refund
from payments.nudges import nudge
from payments.refunds.operations import NotRefundable, requery
from payments.tasks import refund_task
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession
from wallet.admin.amounts import amount_cell, show_amount
from wallet.admin.inquiries import SOONEST
from wallet.admin.manual_review import sentence

# Nobody adds a refund by a form of its own, so this permission is the one to have money go back.
REFUND = "payments.add_refund"
State = Refund.State
MEANINGS = {
    State.ASKED: "The provider is asked for it within seconds. The credit that belongs to it is set aside.",
    State.UNKNOWN: "The provider has not said yet what became of it. It is asked about again and again, never guessed; the credit stays set aside.",
    State.REFUSED: "The provider will not refund. What was set aside is the player's again.",
    State.REMEMBERED: "The provider told of it before it told of the payment. Nothing moves until the payment is told of.",
    State.DONE: "The money has gone back, and the credit that belongs to it is taken.",
    State.REVERSED: "The charge-back was taken back: the money is there again, and the credit with it.",
}
OPTIONAL = {
    "reason": "reason_shown",
    "ended_at": "ended",
    "next_attempt_at": "next_asked",
    "times_asked": "asked",
    "problem": "problem_shown",
    "clawback": "clawback_major",
    "set_aside": "set_aside_major",
    "set_aside_transaction": "set_aside_link",
    "return_transaction": "return_link",
}


class Openness(Selections):
    title = "state"
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        # Both conditions: the index knows when they are due.
        "open": Selection(
            "Open",
            lambda rows: rows.filter(next_attempt_at__isnull=False, state__in=Refund.OPEN),
            ("next_attempt_at", "pk"),
            "No refund waits for a provider's word.",
            SOONEST,
        ),
        "all": Selection("All", empty="Nothing has ever gone back."),
    }
    searched = "all"


@admin.register(Refund)
class RefundAdmin(SearchingAdmin, SelectingAdmin):
    """Money that goes back to a payer."""

    list_filter = (Openness,)
    search_help_text = "Exact refund id, orderId, cpOrderId, uid or provider's reference"
    empty_text = "Refunds begin on an order's page, or at a provider."
    fields = (
        *(
            "kind_shown",
            "state_shown",
            "meaning",
            "problem_shown",
            "amount_major",
            "clawback_major",
            "set_aside_major",
        ),
        *(
            "order_link",
            "player_uid",
            "provider_link",
            "reference_full",
            "actor",
            "reason_shown",
            "began",
            "asked",
            "next_asked",
            "ended",
        ),
        *("set_aside_link", "return_link", "full_id"),
    )
    actions_detail = ("requery",)

    @admin.display(description="begun (UTC)")
    def began_clock(self, obj: Refund) -> SafeString:
        return clock(obj.created_at)

    @admin.display(description="begun")
    def began(self, obj: Refund) -> str:
        return moment(obj.created_at)

    @admin.display(description="id")
    def full_id(self, obj: Refund) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="what")
    def kind_shown(self, obj: Refund) -> str:
        return obj.get_kind_display()

    @admin.display(description="state")
    def state_shown(self, obj: Refund) -> SafeString:
        return show_refund_state(obj)

    @admin.display(description="what it means")
    def meaning(self, obj: Refund) -> str:
        return MEANINGS[State(obj.state)]

    @admin.display(description="why")
    def problem_shown(self, obj: Refund) -> str:
        return sentence(obj.problem)

    @admin.display(description="amount")
    def amount_major(self, obj: Refund) -> SafeString:
        return amount_cell(obj.amount, obj.order.currency_id)

    @admin.display(description="credit taken")
    def clawback_major(self, obj: Refund) -> SafeString:
        return amount_cell(obj.clawback, str(obj.order.credit_currency_id))

    @admin.display(description="credit set aside")
    def set_aside_major(self, obj: Refund) -> SafeString:
        return amount_cell(obj.set_aside, str(obj.order.credit_currency_id))

    @admin.display(description="order")
    def order_short(self, obj: Refund) -> SafeString:
        return link(short_id(obj.order_id), "payments_order_change", obj.order_id)

    @admin.display(description="order")
    def order_link(self, obj: Refund) -> SafeString:
        return link(mono(obj.order_id), "payments_order_change", obj.order_id)

    @admin.display(description="player")
    def player_uid(self, obj: Refund) -> SafeString:
        return player_link(obj.order.player)

    @admin.display(description="provider")
    def provider_slug(self, obj: Refund) -> SafeString:
        return clipped(obj.provider.slug)

    @admin.display(description="provider")
    def provider_link(self, obj: Refund) -> SafeString:
        return link(obj.provider.slug, "payments_provider_change", obj.provider_id)

    @admin.display(description="provider's reference")
    def reference_full(self, obj: Refund) -> SafeString:
        return mono(obj.reference)

    @admin.display(description="reason")
    def reason_shown(self, obj: Refund) -> str:
        return obj.reason

    @admin.display(description="asked")
    def asked(self, obj: Refund) -> str:
        return f"{obj.times_asked:,} times"

    @admin.display(description="asked next")
    def next_asked(self, obj: Refund) -> str:
        return moment(obj.next_attempt_at)

    @admin.display(description="asked next (UTC)")
    def next_clock(self, obj: Refund) -> SafeString:
        return clock(obj.next_attempt_at)

    @admin.display(description="by")
    def by_short(self, obj: Refund) -> SafeString:
        return clipped(obj.actor)

    @admin.display(description="ended")
    def ended(self, obj: Refund) -> str:
        return moment(obj.ended_at)

    @admin.display(description="setting aside")
    def set_aside_link(self, obj: Refund) -> SafeString:
        return link(mono(obj.set_aside_transaction), "wallet_transaction_change", obj.set_aside_transaction)

    @admin.display(description="ledger transaction")
    def return_link(self, obj: Refund) -> SafeString:
        return link(mono(obj.return_transaction), "wallet_transaction_change", obj.return_transaction)

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        what = (
            "began_clock",
            "kind_shown",
            "state_shown",
            "amount_major",
            "order_short",
            "player_uid",
            "provider_slug",
        )
        return (*what, "next_clock") if Openness.name_in(request) == "open" else (*what, "by_short")

    def get_fields(self, request: HttpRequest, obj: Refund | None = None) -> Any:
        absent = {name for attribute, name in OPTIONAL.items() if not getattr(obj, attribute, None)}
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        rows: QuerySet[Refund] = super().get_queryset(request)
        return rows.select_related("order__player", "provider")

    def named(self, queryset: QuerySet[Refund], text: str) -> QuerySet[Refund]:
        condition = Q(order_id__in=orders_named(text))
        return queryset.filter(condition | Q(pk=id) if (id := read_uuid(text)) else condition)

    def of_session(self, queryset: QuerySet[Refund], session: GameSession) -> QuerySet[Refund]:
        return queryset.filter(order_id__in=orders_of_session(session))

    def senseless_actions(self, id: UUID) -> set[str]:
        return set() if Refund.objects.filter(pk=id, state__in=Refund.OPEN).exists() else {"requery"}

    @page_action(title="Ask the provider again", permission=REFUND)
    def requery(self, request: HttpRequest, obj: Refund) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                requery(obj, actor=actor(request.user))
            except NotRefundable as problem:
                messages.warning(request, f"Nothing was done. {problem}")
                return HttpResponseRedirect(page_of(obj))
            nudge(refund_task, str(obj.pk))
            return done(
                self, request, obj, "The provider is being asked.", reason=form.cleaned_data["reason"]
            )
        says = [
            f"{obj.provider.name} is asked at once what became of the {show_amount(obj.amount, obj.order.currency_id)}.",
            "It is asked under the same id as before: nothing can go back twice. Until it answers everything stays as it is.",
        ]
        return ask(
            self, request, obj, title="Ask the provider again?", says=says, form=form, button="Ask again"
        )
