"""`make proofs`: every fault as often as docs/reliability.md says, and its table."""

import time
from argparse import ArgumentParser, Namespace

from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.faults.platform_processes import SEED, running_platform
from tests.faults.proofs import proof
from tests.faults.proofs.all_proofs import PROOFS, why_not
from tests.faults.proofs.proof import HEAD


def run(options: Namespace) -> None:
    if options.minutes:
        proof.MOST_SECONDS = options.minutes * 60
    print(f"FAULTS_SEED={SEED}\n{HEAD}", flush=True)
    for name in options.only or PROOFS:
        prove, times = PROOFS[name]
        if problem := why_not(name):
            print(f"| {name}: left out, {problem} |", flush=True)
            continue
        began = time.monotonic()
        with running_platform(durable=True) as platform:
            row = prove(platform, max(round(times * options.share), 1)).row()
        print(f"{row} <!-- {time.monotonic() - began:.0f} s -->", flush=True)


def arguments() -> Namespace:
    parser = ArgumentParser(prog="make proofs", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PROOFS, help="these alone")
    parser.add_argument(
        "--share", type=float, default=1.0, help="of the times that each happens (default: 1)"
    )
    parser.add_argument(
        "--minutes", type=float, help="of each, after which it has had as many faults as it then has"
    )
    return parser.parse_args()


if __name__ == "__main__":
    run(arguments())
