"""Exclusions: a player is kept out at the player's own wish, for a while or for good (contract 2.5).

Each ends at its end. Before it, or without one, it takes two operators, then the waiting time of the
platform's profile, and then the player's own word, which the web front brings.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction

from lib.backoffice.languages import stored
from lib.clock import WalletNow, now, timestamp
from players.models import Player
from players.operations import STATUS, change_status, end_sessions, lifts_exclusion
from players.outcomes import PlayerOutcome, PlayerRefused

Status = Player.Status
LONGEST_EXCLUSION = timedelta(days=366 * 100)
# By `LIMIT_PROFILE`: how long after the second operator's approval the player can confirm.
WAITING_TIMES = {"24h": timedelta(hours=24), "7d": timedelta(days=7), "period": timedelta(hours=24)}
# Exclusions that one run of the sweep ends.
BATCH = 500
# Who ends it, as a player's history names it.
PLATFORM = "platform"
ENDED_BY_DATE = stored("The self-exclusion has reached its end.")
CONFIRMED = stored("Operators had agreed to lift the self-exclusion, and the player has confirmed it.")


@transaction.atomic
def exclude_player(
    player_id: UUID, *, until: datetime | None, set_by: str, actor: str, reason: str
) -> tuple[Player, int]:
    """Keeps a player out at the player's own wish, until a moment, or without an end (None).

    Live sessions end. Returns the player, and how many there were. The same again changes nothing, but takes
    back what operators have agreed to. Raises `PlayerRefused` (status_not_allowed) if the player is closed,
    or excluded for longer already.
    """
    player = Player.objects.select_for_update().get(pk=player_id)
    is_excluded = player.status == Status.SELF_EXCLUDED
    if player.status == Status.CLOSED or (is_excluded and is_sooner(until, player.excluded_until)):
        raise PlayerRefused(PlayerOutcome.STATUS_NOT_ALLOWED, Status(player.status).label)
    if not is_excluded or until != player.excluded_until or player.liftable_at:
        change_status(player, Status.SELF_EXCLUDED, set_by, actor, reason)
        player.excluded_until = until
        player.save(update_fields=[*STATUS, "updated_at"])
    return player, end_sessions(player.pk)


def is_sooner(one: datetime | None, other: datetime | None) -> bool:
    """Whether an exclusion would end before another one; None is never."""
    return one is not None and (other is None or one < other)


@transaction.atomic
def end_exclusions(limit: int = BATCH) -> int:
    """Ends the exclusions that have reached their end. Returns how many.

    A player who had been blocked before is blocked again, by whoever did it.
    """
    due = Player.objects.filter(excluded_until__lte=WalletNow(), status=Status.SELF_EXCLUDED)
    players = list(due.order_by("excluded_until").select_for_update(skip_locked=True)[:limit])
    for player in players:
        end_exclusion(player, PLATFORM, ENDED_BY_DATE)
    return len(players)


def end_exclusion(player: Player, actor: str, reason: str) -> None:
    """A locked player is again what he was beneath the exclusion."""
    blocked_by = player.block_beneath
    status = Status.BLOCKED if blocked_by else Status.ACTIVE
    change_status(player, status, blocked_by or Player.SetBy.PLATFORM, actor, reason)
    player.save(update_fields=[*STATUS, "updated_at"])


# --- Before its end -----------------------------------------------------------------------------------


def waiting_time() -> timedelta:
    """How long after the second operator's approval the player can confirm that an exclusion is lifted."""
    return WAITING_TIMES[settings.LIMIT_PROFILE]


@transaction.atomic
def allow_lifting(player_id: UUID, *, after: str) -> Player:
    """Two operators have agreed: once the waiting time is over, the player can confirm it.

    `after` is what the player then is, active or blocked. Until then nothing changes. Raises `PlayerRefused`
    (status_not_allowed) if that lifts no exclusion.
    """
    player = Player.objects.select_for_update().get(pk=player_id)
    if not lifts_exclusion(player.status, after):
        raise PlayerRefused(PlayerOutcome.STATUS_NOT_ALLOWED, Status(player.status).label)
    player.liftable_at = now() + waiting_time()
    player.block_beneath = Player.SetBy.OPERATOR if after == Status.BLOCKED else ""
    player.save(update_fields=["liftable_at", "block_beneath", "updated_at"])
    return player


@transaction.atomic
def confirm_lifting(player_id: UUID, *, actor: str) -> Player:
    """The player confirms that an exclusion is lifted. Repeated, or if there is none, it changes nothing.

    Raises `PlayerRefused` (not_lifted: no operators have agreed; lifted_later: the waiting time is not over).
    """
    player = Player.objects.select_for_update().get(pk=player_id)
    if player.status != Status.SELF_EXCLUDED:
        return player
    if player.liftable_at is None:
        raise PlayerRefused(PlayerOutcome.NOT_LIFTED)
    if now() < player.liftable_at:
        raise PlayerRefused(PlayerOutcome.LIFTED_LATER, timestamp(player.liftable_at))
    end_exclusion(player, actor, CONFIRMED)
    return player
