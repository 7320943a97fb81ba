"""Amounts are exact, and floats are refused."""

from decimal import Decimal

import pytest

from quantum_wallet import Malformed, Money
from quantum_wallet.messages import read, redacted, write

EXACT = "90071992547409.93"


@pytest.mark.parametrize("amount", [EXACT, "0.1", "63727092.34", "230.00", "0.0001", "100000000000000000"])
def test_money__survives_both_ways(amount: str) -> None:
    raw = write({"amount": Money.of(amount, "XAG")})
    assert raw == f'{{"amount": {{"amount": {amount}, "currencyCode": "XAG"}}}}'.encode()
    told = read(raw)["amount"]["amount"]
    assert (Decimal(told), str(told)) == (Decimal(amount), amount)


def test_money__large_exponent_is_written_plainly() -> None:
    assert write({"n": Decimal("2.3E+2")}) == b'{"n": 230}'


@pytest.mark.parametrize("amount", [0.1, True, None])
def test_money__what_is_not_exact_is_refused(amount: object) -> None:
    with pytest.raises(TypeError):
        Money.of(amount, "XAG")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(amount, "XAG")  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "1E+999999", "1E-999999", "many"])
def test_money__what_cannot_be_an_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match=r"number|amount"):
        Money.of(amount, "XAG")


def test_write__float_is_refused() -> None:
    with pytest.raises(TypeError, match="never a float"):
        write({"amount": {"amount": 15.0}})


def test_write__texts_lists_and_null() -> None:
    body = {"a": 'q"\n', "b": [1, None, True], "c": {"ü": "ß"}}
    assert read(write(body)) == body


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b'{"a": NaN}', b"[" * 100_000])
def test_read__what_is_no_object_is_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read(raw)


def test_redacted__secrets_of_both_texts() -> None:
    asked = '{"token": "0fabcdc4-fe07", "password" : "pa\\"55"}'
    told = '{"launchUrl": "https://game.example/?token=0fabcdc4-fe07", "page": "https://p/checkout/k3y?x"}'
    assert redacted(asked, told) == [
        '{"token": "…", "password": "…"}',
        '{"launchUrl": "https://game.example/?token=…", "page": "https://p/checkout/…?x"}',
    ]
