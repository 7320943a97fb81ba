"""One question to a game: what became of a transaction (contract 2.4, the final-state query)."""

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from lib.backoffice.languages import stored
from lib.http.responses import ENCODER
from lib.outbound.client import BasicCredential, Reply, Unanswered, post_json
from lib.security.encryption import Unreadable
from lib.texts import storable
from players.operations import query_credential
from wallet.currencies import show
from wallet.models import Inquiry, Transaction
from wallet.models.days import of_mm_id

AMBIGUOUS = stored("other players have the same id, and the answer does not name ours")
WORDS = {"CONFIRMED": "confirmed", "ROLLED_BACK": "rolled_back", "UNKNOWN": "unknown", "PENDING": "pending"}
BODY_LENGTH = 500
PROBLEM_LENGTH = 120


@dataclass(frozen=True, slots=True)
class StatusQuery:
    """All that asking needs, so that nothing of the database is touched meanwhile.

    `must_echo`: other players have the same id.
    """

    transaction_id: UUID
    url: str
    credential: BasicCredential | None
    body: bytes
    must_echo: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What came of a question: `answer` is an `Inquiry.Answer`; `problem` says why it was not usable."""

    answer: str
    problem: str = ""
    status: int | None = None
    body: str = ""
    took_ms: int | None = None


def status_query(transaction: Transaction) -> StatusQuery:
    """The question about a transaction, with its game, player and wallet at hand."""
    game = transaction.game
    if game is None or transaction.amount is None:
        raise ValueError("only a pending transaction of a game can be asked about")
    asked = {
        "mmTransactionId": transaction.mm_transaction_id,
        "qwTransactionId": str(transaction.pk),
        "playerId": transaction.player.uid,
        "type": transaction.type,
        "amount": show(transaction.amount, transaction.wallet.currency_id),
    }
    credential, problem = None, ""
    try:
        credential = query_credential(game)
    except Unreadable:
        problem = stored("our password for the game was sealed with a key that is not in ENCRYPTION_KEYS")
    return StatusQuery(
        transaction.pk, game.query_url, credential, ENCODER.encode(asked), is_ambiguous(transaction), problem
    )


def is_ambiguous(transaction: Transaction) -> bool:
    """Whether the same id is pending at another player of the game too.

    Then only an answer that names ours counts.
    """
    same = Transaction.objects.filter(
        of_mm_id(transaction.mm_transaction_id or ""), game=transaction.game, settled_at=None
    )
    return same.exclude(player_id=transaction.player_id).exists()


def ask(question: StatusQuery) -> QueryResult:
    """Asks the game once. Touches no database, and raises nothing: what goes wrong is no usable answer."""
    if question.problem:
        return QueryResult(Inquiry.Answer.UNUSABLE, question.problem)
    try:
        reply = post_json(question.url, question.body, credential=question.credential)
    except Unanswered as problem:
        return QueryResult(Inquiry.Answer.UNUSABLE, str(problem)[:PROBLEM_LENGTH], took_ms=problem.took_ms)
    return read(question, reply)


def read(question: StatusQuery, reply: Reply) -> QueryResult:
    """What a game's reply says."""
    answer, problem = judge(question, reply)
    return QueryResult(answer, problem, reply.status, storable(reply.body, BODY_LENGTH), reply.took_ms)


def judge(question: StatusQuery, reply: Reply) -> tuple[str, str]:
    """The answer, or why there is none."""
    if reply.status != 200:
        return Inquiry.Answer.UNUSABLE, stored("status {status}").format(status=reply.status)
    try:
        said: Any = json.loads(reply.body)
    except (ValueError, RecursionError):
        return Inquiry.Answer.UNUSABLE, stored("not JSON")
    state = said.get("state") if isinstance(said, dict) else None
    if not isinstance(state, str) or state not in WORDS:
        return Inquiry.Answer.UNUSABLE, stored("no state that we know")
    echoed = said.get("qwTransactionId")
    if echoed is not None and not is_same_id(echoed, question.transaction_id):
        return Inquiry.Answer.UNUSABLE, stored("names another qwTransactionId")
    if echoed is None and question.must_echo:
        return Inquiry.Answer.UNUSABLE, AMBIGUOUS
    return Inquiry.Answer(WORDS[state]), ""


def is_same_id(echoed: Any, id: UUID) -> bool:
    """Whether a game has echoed this id."""
    return isinstance(echoed, str) and echoed.lower() == str(id)
