"""`make fuzz`: changes genuine callbacks again and again, and fails where one of them counts or breaks us."""

import argparse
import random
import sys
import time
from collections.abc import Callable

from django.test.utils import setup_test_environment

from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.payments.fuzz.calls import Subject
from tests.payments.fuzz.subjects import make_subjects
from tests.payments.fuzz.trials import MOST_SHOWN, Tally, fuzz_http, fuzz_providers, fuzz_signatures
from tests.support.own_database import own_ledger
from tests.support.shop import make_shop_setup

Fuzz = Callable[[list[Subject], int, random.Random, Tally], None]
# Genuine callbacks age: each round of the whole stack has new ones.
ROUND = 2000
HTTP_SHARE, PROVIDER_SHARE = 10, 20


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument(
        "--count",
        type=int,
        default=1_000_000,
        help="changed callbacks in all; one in ten goes through the whole stack",
    )
    parser.add_argument("--seed", type=int, default=None, help="the same seed changes in the same way")
    return parser.parse_args()


def main() -> int:
    """The exit code: 1 where something counted that must not, or failed."""
    given = read_arguments()
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    dice, tally = random.Random(seed), Tally()
    through, mad = given.count // HTTP_SHARE, given.count // PROVIDER_SHARE
    print(f"seed {seed}", flush=True)
    setup_test_environment()
    with own_ledger("fuzz") as ledger:
        shop_setup = make_shop_setup(ledger.callers)

        def rounds(what: str, fuzz: Fuzz, count: int, size: int) -> None:
            began, before = time.monotonic(), tally.outcomes.copy()
            for done in range(0, count, size):
                fuzz(make_subjects(shop_setup), min(size, count - done), dice, tally)
            took = max(time.monotonic() - began, 0.001)
            print(
                f"{what}: {count} in {took:.0f} s, {count / took:.0f} a second; {tally.report(before)}",
                flush=True,
            )

        rounds("signatures", fuzz_signatures, given.count - through, 200_000)
        rounds("through the whole stack", fuzz_http, through, ROUND)
        rounds("nonsense that a provider signs", fuzz_providers, mad, ROUND)
    print(
        f"{tally.still_genuine} had changes that nobody signs, and counted; {len(tally.wrong)} are wrong",
        flush=True,
    )
    # What broke us first.
    for text in sorted(tally.wrong, key=lambda text: ": crashed" not in text)[:MOST_SHOWN]:
        print(text)
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
