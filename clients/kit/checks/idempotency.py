"""Any call may be repeated: it happens once, and the first answer comes again."""

from decimal import Decimal

from clients.kit.calls import NOWHERE, new_id
from clients.kit.check import Category
from clients.kit.contract import CONFIRMATIONS, OPENINGS, ROLLBACKS, TYPES
from clients.kit.exact_json import Literal
from clients.kit.expectations import expect
from clients.kit.session import Session
from clients.kit.trial import Trial
from clients.kit.wire import Answer

IDEMPOTENCY = Category("idempotency", "Once and only once")


def expect_same(what: str, first: Answer, again: Answer) -> None:
    """The stored original, the balance of that time included."""
    expect(f"The answer to the repeated {what}", first.body, again.body)


def disturb(session: Session) -> None:
    """Moves the balance, so that the balance of that time is another than that of now."""
    session.accept("withdraw", new_id("other"), "3.00")


def repeat_opening(trial: Trial, type: str) -> None:
    """Opens, moves the balance, opens again."""
    session, mm = trial.session(), new_id()
    first = session.accept(OPENINGS[type], mm, "10.00")
    disturb(session)
    expect_same(OPENINGS[type], first, session.accept(OPENINGS[type], mm, "10.00"))
    session.expect_spendable("87.00" if type == "withdrawal" else "97.00")


def repeat_settling(trial: Trial, type: str, endpoint: str, spendable: str, amount: str | None) -> None:
    """Settles, moves the balance, settles again."""
    session = trial.session()
    mm = session.opened(OPENINGS[type], "10.00")
    first = session.accept(endpoint, mm, amount)
    disturb(session)
    expect_same(endpoint, first, session.accept(endpoint, mm, amount))
    session.expect_spendable(spendable)
    session.expect_reserved("3.00")


@IDEMPOTENCY.check("withdraw", "A repeated withdrawal gets the first answer, and moves nothing", "2.3")
def withdraw(trial: Trial) -> None:
    repeat_opening(trial, "withdrawal")


@IDEMPOTENCY.check("deposit", "A repeated deposit gets the first answer, and announces nothing", "2.3")
def deposit(trial: Trial) -> None:
    repeat_opening(trial, "deposit")


@IDEMPOTENCY.check("confirm-withdrawal", "A repeated confirmation of a withdrawal pays once", "2.3")
def confirm_withdrawal(trial: Trial) -> None:
    repeat_settling(trial, "withdrawal", "confirmWithdrawal", "87.00", "10.00")


@IDEMPOTENCY.check("confirm-deposit", "A repeated confirmation of a deposit credits once", "2.3")
def confirm_deposit(trial: Trial) -> None:
    repeat_settling(trial, "deposit", "confirmDeposit", "107.00", "10.00")


@IDEMPOTENCY.check("rollback-withdrawal", "A repeated rollback of a withdrawal gives back once", "2.3")
def rollback_withdrawal(trial: Trial) -> None:
    repeat_settling(trial, "withdrawal", "rollbackWithdrawal", "97.00", None)


@IDEMPOTENCY.check("rollback-deposit", "A repeated rollback of a deposit gets the first answer", "2.3")
def rollback_deposit(trial: Trial) -> None:
    repeat_settling(trial, "deposit", "rollbackDeposit", "97.00", None)


