"""Every cell of the table of contract 2.3, for withdrawals and for deposits."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from clients.kit.calls import new_id
from clients.kit.check import Category
from clients.kit.checks.expired import expired_transaction
from clients.kit.contract import CONFIRMATIONS, OPENINGS, ROLLBACKS, TYPES
from clients.kit.expectations import expect
from clients.kit.session import Session
from clients.kit.trial import Trial
from clients.kit.wire import Answer

TWO_PHASE = Category("two-phase", "The two-phase table")
AMOUNT, OTHER_AMOUNT = "10.00", "10.01"


@dataclass(frozen=True)
class Case:
    """A transaction in the state of a column. `first` has the answers of how it came there."""

    session: Session
    type: str
    mm: str
    first: dict[str, Answer]


# --- The columns: how a transaction gets there ----------------------------------------------------------


def unknown(trial: Trial, type: str) -> Case:
    return Case(trial.session(), type, new_id(), {})


def pending(trial: Trial, type: str) -> Case:
    case = unknown(trial, type)
    case.first["open"] = case.session.accept(OPENINGS[type], case.mm, AMOUNT)
    return case


def confirmed(trial: Trial, type: str) -> Case:
    case = pending(trial, type)
    case.first["confirm"] = case.session.accept(CONFIRMATIONS[type], case.mm, AMOUNT)
    return case


def rolled_back(trial: Trial, type: str) -> Case:
    case = pending(trial, type)
    case.first["roll back"] = case.session.accept(ROLLBACKS[type], case.mm)
    return case


def expired(trial: Trial, type: str) -> Case:
    session, mm = expired_transaction(trial, type)
    return Case(session, type, mm, {})


def declined(trial: Trial, type: str) -> Case:
    session, mm = trial.session("5.00"), new_id()
    first = session.refuse(104, OPENINGS[type], mm, AMOUNT)
    session.fund("95.00")
    return Case(session, type, mm, {"open": first})


# --- The rows: what the game asks ------------------------------------------------------------------------


def open_same(case: Case) -> Answer:
    return case.session.call(OPENINGS[case.type], case.mm, AMOUNT)


def open_other(case: Case) -> Answer:
    return case.session.call(OPENINGS[case.type], case.mm, OTHER_AMOUNT)


def open_other_currency(case: Case) -> Answer:
    other = case.session.calls.target.other_currency
    return case.session.call(OPENINGS[case.type], case.mm, AMOUNT, currency=other)


def confirm(case: Case) -> Answer:
    return case.session.call(CONFIRMATIONS[case.type], case.mm, AMOUNT)


def confirm_other(case: Case) -> Answer:
    return case.session.call(CONFIRMATIONS[case.type], case.mm, OTHER_AMOUNT)


def confirm_other_currency(case: Case) -> Answer:
    other = case.session.calls.target.other_currency
    return case.session.call(CONFIRMATIONS[case.type], case.mm, AMOUNT, currency=other)


def roll_back(case: Case) -> Answer:
    return case.session.call(ROLLBACKS[case.type], case.mm)


# --- The cells -------------------------------------------------------------------------------------------

Column = Callable[[Trial, str], Case]
Ask = Callable[[Case], Answer]


@dataclass(frozen=True)
class Cell:
    """What the table says: a refusal's code, a success, or the answer of an earlier step again."""

    row: str
    column: str
    asks: tuple[Ask, ...]
    make: Column
    code: int | None = None
    repeats: str = ""
    # The balance afterwards, of a withdrawal and of a deposit; all begin with 100.00.
    spendable: tuple[str, str] = ("100.00", "100.00")
    types: tuple[str, ...] = TYPES

    @property
    def name(self) -> str:
        return f"{self.row}-{self.column}"

    @property
    def title(self) -> str:
        told = f"{self.code}" if self.code else "success"
        again = ", the first answer again" if self.repeats else ""
        return f"{ROW_WORDS[self.row]} {COLUMN_WORDS[self.column]}: {told}{again}"


