"""The actions of a discrepancy's page: settle it as the game says, close it, say who sees to it."""

from typing import Any
from uuid import UUID

from lib.backoffice.confirmation import Act, Page, PageAction, Refused
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin
from players.admin.approved_action import ApprovedAction
from wallet.admin.discrepancy_words import what_happened
from wallet.admin.owners import RESOLVE, Assign
from wallet.approvals.discrepancies import CORRECTION, CorrectionPayload
from wallet.discrepancies import close_discrepancy
from wallet.models import Discrepancy


class SettleAsTheGameSays(ApprovedAction[Discrepancy]):
    """Requests that it is booked to the game's accounts."""

    title, permission, kind = _("Settle it as the game says"), CORRECTION.permission, CORRECTION

    def payload(self, row: Discrepancy, given: dict[str, Any]) -> CorrectionPayload:
        return CorrectionPayload(row.pk)


class Close(PageAction[Discrepancy]):
    """Nothing is to be booked."""

    title, permission = _("Close without a booking"), RESOLVE

    def page(self, row: Discrepancy) -> Page:
        require_open(row)
        says = [
            what_happened(row),
            _("Closing moves no money. Close it if the game took back what it handed out, or was wrong."),
            _("The same word of the game is counted afterwards, and does not open it again."),
        ]
        return Page(_("Close this discrepancy without a booking?"), says, _("Close it"))

    def do(self, act: Act[Discrepancy]) -> str:
        if not close_discrepancy(act.row, actor=act.actor, reason=act.reason):
            raise Refused(_("The discrepancy is closed already."))
        return _("The discrepancy is closed.")


def require_open(row: Discrepancy) -> None:
    """Raises `Refused` if it is closed."""
    if row.closed_at is not None:
        words = _("The discrepancy is closed already, by {name}.")
        raise Refused(format_lazy(words, name=row.closed_by))


class DiscrepancyActions(PageAdmin):
    """The actions of a discrepancy's page."""

    actions_detail = ("settle", "close", "assign")
    settle, close, assign = SettleAsTheGameSays(), Close(), Assign()

    def pointless_actions(self, id: UUID) -> set[str]:
        row = Discrepancy.objects.filter(pk=id, closed_at=None).only("kind").first()
        if row is None:
            return set(self.actions_detail)
        return {"settle"} if row.kind == Discrepancy.Kind.TOMBSTONE_ELSEWHERE else set()
