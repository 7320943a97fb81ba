"""The entry API, for the platform's own web front (contract 3)."""

import re
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec
from django.conf import settings
from django.http import HttpResponse
from msgspec import UNSET, Meta, UnsetType
from rest_framework.request import Request

from lib.clock import timestamp
from lib.http.errors import invalid
from lib.http.requests import fit, read_object, whole_number
from lib.http.responses import json_answer
from players.access.api_view import ApiView, who_calls
from players.access.gate import Call
from players.models import UID_PATTERN
from players.operations import end_session, put_player
from wallet.api import openapi
from wallet.api.requests import Token, read_uuid
from wallet.api.responses import (
    EmptyAnswer,
    HoldingsAnswer,
    LaunchAnswer,
    PlayerAnswer,
    StatementAnswer,
    StatementLine,
)
from wallet.currencies import show
from wallet.models import Entry, Wallet
from wallet.operations import Launched, find_player, launch_game, read_statement, require_currency

UID = re.compile(UID_PATTERN + r"\Z")
DEFAULT_LINES = 50
MOST_LINES = 200

Uid = Annotated[
    str,
    Meta(
        pattern=rf"^{UID_PATTERN}\Z",
        description="The platform's name for the player.",
        extra_json_schema={"pattern": f"^{UID_PATTERN}$"},
    ),
]
Language = Annotated[
    str,
    Meta(
        max_length=35,
        pattern=r"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*\Z",
        description="BCP 47",
        extra_json_schema={"pattern": "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"},
    ),
]
Country = Annotated[
    str,
    Meta(
        pattern=r"^[A-Z]{2}\Z", description="ISO 3166-1 alpha-2", extra_json_schema={"pattern": "^[A-Z]{2}$"}
    ),
]
# What has the wrong form is unknown, too; refused here, it meets neither the database nor a description that repeats it.
GameSlug = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z", extra_json_schema={"pattern": "^[A-Za-z0-9_-]{1,40}$"})
]
CurrencyCode = Annotated[
    str, Meta(pattern=r"^[A-Z0-9]{2,12}\Z", extra_json_schema={"pattern": "^[A-Z0-9]{2,12}$"})
]
Nickname = Annotated[str, Meta(max_length=64)]
Status = Annotated[
    str,
    Meta(
        pattern=r"^(active|blocked|self_excluded|closed)\Z",
        extra_json_schema={"enum": ["active", "blocked", "self_excluded", "closed"]},
    ),
]
WholeNumber = Annotated[Any, Meta(extra_json_schema={"type": "integer", "minimum": 1})]


class PutPlayerRequest(msgspec.Struct):
    """PUT /entry/players/<uid>."""

    nickname: Nickname | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    language: Language | UnsetType = UNSET
    status: Status | UnsetType = UNSET


class LaunchRequest(msgspec.Struct):
    """launch."""

    uid: Uid
    game: GameSlug
    currencyCode: CurrencyCode  # noqa: N815
    language: Language | UnsetType = UNSET
    ttlSeconds: WholeNumber | UnsetType = UNSET  # noqa: N815


class EndSessionRequest(msgspec.Struct):
    """endSession."""

    token: Token


class BalanceRequest(msgspec.Struct):
    """balance."""

    uid: Uid
    currencyCode: CurrencyCode  # noqa: N815


class StatementRequest(msgspec.Struct):
    """statement."""

    uid: Uid
    currencyCode: CurrencyCode  # noqa: N815
    before: Annotated[str, Meta(description="The `next` of the page before.")] | UnsetType = UNSET
    limit: (
        Annotated[
            Any,
            Meta(
                extra_json_schema={
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MOST_LINES,
                    "default": DEFAULT_LINES,
                }
            ),
        ]
        | UnsetType
    ) = UNSET


