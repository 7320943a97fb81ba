"""Bugs in what is done with money, transactions and sessions."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from players.models import GameSession
from tests.clients.kit.planted.fault import Arguments, Call, Fault
from wallet.ledger import Answer, SessionView, find_session

# Ids that were opened before, by token, type and id; only for bugs.
SEEN: set[tuple[bytes, str, str]] = set()
UNDER_WAY: list[bytes] = []
LOCK = threading.Lock()
# Long enough for other calls of the same instant to come in between.
OVERLAP_SECONDS = 0.05


def session_of(asked: Arguments) -> SessionView:
    session = find_session(game_id=asked["context"].game_id, token_hash=asked["token_hash"])
    assert session is not None
    return session


def success_of(asked: Arguments, outcome: str) -> Answer:
    """A success in which nothing was done."""
    session = session_of(asked)
    return Answer(outcome, str(uuid.uuid4()), session.balance, session.currency)


def say_yes_to(outcome: str) -> Any:
    """A refusal is answered with success, and nothing is done."""

    def instead(original: Call, asked: Arguments) -> Answer:
        answer: Answer = original(**asked)
        return success_of(asked, asked.get("event", "opened")) if answer.outcome == outcome else answer

    return instead


def move_again(original: Call, asked: Arguments) -> Any:
    """A repeated opening is another one."""
    key = (asked["token_hash"], asked["type"], asked["mm_transaction_id"])
    if key in SEEN:
        return original(**{**asked, "mm_transaction_id": uuid.uuid4().hex})
    SEEN.add(key)
    return original(**asked)


def tell_balance_of_now(original: Call, asked: Arguments) -> Answer:
    answer: Answer = original(**asked)
    return answer._replace(balance=session_of(asked).balance)


def forget_tombstone(original: Call, asked: Arguments) -> Any:
    """A rollback of an unknown id says yes, and is not remembered."""
    answer = original(**{**asked, "event": "confirmed"}) if asked["event"] == "confirmed" else None
    if answer is not None:
        return answer
    is_known = (asked["token_hash"], asked["type"], asked["mm_transaction_id"]) in SEEN
    return original(**asked) if is_known else success_of(asked, "rolled_back")


def remember_opening(original: Call, asked: Arguments) -> Any:
    SEEN.add((asked["token_hash"], asked["type"], asked["mm_transaction_id"]))
    return original(**asked)


def try_declined_again(original: Call, asked: Arguments) -> Any:
    """A withdrawal that was refused for money is tried anew."""
    answer: Answer = original(**asked)
    if answer.outcome == "insufficient_funds":
        return original(**{**asked, "mm_transaction_id": uuid.uuid4().hex})
    return answer


def ignore_amount(original: Call, asked: Arguments) -> Any:
    return original(**{**asked, "amount": None, "currency": None})


def know_every_token(original: Call, asked: Arguments) -> Any:
    """A token counts for whichever game sends it."""
    session = GameSession.objects.filter(token_hash=asked["token_hash"]).first()
    if session is None:
        return original(**asked)
    if "context" in asked:
        return original(**{**asked, "context": asked["context"]._replace(game_id=session.game_id)})
    return original(**{**asked, "game_id": session.game_id})


def live_for_ever(original: Call, asked: Arguments) -> Any:
    session: SessionView | None = original(**asked)
    return session and session._replace(is_live=True)


def look_at_session_first(original: Call, asked: Arguments) -> Any:
    """A dead session is refused before the id is looked for."""
    session = session_of(asked)
    return (
        original(**asked)
        if session.is_live
        else Answer("session_ended", "", session.balance, session.currency)
    )


def credit_at_once(original: Call, asked: Arguments) -> Any:
    """A deposit is spendable before it is confirmed."""
    answer: Answer = original(**asked)
    if asked["type"] == "deposit" and answer.outcome == "opened":
        settled = {name: asked[name] for name in ("context", "type", "token_hash", "mm_transaction_id")}
        from_ledger = ORIGINALS["settle"](event="confirmed", **settled)
        return answer._replace(balance=from_ledger.balance)
    return answer


# The ledger as it is; the application fills it in.
ORIGINALS: dict[str, Call] = {}


def mix_up_types(original: Call, asked: Arguments) -> Any:
    """One id names one transaction of either type."""
    other = "deposit" if asked["type"] == "withdrawal" else "withdrawal"
    if (asked["token_hash"], other, asked["mm_transaction_id"]) in SEEN:
        session = session_of(asked)
        return Answer("other_content", "", session.balance, session.currency)
    return remember_opening(original, asked)


def take_any_currency(original: Call, asked: Arguments) -> Any:
    return original(**{**asked, "currency": session_of(asked).currency})


def stay_pending(original: Call, asked: Arguments) -> Any:
    return original(**asked)._replace(state="pending")


def never_expire(original: Call, asked: Arguments) -> Any:
    return original(**{**asked, "lifetime": timedelta(days=1)})


def check_then_act(original: Call, asked: Arguments) -> Any:
    """Two calls at once both find the balance that there was before."""
    with under_way(asked["token_hash"]) as is_alone:
        answer: Answer = original(**asked)
        is_late = answer.outcome == "insufficient_funds" and not is_alone
        return success_of(asked, "opened") if is_late else answer


def refuse_twin(original: Call, asked: Arguments) -> Any:
    """A repeated call that comes while the first is under way is refused."""
    with under_way(asked["token_hash"]) as is_alone:
        if not is_alone:
            session = session_of(asked)
            return Answer("other_content", "", session.balance, session.currency)
        return original(**asked)


@contextmanager
def under_way(key: bytes) -> Iterator[bool]:
    """Whether no other call of the same token is under way; a call takes a while."""
    with LOCK:
        is_alone = key not in UNDER_WAY
        UNDER_WAY.append(key)
    try:
        time.sleep(OVERLAP_SECONDS)
        yield is_alone
    finally:
        with LOCK:
            UNDER_WAY.remove(key)


ONCE = "2.3"
LEDGER_FAULTS = (
    Fault("a-repeat-moves-again", ONCE, ("idempotency.withdraw",), {"open": move_again}),
    Fault(
        "a-repeat-tells-the-balance-of-now",
        ONCE,
        ("idempotency.withdraw", "idempotency.confirm-withdrawal"),
        {"open": tell_balance_of_now, "settle": tell_balance_of_now},
    ),
    Fault(
        "tombstones-are-forgotten",
        ONCE,
        ("idempotency.tombstone",),
        {"open": remember_opening, "settle": forget_tombstone},
    ),
    Fault(
        "a-declined-withdrawal-is-tried-anew",
        ONCE,
        ("idempotency.declined", "two-phase.open-same-after-decline"),
        {"open": try_declined_again},
    ),
    Fault(
        "107-is-missing",
        ONCE,
        ("two-phase.roll-back-after-confirmation",),
        {"settle": say_yes_to("already_confirmed")},
    ),
    Fault(
        "108-is-missing",
        ONCE,
        ("two-phase.confirm-after-rollback",),
        {"settle": say_yes_to("already_rolled_back")},
    ),
    Fault("106-is-missing", ONCE, ("two-phase.confirm-when-unknown",), {"settle": say_yes_to("not_found")}),
    Fault(
        "another-amount-is-confirmed",
        ONCE,
        ("two-phase.confirm-other-when-pending", "money.confirm-exactly"),
        {"settle": ignore_amount},
    ),
    Fault("types-share-ids", ONCE, ("idempotency.withdrawal-and-deposit",), {"open": mix_up_types}),
    Fault("twins-are-refused", ONCE, ("races.same-withdrawal",), {"open": refuse_twin}),
    Fault("balances-are-checked-first", "2.1", ("races.overdraw",), {"open": check_then_act}),
    Fault("a-deposit-is-credited-at-once", "2.1", ("happy.deposit",), {"open": credit_at_once}),
    Fault(
        "tokens-are-everybodys",
        "2.2",
        ("authentication.other-games-token",),
        dict.fromkeys(("open", "settle", "query", "find_session"), know_every_token),
    ),
    Fault("ended-sessions-live", "2.2", ("time.end-session",), {"find_session": live_for_ever}),
    Fault(
        "blocked-players-withdraw", "2.2", ("happy.blocked-player",), {"open": say_yes_to("player_inactive")}
    ),
    Fault("a-ttl-is-ignored", "3", ("time.session-expires",), {"start_session": never_expire}),
    Fault(
        "sessions-come-before-known-ids",
        "1 Reading a request",
        ("time.repeat-after-end",),
        {"open": look_at_session_first},
    ),
    Fault(
        "any-currency-is-the-sessions",
        "1 Error codes",
        ("happy.other-currency",),
        {"open": take_any_currency},
    ),
    Fault("queries-stay-pending", "2", ("happy.query-transaction",), {"query": stay_pending}),
)
