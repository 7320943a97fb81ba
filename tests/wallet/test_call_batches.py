"""The parameters of a statement that carries many calls."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from psycopg.types.numeric import Int4, Int8

from wallet.call_batches import many_parameters

CALL = {
    "token_hash": b"\x00\xff",
    "game": UUID(int=1),
    "amount": Int8(10**17),
    "elapsed_us": Int4(3),
    "pending": timedelta(hours=72, microseconds=5),
    "reason": "“ü”\n\\",
    "currency": None,
}


def test_parameters__say_every_value_as_postgresql_reads_it() -> None:
    parameters = many_parameters([(4, CALL)], [], waits=True)
    assert json.loads(parameters["openings"]) == [
        {
            "place": 4,
            "token_hash": "\\x00ff",
            "game": "00000000-0000-0000-0000-000000000001",
            "amount": 10**17,
            "elapsed_us": 3,
            "pending": "P3DT0.000005S",
            "reason": "“ü”\n\\",
            "currency": None,
        }
    ]
    assert (parameters["settlings"], parameters["waits"]) == ("[]", True)


def test_parameters__keep_the_order_and_the_kinds_apart() -> None:
    parameters = many_parameters([(2, CALL), (0, CALL)], [(1, CALL)], waits=False)
    places = [[call["place"] for call in json.loads(parameters[kind])] for kind in ("openings", "settlings")]
    assert (places, parameters["waits"]) == ([[2, 0], [1]], False)


def test_parameters__refuse_what_no_call_has() -> None:
    with pytest.raises(TypeError, match="no call has a object"):
        many_parameters([(0, CALL | {"amount": object()})], [], waits=False)
