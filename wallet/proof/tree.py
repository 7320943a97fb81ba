"""A Merkle tree as RFC 6962 (section 2.1) builds it, over one leaf for each wallet."""

import hashlib
import struct
from typing import NamedTuple

LEAF, INNER = b"\x00", b"\x01"
SEQ = struct.Struct(">q")


class Leaf(NamedTuple):
    """A wallet's chain at the moment of a checkpoint.

    How many entries it had, and the last one's hash. The id as a text.
    """

    wallet_id: str
    seq: int
    head: bytes


def leaf_hash(leaf: Leaf) -> bytes:
    """The hash of a leaf.

    SHA-256 over 0x00, the 16 bytes of the wallet's id, the number of its entries (8 bytes, big-endian), and
    its head.
    """
    return hashlib.sha256(
        LEAF + bytes.fromhex(leaf.wallet_id.replace("-", "")) + SEQ.pack(leaf.seq) + leaf.head
    ).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(INNER + left + right).digest()


class Tree:
    """Grows leaf by leaf, and keeps only the roots of the complete subtrees so far.

    As many as its size has binary ones.
    """

    def __init__(self) -> None:
        self.size = 0
        self.entries = 0
        self.peaks: list[bytes] = []

    def add(self, leaf: Leaf) -> None:
        self.peaks.append(leaf_hash(leaf))
        self.size += 1
        self.entries += leaf.seq
        complete = self.size
        while complete % 2 == 0:
            right = self.peaks.pop()
            self.peaks.append(inner_hash(self.peaks.pop(), right))
            complete //= 2

    def root(self) -> bytes:
        """The root over the leaves so far; of none, the hash of nothing."""
        if not self.peaks:
            return hashlib.sha256(b"").digest()
        *rest, root = self.peaks
        for peak in reversed(rest):
            root = inner_hash(peak, root)
        return root
