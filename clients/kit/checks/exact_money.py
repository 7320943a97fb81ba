"""Amounts are decimals, exact to the last digit, in both directions."""

import re
import time
from collections.abc import Iterable
from decimal import Decimal

from clients.kit.calls import new_id
from clients.kit.check import Category
from clients.kit.exact_json import Literal
from clients.kit.expectations import Unmet, expect, expect_that
from clients.kit.session import Session
from clients.kit.trial import Trial
from clients.kit.wire import Answer

EXACT_MONEY = Category("money", "Exact money")
AMOUNTS = "1 Amounts"
# As it stands in an answer: `"balance":{"amount":770.00,…`.
WRITTEN = re.compile(rb'"amount"\s*:\s*([^{,}\s]+)')
# No amount takes longer to be refused, however its exponent looks.
SOON_SECONDS = 2.0
LARGEST = "999999999999999.99"


def written(answer: Answer) -> str:
    """The balance with the characters that were sent. Raises `Unmet` if there is none."""
    found = WRITTEN.search(answer.raw)
    if found is None:
        raise Unmet("The answer", "an amount", answer.raw.decode(errors="replace"))
    return found.group(1).decode()


def refuse_all(session: Session, amounts: Iterable[str]) -> None:
    """Each is refused with 101, as a withdrawal and as a deposit, and moves nothing."""
    before = session.holding()
    for amount in amounts:
        for endpoint in ("withdraw", "deposit"):
            what = f"{endpoint} of {amount}"
            answer = session.call(endpoint, new_id(), Literal(amount))
            session.calls.refused(what, 101, answer)
    session.expect_holding(str(before.money()), str(before.money("reserved")))


@EXACT_MONEY.check("tenths", "Three times 0.10 is 0.30", AMOUNTS)
def tenths(trial: Trial) -> None:
    session = trial.session("0.30")
    left = [session.accept("withdraw", new_id(), "0.10").money() for _ in range(3)]
    expect("The balances", [Decimal("0.20"), Decimal("0.10"), Decimal("0.00")], left)


@EXACT_MONEY.check("large", "90071992547409.93, which no binary float holds, survives both ways", AMOUNTS)
def large(trial: Trial) -> None:
    session, mm = trial.session("0"), new_id()
    session.accept("deposit", mm, "90071992547409.93")
    expect("confirmDeposit: balance", "90071992547409.93", written(session.accept("confirmDeposit", mm)))
    expect("getBalance", "90071992547409.93", written(session.accept("getBalance")))
    asked = session.accept("queryTransaction", mm, type="deposit")
    expect("queryTransaction", "90071992547409.93", written(asked))


@EXACT_MONEY.check("sum", "Sums of large and small amounts are exact", AMOUNTS)
def exact_sum(trial: Trial) -> None:
    session = trial.session("0")
    for amount in ("63727092.34", "90071992547409.93", "0.01"):
        session.fund(amount)
    expect("getBalance", "90072056274502.28", written(session.accept("getBalance")))
    opened = session.accept("withdraw", new_id(), "0.29")
    expect("The balance after 0.29 were taken", "90072056274501.99", written(opened))


@EXACT_MONEY.check("spellings", "Every spelling of a number is that number", AMOUNTS)
def spellings(trial: Trial) -> None:
    for spelling in ("230", "230.0", "230.00", "230.000", "2.3e2", "2.3E+2", "23000e-2", "0.23e3"):
        session = trial.session("1000.00")
        answer = session.accept("withdraw", new_id(), Literal(spelling))
        expect(f"The balance after {spelling} were taken", Decimal(770), answer.money())


@EXACT_MONEY.check("own-decimals", "Answers print the currency's own number of decimals", AMOUNTS)
def own_decimals(trial: Trial) -> None:
    session, mm = trial.session("1000.00"), new_id()
    expect("getBalance", "1000.00", written(session.accept("getBalance")))
    expect("withdraw", "770.00", written(session.accept("withdraw", mm, Literal("230"))))
    expect("rollbackWithdrawal", "1000.00", written(session.accept("rollbackWithdrawal", mm)))
    expect("A refusal", "1000.00", written(session.refuse(104, "withdraw", new_id(), "1000.01")))
    expect("A balance of zero", "0.00", written(trial.session("0").accept("getBalance")))


