"""A difference that the audit or a checkpoint has found is accepted."""

from uuid import UUID

import msgspec

from lib.backoffice.languages import _, format_lazy
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from wallet.alerts import resolve_alert
from wallet.models import Alert


class DifferencePayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alert_id: UUID


class DifferenceAcceptance(Kind[DifferencePayload]):
    """Other alerts are resolved by one person."""

    name, title = "accept_difference", _("acceptance of a difference")
    permission = "wallet.resolve_ledger_difference"
    about, payload = "wallet.alert", DifferencePayload

    def describe(self, payload: DifferencePayload) -> str:
        alert = Alert.objects.get(pk=payload.alert_id)
        return format_lazy(_("Resolve the critical alert about {subject}"), subject=alert.subject)

    def preview(self, payload: DifferencePayload) -> Preview:
        alert = Alert.objects.select_for_update(of=("self",)).get(pk=payload.alert_id)
        if alert.kind not in Alert.CRITICAL:
            raise NotExecutable(_("The alert is not critical: one person resolves it."))
        if alert.resolved_at is not None:
            raise NotExecutable(_("The alert is resolved already."))
        says = [alert.text, _("The very same finding is not raised again.")]
        subject = subject_of(alert)._replace(player_id=alert.wallet.player_id if alert.wallet else None)
        return Preview(subject, [Change(_("Alert"), _("open"), _("resolved"))], says)

    def execute(self, payload: DifferencePayload, execution: Execution) -> str:
        alert = Alert.objects.get(pk=payload.alert_id)
        resolve_alert(alert, actor=execution.actor, reason=execution.reason)
        return _("The alert is resolved.")


ACCEPTANCE = DifferenceAcceptance()
