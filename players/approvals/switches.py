"""What was stopped for everybody starts again."""

from typing import Any

from lib.backoffice.languages import _
from lib.clock import now
from players.approvals.configuration import ConfigurationChange, ConfigurationPayload, Values
from players.approvals.kinds import Execution
from players.models import PlatformSwitch

EFFECTS = {
    PlatformSwitch.Name.GAMING: _(
        "Players can launch games and withdraw again at once, if nothing else bars them."
    ),
    PlatformSwitch.Name.OPENINGS: _("Transactions, launches and orders can begin again at once."),
}


class PlatformRestart(ConfigurationChange):
    """One person stops; two start again."""

    name, title, permission = "restart_platform", _("restart of the platform"), "players.stop_platform"
    about, model = "players.platformswitch", PlatformSwitch
    fields = guarded = ("is_active",)

    def says(self, payload: ConfigurationPayload) -> list[str]:
        row = PlatformSwitch.objects.get(pk=payload.row_id)
        return [EFFECTS[PlatformSwitch.Name(row.name)]]

    def write(self, row: Any, after: Values, execution: Execution) -> None:
        row.switched_at, row.switched_by, row.reason = now(), execution.actor, execution.reason
        self.set_fields(row, after)
        row.save(update_fields=["is_active", "switched_at", "switched_by", "reason"])


PLATFORM_RESTART = PlatformRestart()
