"""The final-state query: the platform asks how a transaction ended (contract 2.4)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from quantum_wallet.genuine import NotGenuine, header
from quantum_wallet.messages import read, write
from quantum_wallet.money import Money
from quantum_wallet.transactions import Step, Transaction
from quantum_wallet.transport import Credential
from quantum_wallet.wire import member, money, text


class FinalState(StrEnum):
    """What a game can answer."""

    CONFIRMED = "CONFIRMED"
    ROLLED_BACK = "ROLLED_BACK"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"


@dataclass(frozen=True, slots=True)
class FinalStateQuery:
    """What the platform asks about: find the transaction by its id and type."""

    mm_transaction_id: str
    qw_transaction_id: str
    player_id: str
    type: str
    amount: Money


def verify_query(headers: Mapping[str, str], raw: bytes, platform: Credential) -> FinalStateQuery:
    """A genuine query; the platform calls with the credential `platform`.

    Raises NotGenuine (answer 401), Malformed (400).
    """
    if not hmac.compare_digest(header(headers, "authorization").encode(), platform.header.encode()):
        raise NotGenuine("the credential is not the platform's")
    body = read(raw)
    return FinalStateQuery(
        member(body, "mmTransactionId", text),
        member(body, "qwTransactionId", text),
        member(body, "playerId", text),
        member(body, "type", text),
        member(body, "amount", money),
    )


def final_state(one: Transaction | None) -> FinalState:
    """What has become of a stored transaction: the game's decision, heard of by the platform or not."""
    if one is None:
        return FinalState.UNKNOWN
    states = {Step.CONFIRM: FinalState.CONFIRMED, Step.ROLL_BACK: FinalState.ROLLED_BACK}
    return states.get(one.step, FinalState.PENDING)


def query_answer(state: FinalState, qw_transaction_id: str = "") -> bytes:
    """The body to answer with HTTP 200 and `application/json`.

    `qw_transaction_id` as the opening's answer told it, where the game has stored it: an echo of the question
    would prove nothing if ids are not unique among the game's players.
    """
    echo = {"qwTransactionId": qw_transaction_id} if qw_transaction_id else {}
    return write({"state": FinalState(state).value, **echo})