ROW_WORDS = {
    "open-same": "Open with the same content",
    "open-other": "Open with another amount or currency",
    "confirm": "Confirm",
    "confirm-other": "Confirm another amount or currency",
    "roll-back": "Roll back",
}
COLUMN_WORDS = {
    "when-unknown": "what is unknown",
    "when-pending": "while it is pending",
    "after-confirmation": "after its confirmation",
    "after-rollback": "after its rollback",
    "after-expiry": "after its expiry",
    "after-decline": "after it was declined",
}
TAKEN, PAID = ("90.00", "100.00"), ("90.00", "110.00")
OPEN, OTHER = (open_same,), (open_other, open_other_currency)
CONFIRM, CONFIRM_OTHER, ROLL_BACK = (confirm,), (confirm_other, confirm_other_currency), (roll_back,)
ONLY_WITHDRAWALS = ("withdrawal",)

CELLS = (
    Cell("open-same", "when-unknown", OPEN, unknown, spendable=TAKEN),
    Cell("open-same", "when-pending", OPEN, pending, repeats="open", spendable=TAKEN),
    Cell("open-same", "after-confirmation", OPEN, confirmed, repeats="open", spendable=PAID),
    Cell("open-same", "after-rollback", OPEN, rolled_back, 108),
    Cell("open-same", "after-expiry", OPEN, expired, 109),
    Cell("open-same", "after-decline", OPEN, declined, 104, "open", types=ONLY_WITHDRAWALS),
    Cell("open-other", "when-pending", OTHER, pending, 110, spendable=TAKEN),
    Cell("open-other", "after-confirmation", OTHER, confirmed, 110, spendable=PAID),
    Cell("open-other", "after-rollback", OTHER, rolled_back, 108),
    Cell("open-other", "after-expiry", OTHER, expired, 109),
    Cell("open-other", "after-decline", OTHER, declined, 110, types=ONLY_WITHDRAWALS),
    Cell("confirm", "when-unknown", CONFIRM, unknown, 106),
    Cell("confirm", "when-pending", CONFIRM, pending, spendable=PAID),
    Cell("confirm", "after-confirmation", CONFIRM, confirmed, repeats="confirm", spendable=PAID),
    Cell("confirm", "after-rollback", CONFIRM, rolled_back, 108),
    Cell("confirm", "after-expiry", CONFIRM, expired, 109),
    Cell("confirm", "after-decline", CONFIRM, declined, 106, types=ONLY_WITHDRAWALS),
    Cell("confirm-other", "when-unknown", CONFIRM_OTHER, unknown, 106),
    Cell("confirm-other", "when-pending", CONFIRM_OTHER, pending, 110, spendable=TAKEN),
    Cell("confirm-other", "after-confirmation", CONFIRM_OTHER, confirmed, 110, spendable=PAID),
    Cell("confirm-other", "after-rollback", CONFIRM_OTHER, rolled_back, 108),
    Cell("confirm-other", "after-expiry", CONFIRM_OTHER, expired, 109),
    Cell("confirm-other", "after-decline", CONFIRM_OTHER, declined, 106, types=ONLY_WITHDRAWALS),
    Cell("roll-back", "when-unknown", ROLL_BACK, unknown),
    Cell("roll-back", "when-pending", ROLL_BACK, pending),
    Cell("roll-back", "after-confirmation", ROLL_BACK, confirmed, 107, spendable=PAID),
    Cell("roll-back", "after-rollback", ROLL_BACK, rolled_back, repeats="roll back"),
    Cell("roll-back", "after-expiry", ROLL_BACK, expired),
    Cell("roll-back", "after-decline", ROLL_BACK, declined, types=ONLY_WITHDRAWALS),
)


def prove(cell: Cell, trial: Trial) -> None:
    """One cell, for each type that can be in that state."""
    for type in cell.types:
        for ask in cell.asks:
            case = cell.make(trial, type)
            expect_answer(cell, case, ask(case))
            expect_money(cell, case)


def expect_answer(cell: Cell, case: Case, answer: Answer) -> None:
    """The answer is what the table says."""
    calls, what = case.session.calls, f"{cell.row.replace('-', ' ')} of a {case.type}"
    if cell.code:
        calls.refused(what, cell.code, answer)
    else:
        calls.accepted(what, answer)
    if cell.repeats:
        expect(f"The answer to {what}", case.first[cell.repeats].body, answer.body)


def expect_money(cell: Cell, case: Case) -> None:
    """Only what the table says has moved."""
    is_reserved = case.type == "withdrawal" and cell.spendable is TAKEN
    case.session.expect_holding(cell.spendable[TYPES.index(case.type)], "10.00" if is_reserved else "0")


for cell in CELLS:
    TWO_PHASE.add(cell.name, cell.title, "2.3", partial(prove, cell))
