"""A self-exclusion may end before its time, or a closed account is opened again."""

from uuid import UUID

import msgspec
from django.utils.text import capfirst

from lib.backoffice.languages import _, format_lazy
from lib.clock import in_words
from players.approvals.kinds import Change, Execution, Kind, NotExecutable, Preview, subject_of
from players.exclusions import allow_lifting, waiting_time
from players.models import Player
from players.operations import lifts_exclusion, set_player_status, was_closed_while_excluded

Status = Player.Status
CLOSED_WHILE_EXCLUDED = _(
    "The player was self-excluded when the account was closed: open it again as self-excluded. To lift that "
    "then takes the player's word as well."
)


class LiftingPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The status that the player had when it was requested, and is to have."""

    player_id: UUID
    before: Status
    after: Status


class Lifting(Kind[LiftingPayload]):
    """To bar a player is one person's act, and so is to lift a block."""

    name, title = "change_player_status", _("end of a self-exclusion or closing")
    permission = "players.change_player_status"
    about, payload = "players.player", LiftingPayload

    def describe(self, payload: LiftingPayload) -> str:
        uid = Player.objects.values_list("uid", flat=True).get(pk=payload.player_id)
        before, after = payload.before.label, payload.after.label
        words = _("Change the status of {uid} from {before} to {after}")
        return format_lazy(words, uid=uid, before=before, after=after)

    def preview(self, payload: LiftingPayload) -> Preview:
        player = Player.objects.select_for_update().get(pk=payload.player_id)
        if player.status != payload.before:
            raise NotExecutable(
                format_lazy(
                    _("{uid} is {status} by now."), uid=player.uid, status=Status(player.status).label
                )
            )
        if was_closed_while_excluded(player) and payload.after != Status.SELF_EXCLUDED:
            raise NotExecutable(CLOSED_WHILE_EXCLUDED)
        says = [*since(player)]
        if player.excluded_until:
            says.append(
                format_lazy(
                    _("Without this, the self-exclusion ends by itself {moment}."),
                    moment=in_words(player.excluded_until),
                )
            )
        label = _("Status")
        if lifts_exclusion(payload.before, payload.after):
            label = _("Status, once the player confirms it")
            says.append(waiting_words())
        elif payload.after == Status.ACTIVE:
            says.append(_("The player can launch games and withdraw again at once."))
        change = Change(label, payload.before.label, payload.after.label)
        return Preview(subject_of(player), [change], says)

    def execute(self, payload: LiftingPayload, execution: Execution) -> str:
        if lifts_exclusion(payload.before, payload.after):
            player = allow_lifting(payload.player_id, after=payload.after)
            assert player.liftable_at
            words = _("{uid} is {after} once the player confirms it, from {moment} on.")
            moment = in_words(player.liftable_at)
            return format_lazy(words, uid=player.uid, after=payload.after.label, moment=moment)
        player = set_player_status(
            payload.player_id,
            status=payload.after,
            actor=execution.actor,
            reason=execution.reason,
            is_approved=True,
        )
        return format_lazy(_("{uid} is now {status}."), uid=player.uid, status=Status(player.status).label)


LIFTING = Lifting()


def waiting_words() -> str:
    """What follows from the approval of a lifting."""
    hours = int(waiting_time().total_seconds()) // 3600
    words = _(
        "Nothing changes until the player confirms it through the web front, {hours} hours after the "
        "approval or later."
    )
    return format_lazy(words, hours=hours)


def since(player: Player) -> list[str]:
    """Since when a player has the present status, by whom and why; nothing if the events do not say."""
    event = (
        player.events.filter(new_status=player.status).exclude(old_status=player.status).order_by("at").last()
    )
    if event is None:
        return []
    words = _("{status} since {moment}, set by {actor}: {reason}")
    if not event.reason:
        words = _("{status} since {moment}, set by {actor}.")
    status = capfirst(Status(player.status).label)
    given = {"moment": in_words(event.at), "actor": event.actor, "reason": event.reason}
    return [format_lazy(words, status=status, **given)]
