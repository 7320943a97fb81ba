"""Games and providers are switched off by one person, who types the name, and on again by two."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.utils.safestring import SafeString

from lib.backoffice.confirmation import Act, Page, PageAction
from lib.backoffice.formatting import badge
from lib.backoffice.languages import _, format_lazy
from players.admin.approved_action import ApprovedAction
from players.approvals.configuration import ConfigurationChange, ConfigurationPayload
from players.approvals.kinds import NotExecutable

SWITCH = "is_active"


class Deactivate(PageAction[Any]):
    """Does `operation`, which switches a row off and returns whether that is new; `effects` say what ends."""

    title = _("Deactivate")

    def __init__(self, permission: str, operation: Callable[[Any], bool], *effects: str) -> None:
        self.permission, self.operation, self.effects = permission, operation, effects  # type: ignore[misc]

    def name_to_type(self, row: Any) -> str:
        return str(row)

    def page(self, row: Any) -> Page:
        says = [*self.effects, _("Reactivating needs a second person.")]
        return Page(_("Deactivate {row}?").format(row=row), says, _("Deactivate"), danger=True)

    def do(self, act: Act[Any]) -> str:
        is_new = self.operation(act.row)
        return (
            format_lazy(_("{row} is deactivated."), row=act.row)
            if is_new
            else format_lazy(_("{row} was inactive already."), row=act.row)
        )


class Reactivate(ApprovedAction[Any]):
    """Requests the `kind` of change that switches a row on."""

    title = _("Reactivate")

    def __init__(self, kind: ConfigurationChange) -> None:
        self.kind, self.permission = kind, kind.permission  # type: ignore[misc]
        self.change = kind

    def payload(self, row: Any, given: dict[str, Any]) -> ConfigurationPayload:
        before = self.change.values(row)
        if before[SWITCH]:
            raise NotExecutable(format_lazy(_("{row} is active."), row=row))
        return self.change.payload_of(row, before, {**before, SWITCH: True})


def show_activity(row: Any) -> SafeString:
    """Whether a row is switched on."""
    return badge(_("active"), "success") if row.is_active else badge(_("inactive"), "warning")


def without_switch(fieldsets: Any) -> Any:
    """The parts of a form whose row is switched by actions, and says in its head how it is."""
    (title, options), *others = fieldsets
    return [(title, {**options, "fields": [name for name in options["fields"] if name != SWITCH]}), *others]


def pointless_switch(model: type[Model], id: UUID) -> set[str]:
    """Which of the two changes nothing."""
    is_active = model._default_manager.filter(pk=id, is_active=True).exists()  # noqa: SLF001 (documented)
    return {"reactivate"} if is_active else {"deactivate"}
