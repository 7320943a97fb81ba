"""The orders on a player's page, each with the reason of its state."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString

from lib.backoffice.formatting import clipped, clock, link, search_address, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, view_permission
from payments.admin.launch_actions import LaunchTestSession, is_launchable
from payments.admin.reasons import Story, reason, stories_of
from payments.admin.states import show_order_state
from payments.models import Order
from players.models import Player
from wallet.admin.amounts import amount_cell
from wallet.admin.player_money import PlayerWithMoneyAdmin

LATEST_ORDERS = 10
HEADERS = (_("Started (UTC)"), _("Product"), _("Price"), _("State"), _("What happened"))


@admin.register(Player)
class PlayerWithOrdersAdmin(PlayerWithMoneyAdmin):
    """A player, what they own, and what they bought."""

    actions_detail: tuple[str, ...] = (*PlayerWithMoneyAdmin.actions_detail, "launch_test_session")
    launch_test_session = LaunchTestSession()

    def pointless_actions(self, id: UUID) -> set[str]:
        pointless = super().pointless_actions(id)
        return pointless if is_launchable(id) else {*pointless, "launch_test_session"}

    def bought(self, obj: Player) -> list[Section]:
        return [orders_section(obj)]

    def order_links(self, request: HttpRequest, ids: set[UUID]) -> Mapping[UUID, SafeString]:
        if not request.user.has_perm(view_permission(Order)):
            return {}
        found = Order.objects.filter(pk__in=ids).values_list("pk", "product_code")
        return {
            id: link(_("order of {product}").format(product=code), "payments_order_change", id)
            for id, code in found
        }


def orders_section(player: Player) -> Section:
    """The player's newest orders."""
    latest = Order.objects.filter(player=player).select_related("game").defer("page_key").order_by("-pk")
    rows = [order_row(story) for story in stories_of(list(latest[:LATEST_ORDERS]))]
    more = (_("All orders"), search_address("payments_order", player.uid))
    return Section(Order, _("Latest orders"), HEADERS, rows, _("This player has bought nothing yet."), more)


def order_row(story: Story) -> tuple[Any, ...]:
    """An order by `HEADERS`."""
    order = story.order
    return (
        link(clock(order.created_at), "payments_order_change", order.pk),
        clipped(order.product_code),
        amount_cell(order.price, order.currency_id),
        show_order_state(order.state),
        wrapped(reason(story)),
    )
