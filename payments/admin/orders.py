"""Orders: read only, with their whole story on one page; refunds begin here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import Section
from payments.admin import timeline
from payments.admin.refund_actions import RefundActions
from payments.admin.search import order_condition
from payments.admin.states import show_order_state
from payments.models import Order
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession
from wallet.admin.amounts import amount_cell
from wallet.admin.inquiries import OLDEST

State = Order.State
# Attributes that may be empty, and the fields that show them.
OPTIONAL = {
    "credit": "credit_major",
    "refunded": "refunded_major",
    "charged_back": "charged_back_major",
    "clawed_back": "clawed_back_major",
    "ext_params": "ext_params_shown",
    "return_url": "return_url_shown",
    "language": "language",
    "paid_at": "paid",
    "delivered_at": "delivered",
}


def in_state(title: str, state: str, empty: str) -> Selection:
    """The orders in a state, by the index of it."""
    return Selection(title, lambda rows: rows.filter(state=state), empty=empty)


class States(Selections):
    title = "state"
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection("All"),
        "paid": Selection(
            "Waiting for delivery",
            lambda rows: rows.filter(state=State.PAID),
            ("pk",),
            "No paid order waits for its delivery.",
            OLDEST,
        ),
        "failed": in_state("Failed", State.FAILED, "No payment has failed."),
        "refunded": in_state("Refunded", State.REFUNDED, "No order is refunded in full."),
        "charged_back": in_state("Charged back", State.CHARGED_BACK, "No charge-back is outstanding."),
    }
    searched = "all"


@admin.register(Order)
class OrderAdmin(RefundActions, SearchingAdmin, SelectingAdmin):
    """What a player wanted to buy, and everything that came of it. The key of its checkout page is never shown: who has it can pay and see."""

    list_filter = (States,)
    list_display = (
        "short",
        "created_clock",
        "state_shown",
        "player_uid",
        "game_slug",
        "product_short",
        "price_major",
        "cp_short",
    )
    search_help_text = "Exact orderId, cpOrderId, uid or provider's reference"
    empty_text = "Orders appear when a game starts one (POST /payments/initiate)."
    fields = (
        *(
            "full_id",
            "hexadecimal",
            "cp_order_id_shown",
            "state_shown",
            "player_uid",
            "game_link",
            "product_link",
            "server_id",
        ),
        *(
            "price_major",
            "credit_major",
            "delivered_by",
            "refunded_major",
            "charged_back_major",
            "clawed_back_major",
        ),
        *("created", "expires", "paid", "delivered", "ext_params_shown", "return_url_shown", "language"),
    )

    @admin.display(description="our id")
    def short(self, obj: Order) -> SafeString:
        return short_id(obj.pk)

    @admin.display(description="our id (orderId)")
    def full_id(self, obj: Order) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="as order-notify names it")
    def hexadecimal(self, obj: Order) -> SafeString:
        return mono(obj.pk.hex)

    @admin.display(description="game's id (cpOrderId)")
    def cp_order_id_shown(self, obj: Order) -> SafeString:
        return mono(obj.cp_order_id)

    @admin.display(description="game's id")
    def cp_short(self, obj: Order) -> SafeString:
        return clipped(obj.cp_order_id)

    @admin.display(description="started (UTC)")
    def created_clock(self, obj: Order) -> SafeString:
        return clock(obj.created_at)

    @admin.display(description="state")
    def state_shown(self, obj: Order) -> SafeString:
        return show_order_state(obj.state)

    @admin.display(description="player")
    def player_uid(self, obj: Order) -> SafeString:
        return player_link(obj.player)

    @admin.display(description="game")
    def game_slug(self, obj: Order) -> SafeString:
        return clipped(obj.game.slug)

    @admin.display(description="game")
    def game_link(self, obj: Order) -> SafeString:
        return link(obj.game.slug, "players_game_change", obj.game_id)

    @admin.display(description="product")
    def product_short(self, obj: Order) -> SafeString:
        return clipped(obj.product_code)

    @admin.display(description="product")
    def product_link(self, obj: Order) -> SafeString:
        return link(mono(obj.product_code), "payments_product_change", obj.product_id)

    @admin.display(description="delivered by the game")
    def delivered_by(self, obj: Order) -> str:
        return "yes" if obj.is_delivered_by_game else "no"

    @admin.display(description="price")
    def price_major(self, obj: Order) -> SafeString:
        return amount_cell(obj.price, obj.currency_id)

    @admin.display(description="credit")
    def credit_major(self, obj: Order) -> SafeString:
        return amount_cell(obj.credit, str(obj.credit_currency_id))

    @admin.display(description="refunded")
    def refunded_major(self, obj: Order) -> SafeString:
        return amount_cell(obj.refunded, obj.currency_id)

    @admin.display(description="charged back")
    def charged_back_major(self, obj: Order) -> SafeString:
        return amount_cell(obj.charged_back, obj.currency_id)

    @admin.display(description="credit taken back")
    def clawed_back_major(self, obj: Order) -> SafeString:
        return amount_cell(obj.clawed_back, str(obj.credit_currency_id))

    @admin.display(description="started")
    def created(self, obj: Order) -> str:
        return moment(obj.created_at)

    @admin.display(description="to be paid until")
    def expires(self, obj: Order) -> str:
        return moment(obj.expires_at)

    @admin.display(description="paid")
    def paid(self, obj: Order) -> str:
        return moment(obj.paid_at)

    @admin.display(description="delivered")
    def delivered(self, obj: Order) -> str:
        return moment(obj.delivered_at)

    @admin.display(description="extParams")
    def ext_params_shown(self, obj: Order) -> SafeString:
        return mono(obj.ext_params)

    @admin.display(description="player returns to")
    def return_url_shown(self, obj: Order) -> SafeString:
        return mono(obj.return_url)

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> Any:
        # What only some orders have is shown where they have it.
        absent = {name for attribute, name in OPTIONAL.items() if not getattr(obj, attribute, None)}
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        rows: QuerySet[Order] = super().get_queryset(request)
        return rows.select_related("player", "game").defer("page_key")

    def named(self, queryset: QuerySet[Order], text: str) -> QuerySet[Order]:
        return queryset.filter(order_condition(text))

    def of_session(self, queryset: QuerySet[Order], session: GameSession) -> QuerySet[Order]:
        # Orders do not name sessions.
        return queryset.filter(player_id=session.player_id, game_id=session.game_id)

    def sections(self, request: HttpRequest, obj: Order) -> list[Section]:
        return timeline.sections(obj)
