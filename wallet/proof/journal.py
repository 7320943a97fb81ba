"""An exported journal: JSON lines with every wallet and its entries.

As far as their hashes cover them, in the order of wallet ids.
"""

from collections.abc import Iterator
from itertools import groupby
from typing import IO, Literal, Protocol, cast

import msgspec

from wallet.audit.hash_chain import EntryRow, TransactionRow, ending, opening
from wallet.proof.file import WalletId, lines
from wallet.proof.header import Sha256, Unusable

OPENS = frozenset({"opened", "declined"})
BOTH = frozenset({"tombstone", "adjusted", "posted"})
ENDS = frozenset({"confirmed", "rolled_back", "expired", "rollback_noted"})


class Start(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="journal"):
    """The first line; the member `line` says of each which it is. Currencies with their decimals.

    Format 2 has references, in openings whose hash covers them.
    """

    format: Literal[1, 2]
    exported_at: str
    currencies: dict[str, int]


class WalletLine(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="wallet"):
    """A wallet; its entries follow. Amounts in minor units, times in microseconds since 1970."""

    id: WalletId
    player: WalletId
    currency: str
    spendable: int
    reserved: int
    announced: int
    debt: int
    entries: int
    head: Sha256
    frozen_at: int | None
    withdrawal_limit: int | None
    opened_at: int


class Whose(Protocol):
    """Whose entries are read."""

    @property
    def id(self) -> str: ...
    @property
    def player(self) -> str: ...
    @property
    def currency(self) -> str: ...


class Opening(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a transaction was when it was opened."""

    type: str
    game: WalletId | None
    session: WalletId | None
    mm_transaction_id: str | None
    amount: int | None
    refusal: str
    description: str
    source: str
    reverses: WalletId | None
    due_at: int | None
    reference: WalletId | None = None


class Ending(msgspec.Struct, frozen=True, rename="camel"):
    """By whom, and why, a transaction was ended."""

    source: str
    reason: str


class EntryLine(
    msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="entry", omit_defaults=True
):
    """An entry of the wallet above, with what else its hash covers."""

    seq: int
    transaction: WalletId | None
    event: str
    debit: str | None
    credit: str | None
    amount: int | None
    spendable: int
    reserved: int
    announced: int
    debt: int
    actor: str
    note: str
    at: int
    version: int
    hash: Sha256
    opening: Opening | None = None
    ending: Ending | None = None


class End(msgspec.Struct, frozen=True, rename="camel", tag_field="line", tag="end"):
    """The last line, so that a file that was cut off is noticed."""

    wallets: int
    entries: int


AnyLine = Start | WalletLine | EntryLine | End
DECODER: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)


def entry_line(e: EntryRow, t: TransactionRow | None) -> EntryLine:
    """An entry, and the transaction that it names, as they are exported."""
    opened = t is not None and e.event in OPENS | BOTH
    ended = t is not None and e.event in ENDS | BOTH
    return EntryLine(
        *(
            e.seq,
            e.transaction_id,
            e.event,
            e.debit,
            e.credit,
            e.amount,
            e.spendable,
            e.reserved,
            e.announced,
            e.debt,
        ),
        *(e.actor, e.note, e.at, e.version, bytes(e.hash).hex()),
        opening=Opening(
            *(
                t.type,
                t.game_id,
                t.session_id,
                t.mm_transaction_id,
                t.amount,
                t.refusal,
                t.description,
                t.source,
                t.reverses_id,
                t.due_at,
                None if e.version == 1 else t.reference,
            )
        )
        if t is not None and opened
        else None,
        ending=Ending(t.settled_source, t.reason) if t is not None and ended else None,
    )


def covered(line: EntryLine, wallet: Whose) -> tuple[EntryRow, bytes | None]:
    """An entry and its subject, as `wallet.audit.hash_chain.entry_hash` wants them."""
    values = (
        line.seq,
        line.transaction,
        line.event,
        line.debit,
        line.credit,
        line.amount,
        line.spendable,
        line.reserved,
        line.announced,
        line.debt,
    )
    row = EntryRow(
        wallet.player,
        wallet.id,
        *values,
        line.actor,
        line.note,
        line.at,
        line.version,
        bytes.fromhex(line.hash),
    )
    if line.event == "wallet_opened":
        return row, wallet.currency.encode()
    if line.opening is None and line.ending is None:
        return row, None
    t = transaction(line)
    return row, (opening(t, line.version) if line.opening else b"") + (ending(t) if line.ending else b"")


def transaction(line: EntryLine) -> TransactionRow:
    """The members of a transaction that hashes cover; the others stay empty."""
    o = line.opening or Opening("", None, None, None, None, "", "", "", None, None)
    e = line.ending or Ending("", "")
    return TransactionRow(
        *(
            line.transaction or "",
            "",
            "",
            o.game,
            o.session,
            o.type,
            o.mm_transaction_id,
            "",
            o.amount,
            o.refusal,
            o.description,
        ),
        *(o.source, "", o.reverses, 0, 0, o.due_at, None, None, e.source, "", e.reason),
        reference=o.reference,
    )


class Journal:
    """An exported journal that is being read, once, from its beginning.

    Raises `Unusable` where it is none.
    """

    def __init__(self, source: IO[bytes]) -> None:
        self.read = (decoded(line, number) for number, line in enumerate(lines(source, "the journal"), 1))
        start = next(self.read, None)
        if not isinstance(start, Start):
            raise Unusable("the journal's first line is not that of an export")
        self.start = start
        self.wallets_read = self.entries_read = 0

    def wallets(self) -> Iterator[tuple[WalletLine, Iterator[EntryLine]]]:
        """Each wallet with its entries, which are read while they are asked for.

        What is left of them is passed over.
        """
        last, end = "", None
        for _, group in groupby(self.read, self.group):
            first = next(group)
            if (
                end
                or not isinstance(first, WalletLine | End)
                or (isinstance(first, WalletLine) and first.id <= last)
            ):
                raise Unusable(f"the journal is out of order after wallet {last}")
            if isinstance(first, End):
                end = first
                continue
            last = first.id
            yield first, cast("Iterator[EntryLine]", group)  # noqa: B031 (once for each wallet)
        if end is None or (end.wallets, end.entries) != (self.wallets_read, self.entries_read):
            raise Unusable("the journal does not end as it should: it was cut off, or changed")

    def group(self, line: AnyLine) -> tuple[int, bool]:
        """Counts a line, and says with which wallet it goes."""
        self.wallets_read += isinstance(line, WalletLine)
        self.entries_read += isinstance(line, EntryLine)
        return self.wallets_read, isinstance(line, Start | End)


def decoded(line: bytes, number: int) -> AnyLine:
    try:
        return DECODER.decode(line)
    except msgspec.DecodeError as problem:
        raise Unusable(f"the journal's line {number} is none of an export: {problem}") from None
