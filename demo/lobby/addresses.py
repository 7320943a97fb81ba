"""Where the lobby is."""

from urllib.parse import urlencode


def lobby_address(uid: str = "", *, moved: int = 0) -> str:
    """The lobby with a player chosen; `moved` says by how many hours the clock has just been moved."""
    words = {name: str(word) for name, word in (("player", uid), ("moved", moved)) if word}
    return f"/{'?' if words else ''}{urlencode(words)}"
