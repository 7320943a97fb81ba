"""Calls at the same instant, over real connections: one winner, and never more money than there was."""

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal

from clients.kit.calls import new_id
from clients.kit.check import Category
from clients.kit.contract import CONFIRMATIONS, OPENINGS, ROLLBACKS
from clients.kit.expectations import Unmet, expect, expect_one_of
from clients.kit.session import Session
from clients.kit.trial import Trial
from clients.kit.wire import Answer

RACES = Category("races", "Races")
# Identical calls at once, and how often each race is run.
COPIES, ROUNDS = 12, 3


def at_once(trial: Trial, actions: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """The answers to calls at the same instant, each of which must be an answer (contract 1.5)."""
    answers = trial.together(actions)
    for answer in answers:
        if answer.status != 200:
            raise Unmet("A call at the same instant", "HTTP 200", f"HTTP {answer.status}", "1.5")
    return answers


def codes(answers: Sequence[Answer]) -> dict[int | None, int]:
    """How often each code came; None is success."""
    return dict(Counter(answer.code for answer in answers))


def repeat_at_once(trial: Trial, endpoint: str, mm: str, session: Session, amount: str | None) -> None:
    """Identical calls at once all get one and the same success."""
    answers = at_once(trial, [lambda: session.call(endpoint, mm, amount)] * COPIES)
    expect(f"Codes of {COPIES} identical calls of {endpoint}", {None: COPIES}, codes(answers))
    for answer in answers:
        expect(f"The answers to identical calls of {endpoint}", answers[0].body, answer.body)


@RACES.check("same-withdrawal", "One withdrawal sent many times at once happens once", "2.3")
def same_withdrawal(trial: Trial) -> None:
    for _ in range(ROUNDS):
        session = trial.session()
        repeat_at_once(trial, "withdraw", new_id(), session, "10.00")
        session.expect_holding("90.00", "10.00")


@RACES.check("same-deposit", "One deposit sent many times at once is announced once", "2.3")
def same_deposit(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    repeat_at_once(trial, "deposit", mm, session, "10.00")
    session.accept("confirmDeposit", mm, "10.00")
    session.expect_holding("110.00", "0")


@RACES.check("same-confirmation", "One confirmation sent many times at once pays, or credits, once", "2.3")
def same_confirmation(trial: Trial) -> None:
    session = trial.session()
    paid, won = session.opened("withdraw", "10.00"), session.opened("deposit", "5.00")
    repeat_at_once(trial, "confirmWithdrawal", paid, session, "10.00")
    repeat_at_once(trial, "confirmDeposit", won, session, "5.00")
    session.expect_holding("95.00", "0")


@RACES.check("same-rollback", "One rollback sent many times at once gives back once", "2.3")
def same_rollback(trial: Trial) -> None:
    session = trial.session()
    mm = session.opened("withdraw", "10.00")
    repeat_at_once(trial, "rollbackWithdrawal", mm, session, None)
    session.expect_holding("100.00", "0")


@RACES.check("same-tombstone", "One early rollback sent many times at once leaves one tombstone", "2.3")
def same_tombstone(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    repeat_at_once(trial, "rollbackWithdrawal", mm, session, None)
    session.refuse(108, "withdraw", mm, "10.00")


@RACES.check("overdraw", "Withdrawals at once never take more than there is", "2.1")
def overdraw(trial: Trial) -> None:
    for _ in range(ROUNDS):
        session = trial.session("50.00")
        answers = at_once(trial, [withdrawal_of(session, "10.00")] * COPIES)
        expect(f"Codes of {COPIES} withdrawals of 10.00", {None: 5, 104: COPIES - 5}, codes(answers))
        session.expect_holding("0", "50.00")


@RACES.check("overdraw-two-sessions", "Two sessions of a player at once never take more than there is", "2.2")
def overdraw_two_sessions(trial: Trial) -> None:
    one = trial.session("30.00")
    sessions = [one, trial.launch(one.uid, trial.target.other_game)] * (COPIES // 2)
    answers = at_once(trial, [withdrawal_of(session, "10.00") for session in sessions])
    expect(f"Codes of {COPIES} withdrawals of 10.00", {None: 3, 104: COPIES - 3}, codes(answers))
    one.expect_holding("0", "30.00")


def withdrawal_of(session: Session, amount: str) -> Callable[[], Answer]:
    return lambda: session.call("withdraw", new_id(), amount)


def confirm_or_roll_back(trial: Trial, type: str, confirmed: str, rolled_back: str) -> None:
    """Confirmations and rollbacks of one transaction at once: one side wins, the other is refused."""
    for _ in range(ROUNDS):
        session = trial.session()
        mm = session.opened(OPENINGS[type], "10.00")
        confirm = call_of(session, CONFIRMATIONS[type], mm)
        roll_back = call_of(session, ROLLBACKS[type], mm)
        answers = at_once(trial, [confirm, roll_back] * (COPIES // 2))
        told = codes(answers[::2]), codes(answers[1::2])
        half = COPIES // 2
        is_paid = ({None: half}, {107: half})
        expect_one_of("Codes of confirmations and rollbacks", (is_paid, ({108: half}, {None: half})), told)
        session.expect_holding(confirmed if told == is_paid else rolled_back, "0")


def call_of(session: Session, endpoint: str, mm: str, amount: str | None = None) -> Callable[[], Answer]:
    return lambda: session.call(endpoint, mm, amount)


@RACES.check(
    "confirm-or-rollback", "Confirmation and rollback of a withdrawal at once have one winner", "2.3"
)
def confirm_or_rollback(trial: Trial) -> None:
    confirm_or_roll_back(trial, "withdrawal", "90.00", "100.00")


@RACES.check(
    "confirm-or-rollback-deposit", "Confirmation and rollback of a deposit at once have one winner", "2.3"
)
def confirm_or_rollback_deposit(trial: Trial) -> None:
    confirm_or_roll_back(trial, "deposit", "110.00", "100.00")


@RACES.check("withdraw-or-rollback", "A withdrawal and its rollback at once never lose money", "2.3")
def withdraw_or_rollback(trial: Trial) -> None:
    for _ in range(ROUNDS):
        session, mm = trial.session(), new_id()
        opened, rolled_back = at_once(
            trial, [call_of(session, "withdraw", mm, "10.00"), call_of(session, "rollbackWithdrawal", mm)]
        )
        expect("The code of the rollback", None, rolled_back.code)
        expect_one_of("The code of the withdrawal", (None, 108), opened.code)
        session.expect_holding("100.00", "0")
        expect(
            "The balance after one more", Decimal(95), session.accept("withdraw", new_id(), "5.00").money()
        )


@RACES.check("other-content", "One id with different amounts at once names one of them", "2.3")
def other_content(trial: Trial) -> None:
    session, mm = trial.session(), new_id()
    amounts = [f"{number}.00" for number in range(1, 9)]
    answers = at_once(trial, [call_of(session, "withdraw", mm, amount) for amount in amounts])
    expect("Codes of 8 amounts", {None: 1, 110: 7}, codes(answers))
    won = Decimal(next(a for a, answer in zip(amounts, answers, strict=True) if answer.code is None))
    session.expect_holding(str(100 - won), str(won))


@RACES.check("many-ids", "Different transactions of one player at once all count", "2.1")
def many_ids(trial: Trial) -> None:
    session = trial.session()
    winnings = [session.opened("deposit", "1.00") for _ in range(4)]
    actions = [withdrawal_of(session, "2.00") for _ in range(4)]
    actions += [call_of(session, "confirmDeposit", mm) for mm in winnings]
    expect("Codes of 4 withdrawals and 4 deposits", {None: 8}, codes(at_once(trial, actions)))
    session.expect_holding("96.00", "8.00")


@RACES.check("end-session", "A withdrawal while its session ends happens, or is refused with 102", "2.2")
def end_session(trial: Trial) -> None:
    session = trial.session()
    asked = {"token": session.token}
    opened, ended = at_once(
        trial, [withdrawal_of(session, "10.00"), lambda: trial.front("/entry/endSession", asked)]
    )
    expect("The code of endSession", None, ended.code)
    expect_one_of("The code of the withdrawal", (None, 102), opened.code)
    taken = 0 if opened.code else 10
    session.expect_holding(str(100 - taken), str(taken))
