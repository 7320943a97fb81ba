"""Refunds and chargebacks, initiated by us or by providers."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.filters import SOONEST_FIRST, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import mono, sentence, short_id
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import read_uuid
from lib.backoffice.stored_texts import reworded
from payments.admin.attention import refused, unmatched
from payments.admin.search import orders_named, orders_of_session
from payments.admin.states import show_refund_state
from payments.models import Provider, Refund
from payments.nudges import nudge
from payments.refunds.operations import NotRefundable, requery
from payments.tasks import refund_task
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import GameSession
from wallet.admin.amounts import amount_column, amount_conditions
from wallet.currencies import show_amount

# Nobody adds a refund by a form of its own, so this permission is the one to refund.
REFUND = "payments.refund_order"
State = Refund.State
MEANINGS = {
    State.ASKED: _("It is requested from the provider within seconds. Its credit is set aside."),
    State.UNKNOWN: _(
        "The provider has not confirmed the outcome yet. Status checks continue until it does; "
        "the credit stays set aside."
    ),
    State.REFUSED: _("The provider refused the refund. The credit set aside is released to the player."),
    State.REMEMBERED: _(
        "The provider reported it before the payment. Nothing moves until the payment is reported. "
        "If another payment has paid the order, ask the provider which payment it is of."
    ),
    State.DONE: _("The money has been refunded, and the credit that belongs to it taken back."),
    State.REVERSED: _(
        "The chargeback was reversed, or the refund failed after all: the payment stands again, "
        "and the credit with it."
    ),
    State.UNMOVED: _("The provider has said only that the money did not go back. Nothing has moved."),
    State.REPLACED: _(
        "The provider had told a sum without saying which refunds it was made of. "
        "They are named now, each in a row of its own, or have failed."
    ),
}
OPTIONAL = {
    "reason": "reason_shown",
    "ended_at": "ended",
    "next_attempt_at": "next_asked",
    "times_asked": "asked",
    "clawback": "clawback_major",
    "set_aside": "set_aside_major",
    "set_aside_transaction": "set_aside_link",
    "return_transaction": "return_link",
    "made_at": "made",
    "told_at": "told",
}


class Openness(Selections):
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        # Both conditions: the index knows when they are due.
        "open": Selection(
            _("Open"),
            lambda rows: rows.filter(next_attempt_at__isnull=False, state__in=Refund.OPEN),
            ("next_attempt_at", "pk"),
            _("No refund is waiting for a provider."),
            SOONEST_FIRST,
        ),
        "refused": Selection(
            _("Refused"),
            refused,
            ("-pk",),
            _("No provider has refused a refund of an order that is still paid."),
        ),
        "unmatched": Selection(
            _("Without a payment"),
            unmatched,
            ("-pk",),
            _("No refund or chargeback of a paid order waits for its payment."),
        ),
        "all": Selection(_("All"), empty=_("Nothing has been refunded yet.")),
    }
    searched = "all"


class Requery(PageAction[Refund]):
    """Has the provider queried at once."""

    title, permission = _("Query the provider again"), REFUND
    refusals = (NotRefundable,)

    def page(self, row: Refund) -> Page:
        amount = show_amount(row.amount, row.order.currency_id)
        says = [
            _("{provider} is asked at once for the status of this refund of {amount}.").format(
                provider=row.provider.name, amount=amount
            ),
            _("It keeps its id, so nothing is refunded twice. Nothing changes until the answer arrives."),
        ]
        return Page(_("Query the provider again?"), says, _("Query again"))

    def do(self, act: Act[Refund]) -> str:
        requery(act.row, actor=act.actor)
        return _("The provider is being queried.")

    def afterwards(self, act: Act[Refund], done: str) -> str:
        nudge(refund_task, str(act.row.pk))
        return done


@admin.register(Refund)
class RefundAdmin(SessionSearchAdmin, SelectingAdmin):
    """Money that is returned to a payer."""

    list_filter = (Openness,)
    conditions = (
        since(),
        until(),
        choice("kind", _("Kind"), "kind", lambda: Refund.Kind.choices),
        choice("provider", _("Provider"), "provider_id", slugs(Provider)),
        *amount_conditions("amount", "order__currency_id"),
    )
    search_help_text = _("Exact refund id, orderId, cpOrderId, uid or provider's reference")
    empty_text = _("A refund starts on an order's page, or at a provider.")
    head_columns = HeadColumns(
        ["state_shown"],
        ["meaning", "problem_shown"],
        ["amount_major", "player_uid", "order_link", "provider_link"],
    )
    fields = (
        *("clawback_major", "set_aside_major"),
        *(
            "reference_full",
            "actor",
            "reason_shown",
            "began",
            "asked",
            "next_asked",
            "ended",
            "made",
            "told",
        ),
        *("set_aside_link", "return_link", "full_id"),
    )
    actions_detail = ("requery",)
    requery = Requery()

    began_clock = columns.clock(_("created (UTC)"), "created_at")
    began = columns.moment(_("created"), "created_at")
    full_id = columns.mono(_("id"), "pk")
    kind_shown = columns.text(_("kind"), lambda row: row.get_kind_display())
    state_shown = columns.text(_("state"), show_refund_state)
    meaning = columns.text(_("meaning"), lambda row: MEANINGS[State(row.state)])
    problem_shown = columns.sentence(_("problem"), lambda row: reworded(row.problem))
    amount_major = amount_column(_("amount"), "amount", "order.currency_id")
    clawback_major = amount_column(_("credit taken back"), "clawback", "order.credit_currency_id")
    set_aside_major = amount_column(_("credit set aside"), "set_aside", "order.credit_currency_id")
    order_short = columns.link(_("order"), "payments_order_change", "order_id", look=short_id)
    order_link = columns.link(_("order"), "payments_order_change", "order_id", look=mono)
    player_uid = player_column(_("player"), "order.player")
    provider_slug = columns.clipped(_("provider"), "provider.slug")
    provider_link = columns.link(_("provider"), "payments_provider_change", "provider_id", "provider.slug")
    reference_full = columns.mono(_("provider's reference"), "reference")
    reason_shown = columns.text(_("reason"), "reason")
    asked = columns.number(_("status checks"), "times_asked")
    next_asked = columns.moment(_("next check"), "next_attempt_at")
    next_clock = columns.clock(_("next check (UTC)"), "next_attempt_at")
    by_short = columns.clipped(_("by"), "actor")
    ended = columns.moment(_("ended"), "ended_at")
    made = columns.moment(_("made at the provider"), "made_at")
    told = columns.moment(_("stands so at the provider since"), "told_at")
    set_aside_link = columns.link(
        _("set-aside transaction"), "wallet_transaction_change", "set_aside_transaction", look=mono
    )
    return_link = columns.link(
        _("ledger transaction"), "wallet_transaction_change", "return_transaction", look=mono
    )

    def title_of(self, row: Refund) -> str:
        amount = show_amount(row.amount, row.order.currency_id)
        kind = sentence(row.get_kind_display())
        return _("{kind} of {amount}, {uid}").format(kind=kind, amount=amount, uid=row.order.player.uid)

    def standard_columns(self, request: HttpRequest) -> tuple[str, ...]:
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

    def pointless_actions(self, id: UUID) -> set[str]:
        return set() if Refund.objects.filter(pk=id, state__in=Refund.OPEN).exists() else {"requery"}
