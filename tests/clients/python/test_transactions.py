"""A transaction is stored before it is sent, and resumed as it was."""

import json
from datetime import UTC, datetime

import pytest

from quantum_wallet import Deposit, Money, Step, Transaction, Withdrawal, from_dict
from quantum_wallet.operations import opening, settlement

AMOUNT = Money.of("90071992547409.93", "XAG")


@pytest.mark.parametrize("kind", [Withdrawal, Deposit])
def test_transaction__is_the_same_after_it_was_stored(kind: type[Transaction]) -> None:
    made = kind(token="t0ken", amount=AMOUNT, description="A lantern")
    for one in (made, made.confirming(), made.rolling_back("no room")):
        again = from_dict(json.loads(json.dumps(one.to_dict())))
        assert (again, type(again)) == (one, kind)


def test_transaction__has_an_id_of_its_own_before_it_is_sent() -> None:
    ids = {Withdrawal(token="t", amount=AMOUNT).id for _ in range(100)}
    assert len(ids) == 100


def test_transaction__ends_in_one_way() -> None:
    one = Withdrawal(token="t", amount=AMOUNT)
    assert one.confirming().confirming().step == Step.CONFIRM
    with pytest.raises(ValueError, match="ends in one way"):
        one.confirming().rolling_back()
    with pytest.raises(ValueError, match="ends in one way"):
        one.rolling_back().confirming()


def test_transaction__decision_has_its_own_time() -> None:
    one = Withdrawal(token="t", amount=AMOUNT, since=datetime(2020, 1, 1, tzinfo=UTC))
    decided = one.confirming()
    assert decided.since.year > 2020
    assert decided.confirming().since == decided.since


@pytest.mark.parametrize(
    ("kind", "paths"),
    [
        (Withdrawal, ["withdraw", "confirmWithdrawal", "rollbackWithdrawal"]),
        (Deposit, ["deposit", "confirmDeposit", "rollbackDeposit"]),
    ],
)
def test_request__says_what_was_stored(kind: type[Transaction], paths: list[str]) -> None:
    one = kind(token="t", amount=AMOUNT, id="w-1", description="A lantern")
    requests = [opening(one), settlement(one.confirming()), settlement(one.rolling_back("no room"))]
    assert [request.path for request in requests] == [f"/wallet/{path}" for path in paths]
    named = {"token": "t", "mmTransactionId": "w-1"}
    assert [request.body for request in requests] == [
        named | {"amount": AMOUNT, "txDescription": "A lantern"},
        named | {"amount": AMOUNT},
        named | {"rollbackReason": "no room"},
    ]


def test_request__undecided_is_not_settled() -> None:
    with pytest.raises(ValueError, match="store and settle"):
        settlement(Withdrawal(token="t", amount=AMOUNT))
