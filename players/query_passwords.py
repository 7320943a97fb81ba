"""The passwords with which games are asked about transactions: each is one game's, and nothing else's."""

from collections.abc import Iterator
from itertools import combinations

from lib.security.encryption import Unreadable
from lib.security.tokens import is_used_elsewhere, password_hash
from players.models import Credential, Game
from players.operations import query_credential


def query_passwords() -> dict[Game, str]:
    """Each game that is asked with a password, with it; those whose key is gone are left out."""
    found = {}
    for game in Game.objects.exclude(sealed_query_password=""):
        try:
            credential = query_credential(game)
        except Unreadable:
            continue
        if credential and credential.password:
            found[game] = credential.password
    return found


def is_used(password: str, *, besides: Game) -> bool:
    """Whether a password that somebody enters for a game is or was something else's."""
    return (
        is_used_elsewhere(password)
        or Credential.objects.filter(password_hash=password_hash(password)).exists()
        or any(game.pk != besides.pk and known == password for game, known in query_passwords().items())
    )


def shared_query_passwords() -> Iterator[tuple[str, str]]:
    """The slug of each game whose query password is used besides, with what for."""
    known = query_passwords()
    for (game, password), (other, same) in combinations(known.items(), 2):
        if password == same:
            yield game.slug, f"the query password of the game {other.slug}"
    live = Credential.objects.filter(revoked_at=None)
    callers = {bytes(credential.password_hash): credential.username for credential in live}
    for game, password in known.items():
        username = callers.get(password_hash(password))
        if username:
            yield game.slug, f"the API password of the credential {username}"
        if is_used_elsewhere(password):
            yield game.slug, "or was a secret of a provider, or signs a game's deliveries"
