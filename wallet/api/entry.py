"""What the platform's web front asks about wallets: launch, balance, statement (contract 3)."""

from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.http import HttpResponse
from msgspec import UNSET, Meta, UnsetType

from lib.clock import now, timestamp
from lib.http.errors import invalid
from lib.http.requests import whole_number
from lib.http.responses import json_answer
from players.access.api_view import ApiView
from players.access.gate import Call
from players.api.requests import GameSlug, Language, Uid
from players.operations import find_player
from wallet.api import errors, openapi
from wallet.api.responses import (
    HoldingsAnswer,
    LaunchAnswer,
    PlayedGame,
    PlayedMonth,
    StatementAnswer,
    StatementLine,
    StatementSummary,
)
from wallet.currencies import show
from wallet.launch_urls import launch_url
from wallet.models import Entry, Wallet
from wallet.operations import launch_game, read_statement, require_currency
from wallet.reports.player_summary import PlayerSummary, read_player_summary

DEFAULT_LINES = 50
MOST_LINES = 200

CurrencyCode = Annotated[
    str, Meta(pattern=r"^[A-Z0-9]{2,12}\Z", extra_json_schema={"pattern": "^[A-Z0-9]{2,12}$"})
]
WholeNumber = Annotated[Any, Meta(extra_json_schema={"type": "integer", "minimum": 1})]


class LaunchRequest(msgspec.Struct):
    """launch."""

    uid: Uid
    game: GameSlug
    currencyCode: CurrencyCode  # noqa: N815
    language: Language | UnsetType = UNSET
    ttlSeconds: WholeNumber | UnsetType = UNSET  # noqa: N815


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
    summary: Annotated[bool, Meta(description="Whether the answer has a summary as well.")] = False


class EntryView(ApiView):
    """A call of the web front about wallets; outcomes are answered as `wallet.api.errors` says."""

    def refusal(self, problem: Exception) -> Exception:
        return errors.refusal(problem)


@openapi.launch(LaunchRequest)
class Launch(EntryView):
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


@openapi.balance(BalanceRequest)
class Balance(EntryView):
    """What a player has in one currency; zeros where no wallet was opened."""

    shape = BalanceRequest

    def handle(self, call: Call, given: BalanceRequest) -> HttpResponse:
        player, code = find_player(given.uid), require_currency(given.currencyCode)
        wallet = Wallet.objects.filter(player=player, currency_id=code).first() or Wallet()
        return json_answer(
            HoldingsAnswer(show(wallet.spendable, code), show(wallet.reserved, code), show(wallet.debt, code))
        )


@openapi.statement(StatementRequest)
class Statement(EntryView):
    """What changed a player's spendable balance, newest first; with a summary, if that is asked for."""

    shape = StatementRequest

    def handle(self, call: Call, given: StatementRequest) -> HttpResponse:
        limit = DEFAULT_LINES if given.limit is UNSET else whole_number(given.limit, "limit", 1, MOST_LINES)
        before = None if given.before is UNSET else read_cursor(given.before)
        player, code = find_player(given.uid), require_currency(given.currencyCode)
        entries, following = read_statement(player, code, before=before, limit=limit)
        return json_answer(
            StatementAnswer(
                [show_line(entry, code) for entry in entries],
                None if following is None else str(following),
                show_summary(read_player_summary(player, code, now()), code) if given.summary else UNSET,
            )
        )


def show_summary(found: PlayerSummary, code: str) -> StatementSummary:
    months = [
        PlayedMonth(
            f"{month:%Y-%m}",
            [PlayedGame(one.game, show(one.spent, code), show(one.won, code)) for one in games],
        )
        for month, games in found.months
    ]
    return StatementSummary(months, show(found.paid_in, code), show(found.refunded, code))


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
