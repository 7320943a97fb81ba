"""A player's latest calls on the player's page, those that were refused too.

No index has calls by player: each call would pay for it, and few pages use it. The newest calls of all are
looked through, and what is older is found by the player's transactions.
"""

from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from lib.backoffice.conditions import MOST_LOOKED_THROUGH, made_at
from lib.backoffice.formatting import clipped, clock, link, moment
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import Section
from players.models import Player
from wallet.admin.amounts import amount_cell
from wallet.admin.calls import show_answer, took
from wallet.models import ApiCall, Transaction

LATEST_CALLS = 15
SINCE = _("Latest calls (refused ones since {moment})")
HEADERS = (
    _("When (UTC)"),
    _("Game"),
    _("Endpoint"),
    _("Game's id"),
    _("Amount"),
    _("Answer"),
    _("Duration"),
)


def calls_of_player(player: Player) -> tuple[list[ApiCall], datetime | None]:
    """The latest calls, and since when refused ones are among them; None if all were looked through."""
    calls = ApiCall.objects.select_related("game").order_by("-pk")
    keys = ApiCall.objects.order_by("-pk").values_list("pk", flat=True)
    last = keys[MOST_LOOKED_THROUGH : MOST_LOOKED_THROUGH + 1].first()
    newest = calls.filter(player=player)
    found = list((newest.filter(pk__gt=last) if last else newest)[:LATEST_CALLS])
    if last and len(found) < LATEST_CALLS:
        known = {call.pk for call in found}
        found += [call for call in older_calls(player) if call.pk not in known][: LATEST_CALLS - len(found)]
    return found, made_at(last) if last else None


def older_calls(player: Player) -> list[ApiCall]:
    """The latest calls about the player's latest transactions."""
    latest = Transaction.objects.filter(player=player).exclude(mm_transaction_id=None).order_by("-pk")
    ids = dict(latest.values_list("pk", "mm_transaction_id")[:LATEST_CALLS])
    named = ApiCall.objects.filter(mm_transaction_id__in=set(ids.values()), transaction__in=list(ids))
    return list(named.select_related("game").order_by("-pk")[:LATEST_CALLS])


def player_calls_section(player: Player) -> Section:
    """The latest calls about a player, and the way to all of them."""
    calls, since = calls_of_player(player)
    title = format_lazy(SINCE, moment=moment(since)) if since else _("Latest calls")
    rows = [
        (
            link(clock(call.at), "wallet_apicall_change", call.pk),
            call.game.slug,
            call.endpoint,
            clipped(call.mm_transaction_id),
            amount_cell(call.amount, call.currency_code),
            show_answer(call),
            took(call),
        )
        for call in calls
    ]
    address = f"{reverse('admin:wallet_apicall_changelist')}?{urlencode({'player': player.uid})}"
    empty = _("No game has called for this player lately.")
    return Section(ApiCall, title, HEADERS, rows, empty, (_("All calls"), address))
