"""The wallet API: reads a request, calls the ledger once, answers (contract 2)."""

import re
from typing import Any, ClassVar

from django.http import HttpResponse

from lib.clock import timestamp
from lib.http.errors import ErrorCode, Refusal
from lib.http.responses import json_answer
from players.access.api_view import ApiView
from players.access.gate import Call
from wallet import ledger
from wallet.api import openapi
from wallet.api.errors import REFUSALS, refusal
from wallet.api.requests import (
    ConfirmRequest,
    OpenRequest,
    QueryRequest,
    RollbackRequest,
    SessionRequest,
    read_amount,
    read_token,
)
from wallet.api.responses import BalanceAnswer, QueryAnswer, SessionAnswer, TransactionAnswer
from wallet.api.texts import clean
from wallet.currencies import show
from wallet.ledger import Answer, CallContext

LOGGABLE_ID = re.compile(r"[!-~]{1,64}\Z")


class WalletView(ApiView):
    """A call of a game backend; `endpoint` is its name in the call log, empty where it names no transaction."""

    endpoint: ClassVar[str] = ""

    def answer(self, call: Call, body: dict[str, Any]) -> HttpResponse:
        try:
            return super().answer(call, body)
        except Refusal as problem:
            if problem.code == ErrorCode.INVALID_REQUEST and self.endpoint:
                self.log_malformed(call, body)
            raise

    def context(self, call: Call) -> CallContext:
        """Who asks, as the ledger writes it down."""
        caller = call.caller
        if caller.game_id is None:
            raise AssertionError("the gate lets only games' credentials through")
        return CallContext(
            caller.game_id, caller.actor, caller.credential_id, self.endpoint, call.address, call.elapsed_us()
        )

    def log_malformed(self, call: Call, body: dict[str, Any]) -> None:
        """A refused request that names a transaction stands in the call log too."""
        named = body.get("mmTransactionId")
        if isinstance(named, str) and LOGGABLE_ID.match(named):
            ledger.log_refused(self.context(call), outcome="malformed", mm_transaction_id=named)


def answer_with_balance(mm_transaction_id: str, answer: Answer, *, success: str) -> HttpResponse:
    """The partner's answer to all six calls that open or settle. Raises the refusal where the outcome is not `success`."""
    if answer.outcome != success:
        raise refusal(answer)
    return json_answer(
        TransactionAnswer(mm_transaction_id, answer.transaction_id, show(answer.balance, answer.currency))
    )


def live_session(call: Call, token: str) -> ledger.SessionView:
    """The live session of a token. Raises 102."""
    game_id = call.caller.game_id
    session = ledger.find_session(game_id=game_id, token_hash=read_token(token)) if game_id else None
    if session is None or not session.is_live:
        raise Refusal(*REFUSALS["session_ended" if session else "unknown_token"])
    return session


@openapi.verify_session
class VerifySession(WalletView):
    """Who plays, and what the player can spend."""

    shape = SessionRequest

    def handle(self, call: Call, given: SessionRequest) -> HttpResponse:
        session = live_session(call, given.token)
        balance = show(session.balance, session.currency)
        return json_answer(
            SessionAnswer(session.uid, session.nickname, session.country, session.language, balance)
        )


@openapi.get_balance
class GetBalance(WalletView):
    """What the player can spend."""

    shape = SessionRequest

    def handle(self, call: Call, given: SessionRequest) -> HttpResponse:
        session = live_session(call, given.token)
        return json_answer(BalanceAnswer(show(session.balance, session.currency)))


class OpenView(WalletView):
    """Opens a transaction of `type`."""

    shape = OpenRequest
    type: ClassVar[str]

    def handle(self, call: Call, given: OpenRequest) -> HttpResponse:
        token, (amount, currency) = read_token(given.token), read_amount(given.amount)
        description = clean(given.txDescription)
        answer = ledger.open_transaction(
            self.context(call),
            type=self.type,
            token_hash=token,
            mm_transaction_id=given.mmTransactionId,
            amount=amount,
            currency=currency,
            description=description,
            pending=call.caller.pending,
        )
        return answer_with_balance(given.mmTransactionId, answer, success="opened")


class ConfirmView(WalletView):
    """Confirms a transaction of `type`."""

    shape = ConfirmRequest
    type: ClassVar[str]

    def handle(self, call: Call, given: ConfirmRequest) -> HttpResponse:
        token = read_token(given.token)
        amount, currency = read_amount(given.amount) if given.amount else (None, None)
        answer = ledger.settle_transaction(
            self.context(call),
            event="confirmed",
            type=self.type,
            token_hash=token,
            mm_transaction_id=given.mmTransactionId,
            amount=amount,
            currency=currency,
        )
        return answer_with_balance(given.mmTransactionId, answer, success="confirmed")


class RollbackView(WalletView):
    """Rolls a transaction of `type` back."""

    shape = RollbackRequest
    type: ClassVar[str]

    def handle(self, call: Call, given: RollbackRequest) -> HttpResponse:
        reason = clean(given.rollbackReason)
        answer = ledger.settle_transaction(
            self.context(call),
            event="rolled_back",
            type=self.type,
            token_hash=read_token(given.token),
            mm_transaction_id=given.mmTransactionId,
            reason=reason,
        )
        return answer_with_balance(given.mmTransactionId, answer, success="rolled_back")


@openapi.withdraw
class Withdraw(OpenView):
    """Reserves the amount: it leaves the spendable balance at once, and waits for confirmation or rollback."""

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
        found = ledger.query_transaction(
            self.context(call),
            type=given.type,
            token_hash=read_token(given.token),
            mm_transaction_id=given.mmTransactionId,
        )
        if found.outcome != "found":
            raise Refusal(*REFUSALS[found.outcome])
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
