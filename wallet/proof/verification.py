"""Verifies a checkpoint's file.

Who signed it, whether it is whole and follows another, and whether a ledger still is as it states.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import IO

from wallet.proof.file import CheckpointFile
from wallet.proof.findings import Findings
from wallet.proof.header import Header, Unusable, decoded_key
from wallet.proof.tree import Leaf

# Compares a ledger with the leaves. It reads them to their end, or what they add up to is not known.
Compare = Callable[[Header, Iterator[Leaf], Findings], None]
Progress = Callable[[int], None]
STEP = 10_000


@dataclass(slots=True)
class Verdict:
    """What came of it. Without a `header` the file was none."""

    header: Header | None = None
    findings: Findings = field(default_factory=Findings)


def verify_file(
    source: IO[bytes],
    compare: Compare,
    *,
    trusted: Collection[bytes],
    previous: IO[bytes] | None = None,
    progress: Progress = lambda count: None,
) -> Verdict:
    """Verifies the file in `source`, which follows the one in `previous`, if given.

    `trusted`: the public keys whose signature counts; none of them means the one that the file itself names,
    which is a warning.
    """
    verdict = Verdict()
    try:
        file = CheckpointFile(source)
        verdict.header = file.header
        check_key(file.header, trusted, verdict.findings)
        if previous is not None:
            check_previous(file.header, previous, trusted, verdict.findings)
        compare(file.header, counted(file.leaves(), progress), verdict.findings)
    except Unusable as problem:
        verdict.findings.add(str(problem))
    return verdict


def check_key(header: Header, trusted: Collection[bytes], findings: Findings) -> None:
    """The signature was found to be right already; is the key?"""
    if not trusted:
        findings.warnings.append(
            f"the key {header.key_id} was taken from the file itself: anybody could have signed it"
        )
    elif decoded_key(header.public_key) not in trusted:
        findings.add(f"it was signed with another key, {header.key_id}")


def check_previous(header: Header, source: IO[bytes], trusted: Collection[bytes], findings: Findings) -> None:
    """Whether a checkpoint follows the one in `source`."""
    try:
        before = CheckpointFile(source)
        for _ in before.leaves():
            pass
    except Unusable as problem:
        findings.add(f"the previous checkpoint cannot be used: {problem}")
        return
    if (before.header.number + 1, before.header.hash().hex()) != (header.number, header.previous):
        findings.add(f"checkpoint {header.number} does not follow that checkpoint {before.header.number}")
    if trusted and decoded_key(before.header.public_key) not in trusted:
        findings.warnings.append(
            f"the previous checkpoint was signed with another key, {before.header.key_id}; this one "
            "vouches for it"
        )


def counted(leaves: Iterator[Leaf], progress: Progress) -> Iterator[Leaf]:
    """The leaves, told about now and then."""
    count = 0
    for count, leaf in enumerate(leaves, 1):
        yield leaf
        if count % STEP == 0:
            progress(count)
    progress(count)


def conclusion(verdict: Verdict, *, recomputed: bool) -> str:
    """One line: what was proven, or that it was not.

    `recomputed`: every hash was, and not only the signed ones looked up.
    """
    if verdict.header is None:
        return verdict.findings.summary()
    h = verdict.header
    what = (
        f"Checkpoint {h.number} of {h.made_at}, {h.wallets} wallets with {h.entries} entries, signed "
        f"with key {h.key_id}"
    )
    if verdict.findings.count:
        return f"{what}: {verdict.findings.summary(most=1)}"
    how = (
        "every chain was computed anew and comes to the hash that was signed"
        if recomputed
        else "every entry that was signed is there with its hash"
    )
    return f"{what}: no difference; {how}."