@EXACT_MONEY.check("numbers", "Amounts in answers are JSON numbers, never strings", AMOUNTS)
def numbers(trial: Trial) -> None:
    session = trial.session()
    answers = (
        session.accept("verifySession"),
        session.accept("getBalance"),
        session.accept("withdraw", new_id(), "1.00"),
        session.refuse(104, "withdraw", new_id(), "1000.00"),
        session.holding(),
    )
    for answer in answers:
        answer.money()
    expect("The reserved balance", Decimal(1), answers[-1].money("reserved"))


@EXACT_MONEY.check(
    "below-minor-units", "What is no whole number of minor units is refused, never rounded", AMOUNTS
)
def below_minor_units(trial: Trial) -> None:
    refuse_all(trial.session(), ("0.001", "1.005", "0.009", "10.0000000000000000000000000001", "1e-3"))


@EXACT_MONEY.check("not-positive", "Zero and negative amounts are refused", AMOUNTS)
def not_positive(trial: Trial) -> None:
    refuse_all(trial.session(), ("0", "0.00", "-0", "-0.01", "-1", "-1e2"))


@EXACT_MONEY.check(
    "not-numbers", "Strings, booleans, NaN, Infinity, arrays and objects are no amounts", AMOUNTS
)
def not_numbers(trial: Trial) -> None:
    wrong = ('"5.00"', '"five"', "true", "false", "null", "[]", "[5]", "{}", "NaN", "Infinity", "-Infinity")
    refuse_all(trial.session(), wrong)


@EXACT_MONEY.check("not-json-numbers", "What is no JSON number makes the whole body malformed", AMOUNTS)
def not_json_numbers(trial: Trial) -> None:
    refuse_all(trial.session(), ("+5", "05", ".5", "5.", "0x10", "1_000", "5,00", "\u0661", "1e"))


@EXACT_MONEY.check("exponents", "Enormous exponents are refused, and at once", AMOUNTS)
def exponents(trial: Trial) -> None:
    session, began = trial.session(), time.monotonic()
    refuse_all(session, ("1e400", "1e-400", "1e999999999", "1e-999999999", "9" * 400))
    is_soon = time.monotonic() - began < 10 * SOON_SECONDS
    expect_that("The time that it took", "at once", f"{time.monotonic() - began:.1f} s", holds=is_soon)


@EXACT_MONEY.check("largest", "The largest amount has 17 digits of minor units; one more is refused", AMOUNTS)
def largest(trial: Trial) -> None:
    session, mm = trial.session("0"), new_id()
    session.accept("deposit", mm, LARGEST)
    expect("confirmDeposit: balance", LARGEST, written(session.accept("confirmDeposit", mm, LARGEST)))
    refuse_all(session, ("1000000000000000.00", "1e15", "99999999999999999999"))
    expect("The balance after taking all", "0.00", written(session.accept("withdraw", new_id(), LARGEST)))


@EXACT_MONEY.check(
    "bound", "A wallet's bound refuses what is announced (111), never what is confirmed", AMOUNTS
)
def bound(trial: Trial) -> None:
    session = trial.session("0")
    announced = [session.opened("deposit", LARGEST) for _ in range(10)]
    session.refuse(111, "deposit", new_id(), LARGEST)
    for mm in announced:
        session.accept("confirmDeposit", mm, LARGEST)
    expect("getBalance", "9999999999999999.90", written(session.accept("getBalance")))


@EXACT_MONEY.check("members", "An amount without its currency, or of another form, is refused", AMOUNTS)
def members(trial: Trial) -> None:
    session = trial.session()
    currency = session.currency
    wrong: tuple[object, ...] = (
        5,
        "5.00",
        [],
        {},
        {"amount": 5},
        {"currencyCode": currency},
        {"amount": 5, "currencyCode": 5},
        {"amount": 5, "currencyCode": None},
    )
    for amount in wrong:
        payload = {"token": session.token, "mmTransactionId": new_id(), "amount": amount}
        trial.refused(f"withdraw of {amount}", 101, trial.post("/wallet/withdraw", payload))
    session.expect_spendable("100.00")


@EXACT_MONEY.check(
    "confirm-exactly", "A confirmation of a minor unit more or less is 110, and pays nothing", "2.3"
)
def confirm_exactly(trial: Trial) -> None:
    session = trial.session()
    mm = session.opened("withdraw", "10.00")
    for amount in ("9.99", "10.01", "0.01"):
        session.refuse(110, "confirmWithdrawal", mm, amount)
    session.expect_holding("90.00", "10.00")
    session.accept("confirmWithdrawal", mm, Literal("10.0000"))
    session.expect_holding("90.00", "0")
