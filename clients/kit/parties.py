"""Who calls the server, and what the run was told about it."""

from base64 import b64encode
from dataclasses import dataclass, field

from clients.kit.redaction import Redactor
from clients.kit.wire import Wire


@dataclass(frozen=True, slots=True)
class Login:
    """Username and password of a caller, and the slug of the game that it speaks for, if any."""

    username: str
    password: str = field(repr=False)
    slug: str = ""

    @property
    def authorization(self) -> str:
        """The value of the `Authorization` header (contract 1.2)."""
        return basic(self.username, self.password)


def basic(username: str, password: str) -> str:
    return "Basic " + b64encode(f"{username}:{password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Target:
    """The server and the callers that the checks speak as."""

    url: str
    game: Login
    other_game: Login
    platform: Login
    # A currency of two decimals, and another one that the first's sessions refuse.
    currency: str = "XAG"
    other_currency: str = "EUR"
    # What a missing or wrong Authorization is answered with (contract 1.4).
    unauthorized_status: int = 401
    # Whether `POST /demo/clock` moves the server's clock.
    has_clock: bool = False

    def redactor(self) -> Redactor:
        """Knows the passwords of all callers."""
        redactor = Redactor()
        for login in (self.game, self.other_game, self.platform):
            redactor.hide_login(login.username, login.password)
        return redactor

    def wire(self) -> Wire:
        return Wire(self.url)
