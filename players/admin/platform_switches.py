"""Switches: what one operator stops for everybody, and two start again."""

from typing import NamedTuple
from uuid import UUID

from django.contrib import admin
from django.urls import reverse
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import Act, Page
from lib.backoffice.formatting import NOTHING, badge, moment
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin
from players.admin.switches import Deactivate, Reactivate, pointless_switch
from players.approvals.switches import PLATFORM_RESTART
from players.models import PlatformSwitch
from players.switches import stop

Name = PlatformSwitch.Name
STATES = {
    (Name.GAMING, True): _("Players can launch games and withdraw."),
    (Name.GAMING, False): _(
        "No launches and no new withdrawals (103), in no game. What has begun is settled."
    ),
    (Name.OPENINGS, True): _("Transactions, launches and orders can begin."),
    (Name.OPENINGS, False): _(
        "Read-only maintenance: withdrawals, deposits, launches and orders are told to come again later "
        "(503). What has begun is settled."
    ),
}
STOPPING = {
    Name.GAMING: [
        _("No player can launch a game or open a withdrawal any more, in any game (103)."),
        _("What has begun is settled, and deposits are accepted: players get what they have won."),
    ],
    Name.OPENINGS: [
        _("New withdrawals, deposits, launches and orders are told to come again later (503, Retry-After)."),
        _("What has begun is settled: confirmations, rollbacks, callbacks, deliveries and refunds go on."),
        _("Games repeat what they were not answered, for 48 hours. Use this for short maintenance."),
    ],
}
TITLES = {Name.GAMING: _("Gaming"), Name.OPENINGS: _("New transactions")}


class Stop(Deactivate):
    """Stops it for everybody at once; who types its name means it."""

    title = _("Switch off")

    def __init__(self) -> None:
        super().__init__("players.stop_platform", lambda row: False)

    def page(self, row: PlatformSwitch) -> Page:
        says = [*STOPPING[Name(row.name)], _("To switch it on again takes a second person.")]
        title = format_lazy(_("Switch off: {name}?"), name=TITLES[Name(row.name)])
        return Page(title, says, _("Switch off"), danger=True)

    def do(self, act: Act[PlatformSwitch]) -> str:
        is_new = stop(act.row, actor=act.actor, reason=act.reason)
        name = TITLES[Name(act.row.name)]
        if is_new:
            return format_lazy(_("{name}: switched off."), name=name)
        return format_lazy(_("{name}: was off already."), name=name)


class Restart(Reactivate):
    """Requests that it is switched on."""

    title = _("Switch on")

    def __init__(self) -> None:
        super().__init__(PLATFORM_RESTART)


class Stopped(NamedTuple):
    """What is stopped, by whom and since when, in a sentence, and the address of its switch."""

    words: str
    address: str


def stops() -> list[Stopped]:
    """What is stopped for everybody at the moment."""
    words = _("{name}: switched off {moment} by {actor}. {reason}")
    return [
        Stopped(
            words.format(
                name=TITLES[Name(row.name)],
                moment=moment(row.switched_at),
                actor=row.switched_by,
                reason=row.reason,
            ),
            reverse("admin:players_platformswitch_change", args=[row.pk]),
        )
        for row in PlatformSwitch.objects.filter(is_active=False)
    ]


def show_state(row: PlatformSwitch) -> SafeString:
    """Whether it is on."""
    return badge(_("on"), "success") if row.is_active else badge(_("off"), "danger")


@admin.register(PlatformSwitch)
class PlatformSwitchAdmin(PageAdmin):
    """What is stopped for all games and players at once; single ones have their own pages."""

    head_columns = HeadColumns(["state"], ["meaning"], ["switched"])
    list_display = ("named", "state", "meaning", "switched", "switcher", "reason_shown")
    list_display_links = ("named",)
    search_fields = ()
    fields = ("switcher", "reason_shown")
    actions = None
    actions_detail = ("stop", "restart")
    stop = Stop()
    restart = Restart()

    named = columns.text(_("what"), lambda row: TITLES[Name(row.name)])
    state = columns.text(_("state"), show_state)
    meaning = columns.text(_("meaning"), lambda row: STATES[Name(row.name), row.is_active])
    switched = columns.moment(_("switched"), "switched_at")
    switcher = columns.text(_("switched by"), "switched_by")
    reason_shown = columns.text(_("reason"), lambda row: row.reason or NOTHING)

    def title_of(self, row: PlatformSwitch) -> str:
        return str(TITLES[Name(row.name)])

    def pointless_actions(self, id: UUID) -> set[str]:
        return {"restart" if "reactivate" in pointless_switch(PlatformSwitch, id) else "stop"}
