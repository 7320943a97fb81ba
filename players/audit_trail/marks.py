"""Who has marked a player as a test player, as the audit trail tells it."""

from lib.backoffice.recorded_acts import Outcome
from players.models import AuditEvent, Player


def marked_by(player: Player) -> int | None:
    """The operator whose mark it is; None if it was made by a command on the machine."""
    acts = AuditEvent.objects.filter(
        subject_type="players.player", subject_id=str(player.pk), outcome=Outcome.DONE
    )
    marks = acts.filter(before__is_test=False, after__is_test=True)
    return marks.order_by("-pk").values_list("operator_id", flat=True).first()
