"""Verifies a checkpoint without Django, settings or a database.

`python -m wallet.proof CHECKPOINT --export JOURNAL --public-key B64`
"""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from wallet.proof.exported import comparing
from wallet.proof.header import Unusable, decoded_key
from wallet.proof.verification import conclusion, verify_file


def main() -> int:
    options = arguments()
    try:
        trusted = [decoded_key(options.public_key)] if options.public_key else []
        with ExitStack() as stack:
            source, journal = (
                stack.enter_context(path.open("rb")) for path in (options.file, options.export)
            )
            previous, acts = (
                stack.enter_context(path.open("rb")) if path else None
                for path in (options.previous, options.audit_trail)
            )
            verdict = verify_file(
                source, comparing(journal, acts), trusted=trusted, previous=previous, progress=tell
            )
    except (OSError, Unusable) as problem:
        print(problem, file=sys.stderr)
        return 1
    for line in [*(f"Warning: {warning}." for warning in verdict.findings.warnings), *verdict.findings.first]:
        print(line, file=sys.stderr)
    print(conclusion(verdict, recomputed=True))
    return 1 if verdict.findings.count else 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m wallet.proof",
        description="Says whether an exported journal is as a checkpoint states.",
    )
    parser.add_argument("file", type=Path, help="the checkpoint")
    parser.add_argument(
        "--export", type=Path, metavar="JOURNAL", required=True, help="a file by manage.py export_journal"
    )
    parser.add_argument(
        "--audit-trail", type=Path, metavar="ACTS", help="a file by manage.py export_audit_trail"
    )
    parser.add_argument("--public-key", metavar="B64", help="the key that must have signed it")
    parser.add_argument(
        "--previous", type=Path, metavar="FILE", help="the checkpoint before, which this one must follow"
    )
    return parser.parse_args()


def tell(count: int) -> None:
    """Shows how far it is."""
    print(f"{count} wallets", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
