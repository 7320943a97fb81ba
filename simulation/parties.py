"""Who the simulation speaks as, read from the file that `make run` writes (var/demo.json)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulation.client import Party, party


class Unusable(Exception):
    """Why there can be no simulation, as a sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Parties:
    """Where the server is, and the credentials of two games and of the web front."""

    url: str
    games: tuple[Party, Party]
    platform: Party


def read_parties(path: Path, url: str | None) -> Parties:
    """The parties of the file, at `url` where it is given. Raises Unusable."""
    try:
        demo = json.loads(path.read_text())
    except FileNotFoundError:
        raise Unusable(
            f"There is no {path}: start the platform with `make run`, or name a file of credentials with "
            "--credentials."
        ) from None
    except (OSError, ValueError) as problem:
        raise Unusable(f"{path} cannot be read: {problem}.") from problem
    try:
        games = [read_party(game, game["slug"]) for game in demo["games"]]
        first, second = games[:2]
        return Parties(
            checked_url(url or demo["url"]), (first, second), read_party(demo["platform"], "platform")
        )
    except (KeyError, TypeError, ValueError) as problem:
        raise Unusable(
            f'{path} does not have the form {{"url", "games": [two of {{"slug", "username", "password"}}], '
            f'"platform": {{"username", "password"}}}}.'
        ) from problem


def read_party(credential: dict[str, Any], slug: str) -> Party:
    return party(slug, credential["username"], credential["password"])


def checked_url(url: str) -> str:
    """`url` without a closing slash. Raises Unusable where it is not that of a web server."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise Unusable(f"--url must be like http://127.0.0.1:8000, not {url!r}.")
    return url.rstrip("/")
