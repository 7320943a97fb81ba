"""What ends when, and what counts all the same afterwards."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime

from clients.kit.calls import NOWHERE, new_id
from clients.kit.check import Category
from clients.kit.checks.expired import expired_transaction
from clients.kit.contract import CONFIRMATIONS, ROLLBACKS, TYPES
from clients.kit.exact_json import Literal
from clients.kit.expectations import Unmet, expect, expect_that
from clients.kit.session import Session
from clients.kit.trial import Trial

DEADLINES = Category("time", "Time")
# A session long enough for the calls of a slow network, and until it is surely over.
SHORT_SECONDS, WAIT_SECONDS = 2, 2.3
# How far a server's times may be apart from its own `Date`.
SLACK = timedelta(seconds=5)


def refuse_as_dead(session: Session) -> None:
    """What needs a live session is refused with 102 (contract 2.2)."""
    session.refuse(102, "verifySession")
    session.refuse(102, "getBalance")
    session.refuse(102, "withdraw", new_id(), "1.00")


@DEADLINES.check(
    "session-expires", "A session ends after its ttlSeconds; another one of the player's goes on", "3"
)
def session_expires(trial: Trial) -> None:
    session = trial.session()
    short = trial.launch(session.uid, ttlSeconds=SHORT_SECONDS)
    short.accept("getBalance")
    time.sleep(WAIT_SECONDS)
    refuse_as_dead(short)
    session.expect_spendable("100.00")


@DEADLINES.check("verify-does-not-extend", "verifySession does not make a session longer", "3")
def verify_does_not_extend(trial: Trial) -> None:
    session = trial.launch(trial.new_player(), ttlSeconds=SHORT_SECONDS)
    time.sleep(WAIT_SECONDS / 2)
    session.accept("verifySession")
    time.sleep(WAIT_SECONDS / 2)
    refuse_as_dead(session)


@DEADLINES.check("late-settling", "Confirmations and rollbacks count after the session expired", "2.2")
def late_settling(trial: Trial) -> None:
    session = trial.session()
    short = trial.launch(session.uid, ttlSeconds=SHORT_SECONDS)
    paid, dropped = short.opened("withdraw", "10.00"), short.opened("withdraw", "20.00")
    won = short.opened("deposit", "5.00")
    time.sleep(WAIT_SECONDS)
    expect("After confirmWithdrawal", Decimal(70), short.accept("confirmWithdrawal", paid, "10.00").money())
    expect("After rollbackWithdrawal", Decimal(90), short.accept("rollbackWithdrawal", dropped).money())
    expect("After confirmDeposit", Decimal(95), short.accept("confirmDeposit", won, "5.00").money())


@DEADLINES.check("end-session", "An ended session cannot withdraw, but can settle and receive", "2.2")
def end_session(trial: Trial) -> None:
    session = trial.session()
    paid, dropped = session.opened("withdraw", "10.00"), session.opened("withdraw", "10.00")
    session.end()
    refuse_as_dead(session)
    expect("After confirmWithdrawal", Decimal(80), session.accept("confirmWithdrawal", paid, "10.00").money())
    expect("After rollbackWithdrawal", Decimal(90), session.accept("rollbackWithdrawal", dropped).money())
    session.accept("queryTransaction", paid, type="withdrawal")
    session.fund("5.00")
    session.expect_holding("95.00", "0")


@DEADLINES.check(
    "end-session-twice", "Ending a session twice is the same; of an unknown token it is 102", "3"
)
def end_session_twice(trial: Trial) -> None:
    session = trial.session("0")
    session.end()
    session.end()
    unknown = trial.front("/entry/endSession", {"token": NOWHERE})
    trial.refused_by_entry("endSession of an unknown token", 102, unknown)


@DEADLINES.check("launch-ends-nothing", "Launching again ends no other session", "2.2")
def launch_ends_nothing(trial: Trial) -> None:
    session = trial.session()
    trial.launch(session.uid)
    trial.launch(session.uid, trial.target.other_game).end()
    expect("The balance after it", Decimal(99), session.accept("withdraw", new_id(), "1.00").money())


@DEADLINES.check(
    "repeat-after-end",
    "A repeated call gets its stored answer after the session ended",
    "1 Reading a request",
)
def repeat_after_end(trial: Trial) -> None:
    session, mm, declined = trial.session(), new_id(), new_id()
    first = session.accept("withdraw", mm, "10.00")
    refused = session.refuse(104, "withdraw", declined, "500.00")
    session.end()
    expect("The repeated withdrawal", first.body, session.accept("withdraw", mm, "10.00").body)
    expect("The repeated refusal", refused.body, session.refuse(104, "withdraw", declined, "500.00").body)
    session.refuse(110, "withdraw", mm, "10.01")
    session.refuse(102, "withdraw", new_id(), "10.00")


@DEADLINES.check(
    "repeat-after-block", "A repeated call gets its stored answer after a block", "1 Reading a request"
)
def repeat_after_block(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    first = session.accept("withdraw", mm, "10.00")
    session.set_status("blocked")
    expect("The repeated withdrawal", first.body, session.accept("withdraw", mm, "10.00").body)
    rolled_back = session.accept("rollbackWithdrawal", mm)
    expect("The balance of the rollback", Decimal(100), rolled_back.money())
    session.refuse(108, "withdraw", mm, "10.00")


@DEADLINES.check(
    "order-of-refusals", "When several refusals apply, the contract's order decides", "1 Reading a request"
)
def order_of_refusals(trial: Trial) -> None:
    session = trial.session("5.00")
    known = session.opened("withdraw", "1.00")
    # The form comes before the token, and an unknown token before everything about the wallet.
    session.refuse(101, "withdraw", new_id(), Literal("0.001"), token=NOWHERE)
    session.refuse(102, "withdraw", known, "1.00", token=NOWHERE, currency="QQQ")
    session.refuse(101, "withdraw", known, Literal('"1.00"'))
    # A known id comes before the currency; the currency before the player, and the player before the money.
    session.refuse(110, "withdraw", known, "1.00", currency="QQQ")
    session.set_status("blocked")
    session.refuse(105, "withdraw", new_id(), "50.00", currency="QQQ")
    session.refuse(103, "withdraw", new_id(), "50.00")
    # A dead session comes before both.
    session.end()
    session.refuse(102, "withdraw", new_id(), "50.00", currency="QQQ")


@DEADLINES.check("ttl-forms", "ttlSeconds is a whole number from 1", "3")
def ttl_forms(trial: Trial) -> None:
    right = {"uid": trial.new_player(), "game": trial.target.game.slug, "currencyCode": trial.target.currency}
    wrong: tuple[object, ...] = (0, -1, Literal("1.5"), "60", True, [], Literal("1e400"))
    for ttl in wrong:
        answer = trial.front("/entry/launch", right | {"ttlSeconds": ttl})
        trial.refused_by_entry(f"launch with ttlSeconds {ttl!r}", 101, answer)


@DEADLINES.check("expires-at", "expiresAt is RFC 3339, and ttlSeconds from now", "3")
def expires_at(trial: Trial) -> None:
    session = trial.launch(trial.new_player(), ttlSeconds=600)
    told = read_time("expiresAt", session.launched.body.get("expiresAt"))
    expect_near("expiresAt", told, server_time(trial) + timedelta(seconds=600))


@DEADLINES.check("times", "openedAt and settledAt are RFC 3339 with a zone, and tell when it was", "2")
def times(trial: Trial) -> None:
    session = trial.session()
    mm = session.opened("withdraw", "1.00")
    session.accept("rollbackWithdrawal", mm)
    body = session.accept("queryTransaction", mm, type="withdrawal").body
    opened, settled = (read_time(name, body.get(name)) for name in ("openedAt", "settledAt"))
    expect_that("settledAt", "not before openedAt", body["settledAt"], holds=settled >= opened)
    expect_near("openedAt", opened, server_time(trial))


def read_time(name: str, text: object) -> datetime:
    """A time of an answer. Raises `Unmet` if it is none, or has no zone."""
    try:
        read = datetime.fromisoformat(str(text))
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise Unmet(name, "a time as RFC 3339 writes it", repr(text))
    return read


def server_time(trial: Trial) -> datetime:
    """Now, as the server counts: by its clock that can be moved, if it has one, or else by its `Date`."""
    answer = trial.send(None, "GET", "/demo/clock")
    if answer.status == 200 and "now" in answer.body:
        return read_time("now", answer.body["now"])
    date = answer.headers.get("date")
    return parsedate_to_datetime(date) if date else datetime.now(UTC)


def expect_near(name: str, told: datetime, wanted: datetime) -> None:
    expect_that(name, f"about {wanted.isoformat()}", told.isoformat(), holds=abs(told - wanted) < SLACK)


# --- With a clock that can be moved ----------------------------------------------------------------------


@DEADLINES.check("expiry", "What is pending for 72 hours expires: a withdrawal is given back", "2.4")
def expiry(trial: Trial) -> None:
    for type in TYPES:
        session, mm = expired_transaction(trial, type)
        session.expect_holding("100.00", "0")
        body = session.accept("queryTransaction", mm, type=type).body
        expect_that("settledAt", "a time", body.get("settledAt"), holds=bool(body.get("settledAt")))


@DEADLINES.check(
    "late-words", "A confirmation after the expiry is 109, a rollback gets the expiry's answer", "2.4"
)
def late_words(trial: Trial) -> None:
    for type in TYPES:
        session, mm = expired_transaction(trial, type)
        session.refuse(109, CONFIRMATIONS[type], mm, "10.00")
        first = session.accept(ROLLBACKS[type], mm)
        expect("The repeated rollback", first.body, session.accept(ROLLBACKS[type], mm).body)
        session.expect_holding("100.00", "0")
