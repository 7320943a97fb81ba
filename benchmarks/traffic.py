"""What the load generator sends: withdrawals, pairs, and calls of an empty view;
every transaction id is new.
"""

import os
import random
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from benchmarks.load import Exchange

PLAYERS = 10_000
CURRENCY = "XAG"
# The first 12 bytes of every player's session token; the player's number, from 0, is the rest.
TOKEN_PREFIX = bytes.fromhex("5eed00000000400080000000")


def token_of(number: int) -> bytes:
    """The token of a session, by its number."""
    return str(UUID(bytes=TOKEN_PREFIX + number.to_bytes(4, "big"))).encode()


TOKENS = [token_of(number) for number in range(PLAYERS)]
# Sessions of further games, of which each player has one, and of a game with a daily limit.
OF_MANY_GAMES = range(PLAYERS, 2 * PLAYERS)
LIMITED_TOKENS = [token_of(2 * PLAYERS + number) for number in range(PLAYERS)]
WITHDRAWAL = (
    b'{"token":"%b","mmTransactionId":"%b","amount":{"amount":1.00,"currencyCode":"'
    + CURRENCY.encode()
    + b'"}}'
)
CONFIRMATION = b'{"token":"%b","mmTransactionId":"%b"}'
# A call of a view that does nothing answers this.
NOTHING = b'{"status":"ok"}'


class Login(NamedTuple):
    """A credential of the game whose players play here."""

    username: str
    password: str

    def header(self) -> bytes:
        return b"Basic " + b64encode(f"{self.username}:{self.password}".encode())


def head(path: str, login: Login, body: bytes) -> bytes:
    """Everything before a body that is as long as `body` is with a token and an id in it."""
    length = len(body % (TOKENS[0], new_id()))
    return (
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nAuthorization: %b\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % (
            path.encode(),
            login.header(),
            length,
        )
    )


def new_id() -> bytes:
    """A transaction id as a game makes one: random, 32 characters."""
    return os.urandom(16).hex().encode()


def withdrawals(
    login: Login, tokens: Sequence[bytes] = TOKENS, path: str = "/wallet/withdraw"
) -> Iterator[Exchange]:
    """A withdrawal of 1.00 by a random player of `tokens`, again and again."""
    template = head(path, login, WITHDRAWAL).replace(b"%", b"%%") + WITHDRAWAL
    while True:
        id_ = new_id()
        yield Exchange(template % (random.choice(tokens), id_), id_)


def deposits(login: Login, tokens: Sequence[bytes] = TOKENS) -> Iterator[Exchange]:
    """An announced deposit of 1.00 by a random player of `tokens`, again and again."""
    return withdrawals(login, tokens, "/wallet/deposit")


def one_wallet(login: Login) -> Iterator[Exchange]:
    """Everybody plays on one wallet."""
    return withdrawals(login, TOKENS[:1])


def pairs(login: Login, settled_by: str = "/wallet/confirmWithdrawal") -> Iterator[Exchange]:
    """A withdrawal of 1.00 by a random player, then its confirmation."""
    opening = head("/wallet/withdraw", login, WITHDRAWAL).replace(b"%", b"%%") + WITHDRAWAL
    settling = head(settled_by, login, CONFIRMATION).replace(b"%", b"%%") + CONFIRMATION
    while True:
        token, id_ = random.choice(TOKENS), new_id()
        yield Exchange(opening % (token, id_), id_)
        yield Exchange(settling % (token, id_), id_)


def returned_pairs(login: Login) -> Iterator[Exchange]:
    """A withdrawal, then its rollback: no account of the house is in it."""
    return pairs(login, "/wallet/rollbackWithdrawal")


def many_games(logins: Sequence[Login]) -> Iterator[Exchange]:
    """A withdrawal at the game of a random player, of which each has every so-many-th."""
    shares = [
        withdrawals(login, [token_of(PLAYERS + number) for number in range(game, PLAYERS, len(logins))])
        for game, login in enumerate(logins)
    ]
    while True:
        yield next(random.choice(shares))


def nothing(login: Login) -> Iterator[Exchange]:
    """The same bytes as a withdrawal, for a view that does nothing with them."""
    for exchange in withdrawals(login):
        yield Exchange(exchange.request, NOTHING)
