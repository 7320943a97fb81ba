"""Orders: read only, with their full history on one page; refunds start here."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.filters import OLDEST_FIRST, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import NOTHING, badge, mono
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from payments.admin import timeline
from payments.admin.order_actions import OrderActions
from payments.admin.reasons import reason, stories_of
from payments.admin.search import order_condition
from payments.admin.states import show_order_state
from payments.models import Order
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession
from wallet.admin.amounts import amount_column, amount_conditions
from wallet.currencies import show_amount

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
    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "all": Selection(_("All")),
        "paid": Selection(
            _("Waiting for delivery"),
            lambda rows: rows.filter(state=State.PAID),
            ("pk",),
            _("No paid order is waiting for delivery."),
            OLDEST_FIRST,
        ),
        "failed": in_state(_("Failed"), State.FAILED, _("No payment has failed.")),
        "refunded": in_state(_("Refunded"), State.REFUNDED, _("No order is fully refunded.")),
        "charged_back": in_state(_("Charged back"), State.CHARGED_BACK, _("No order is charged back.")),
    }
    searched = "all"


@admin.register(Order)
class OrderAdmin(OrderActions, SessionSearchAdmin, SelectingAdmin):
    """A purchase, with everything that belongs to it. The key of its checkout page is never shown."""

    shows_person = True

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
    conditions = (
        since(),
        until(),
        choice("game", _("Game"), "game_id", slugs(Game)),
        *amount_conditions("price", "currency_id"),
    )
    search_help_text = _("Exact orderId, cpOrderId, uid or provider's reference")
    empty_text = _("An order is created when a game starts one (POST /payments/initiate).")
    head_columns = HeadColumns(
        ["state_shown", "refused_shown"], ["why"], ["price_major", "player_uid", "game_link", "product_link"]
    )
    fields = (
        *("full_id", "hexadecimal", "cp_order_id_shown", "server"),
        *(
            "credit_major",
            "delivered_by",
            "refunded_major",
            "charged_back_major",
            "clawed_back_major",
        ),
        *("created", "expires", "paid", "delivered", "ext_params_shown", "return_url_shown", "language"),
    )

    why = columns.text(_("what happened"), "why")
    short = columns.short_id(_("our id"))
    full_id = columns.mono(_("our id (orderId)"), "pk")
    hexadecimal = columns.mono(_("id in order-notify callbacks"), "pk.hex")
    cp_order_id_shown = columns.mono(_("game's id (cpOrderId)"), "cp_order_id")
    server = columns.text(_("serverId"), "server_id")
    cp_short = columns.clipped(_("game's id"), "cp_order_id")
    created_clock = columns.clock(_("started (UTC)"), "created_at")
    state_shown = columns.text(_("state"), lambda row: show_order_state(row.state))
    refused_shown = columns.text(
        _("callbacks"), lambda row: badge(_("callbacks refused"), "danger") if row.is_refused else NOTHING
    )
    player_uid = player_column(_("player"), "player")
    game_slug = columns.clipped(_("game"), "game.slug")
    game_link = columns.link(_("game"), "players_game_change", "game_id", "game.slug")
    product_short = columns.clipped(_("product"), "product_code")
    product_link = columns.link(
        _("product"), "payments_product_change", "product_id", "product_code", look=mono
    )
    delivered_by = columns.text(
        _("delivered by the game"), lambda row: _("yes") if row.is_delivered_by_game else _("no")
    )
    price_major = amount_column(_("price"), "price", "currency_id")
    credit_major = amount_column(_("credit"), "credit", "credit_currency_id")
    refunded_major = amount_column(_("refunded"), "refunded", "currency_id")
    charged_back_major = amount_column(_("charged back"), "charged_back", "currency_id")
    clawed_back_major = amount_column(_("credit taken back"), "clawed_back", "credit_currency_id")
    created = columns.moment(_("started"), "created_at")
    expires = columns.moment(_("expires"), "expires_at")
    paid = columns.moment(_("paid"), "paid_at")
    delivered = columns.moment(_("delivered"), "delivered_at")
    ext_params_shown = columns.mono(_("extParams"), "ext_params")
    return_url_shown = columns.mono(_("return URL"), "return_url")

    def title_of(self, row: Order) -> str:
        words, price = _("Order of {uid}: {product}, {price}"), show_amount(row.price, row.currency_id)
        return words.format(uid=row.player.uid, product=row.product_code, price=price)

    def get_fields(self, request: HttpRequest, obj: Order | None = None) -> Any:
        # Fields that only some orders have are shown if they have them.
        absent = {name for attribute, name in OPTIONAL.items() if not getattr(obj, attribute, None)}
        return [name for name in self.fields if name not in absent]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Order | None:
        # A field of the page is asked for several times.
        order: Any = super().get_object(request, object_id, from_field)
        if order:
            story = stories_of([order])[0]
            order.why, order.is_refused = reason(story), bool(story.refused)
        return order  # type: ignore[no-any-return]

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
