"""Amounts: exact decimals both ways, and their bounds (contract 1, Amounts)."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.callers import Answer, Callers, PlayerSession, unique
from wallet.money import InvalidAmount, to_major, to_minor
from wallet.outcomes import LedgerRefused

MOST = 10**17 - 1


def send(player_session: PlayerSession, endpoint: str, amount: str, mm: str | None = None) -> Answer:
    """A call whose amount stands in the body exactly as given."""
    mm = mm or unique("mm")
    amount = f'{{"amount": {amount}, "currencyCode": "{player_session.currency}"}}'
    return player_session.caller.post(
        f"/wallet/{endpoint}",
        f'{{"token": "{player_session.token}", "mmTransactionId": "{mm}", "amount": {amount}}}',
    )


def receive(player_session: PlayerSession, amount: str) -> Answer:
    """Deposits the amount and confirms it."""
    mm = unique("mm")
    assert send(player_session, "deposit", amount, mm).error is None
    return send(player_session, "confirmDeposit", amount, mm)


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
def test_amount__every_spelling_of_a_number_is_the_number(callers: Callers, amount: str) -> None:
    player_session = callers.player_session(1000_00)
    assert send(player_session, "withdraw", amount).balance == "770.00"
    assert player_session.holding()[:2] == (770_00, 230_00)


@pytest.mark.parametrize(
    "amount",
    ["0.1", "0.01", "63727092.34", "90071992547409.93", "999999999999999.99", "4.35", "1.10", "0.29"],
)
def test_amount__survives_unchanged_in_both_directions(callers: Callers, amount: str) -> None:
    player_session = callers.player_session(0)
    minor = int(Decimal(amount) * 100)
    assert f'"amount":{to_major(minor, 2)},'.encode() in receive(player_session, amount).raw
    assert player_session.holding()[0] == minor
    answer = send(player_session, "withdraw", amount)
    assert b'"amount":0.00,' in answer.raw
    assert player_session.holding()[:2] == (0, minor)


def test_amount__tenths_add_up(callers: Callers) -> None:
    player_session = callers.player_session(30)
    for left in ("0.20", "0.10", "0.00"):
        assert send(player_session, "withdraw", "0.1").balance == left


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
def test_amount__senseless_is_malformed(player_session: PlayerSession, amount: str, endpoint: str) -> None:
    answer = send(player_session, endpoint, amount)
    assert (answer.status, answer.error) == (200, 101), answer.raw
    assert player_session.holding()[:3] == (100_00, 0, 0)


@pytest.mark.parametrize(
    ("currency", "amount", "printed"),
    [("JPY", "7", "7"), ("JPY", "7.0", "7"), ("MRU", "0.1", "0.1"), ("XAG", "0.01", "0.01"),
     ("BHD", "0.001", "0.001"), ("CLF", "0.0001", "0.0001"),
     ("BHD", "1234567.89", "1234567.890"), ("CLF", "5", "5.0000"), ("MRU", "12e1", "120.0")],
)  # fmt: skip
def test_amount__is_answered_with_the_currencys_decimals(
    callers: Callers, currency: str, amount: str, printed: str
) -> None:
    player_session = callers.player_session(0, currency)
    assert (
        f'"balance":{{"amount":{printed},"currencyCode":"{currency}"}}'.encode()
        in receive(player_session, amount).raw
    )
    mm = unique("mm")
    assert send(player_session, "withdraw", amount, mm).error is None
    answer = player_session.done("queryTransaction", mm, type="withdrawal")
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
def test_amount__half_a_minor_unit_is_malformed(callers: Callers, currency: str, amount: str) -> None:
    player_session = callers.player_session(10**10, currency)
    assert send(player_session, "withdraw", amount).error == 101
    assert player_session.holding()[:2] == (10**10, 0)


# --- Bounds -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("currency", "decimals"), [("JPY", 0), ("XAG", 2), ("CLF", 4)])
def test_amount__largest_is_10_to_the_17_less_one_minor_units(
    callers: Callers, currency: str, decimals: int
) -> None:
    player_session = callers.player_session(0, currency)
    assert receive(player_session, str(to_major(MOST, decimals))).balance == str(to_major(MOST, decimals))
    assert send(player_session, "deposit", str(to_major(MOST + 1, decimals))).error == 101
    assert send(player_session, "withdraw", str(to_major(MOST, decimals))).error is None
    assert player_session.holding()[:3] == (0, MOST, 0)


def test_bound__reaching_10_to_the_18_is_refused_when_announced(callers: Callers) -> None:
    player_session = callers.player_session(10**18 - 1 - 5_00)
    player_session.done("withdraw", unique("mm"), "1.00")
    announced = player_session.opened("deposit", "4.00")
    answer = send(player_session, "deposit", "1.01")
    assert (answer.error, answer.balance) == (111, str(to_major(10**18 - 1 - 6_00, 2)))
    last = player_session.opened("deposit", "1.00")
    assert player_session.holding()[:3] == (10**18 - 1 - 6_00, 1_00, 5_00)
    assert sum(player_session.holding()[:3]) == 10**18 - 1
    assert send(player_session, "deposit", "0.01").error == 111
    # What was announced is confirmed in any case.
    assert player_session.done("confirmDeposit", announced).error is None
    assert player_session.done("confirmDeposit", last).balance == str(to_major(10**18 - 1 - 1_00, 2))


def test_bound__room_made_by_a_rollback_can_be_announced(callers: Callers) -> None:
    player_session = callers.player_session(10**18 - 1 - 5_00)
    mm = player_session.opened("deposit", "5.00")
    assert send(player_session, "deposit", "0.01").error == 111
    player_session.done("rollbackDeposit", mm)
    assert send(player_session, "deposit", "5.00").error is None


def test_bound__credit_reaching_10_to_the_18_is_refused(callers: Callers) -> None:
    player_session = callers.player_session(10**18 - 2)
    with pytest.raises(LedgerRefused) as refused:
        player_session.adjust("credit", 2)
    assert refused.value.outcome == "limit_reached"
    player_session.adjust("credit", 1)
    assert player_session.holding()[0] == 10**18 - 1


# --- The conversion itself --------------------------------------------------------------------------


@given(minor=st.integers(1, MOST), decimals=st.integers(0, 4), zeros=st.integers(0, 30))
def test_amount__minor_units_survive_the_way_out_and_back(minor: int, decimals: int, zeros: int) -> None:
    printed = format(to_major(minor, decimals), "f")
    assert to_minor(Decimal(printed), decimals) == minor
    assert to_minor(Decimal(printed + ("" if "." in printed else ".") + "0" * zeros), decimals) == minor


@given(
    amount=st.decimals(allow_nan=True, allow_infinity=True)
    | st.decimals(min_value=0, max_value=10**13, places=3),
    decimals=st.integers(0, 4),
)
def test_amount__any_decimal_is_exact_or_refused(amount: Decimal, decimals: int) -> None:
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
def test_amount__major_units_have_all_their_decimals(minor: int, decimals: int, printed: str) -> None:
    assert str(to_major(minor, decimals)) == printed