@openapi.put_player(PutPlayerRequest)
class PutPlayer(ApiView):
    """Creates or updates a player."""

    http_method_names = ["put"]
    shape = PutPlayerRequest

    def put(self, request: Request, uid: str) -> HttpResponse:
        given = fit(read_object(request._request), PutPlayerRequest)  # noqa: SLF001 (as in ApiView)
        if not UID.match(uid):
            raise invalid("uid must be 1 to 64 letters, digits or . _ : @ -")
        attributes = {
            name: value
            for name in ("nickname", "country", "language")
            if (value := getattr(given, name)) is not UNSET
        }
        if not attributes.get("nickname", "").isprintable():
            raise invalid("nickname must not hold control characters.")
        status = None if given.status is UNSET else given.status
        player = put_player(uid, attributes=attributes, status=status, actor=who_calls(request).caller.actor)
        return json_answer(
            PlayerAnswer(player.uid, player.nickname, player.country, player.language, player.status)
        )


@openapi.launch(LaunchRequest)
class Launch(ApiView):
    """Starts a session of a player in a game."""

    shape = LaunchRequest

    def handle(self, call: Call, given: LaunchRequest) -> HttpResponse:
        longest = int(settings.SESSION_TTL.total_seconds())
        ttl = (
            None
            if given.ttlSeconds is UNSET
            else min(whole_number(given.ttlSeconds, "ttlSeconds", 1, 10**18), longest)
        )
        language = None if given.language is UNSET else given.language
        launched = launch_game(
            given.uid,
            given.game,
            given.currencyCode,
            language=language,
            ttl_seconds=ttl,
            actor=call.caller.actor,
        )
        url = launch_url(launched, given.currencyCode)
        return json_answer(LaunchAnswer(str(launched.token), url, timestamp(launched.expires_at)))


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


@openapi.end_session(EndSessionRequest)
class EndSession(ApiView):
    """Ends a session; repeated, the same."""

    shape = EndSessionRequest

    def handle(self, call: Call, given: EndSessionRequest) -> HttpResponse:
        end_session(read_uuid(given.token))
        return json_answer(EmptyAnswer())


@openapi.balance(BalanceRequest)
class Balance(ApiView):
    """What a player has in one currency; zeros where no wallet was opened."""

    shape = BalanceRequest

    def handle(self, call: Call, given: BalanceRequest) -> HttpResponse:
        player, code = find_player(given.uid), require_currency(given.currencyCode)
        wallet = Wallet.objects.filter(player=player, currency_id=code).first() or Wallet()
        return json_answer(
            HoldingsAnswer(show(wallet.spendable, code), show(wallet.reserved, code), show(wallet.debt, code))
        )


@openapi.statement(StatementRequest)
class Statement(ApiView):
    """What changed a player's spendable balance, newest first."""

    shape = StatementRequest

    def handle(self, call: Call, given: StatementRequest) -> HttpResponse:
        limit = DEFAULT_LINES if given.limit is UNSET else whole_number(given.limit, "limit", 1, MOST_LINES)
        before = None if given.before is UNSET else read_cursor(given.before)
        player, code = find_player(given.uid), require_currency(given.currencyCode)
        entries, following = read_statement(player, code, before=before, limit=limit)
        return json_answer(
            StatementAnswer(
                [show_line(entry, code) for entry in entries], None if following is None else str(following)
            )
        )


def read_cursor(text: str) -> int:
    """The entry number that a cursor stands for. Raises 101."""
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise invalid("before must be the next of an earlier page.")
    return int(text)


def show_line(entry: Entry, code: str) -> StatementLine:
    """One line of a statement."""
    transaction, amount = entry.transaction, entry.amount or 0
    return StatementLine(
        what=f"{transaction.type}_{entry.event}" if transaction else entry.event,
        game=transaction.game.slug if transaction and transaction.game else None,
        amount=show(amount if entry.credit == Entry.Account.SPENDABLE else -amount, code),
        balanceAfter=show(entry.spendable, code),
        mmTransactionId=transaction.mm_transaction_id if transaction else None,
        qwTransactionId=str(transaction.pk) if transaction else None,
        time=timestamp(entry.at),
    )
