import hashlib

import pytest

from clients.kit.server import canonical_hash
from clients.kit.wire import Answer


def test_canonical_hash__is_the_same_however_it_is_written() -> None:
    wanted = hashlib.sha256('{"a":"é","b":[1,{"c":2,"d":3}]}'.encode()).hexdigest()
    for raw in ('{"a": "é", "b": [1, {"d": 3, "c": 2}]}', '{"b":[1,{"c":2,"d":3}],\n"a":"\\u00e9"}'):
        assert canonical_hash(Answer(200, {}, raw.encode())) == wanted


def test_canonical_hash__differs_for_another_document() -> None:
    one, other = (Answer(200, {}, raw) for raw in (b'{"a": [1, 2]}', b'{"a": [2, 1]}'))
    assert canonical_hash(one) != canonical_hash(other)


@pytest.mark.parametrize("raw", [b"", b"openapi: 3.1.0", b"\xff"])
def test_canonical_hash__is_none_without_json(raw: bytes) -> None:
    assert canonical_hash(Answer(200, {}, raw)) == "none"
