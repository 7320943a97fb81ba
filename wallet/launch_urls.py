"""Where a player who has launched a game goes."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from wallet.operations import Launched


def launch_url(launched: Launched, currency_code: str) -> str:
    """The game's entry point with `token`, `lang` and `currency` among its query parameters."""
    parts = urlsplit(launched.game.launch_url)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("token", str(launched.token)),
        ("lang", launched.language or "en"),
        ("currency", currency_code),
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))
