"""Compares a checkpoint with an exported journal.

Every chain is computed anew, up to the hash that was signed.
"""

from collections.abc import Iterator
from typing import IO

from wallet.audit.hash_chain import START, entry_hash
from wallet.proof.audit_trail import compare_with_acts, read_acts
from wallet.proof.findings import SLACK, Findings, compare_currencies
from wallet.proof.header import Header
from wallet.proof.journal import EntryLine, Journal, WalletLine, covered
from wallet.proof.tree import Leaf
from wallet.proof.verification import Compare

MICROSECOND = 1_000_000


def comparing(source: IO[bytes], audit_trail: IO[bytes] | None = None) -> Compare:
    """The comparison with the journal in a file, and with the audit trail in another, if there is one."""

    def compare(header: Header, leaves: Iterator[Leaf], findings: Findings) -> None:
        compare_with_journal(Journal(source), header, leaves, findings)
        if audit_trail is not None:
            compare_with_acts(read_acts(audit_trail), header, findings)
        elif header.audit_links:
            findings.warnings.append("no --audit-trail was given: operators' acts were not compared")

    return compare


def compare_with_journal(
    journal: Journal, header: Header, leaves: Iterator[Leaf], findings: Findings
) -> None:
    """Walks leaves and wallets side by side, both in the order of ids.

    Raises `Unusable` where the journal is not whole.
    """
    compare_currencies(header.currencies, journal.start.currencies, findings)
    latest = int((header.moment() - SLACK).timestamp() * MICROSECOND)
    leaf = next(leaves, None)
    for wallet, entries in journal.wallets():
        while leaf is not None and leaf.wallet_id < wallet.id:
            findings.add(f"wallet {leaf.wallet_id} is gone")
            leaf = next(leaves, None)
        known = leaf if leaf is not None and leaf.wallet_id == wallet.id else None
        problem = Chain(wallet, known, latest).problem(entries)
        if problem:
            findings.add(f"wallet {wallet.id} {problem}")
        leaf = next(leaves, None) if known else leaf
    while leaf is not None:
        findings.add(f"wallet {leaf.wallet_id} is gone")
        leaf = next(leaves, None)


class Chain:
    """One wallet's chain.

    `leaf` is what the checkpoint knows of it, if anything; what it does not know is later than `latest`.
    """

    def __init__(self, wallet: WalletLine, leaf: Leaf | None, latest: int) -> None:
        self.wallet, self.leaf, self.latest = wallet, leaf, latest
        self.known = leaf.seq if leaf else 0
        self.seq, self.head = 0, START

    def problem(self, entries: Iterator[EntryLine]) -> str:
        """The first thing that is wrong with it, or nothing."""
        for line in entries:
            problem = self.follow(line)
            if problem:
                return f"entry {self.seq}: {problem}"
        if self.seq < self.known:
            return f"ends with entry {self.seq}, the checkpoint knows {self.known}"
        if (self.seq, self.head) != (self.wallet.entries, bytes.fromhex(self.wallet.head)):
            return f"states another number of entries, or another last hash, than its {self.seq} entries have"
        return ""

    def follow(self, line: EntryLine) -> str:
        """Computes the next hash of the chain."""
        self.seq += 1
        if line.seq != self.seq:
            return f"its number is {line.seq}"
        row, subject = covered(line, self.wallet)
        self.head = entry_hash(self.head, row, subject)
        if self.leaf and self.seq == self.known and self.head != self.leaf.head:
            return "has another hash than the checkpoint knows: it, or one before it, was changed"
        if self.head != row.hash:
            return "the hash does not fit it and the entry before"
        if self.seq > self.known and line.at <= self.latest:
            return "is dated before the checkpoint, which does not know it"
        return ""
