"""What the conformance kit is told about a server of the tests."""

from base64 import b64decode

from clients.kit.parties import Login, Target
from tests.support.callers import Caller, Callers


def target_at(url: str, callers: Callers) -> Target:
    """The server at `url`, with the credentials of the tests' callers."""
    game, other = callers.game, callers.other_game
    logins = (login(game.caller, game.game.slug), login(other.caller, other.game.slug), login(callers.front))
    return Target(url, *logins)


def login(caller: Caller, slug: str = "") -> Login:
    """The caller's credential, as the kit is given it."""
    given = b64decode((caller.authorization or "").removeprefix("Basic ")).decode()
    username, _, password = given.partition(":")
    return Login(username, password, slug)
