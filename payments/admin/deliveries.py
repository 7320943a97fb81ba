"""Deliveries to games, with every attempt; operators send again, one or many."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.conditions import choice, since, slugs, until
from lib.backoffice.confirmation import Act, Page, PageAction, lock_row
from lib.backoffice.filters import OLDEST_FIRST, SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import clipped, clock, link, moment, mono, short_id
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.pages import Section, read_uuid
from lib.backoffice.pagination import read_page
from lib.clock import now
from payments.admin import delivery_attempts
from payments.admin.attention import given_up
from payments.admin.bulk_retry import SEND_AGAIN, RangeActions
from payments.admin.search import orders_named, orders_of_session
from payments.admin.states import show_delivery_state, show_order_state
from payments.deliveries.bulk_retry import GONE_BACK
from payments.deliveries.operations import NotPossible, send_again
from payments.models import Delivery, Shop
from payments.nudges import nudge
from payments.tasks import deliver_task
from players.admin.players import player_column
from players.admin.search import SessionSearchAdmin
from players.models import Game, GameSession

State = Delivery.State
HEADERS = (
    _("Created (UTC)"),
    _("State"),
    _("Order"),
    _("Player"),
    _("Attempts"),
    _("Next attempt (UTC)"),
    _("Delivered (UTC)"),
)


class States(Selections):
    """By the index of states: pending deliveries first, then those that wait for a person."""

    title = _("state")
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "pending": Selection(
            _("Pending"),
            lambda rows: rows.filter(state=State.PENDING),
            ("pk",),
            _("Nothing is pending: games have accepted every delivery."),
            OLDEST_FIRST,
        ),
        "given_up": Selection(
            _("Stopped or given up"), given_up, empty=_("No delivery is stopped or given up.")
        ),
        "all": Selection(
            _("All"),
            empty=_("No delivery yet: one is created when a product is paid that its game delivers."),
        ),
    }
    searched = "all"


def delivery_row(delivery: Delivery) -> tuple[Any, ...]:
    """A delivery in a table of another page, by `HEADERS`."""
    at = link(clock(delivery.created_at), "payments_delivery_change", delivery.pk)
    order = link(short_id(delivery.order_id), "payments_order_change", delivery.order_id)
    player = clipped(delivery.order.player.uid)
    return (
        at,
        show_delivery_state(delivery),
        order,
        player,
        f"{delivery.attempts:,}",
        clock(delivery.next_attempt_at),
        clock(delivery.delivered_at),
    )


def shop_of(delivery: Delivery) -> Shop | None:
    """The shop of a delivery's game, as the page has read it."""
    try:
        return delivery.game.shop
    except Shop.DoesNotExist:
        return None


def forecast(delivery: Delivery) -> str:
    """The platform's next step for a delivery, in a sentence."""
    if delivery.order.state in GONE_BACK:
        return _("None: the payment was returned.")
    if delivery.next_attempt_at is None:
        return (
            _("None: an operator can send it again.")
            if delivery.state in (State.GONE, State.EXHAUSTED)
            else _("None.")
        )
    shop = shop_of(delivery)
    if shop is None or not shop.order_url:
        return _("It cannot be sent: the game has no order URL.")
    if shop.paused_at:
        return _("It waits until deliveries to this game are resumed.")
    return (
        _("The next attempt is at {at}.").format(at=moment(delivery.next_attempt_at))
        if delivery.next_attempt_at > now()
        else _("It is due, and sent by the next run.")
    )


def standing(delivery: Delivery) -> str:
    """What has become of a delivery so far, in a sentence."""
    if delivery.delivered_at:
        return _("The game has accepted it at {at}.").format(at=moment(delivery.delivered_at))
    if not delivery.attempts:
        return _("The game is yet to be told.")
    words = ngettext_lazy(
        "The game has not accepted it after {number} attempt.",
        "The game has not accepted it after {number} attempts.",
        delivery.attempts,
    )
    return words.format(number=f"{delivery.attempts:,}")


def game_and_shop(row: Delivery) -> SafeString:
    """Links to a delivery's game and to its shop."""
    shop = shop_of(row)
    page = link(_("its shop"), "payments_shop_change", shop.pk) if shop else _("no shop")
    return format_html("{} ({})", link(row.game.slug, "players_game_change", row.game_id), page)


