"""What the tests play with: callers, games, players with a session, and what their wallets hold."""

import base64
import itertools
import json
import os
import uuid
from dataclasses import dataclass, field, replace
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from lib.clock import now
from lib.security.tokens import token_hash
from players.exclusions import end_exclusion
from players.models import Credential, Game, GameSession, Operator, Player
from players.operations import (
    create_credential,
    end_session,
    lifts_exclusion,
    put_player,
    set_player_status,
)
from wallet.ledger import Answer as LedgerAnswer
from wallet.models import Adjustment, Currency, Discrepancy, Transaction, Wallet
from wallet.operations import adjust_wallet, launch_game, resolve_transaction

# Code and number of decimals: one currency of every possible kind.
CURRENCIES = {"XAG": 2, "EUR": 2, "JPY": 0, "MRU": 1, "BHD": 3, "CLF": 4}
CLIENT = Client(raise_request_exception=False)
_addresses = itertools.count(os.getpid() << 8)


def unique(prefix: str) -> str:
    """A name that no other test has."""
    return f"{prefix}-{uuid.uuid4().hex[:20]}"


def fresh_address() -> str:
    """An IPv4 address that no other test calls from: failed authentications are counted by address."""
    number = next(_addresses)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def dump(value: object) -> str:
    """JSON in which a Decimal is a number with its own digits."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {dump(member)}" for name, member in value.items()) + "}"
    return json.dumps(value)


@dataclass(frozen=True)
class Answer:
    """What came back; `raw` as it was sent."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.raw, parse_float=Decimal, parse_int=Decimal)
        return read

    @property
    def error(self) -> int | None:
        code = self.body.get("errorCode")
        return None if code is None else int(code)

    @property
    def balance(self) -> str:
        """The amount of `balance`, with the digits that were sent."""
        return str(self.body["balance"]["amount"])


