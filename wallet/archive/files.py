"""The files of an archived part: entries in compressed blocks, an index of these, calls, and a manifest.

Each block is a gzip member of its own, so that a few entries of one wallet are read without the rest, and the
whole is plain gzip all the same. The same rows make the same bytes.
"""

import gzip
import hashlib
import os
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, NamedTuple, Self

import msgspec

from wallet.archive.manifest import FileState, Manifest, read_manifest
from wallet.proof.file import LEVEL, WalletId, lines, told_apart
from wallet.proof.header import Unusable
from wallet.proof.journal import EntryLine

ENTRIES, INDEX, CALLS, MANIFEST = "entries.jsonl.gz", "index.jsonl.gz", "calls.jsonl.gz", "manifest.json"
# Entries of a block.
BLOCK = 2_000
ENCODER = msgspec.json.Encoder()


class ArchivedWallet(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="wallet"):
    """Whose the entries after it are; `opened_at` in microseconds since 1970."""

    id: WalletId
    player: WalletId
    currency: str
    opened_at: int

    @property
    def key(self) -> tuple[str, str]:
        return self.player, self.id


ArchivedEntry = tuple[ArchivedWallet, EntryLine]
DECODER: msgspec.json.Decoder[ArchivedWallet | EntryLine] = msgspec.json.Decoder(ArchivedWallet | EntryLine)


class Block(NamedTuple):
    """Where a block is, and its first entry."""

    player: str
    wallet: str
    seq: int
    offset: int
    length: int
    entries: int


BLOCKS = msgspec.json.Decoder(Block)


class HashedFile:
    """A file that is being written; what it has become is known at its end (`finish`)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.target: IO[bytes] = path.open("xb")
        self.hash, self.size = hashlib.sha256(), 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.target.close()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self.target.write(data)

    def finish(self) -> FileState:
        """Waits until it is on the disk."""
        self.target.flush()
        os.fsync(self.target.fileno())
        return FileState(self.path.name, self.size, self.hash.hexdigest())


class EntryWriter:
    """Writes entries in the order of their players, wallets and numbers."""

    def __init__(self, target: HashedFile) -> None:
        self.target = target
        self.blocks: list[Block] = []
        self.lines: list[bytes] = []
        self.first: tuple[str, str, int] | None = None
        self.last: ArchivedWallet | None = None
        self.in_block = self.entries = self.wallets = 0

    def add(self, wallet: ArchivedWallet, entry: EntryLine) -> None:
        if self.in_block == BLOCK:
            self.end_block()
        is_new = self.last is None or self.last.key != wallet.key
        if is_new or self.first is None:
            self.lines.append(ENCODER.encode(wallet))
        self.wallets += is_new
        self.first = self.first or (wallet.player, wallet.id, entry.seq)
        self.last = wallet
        self.lines.append(ENCODER.encode(entry))
        self.in_block += 1
        self.entries += 1

    def end_block(self) -> None:
        if self.first is None:
            return
        data = gzip.compress(b"\n".join([*self.lines, b""]), LEVEL, mtime=0)
        self.blocks.append(Block(*self.first, self.target.size, len(data), self.in_block))
        self.target.write(data)
        self.lines, self.first, self.in_block = [], None, 0


def write_lines(target: HashedFile, rows: Iterable[bytes]) -> int:
    """Writes lines, compressed. Returns how many."""
    count = 0
    with gzip.GzipFile(filename="", fileobj=target, mode="wb", compresslevel=LEVEL, mtime=0) as packed:  # type: ignore[call-overload]
        for row in rows:
            packed.write(row + b"\n")
            count += 1
    return count


class ArchiveFiles:
    """The files of an archived part. Raises `Unusable` if one is not there, or not what it should be."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @cached_property
    def manifest(self) -> Manifest:
        with told_apart(f"{self.directory / MANIFEST}"):
            return read_manifest((self.directory / MANIFEST).read_bytes())

    @cached_property
    def blocks(self) -> list[Block]:
        path = self.directory / INDEX
        with told_apart(str(path)), path.open("rb") as source:
            try:
                return [BLOCKS.decode(line) for line in lines(source, str(path))]
            except msgspec.DecodeError as problem:
                raise Unusable(f"{path} is no index: {problem}") from None

    def expect(self, manifest_hash: str) -> None:
        """They must be of this manifest."""
        if self.manifest.hash() != manifest_hash:
            raise Unusable(f"{self.directory} is not what was archived: its manifest is another one")

    def verify_hashes(self) -> None:
        """Reads all files, and compares each with what the manifest says."""
        for state in self.manifest.files:
            path = self.directory / state.name
            with told_apart(str(path)), path.open("rb") as source:
                found = hashlib.file_digest(source, "sha256").hexdigest()
            if found != state.sha256:
                raise Unusable(f"{path} is not what its manifest says: its SHA-256 is {found}")

    def entries(self) -> Iterator[list[ArchivedEntry]]:
        """All entries, block by block, in the order of their players, wallets and numbers."""
        with self.source() as source:
            for block in self.blocks:
                yield self.read(source, block)

    def oldest(self, player: str, wallet: str) -> Iterator[EntryLine]:
        """A wallet's entries in their order."""
        place = bisect_left(self.blocks, (player, wallet, 0), key=lambda block: block[:3])
        with self.source() as source:
            for block in self.blocks[max(place - 1, 0) :]:
                if (block.player, block.wallet) > (player, wallet):
                    return
                for whose, line in self.read(source, block):
                    if whose.key == (player, wallet):
                        yield line

    def source(self) -> IO[bytes]:
        """The file of the entries."""
        path = self.directory / ENTRIES
        with told_apart(str(path)):
            return path.open("rb")

    def newest(self, player: str, wallet: str, below: int) -> Iterator[EntryLine]:
        """A wallet's entries with numbers below this one, the newest first."""
        place = bisect_right(self.blocks, (player, wallet, below - 1), key=lambda block: block[:3])
        with self.source() as source:
            for block in reversed(self.blocks[:place]):
                found = [line for whose, line in self.read(source, block) if whose.key == (player, wallet)]
                yield from (line for line in reversed(found) if line.seq < below)
                if (block.player, block.wallet) < (player, wallet):
                    return

    def read(self, source: IO[bytes], block: Block) -> list[ArchivedEntry]:
        with told_apart(f"{self.directory / ENTRIES}"):
            source.seek(block.offset)
            text = gzip.decompress(source.read(block.length))
        found: list[ArchivedEntry] = []
        wallet: ArchivedWallet | None = None
        try:
            for line in map(DECODER.decode, text.splitlines()):
                if isinstance(line, ArchivedWallet):
                    wallet = line
                elif wallet is not None:
                    found.append((wallet, line))
        except msgspec.DecodeError as problem:
            raise Unusable(
                f"{self.directory / ENTRIES} has a line that is none of an archive: {problem}"
            ) from None
        if len(found) != block.entries:
            raise Unusable(f"{self.directory / ENTRIES} has another number of entries than its index says")
        return found