class SendAgain(PageAction[Delivery]):
    """Tells the game once more, under the same message id."""

    title, permission = _("Send again"), SEND_AGAIN
    refusals = (NotPossible,)

    def page(self, row: Delivery) -> Page:
        says = [
            _(
                "{game} is told once more, at once, to deliver {product} to {uid}, under the same message id."
            ).format(game=row.game, product=row.order.product_code, uid=row.order.player.uid),
            _(
                "The schedule starts anew: attempts are made for 48 hours, "
                "until the game accepts the delivery."
            ),
        ]
        if (shop := shop_of(row)) and shop.paused_at:
            says.append(_("Deliveries to this game are paused: it is sent when they are resumed."))
        if row.delivered_at:
            says.append(
                _(
                    "The game has accepted it already. "
                    "It must recognise the message id, and not deliver twice."
                )
            )
        return Page(_("Send this delivery again?"), says, _("Send again"), danger=bool(row.delivered_at))

    def lock(self, row: Delivery) -> None:
        # Whoever changes a delivery locks its order first.
        lock_row(row.order)
        super().lock(row)

    def do(self, act: Act[Delivery]) -> str:
        send_again(act.row, actor=act.actor, reason=act.reason)
        return _("The delivery is being sent again.")

    def afterwards(self, act: Act[Delivery], done: str) -> str:
        nudge(deliver_task, str(act.row.pk))
        return done


@admin.register(Delivery)
class DeliveryAdmin(RangeActions, SessionSearchAdmin, SelectingAdmin):
    """A paid order that its game has to deliver."""

    list_filter = (States,)
    list_display = (
        "begun_clock",
        "state_shown",
        "order_short",
        "game_slug",
        "player_uid",
        "tried",
        "next_clock",
        "delivered_clock",
    )
    conditions = (
        since(),
        until(),
        choice("game", _("Game"), "game_id", slugs(Game)),
    )
    search_help_text = _("Exact delivery id, orderId, cpOrderId or uid")
    empty_text = _("A delivery is created when a product is paid that its game delivers.")
    head_columns = HeadColumns(
        ["state_shown"], ["standing", "next_step"], ["player_uid", "order_link", "game_link"]
    )
    fields = (
        *("full_id", "order_state", "cp_order_id", "product"),
        *("begun", "tried", "delivered"),
    )
    actions_detail = ("send_again",)
    send_again = SendAgain()

    begun_clock = columns.clock(_("created (UTC)"), "created_at")
    begun = columns.moment(_("created"), "created_at")
    full_id = columns.mono(_("message id (webhook-id)"), "pk")
    state_shown = columns.text(_("state"), show_delivery_state)
    order_short = columns.link(_("order"), "payments_order_change", "order_id", look=short_id)
    order_link = columns.link(_("order"), "payments_order_change", "order_id", look=mono)
    order_state = columns.text(_("order state"), lambda row: show_order_state(row.order.state))
    cp_order_id = columns.mono(_("game's id (cpOrderId)"), "order.cp_order_id")
    product = columns.mono(_("product"), "order.product_code")
    game_slug = columns.clipped(_("game"), "game.slug")

    game_link = columns.text(_("game"), game_and_shop)
    player_uid = player_column(_("player"), "order.player")
    tried = columns.number(_("attempts"), "attempts")
    next_clock = columns.clock(_("next attempt (UTC)"), "next_attempt_at")
    delivered_clock = columns.clock(_("delivered (UTC)"), "delivered_at")
    delivered = columns.moment(_("delivered"), "delivered_at")
    standing = columns.text(_("what happened"), standing)
    next_step = columns.text(_("next step"), forecast)

    def title_of(self, row: Delivery) -> str:
        words = _("Delivery of {product} to {uid}")
        return words.format(product=row.order.product_code, uid=row.order.player.uid)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request)
        return rows.select_related("order__player", "game__shop")

    def named(self, queryset: QuerySet[Delivery], text: str) -> QuerySet[Delivery]:
        condition = Q(order_id__in=orders_named(text))
        return queryset.filter(condition | Q(pk=id) if (id := read_uuid(text)) else condition)

    def of_session(self, queryset: QuerySet[Delivery], session: GameSession) -> QuerySet[Delivery]:
        return queryset.filter(order_id__in=orders_of_session(session))

    def pointless_actions(self, id: UUID) -> set[str]:
        gone_back = Q(state=State.RETURNED) | Q(order__state__in=GONE_BACK)
        return {"send_again"} if Delivery.objects.filter(gone_back, pk=id).exists() else set()

    def sections(self, request: HttpRequest, obj: Delivery) -> list[Section]:
        return [delivery_attempts.section(obj, read_page(request.GET.get("attempts", "")), now())]
