"""Reads the callers' credentials: from options, the environment, or a file."""

import json
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clients.kit.expectations import Unusable
from clients.kit.parties import Login

GAME, OTHER_GAME, PLATFORM = "game", "other_game", "platform"
# How an option is written, and what it says in order.
FORMS = {GAME: "SLUG:USERNAME:PASSWORD", OTHER_GAME: "SLUG:USERNAME:PASSWORD", PLATFORM: "USERNAME:PASSWORD"}


def option_name(name: str) -> str:
    return "--" + name.replace("_", "-")


def variable_name(name: str) -> str:
    """The variable of the environment that says the same as the option."""
    return f"WALLET_KIT_{name.upper()}"


def read_logins(options: Namespace, environment: Mapping[str, str]) -> dict[str, Login]:
    """The three callers; each from its option, else its variable, else the file. Raises `Unusable`.

    A game of the file can be chosen by its slug alone.
    """
    filed, games = read_file(options.credentials) if options.credentials else ({}, {})
    found = {}
    for name in FORMS:
        text = getattr(options, name) or environment.get(variable_name(name), "")
        login = games.get(text) or (parse_login(name, text, environment) if text else filed.get(name))
        if login is None:
            raise Unusable(
                f"No credential for {option_name(name)}: give the option, {variable_name(name)} in the "
                f"environment ({FORMS[name]}), or a file with --credentials."
            )
        found[name] = login
    if found[GAME].slug == found[OTHER_GAME].slug:
        raise Unusable("--game and --other-game must be two games: one must not know the other's tokens.")
    return found


def parse_login(name: str, text: str, environment: Mapping[str, str]) -> Login:
    """A credential as an option says it; a password that is left out stands in the environment."""
    parts = text.split(":", FORMS[name].count(":"))
    if len(parts) == FORMS[name].count(":"):
        parts.append(environment.get(f"{variable_name(name)}_PASSWORD", ""))
    if len(parts) != FORMS[name].count(":") + 1 or not all(parts):
        raise Unusable(f"{option_name(name)} must be {FORMS[name]}.")
    *slug, username, password = parts
    return Login(username, password, *slug)


def read_file(path: Path) -> tuple[dict[str, Login], dict[str, Login]]:
    """The callers of a JSON file, {"games": [two or more], "platform": …}, and its games by their slugs.

    Raises `Unusable`.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        games = [login_of(game) for game in content["games"]]
        callers = {GAME: games[0], OTHER_GAME: games[1], PLATFORM: login_of(content["platform"])}
        return callers, {game.slug: game for game in games}
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror}.") from problem
    except (ValueError, LookupError, TypeError) as problem:
        form = '{"games": [{"slug", "username", "password"}, …], "platform": {"username", "password"}}'
        raise Unusable(f"{path} must hold JSON of the form {form}.") from problem


def login_of(member: Mapping[str, Any]) -> Login:
    return Login(member["username"], member["password"], member.get("slug", ""))