@IDEMPOTENCY.check(
    "opening-after-settling", "An opening repeated after its confirmation gets its own answer", "2.3"
)
def opening_after_settling(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    first = session.accept("withdraw", mm, "10.00")
    session.accept("confirmWithdrawal", mm, "10.00")
    disturb(session)
    expect_same("withdraw", first, session.accept("withdraw", mm, "10.00"))
    session.expect_spendable("87.00")


@IDEMPOTENCY.check(
    "tombstone", "A rollback that overtook its withdrawal is remembered, with its answer", "2.3"
)
def tombstone(trial: Trial) -> None:
    for type in TYPES:
        session, mm = trial.session(), new_id()
        first = session.accept(ROLLBACKS[type], mm, rollbackReason="timeout")
        expect("The balance of the tombstone", Decimal(100), first.money())
        session.refuse(108, OPENINGS[type], mm, "10.00")
        disturb(session)
        expect_same(ROLLBACKS[type], first, session.accept(ROLLBACKS[type], mm))
        session.refuse(108, OPENINGS[type], mm, "10.00")
        session.expect_spendable("97.00")


@IDEMPOTENCY.check("declined", "A withdrawal refused for money stays refused when there is money", "2.3")
def declined(trial: Trial) -> None:
    session, mm = trial.session("10.00"), new_id()
    first = session.refuse(104, "withdraw", mm, "50.00")
    session.fund("90.00")
    expect_same("withdraw", first, session.refuse(104, "withdraw", mm, "50.00"))
    session.expect_spendable("100.00")


@IDEMPOTENCY.check(
    "declined-rollback", "The first rollback of a declined withdrawal stores its own answer", "2.3"
)
def declined_rollback(trial: Trial) -> None:
    session, mm = trial.session("10.00"), new_id()
    first = session.refuse(104, "withdraw", mm, "50.00")
    session.fund("90.00")
    rolled_back = session.accept("rollbackWithdrawal", mm)
    expect("The balance of the rollback", Decimal(100), rolled_back.money())
    disturb(session)
    expect_same("rollbackWithdrawal", rolled_back, session.accept("rollbackWithdrawal", mm))
    expect_same("withdraw", first, session.refuse(104, "withdraw", mm, "50.00"))


@IDEMPOTENCY.check("not-remembered", "A refusal with 101, 102, 103 or 105 leaves the id free", "2.3")
def not_remembered(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    session.refuse(101, "withdraw", mm, Literal("0"))
    session.refuse(102, "withdraw", mm, "10.00", token=NOWHERE)
    session.refuse(105, "withdraw", mm, "10.00", currency="QQQ")
    session.set_status("blocked")
    session.refuse(103, "withdraw", mm, "10.00")
    session.set_status("active")
    expect("The balance after it succeeds", Decimal(90), session.accept("withdraw", mm, "10.00").money())


@IDEMPOTENCY.check("withdrawal-and-deposit", "One id names a withdrawal and, separately, a deposit", "2.3")
def withdrawal_and_deposit(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    paid = session.accept("withdraw", mm, "10.00").body["qwTransactionId"]
    won = session.accept("deposit", mm, "3.00").body["qwTransactionId"]
    expect("Whether the two have one qwTransactionId", False, paid == won)
    session.accept("confirmWithdrawal", mm, "10.00")
    expect("The balance at the end", Decimal(93), session.accept("confirmDeposit", mm, "3.00").money())


@IDEMPOTENCY.check("two-games", "Two games may use the same id", "2.3")
def two_games(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    elsewhere = trial.launch(session.uid, trial.target.other_game)
    session.accept("withdraw", mm, "10.00")
    elsewhere.accept("withdraw", mm, "20.00")
    elsewhere.accept("rollbackWithdrawal", mm)
    expect("The balance at the end", Decimal(90), session.accept("confirmWithdrawal", mm, "10.00").money())


@IDEMPOTENCY.check("two-players", "Two players of one game may have the same id", "2.3")
def two_players(trial: Trial) -> None:
    one, other, mm = trial.session(), trial.session(), new_id()
    one.accept("withdraw", mm, "10.00")
    other.accept("withdraw", mm, "20.00")
    one.expect_spendable("90.00")
    other.expect_spendable("80.00")


@IDEMPOTENCY.check("two-sessions", "A player's sessions share wallet and transaction ids", "2.2")
def two_sessions(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    second = trial.launch(session.uid)
    first = session.accept("withdraw", mm, "10.00")
    expect_same("withdraw", first, second.accept("withdraw", mm, "10.00"))
    expect("The balance at the end", Decimal(100), second.accept("rollbackWithdrawal", mm).money())


@IDEMPOTENCY.check(
    "same-content", "The same amount in another spelling, and another text, are the same content", "2.3"
)
def same_content(trial: Trial) -> None:
    for type in TYPES:
        session, mm = trial.session(), new_id()
        first = session.accept(OPENINGS[type], mm, "10.00", txDescription="one")
        for spelling in ("10", "10.000", "1e1"):
            again = session.accept(OPENINGS[type], mm, Literal(spelling), txDescription="another")
            expect_same(OPENINGS[type], first, again)
        session.accept(CONFIRMATIONS[type], mm, Literal("1.0E+1"))
