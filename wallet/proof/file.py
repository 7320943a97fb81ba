"""A checkpoint's file.

Gzip text, first the signed header, then a line for each wallet, in the order of their ids.
"""

import gzip
import shutil
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Annotated

import msgspec
from msgspec import Meta

from wallet.proof.header import Signed, Unusable, read_signed
from wallet.proof.tree import Leaf, Tree

GZIP = b"\x1f\x8b"
LEVEL = 6
LONGEST_LINE = 1 << 16
WalletId = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")]
Line = tuple[
    WalletId, Annotated[int, Meta(ge=0, le=2**63 - 1)], Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
]
DECODER = msgspec.json.Decoder(Line)


class LeafWriter:
    """Writes leaves into a file, compressed, and grows their tree meanwhile."""

    def __init__(self, target: IO[bytes], tree: Tree) -> None:
        self.tree = tree
        self.target = gzip.GzipFile(fileobj=target, mode="wb", compresslevel=LEVEL, mtime=0)

    def add(self, leaf: Leaf) -> None:
        self.tree.add(leaf)
        self.target.write(b'["%s",%d,"%s"]\n' % (leaf.wallet_id.encode(), leaf.seq, leaf.head.hex().encode()))

    def finish(self) -> None:
        self.target.close()


def join_file(target: IO[bytes], signed: Signed, leaves: IO[bytes]) -> None:
    """Writes the whole file.

    The header is known only after the leaves, so each is a gzip member of its own.
    """
    target.write(gzip.compress(signed.line(), LEVEL, mtime=0))
    leaves.seek(0)
    shutil.copyfileobj(leaves, target, 1 << 20)
    target.seek(0)


@contextmanager
def told_apart(what: str) -> Iterator[None]:
    """What goes wrong while `what` is read says so in one way."""
    try:
        yield
    except (EOFError, OSError, zlib.error) as problem:
        raise Unusable(f"{what} cannot be read: {problem or type(problem).__name__}") from None


def lines(source: IO[bytes], what: str) -> Iterator[bytes]:
    """The lines of a file that may be compressed, from its beginning.

    None is longer than a line can be. Raises `Unusable`.
    """
    with told_apart(what):
        is_compressed = source.read(2) == GZIP
        source.seek(0)
    text = gzip.GzipFile(fileobj=source, mode="rb") if is_compressed else source
    while True:
        with told_apart(what):
            line = text.readline(LONGEST_LINE)
        if not line:
            return
        if not line.endswith(b"\n"):
            raise Unusable(f"{what} ends within a line, or has one that is too long")
        yield line


class CheckpointFile:
    """A checkpoint's file that is being read, once, from its beginning.

    Raises `Unusable` where it is none.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self.lines = lines(source, "the file")
        self.signed = read_signed(next(self.lines, b""))
        self.header = self.signed.header

    def leaves(self) -> Iterator[Leaf]:
        """The leaves.

        After the last one it is certain that they are those which the header states, or `Unusable` is raised.
        """
        tree, last = Tree(), ""
        for line in self.lines:
            try:
                wallet_id, seq, head = DECODER.decode(line)
            except msgspec.DecodeError as problem:
                raise Unusable(f"the file's line {tree.size + 2} is no leaf: {problem}") from None
            if wallet_id <= last:
                raise Unusable(f"the file's line {tree.size + 2} is out of order")
            leaf = Leaf(wallet_id, seq, bytes.fromhex(head))
            tree.add(leaf)
            last = wallet_id
            yield leaf
        if (tree.size, tree.entries) != (self.header.wallets, self.header.entries):
            raise Unusable(
                f"the file has {tree.size} wallets with {tree.entries} entries, and states "
                f"{self.header.wallets} with {self.header.entries}"
            )
        if tree.root().hex() != self.header.root:
            raise Unusable("the file's lines do not have the root that was signed")
