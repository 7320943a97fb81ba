"""What games are told to deliver, with every try; operators send again, one or many."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import ReasonForm, ask, done, page_action, page_of
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import clipped, clock, link, moment, mono, short_id
from lib.backoffice.pages import Section, actor, read_uuid
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
from players.admin.players import player_link
from players.admin.search import SearchingAdmin
from players.models import GameSession
from wallet.admin.inquiries import OLDEST
from wallet.admin.questions import read_page

State = Delivery.State
HEADERS = ("Begun (UTC)", "State", "Order", "Player", "Tries", "Next (UTC)", "Delivered (UTC)")


class States(Selections):
    """By the index of states; what waits for a person is second, what goes on by itself first."""

    title = "state"
    parameter_name = "state"
    offered: ClassVar[dict[str, Selection]] = {
        "pending": Selection(
            "Pending",
            lambda rows: rows.filter(state=State.PENDING),
            ("pk",),
            "Nothing is pending: games have taken everything.",
            OLDEST,
        ),
        "given_up": Selection(
            "Stopped or given up", given_up, empty="None: no game has refused a delivery for good."
        ),
        "all": Selection(
            "All", empty="No delivery yet: one begins when a product is paid that its game delivers."
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


@admin.register(Delivery)
class DeliveryAdmin(RangeActions, SearchingAdmin, SelectingAdmin):
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
    search_help_text = "Exact delivery id, orderId, cpOrderId or uid"
    empty_text = "Deliveries begin when a product is paid that its game delivers."
    fields = (
        *(
            "state_shown",
            "next_step",
            "full_id",
            "order_link",
            "order_state",
            "cp_order_id",
            "product",
            "game_link",
            "player_uid",
        ),
        *("begun", "tried", "delivered"),
    )
    actions_detail = ("send_again",)

    @admin.display(description="begun (UTC)")
    def begun_clock(self, obj: Delivery) -> SafeString:
        return clock(obj.created_at)

    @admin.display(description="begun")
    def begun(self, obj: Delivery) -> str:
        return moment(obj.created_at)

    @admin.display(description="message id (webhook-id)")
    def full_id(self, obj: Delivery) -> SafeString:
        return mono(obj.pk)

    @admin.display(description="state")
    def state_shown(self, obj: Delivery) -> SafeString:
        return show_delivery_state(obj)

    @admin.display(description="order")
    def order_short(self, obj: Delivery) -> SafeString:
        return link(short_id(obj.order_id), "payments_order_change", obj.order_id)

    @admin.display(description="order")
    def order_link(self, obj: Delivery) -> SafeString:
        return link(mono(obj.order_id), "payments_order_change", obj.order_id)

    @admin.display(description="state of the order")
    def order_state(self, obj: Delivery) -> SafeString:
        return show_order_state(obj.order.state)

    @admin.display(description="game's id (cpOrderId)")
    def cp_order_id(self, obj: Delivery) -> SafeString:
        return mono(obj.order.cp_order_id)

    @admin.display(description="product")
    def product(self, obj: Delivery) -> SafeString:
        return mono(obj.order.product_code)

    @admin.display(description="game")
    def game_slug(self, obj: Delivery) -> SafeString:
        return clipped(obj.game.slug)

    @admin.display(description="game")
    def game_link(self, obj: Delivery) -> SafeString:
        shop = shop_of(obj)
        page = link("its shop", "payments_shop_change", shop.pk) if shop else "it has no shop"
        return format_html("{} ({})", link(obj.game.slug, "players_game_change", obj.game_id), page)

    @admin.display(description="player")
    def player_uid(self, obj: Delivery) -> SafeString:
        return player_link(obj.order.player)

    @admin.display(description="tries")
    def tried(self, obj: Delivery) -> str:
        return f"{obj.attempts:,}"

    @admin.display(description="next (UTC)")
    def next_clock(self, obj: Delivery) -> SafeString:
        return clock(obj.next_attempt_at)

    @admin.display(description="delivered (UTC)")
    def delivered_clock(self, obj: Delivery) -> SafeString:
        return clock(obj.delivered_at)

    @admin.display(description="delivered")
    def delivered(self, obj: Delivery) -> str:
        return moment(obj.delivered_at)

    @admin.display(description="what happens next")
    def next_step(self, obj: Delivery) -> str:
        return next_step(obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = super().get_queryset(request)
        return rows.select_related("order__player", "game__shop")

    def named(self, queryset: QuerySet[Delivery], text: str) -> QuerySet[Delivery]:
        condition = Q(order_id__in=orders_named(text))
        return queryset.filter(condition | Q(pk=id) if (id := read_uuid(text)) else condition)

    def of_session(self, queryset: QuerySet[Delivery], session: GameSession) -> QuerySet[Delivery]:
        return queryset.filter(order_id__in=orders_of_session(session))

    def senseless_actions(self, id: UUID) -> set[str]:
        gone_back = Q(state=State.RETURNED) | Q(order__state__in=GONE_BACK)
        return {"send_again"} if Delivery.objects.filter(gone_back, pk=id).exists() else set()

    @page_action(title="Send again", permission=SEND_AGAIN)
    def send_again(self, request: HttpRequest, obj: Delivery) -> HttpResponse:
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                send_again(obj, actor=actor(request.user), reason=reason)
            except NotPossible as problem:
                messages.warning(request, f"Nothing was done. {problem}")
                return HttpResponseRedirect(page_of(obj))
            nudge(deliver_task, str(obj.pk))
            return done(self, request, obj, "It is sent again.", reason=reason)
        says = [
            f"{obj.game} is told once more, at once, to deliver {obj.order.product_code} to {obj.order.player.uid}, under the same message id.",
            "The schedule begins anew: it is tried for 48 hours, until the game takes it.",
        ]
        if (shop := shop_of(obj)) and shop.paused_at:
            says.append("Deliveries to this game are paused: it waits until they are resumed.")
        if obj.delivered_at:
            says.append(
                "The game has taken it already: it must know the message id and deliver nothing twice."
            )
        return ask(
            self,
            request,
            obj,
            title="Send this delivery again?",
            says=says,
            form=form,
            button="Send again",
            danger=bool(obj.delivered_at),
        )

    def sections(self, request: HttpRequest, obj: Delivery) -> list[Section]:
        return [delivery_attempts.section(obj, read_page(request.GET.get("tries", "")), now())]


def shop_of(delivery: Delivery) -> Shop | None:
    """The shop of a delivery's game, as the page has read it."""
    try:
        return delivery.game.shop
    except Shop.DoesNotExist:
        return None


def next_step(delivery: Delivery) -> str:
    """What the platform does by itself about a delivery, in a sentence."""
    if delivery.order.state in GONE_BACK:
        return "Nothing: the money has gone back."
    if delivery.next_attempt_at is None:
        return (
            "Nothing: a person may send it again."
            if delivery.state in (State.GONE, State.EXHAUSTED)
            else "Nothing."
        )
    shop = shop_of(delivery)
    if shop is None or not shop.order_url:
        return "It cannot be sent: the game has no order URL."
    if shop.paused_at:
        return "It waits: deliveries to this game are paused."
    return (
        f"It is sent at {moment(delivery.next_attempt_at)}."
        if delivery.next_attempt_at > now()
        else "It is due, and sent with the next run."
    )
