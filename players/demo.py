"""Games, credentials and two operators for a demonstration on one machine."""

import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group

from lib.security.encryption import Unreadable
from lib.security.tokens import new_password, password_hash
from players.models import Credential, Game, Operator
from players.operations import create_credential, query_credential, revoke_credential, set_query_password

GAMES = {"starfall": "Starfall", "moonreef": "Moonreef Poker"}
# The one that can really be played, at DEMO_GAME_URL.
PLAYED = "starfall"
QUERY_USERNAME = "platform"
ADMIN, APPROVER = "admin", "approver"


def demo_game(slug: str) -> Game:
    """The demo game of that slug, made where it is not there, and with today's addresses."""
    game, _ = Game.objects.get_or_create(
        slug=slug, defaults={"name": GAMES[slug], "launch_url": f"https://{slug}.example/play"}
    )
    if is_played(slug):
        here = settings.DEMO_GAME_URL
        game.launch_url, game.query_url = f"{here}/play", f"{here}/platform/state"
        game.query_username = QUERY_USERNAME
        game.save(update_fields=["launch_url", "query_url", "query_username"])
    return game


def is_played(slug: str) -> bool:
    """Whether the game of that slug runs beside the platform."""
    return slug == PLAYED and bool(settings.DEMO_GAME_URL)


def demo_query_password(game: Game, kept: str | None) -> str:
    """With which the platform asks a demo game: the `kept` password where it still fits, else a new one."""
    try:
        credential = query_credential(game)
    except Unreadable:
        credential = None
    if kept and credential and credential.password == kept:
        return kept
    made = new_password()
    set_query_password(game, made)
    return made


def demo_credential(
    username: str, *, kind: str, game: Game | None, kept: dict[str, Any] | None
) -> dict[str, str]:
    """A credential whose password is known: the `kept` one where it still fits, else a new one."""
    found = Credential.objects.filter(username=username).first()
    if (
        found
        and kept
        and found.revoked_at is None
        and bytes(found.password_hash) == password_hash(str(kept["password"]))
    ):
        return {"username": username, "password": str(kept["password"])}
    if found:
        # Its password is lost; the row stays for the history, and its name is free for the next one.
        revoke_credential(found)
        Credential.objects.filter(pk=found.pk).update(username=f"{username}-{secrets.token_hex(4)}")
    _, password = create_credential(kind=kind, game=game, username=username, allowed_networks=[], note="demo")
    return {"username": username, "password": password}


def demo_operator(username: str, kept: dict[str, Any] | None) -> dict[str, str]:
    """One of the demo's operators, under the `kept` password where it still fits.

    The first has all rights; the second, who approves what the first requests, has all roles.
    """
    operator, is_new = Operator.objects.get_or_create(
        username=username, defaults={"is_staff": True, "is_superuser": username == ADMIN}
    )
    if is_new and username == APPROVER:
        operator.groups.set(Group.objects.all())
    password = str(kept["password"]) if kept else secrets.token_urlsafe(12)
    if not operator.check_password(password):
        operator.set_password(password)
        operator.save()
    return {"username": username, "password": password}
