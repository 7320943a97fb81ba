"""The wallet API: reads a request, calls one operation, answers (contract 2)."""

import re
from typing import Any, ClassVar
from uuid import UUID

from django.http import HttpResponse

from lib.clock import timestamp
from lib.http.errors import ErrorCode, Refusal
from lib.http.responses import json_answer
from players.access.answer_counts import ANSWER_COUNTS, SUCCESS, Key
from players.access.api_view import ApiView
from players.access.gate import Call
from players.api.requests import read_token
from wallet import operations
from wallet.api import errors, openapi
from wallet.api.requests import (
    ConfirmRequest,
    OpenRequest,
    QueryRequest,
    RollbackRequest,
    SessionRequest,
    read_amount,
)
from wallet.api.responses import BalanceAnswer, QueryAnswer, SessionAnswer, TransactionAnswer
from wallet.api.texts import clean
from wallet.currencies import show
from wallet.ledger import Answer, CallContext, SessionView

LOGGABLE_ID = re.compile(r"[!-~]{1,64}\Z")


class WalletView(ApiView):
    """A call of a game backend.

    `endpoint` is its name in the call log, empty where it names no transaction.
    """

    endpoint: ClassVar[str] = ""

    def answer(self, call: Call, body: dict[str, Any]) -> HttpResponse:
        try:
            return super().answer(call, body)
        except Refusal as problem:
            if problem.code == ErrorCode.INVALID_REQUEST and self.endpoint:
                self.log_malformed(call, body)
            raise

    def refusal(self, problem: Exception) -> Exception:
        return errors.refusal(problem)

    def context(self, call: Call) -> CallContext:
        """Who asks, as the ledger writes it down."""
        caller = call.caller
        return CallContext(
            game_of(call), caller.actor, caller.credential_id, self.endpoint, call.address, call.elapsed_us()
        )

    def log_malformed(self, call: Call, body: dict[str, Any]) -> None:
        """A refused request that names a transaction stands in the call log too."""
        named = body.get("mmTransactionId")
        if isinstance(named, str) and LOGGABLE_ID.match(named):
            operations.log_malformed_call(context=self.context(call), mm_transaction_id=named)


def game_of(call: Call) -> UUID:
    """The game that calls."""
    game_id = call.caller.game_id
    if game_id is None:
        raise AssertionError("the gate lets only games' credentials through")
    return game_id


def answer_with_balance(mm_transaction_id: str, answer: Answer) -> HttpResponse:
    """The partner's answer to all six calls that open or settle."""
    return json_answer(
        TransactionAnswer(mm_transaction_id, answer.transaction_id, show(answer.balance, answer.currency))
    )


def live_session(call: Call, token: str, endpoint: str) -> SessionView:
    """The live session of a token. That it was asked for is counted: no log has it. Raises 101,
    `LedgerRefused`.
    """
    game_id = game_of(call)
    found = operations.find_live_session(game_id=game_id, token_hash=read_token(token))
    ANSWER_COUNTS.note(Key(game_id, endpoint, SUCCESS))
    return found


@openapi.verify_session
class VerifySession(WalletView):
    """Who plays, and what the player can spend."""

    shape = SessionRequest

    def handle(self, call: Call, given: SessionRequest) -> HttpResponse:
        session = live_session(call, given.token, "verifySession")
        balance = show(session.balance, session.currency)
        return json_answer(
            SessionAnswer(session.uid, session.nickname, session.country, session.language, balance)
        )


@openapi.get_balance
class GetBalance(WalletView):
    """What the player can spend."""

    shape = SessionRequest

    def handle(self, call: Call, given: SessionRequest) -> HttpResponse:
        session = live_session(call, given.token, "getBalance")
        return json_answer(BalanceAnswer(show(session.balance, session.currency)))


class OpenView(WalletView):
    """Opens a transaction of `type`."""

    shape = OpenRequest
    type: ClassVar[str]

    def handle(self, call: Call, given: OpenRequest) -> HttpResponse:
        token_hash, (amount, currency) = read_token(given.token), read_amount(given.amount)
        answer = operations.open_transaction(
            context=self.context(call),
            type=self.type,
            token_hash=token_hash,
            mm_transaction_id=given.mmTransactionId,
            amount=amount,
            currency=currency,
            description=clean(given.txDescription),
            pending=call.caller.pending,
        )
        return answer_with_balance(given.mmTransactionId, answer)


class ConfirmView(WalletView):
    """Confirms a transaction of `type`."""

    shape = ConfirmRequest
    type: ClassVar[str]

    def handle(self, call: Call, given: ConfirmRequest) -> HttpResponse:
        token_hash = read_token(given.token)
        amount, currency = read_amount(given.amount) if given.amount else (None, None)
        answer = operations.settle_transaction(
            context=self.context(call),
            event="confirmed",
            type=self.type,
            token_hash=token_hash,
            mm_transaction_id=given.mmTransactionId,
            amount=amount,
            currency=currency,
        )
        return answer_with_balance(given.mmTransactionId, answer)


class RollbackView(WalletView):
    """Rolls a transaction of `type` back."""

    shape = RollbackRequest
    type: ClassVar[str]

    def handle(self, call: Call, given: RollbackRequest) -> HttpResponse:
        answer = operations.settle_transaction(
            context=self.context(call),
            event="rolled_back",
            type=self.type,
            token_hash=read_token(given.token),
            mm_transaction_id=given.mmTransactionId,
            reason=clean(given.rollbackReason),
        )
        return answer_with_balance(given.mmTransactionId, answer)


@openapi.withdraw
class Withdraw(OpenView):
    "Reserves the amount: it leaves the spendable balance at once, and waits for confirmation or rollback."

    endpoint = "withdraw"
    type = "withdrawal"


@openapi.confirm
class ConfirmWithdrawal(ConfirmView):
    """Pays a reserved amount to the game."""

    endpoint = "confirmWithdrawal"
    type = "withdrawal"


@openapi.rollback
class RollbackWithdrawal(RollbackView):
    """Gives a reserved amount back. A rollback that overtakes its withdrawal is remembered."""

    endpoint = "rollbackWithdrawal"
    type = "withdrawal"


@openapi.deposit
class Deposit(OpenView):
    """Announces an amount: nothing is spendable before it is confirmed."""

    endpoint = "deposit"
    type = "deposit"


@openapi.confirm
class ConfirmDeposit(ConfirmView):
    """Credits an announced amount."""

    endpoint = "confirmDeposit"
    type = "deposit"


@openapi.rollback
class RollbackDeposit(RollbackView):
    """Forgets an announced amount."""

    endpoint = "rollbackDeposit"
    type = "deposit"


@openapi.query_transaction
class QueryTransaction(WalletView):
    """What became of a transaction."""

    endpoint = "queryTransaction"
    shape = QueryRequest

    def handle(self, call: Call, given: QueryRequest) -> HttpResponse:
        found = operations.query_transaction(
            context=self.context(call),
            type=given.type,
            token_hash=read_token(given.token),
            mm_transaction_id=given.mmTransactionId,
        )
        return json_answer(
            QueryAnswer(
                mmTransactionId=given.mmTransactionId,
                qwTransactionId=found.transaction_id,
                type=given.type,
                state=found.state,
                amount=None if found.amount is None else show(found.amount, found.currency),
                openedAt=timestamp(found.opened_at),
                settledAt=timestamp(found.settled_at) if found.settled_at else None,
            )
        )
