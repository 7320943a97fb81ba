"""What is switched off for everybody, and what is refused meanwhile (contract 2.5)."""

from lib.clock import now
from players.models import Game, PlatformSwitch
from players.outcomes import InMaintenance, PlayerOutcome, PlayerRefused

Name = PlatformSwitch.Name


def require_gaming(game: Game) -> None:
    """Raises `PlayerRefused` (gaming_off) if the game, or all gaming, is switched off."""
    if not game.is_active or is_off(Name.GAMING):
        raise PlayerRefused(PlayerOutcome.GAMING_OFF, game.slug)


def require_openings() -> None:
    """Raises `InMaintenance` if nothing new may begin."""
    if is_off(Name.OPENINGS):
        raise InMaintenance


def is_off(name: str) -> bool:
    return PlatformSwitch.objects.filter(name=name, is_active=False).exists()


def stop(switch: PlatformSwitch, *, actor: str, reason: str) -> bool:
    """Switches it off for everybody, at once. Returns whether that is new."""
    on = PlatformSwitch.objects.filter(pk=switch.pk, is_active=True)
    return on.update(is_active=False, switched_at=now(), switched_by=actor, reason=reason) > 0
