"""Amounts: exact decimals both ways, and their bounds (contract 1, Amounts)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.callers import Answer, House, Seat, unique
from wallet.money import InvalidAmount, to_major, to_minor
from wallet.outcomes import LedgerRefused

MOST = 10**17 - 1


def send(seat: Seat, endpoint: str, amount: str, mm: str | None = None) -> Answer:
    """A call whose amount stands in the body exactly as given."""
    mm = mm or unique("mm")
    amount = f'{{"amount": {amount}, "currencyCode": "{seat.currency}"}}'
    return seat.caller.post(
        f"/wallet/{endpoint}", f'{{"token": "{seat.token}", "mmTransactionId": "{mm}", "amount": {amount}}}'
    )


def receive(seat: Seat, amount: str) -> Answer:
    """Deposits the amount and confirms it."""
    mm = unique("mm")
    assert send(seat, "deposit", amount, mm).error is None
    return send(seat, "confirmDeposit", amount, mm)


@pytest.mark.parametrize(
    "amount",
    [
        "230",
        "230.0",
        "230.00",
        "230.000",
        "230.00000000000000000000",
        "2.3e2",
        "2.3E+2",
        "23000e-2",
        "0.23e3",
        "0.00000000000000023e18",
    ],
)
def test_every_spelling_of_a_number_is_the_number(house: House, amount: str) -> None:
    seat = house.seat(1000_00)
    assert send(seat, "withdraw", amount).balance == "770.00"
    assert seat.holding()[:2] == (770_00, 230_00)


@pytest.mark.parametrize(
    "amount",
    ["0.1", "0.01", "63727092.34", "90071992547409.93", "999999999999999.99", "4.35", "1.10", "0.29"],
)
def test_amounts_survive_unchanged_in_both_directions(house: House, amount: str) -> None:
    seat = house.seat(0)
    minor = int(Decimal(amount) * 100)
    assert f'"amount":{to_major(minor, 2)},'.encode() in receive(seat, amount).raw
    assert seat.holding()[0] == minor
    answer = send(seat, "withdraw", amount)
    assert b'"amount":0.00,' in answer.raw
    assert seat.holding()[:2] == (0, minor)


def test_tenths_add_up(house: House) -> None:
    seat = house.seat(30)
    for left in ("0.20", "0.10", "0.00"):
        assert send(seat, "withdraw", "0.1").balance == left


@pytest.mark.slow
@pytest.mark.parametrize(
    "amount",
    ["0", "0.00", "-0", "-0.0", "0e5", "0e-999999999", "-1", "-0.01", "0.001", "1.005",
     "230.0000000000000000000000001", "1e-3", "1e400", "1e-400",
     "1e999999999", "1e-999999999", "-1e999999999", "1e9999999999999999999", "1e-9999999999999999999",
     "1000000000000000.00", "1e15", "1e17", "1e18", "99999999999999999999", "9" * 4000,
     "0." + "0" * 4000 + "1", "9" * 60_000,
     "NaN", "Infinity", "-Infinity", "nan", "inf", '"5.00"', '"5"', "true", "false", "null", "[]", "{}",
     "[5]",
     "0x10", "05", "+5", ".5", "5.", "1_000", "5,00", "5 00", "٣"],
    ids=lambda amount: amount[:24],
)  # fmt: skip
@pytest.mark.parametrize("endpoint", ["withdraw", "deposit", "confirmWithdrawal"])
def test_senseless_amounts_are_malformed(seat: Seat, amount: str, endpoint: str) -> None:
    answer = send(seat, endpoint, amount)
    assert (answer.status, answer.error) == (200, 101), answer.raw
    assert seat.holding()[:3] == (100_00, 0, 0)


@pytest.mark.parametrize(
    ("currency", "amount", "printed"),
    [("JPY", "7", "7"), ("JPY", "7.0", "7"), ("MRU", "0.1", "0.1"), ("XAG", "0.01", "0.01"),
     ("BHD", "0.001", "0.001"), ("CLF", "0.0001", "0.0001"),
     ("BHD", "1234567.89", "1234567.890"), ("CLF", "5", "5.0000"), ("MRU", "12e1", "120.0")],
)  # fmt: skip
def test_answers_print_the_currencys_own_number_of_decimals(
    house: House, currency: str, amount: str, printed: str
) -> None:
    seat = house.seat(0, currency)
    assert (
        f'"balance":{{"amount":{printed},"currencyCode":"{currency}"}}'.encode() in receive(seat, amount).raw
    )
    mm = unique("mm")
    assert send(seat, "withdraw", amount, mm).error is None
    answer = seat.done("queryTransaction", mm, type="withdrawal")
    assert f'"amount":{{"amount":{printed},"currencyCode":"{currency}"}}'.encode() in answer.raw


@pytest.mark.parametrize(
    ("currency", "amount"),
    [
        ("JPY", "0.1"),
        ("MRU", "0.01"),
        ("XAG", "0.001"),
        ("EUR", "1.999"),
        ("BHD", "0.0001"),
        ("CLF", "0.00001"),
    ],
)
def test_half_a_minor_unit_is_malformed(house: House, currency: str, amount: str) -> None:
    seat = house.seat(10**10, currency)
    assert send(seat, "withdraw", amount).error == 101
    assert seat.holding()[:2] == (10**10, 0)


# --- Bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("currency", "decimals"), [("JPY", 0), ("XAG", 2), ("CLF", 4)])
def test_the_largest_amount_is_10_to_the_17_less_one_minor_units(
    house: House, currency: str, decimals: int
) -> None:
    seat = house.seat(0, currency)
    assert receive(seat, str(to_major(MOST, decimals))).balance == str(to_major(MOST, decimals))
    assert send(seat, "deposit", str(to_major(MOST + 1, decimals))).error == 101
    assert send(seat, "withdraw", str(to_major(MOST, decimals))).error is None
    assert seat.holding()[:3] == (0, MOST, 0)


def test_what_would_reach_10_to_the_18_is_refused_when_announced(house: House) -> None:
    seat = house.seat(10**18 - 1 - 5_00)
    seat.done("withdraw", unique("mm"), "1.00")
    announced = seat.opened("deposit", "4.00")
    answer = send(seat, "deposit", "1.01")
    assert (answer.error, answer.balance) == (111, str(to_major(10**18 - 1 - 6_00, 2)))
    last = seat.opened("deposit", "1.00")
    assert seat.holding()[:3] == (10**18 - 1 - 6_00, 1_00, 5_00)
    assert sum(seat.holding()[:3]) == 10**18 - 1
    assert send(seat, "deposit", "0.01").error == 111
    # What was announced is confirmed in any case.
    assert seat.done("confirmDeposit", announced).error is None
    assert seat.done("confirmDeposit", last).balance == str(to_major(10**18 - 1 - 1_00, 2))


def test_room_that_a_rollback_makes_can_be_announced(house: House) -> None:
    seat = house.seat(10**18 - 1 - 5_00)
    mm = seat.opened("deposit", "5.00")
    assert send(seat, "deposit", "0.01").error == 111
    seat.done("rollbackDeposit", mm)
    assert send(seat, "deposit", "5.00").error is None


def test_a_credit_that_would_reach_10_to_the_18_is_refused(house: House) -> None:
    seat = house.seat(10**18 - 2)
    with pytest.raises(LedgerRefused) as refused:
        seat.adjust("credit", 2)
    assert refused.value.outcome == "limit_reached"
    seat.adjust("credit", 1)
    assert seat.holding()[0] == 10**18 - 1


# --- The conversion itself --------------------------------------------------------------------------


@given(minor=st.integers(1, MOST), decimals=st.integers(0, 4), zeros=st.integers(0, 30))
def test_minor_units_survive_the_way_out_and_back(minor: int, decimals: int, zeros: int) -> None:
    printed = format(to_major(minor, decimals), "f")
    assert to_minor(Decimal(printed), decimals) == minor
    assert to_minor(Decimal(printed + ("" if "." in printed else ".") + "0" * zeros), decimals) == minor


@given(
    amount=st.decimals(allow_nan=True, allow_infinity=True)
    | st.decimals(min_value=0, max_value=10**13, places=3),
    decimals=st.integers(0, 4),
)
def test_whatever_decimal_comes_it_is_exact_or_refused(amount: Decimal, decimals: int) -> None:
    # The exponent is bounded before it is computed with, here too.
    minor = (
        Fraction(amount) * 10**decimals
        if amount.is_finite() and abs(amount.adjusted()) < 100
        else Fraction(-1)
    )
    if minor.denominator == 1 and 1 <= minor <= MOST:
        assert to_minor(amount, decimals) == minor
    else:
        with pytest.raises(InvalidAmount, match="greater than zero"):
            to_minor(amount, decimals)


@pytest.mark.parametrize(
    ("minor", "decimals", "printed"),
    [
        (0, 2, "0.00"),
        (-5, 2, "-0.05"),
        (5, 0, "5"),
        (123456, 4, "12.3456"),
        (-(10**18), 2, "-10000000000000000.00"),
    ],
)
def test_major_units_have_all_their_decimals(minor: int, decimals: int, printed: str) -> None:
    assert str(to_major(minor, decimals)) == printed
