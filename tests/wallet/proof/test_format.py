"""The format of checkpoints: what others can build and read by themselves."""

import hashlib
import os
from uuid import uuid4

import pytest

from tests.support.checkpoints import KEY, example_header, private, rfc_6962
from wallet.proof.header import Unusable, read_signed, sign
from wallet.proof.tree import Leaf, Tree, inner_hash, leaf_hash


@pytest.mark.parametrize("size", [*range(35), 64, 65, 1000])
def test_merkle_root__is_that_of_rfc_6962(size: int) -> None:
    leaves = [Leaf(str(uuid4()), number, os.urandom(32)) for number in range(size)]
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)
    assert tree.root() == rfc_6962([leaf_hash(leaf) for leaf in leaves])
    assert len(tree.peaks) == size.bit_count()
    assert (tree.size, tree.entries) == (size, sum(leaf.seq for leaf in leaves))


def test_merkle_leaf__is_hashed_as_the_page_says() -> None:
    leaf = Leaf("01a1fda9-f452-7233-aa50-f91d498f4a52", 258, bytes(range(32)))
    said = bytes.fromhex("00" + "01a1fda9f4527233aa50f91d498f4a52" + "0000000000000102") + bytes(range(32))
    assert leaf_hash(leaf) == hashlib.sha256(said).digest()
    assert inner_hash(b"left", b"right") == hashlib.sha256(b"\x01leftright").digest()


EXAMPLE = (
    b'{"header":{"currencies":{"JPY":0,"XAG":2},"entries":7,"format":1,"keyId":"2ea5433e00ae3dc3",'
    b'"kind":"quantum-wallet checkpoint",'
    b'"madeAt":"2026-11-21T04:10:00.000001Z","note":"\\u00e4","number":2,'
    b'"previous":"cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",'
    b'"publicKey":"fL3q2iVB7nGd6YSX5CZczstdtjTnJVRFWOd9evlLgUQ=",'
    b'"root":"abababababababababababababababababababababababababababababababab","wallets":3},'
    b'"signature":"Y4DpNmQosdb6iIiLB8tscejBJXVbiaUfWqj0T7j5n9RlyRXpciGaVQVGndEYHVjwFaXnCVG+lAnZk3353mGOBA=="}\n'
)


def test_header__of_a_known_key_is_the_same_in_later_versions() -> None:
    line = sign(example_header(), private(KEY)).line()
    assert line == EXAMPLE
    assert read_signed(line).header == example_header()
    assert (
        read_signed(line).header.hash()
        == hashlib.sha256(line[len(b'{"header":') : line.index(b',"signature":')]).digest()
    )


CHANGED = {
    "another number": b'"number":3',
    "another note": b'"note":"a"',
    "another root": b'"root":"bb',
    "more wallets": b'"wallets":4',
    "other decimals": b'"XAG":3',
    "another key's id": b'"keyId":"3',
    "a member more": b'"wallets":3,"zone":1',
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED.keys())
def test_header__that_was_changed_is_unusable(change: bytes) -> None:
    name = change[: change.index(b":") + 1]
    old = EXAMPLE[EXAMPLE.index(name) :][: len(change)]
    line = EXAMPLE.replace(b'"wallets":3', change) if b"zone" in change else EXAMPLE.replace(old, change)
    assert line != EXAMPLE
    with pytest.raises(Unusable):
        read_signed(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"\xff\n",
        EXAMPLE.replace(b'"Y4', b'"!!'),
        EXAMPLE.replace(b"2026-11-21", b"2026-13-21"),
    ],
)
def test_header__what_is_none_is_unusable(line: bytes) -> None:
    with pytest.raises(Unusable):
        read_signed(line)


def test_header__that_names_another_keys_id_is_unusable() -> None:
    with pytest.raises(Unusable, match="another key id than its key has"):
        read_signed(sign(example_header(key_id="0" * 16), private(KEY)).line())