@dataclass(frozen=True)
class Caller:
    """One party with one credential. Calls in this process, or over HTTP where there is a `url`."""

    authorization: str | None
    address: str = field(default_factory=fresh_address)
    url: str | None = None

    def at(self, url: str) -> "Caller":
        """The same party, calling a real server."""
        return replace(self, url=url)

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        sent = {"Content-Type": "application/json"}
        if self.authorization is not None:
            sent["Authorization"] = self.authorization
        sent.update(headers or {})
        return (
            self.send_inside(method, path, body, sent)
            if self.url is None
            else self.send_outside(self.url, method, path, body, sent)
        )

    def send_inside(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        response = self.respond(method, path, body, headers)
        return Answer(
            response.status_code, {name.lower(): value for name, value in response.items()}, response.content
        )

    def respond(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> HttpResponse:
        """Django's own response, with all of the middleware before it."""
        content_type = headers.pop("Content-Type")
        response: HttpResponse = CLIENT.generic(
            method, path, body, content_type=content_type, headers=headers, REMOTE_ADDR=self.address
        )  # type: ignore[assignment]
        return response

    def send_outside(self, url: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        place = urlsplit(url)
        connection = HTTPConnection(place.hostname or "", place.port, timeout=30)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            return Answer(
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )
        finally:
            connection.close()

    def post(self, path: str, payload: dict[str, Any] | str | bytes) -> Answer:
        if isinstance(payload, dict):
            payload = dump(payload)
        return self.send("POST", path, payload if isinstance(payload, bytes) else payload.encode())

    def put(self, path: str, payload: dict[str, Any]) -> Answer:
        return self.send("PUT", path, dump(payload).encode())


class Holding(NamedTuple):
    """What a wallet holds, in minor units, and how many entries its journal has."""

    spendable: int = 0
    reserved: int = 0
    announced: int = 0
    debt: int = 0
    entries: int = 0


def holding(player: Player, currency: str = "XAG") -> Holding:
    """What the database says of a wallet; zeros where there is none."""
    columns = ("spendable", "reserved", "announced", "debt", "entry_count")
    found = Wallet.objects.filter(player=player, currency_id=currency).values_list(*columns).first()
    return Holding(*found) if found else Holding()


@dataclass(frozen=True)
class Party:
    """A game and the backend that speaks for it."""

    game: Game
    credential: Credential
    caller: Caller


@dataclass(frozen=True)
class PlayerSession:
    """A player with a session in one game and one currency, and the calls that the game makes for them."""

    caller: Caller
    player: Player
    game: Game
    token: str
    currency: str

    def call(
        self,
        endpoint: str,
        mm: str | None = None,
        amount: str | None = None,
        *,
        currency: str | None = None,
        **extra: object,
    ) -> Answer:
        payload: dict[str, Any] = {"token": self.token}
        if mm is not None:
            payload["mmTransactionId"] = mm
        if amount is not None:
            payload["amount"] = {"amount": Decimal(amount), "currencyCode": currency or self.currency}
        return self.caller.post(f"/wallet/{endpoint}", payload | extra)

    def done(self, endpoint: str, mm: str | None = None, amount: str | None = None, **extra: Any) -> Answer:
        """A call that must succeed."""
        answer = self.call(endpoint, mm, amount, **extra)
        assert (answer.status, answer.error) == (200, None), answer.raw
        return answer

    def opened(self, endpoint: str, amount: str) -> str:
        """The id of a transaction that is opened by this call."""
        mm = unique("mm")
        self.done(endpoint, mm, amount)
        return mm

    def holding(self) -> Holding:
        return holding(self.player, self.currency)

    def transaction(self, mm: str, type: str = "withdrawal") -> Transaction:
        return Transaction.objects.get(player=self.player, game=self.game, type=type, mm_transaction_id=mm)

    def session(self) -> GameSession:
        return GameSession.objects.get(token_hash=token_hash(uuid.UUID(self.token)))

    def wallet(self) -> Wallet:
        return Wallet.objects.get(player=self.player, currency_id=self.currency)

    def end(self) -> None:
        end_session(uuid.UUID(self.token))

    def block(self, status: str = "blocked") -> None:
        """Sets a status, as two operators may; a self-exclusion is over before."""
        with transaction.atomic():
            player = Player.objects.select_for_update().get(pk=self.player.pk)
            if lifts_exclusion(player.status, status):
                end_exclusion(player, "test", "test")
        set_player_status(self.player.pk, status=status, actor="test", reason="test", is_approved=True)

    def resolve(self, mm: str, event: str, type: str = "withdrawal", source: str = "sweep") -> LedgerAnswer:
        """The platform settles a pending transaction by itself."""
        return resolve_transaction(
            self.transaction(mm, type).pk, event=event, source=source, actor="test", reason="test"
        )

    def adjust(
        self, type: str, amount: int, *, into_debt: bool = False, id: uuid.UUID | None = None
    ) -> LedgerAnswer:
        """An operator credits or debits minor units."""
        return adjust_wallet(
            self.player,
            self.currency,
            type=type,
            amount=amount,
            transaction_id=id or uuid.uuid4(),
            operator=adjuster(),
            reason="test",
            into_debt=into_debt,
        )

    def discrepancies(self) -> list[tuple[str, int]]:
        """Kind and count of what is recorded about the player."""
        return list(
            Discrepancy.objects.filter(player=self.player).order_by("kind").values_list("kind", "times_seen")
        )

    def elsewhere(
        self, currency: str | None = None, party: Party | None = None, *, at: str | None = None
    ) -> "PlayerSession":
        """Another session of the same player."""
        caller, game = (party.caller, party.game) if party else (self.caller, self.game)
        return open_session(
            Party(game, Credential(), replace(caller, url=at or caller.url)),
            self.player,
            currency or self.currency,
        )


def open_session(
    party: Party, player: Player, currency: str = "XAG", ttl_seconds: int | None = None
) -> PlayerSession:
    """A session of a player in a game."""
    launched = launch_game(
        player.uid, party.game.slug, currency, language=None, ttl_seconds=ttl_seconds, actor="test"
    )
    return PlayerSession(party.caller, player, party.game, str(launched.token), currency)


def adjuster() -> Operator:
    """The operator who adjusts wallets in tests."""
    return Operator.objects.get_or_create(username="test")[0]


def act(id: uuid.UUID, player: Player, type: str, amount: int, currency: str = "XAG") -> uuid.UUID:
    """Writes the operator's act that the ledger wants of an adjustment. Returns its id."""
    by = adjuster()
    Adjustment.objects.create(
        id=id,
        operator=by,
        player=player,
        currency_id=currency,
        type=type,
        amount=amount,
        actor=f"operator:{by.username}",
        reason="test",
        at=now(),
    )
    return id


@dataclass(frozen=True)
class Callers:
    """Two games and the platform's web front, each with a credential; made once for a test process."""

    game: Party
    other_game: Party
    front: Caller

    def player(self, **attributes: str) -> Player:
        return put_player(unique("p"), attributes=attributes, status=None, actor="test")

    def player_session(
        self, funds: int = 100_00, currency: str = "XAG", *, url: str | None = None
    ) -> PlayerSession:
        """A new player with `funds` minor units and a session in the first game."""
        player_session = open_session(
            replace(self.game, caller=replace(self.game.caller, url=url)), self.player(), currency
        )
        if funds:
            player_session.adjust("credit", funds)
        return player_session


def make_party(networks: tuple[str, ...] = (), **attributes: Any) -> Party:
    """A new game with a credential."""
    game = Game.objects.create(
        **{"slug": unique("game"), "name": "A game", "launch_url": "https://game.example/play"} | attributes
    )
    credential, password = create_credential(
        kind="game", game=game, username=unique("g"), allowed_networks=list(networks), note=""
    )
    return Party(game, credential, Caller(basic(credential.username, password)))


def make_front() -> Caller:
    """A new credential of the platform's web front."""
    credential, password = create_credential(
        kind="platform", game=None, username=unique("front"), allowed_networks=[], note=""
    )
    return Caller(basic(credential.username, password))


def make_callers() -> Callers:
    for code, decimals in CURRENCIES.items():
        Currency.objects.get_or_create(code=code, defaults={"name": code, "decimals": decimals})
    return Callers(make_party(), make_party(), make_front())
