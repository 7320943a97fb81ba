"""`make proofs`: every fault as often as docs/reliability.md says, and its table."""

import time
from argparse import ArgumentParser, Namespace

from tests import conftest  # noqa: F401 (first: the settings of tests)
from tests.faults.platform_processes import SEED, running_platform
from tests.faults.proofs.all_proofs import ON_SMALL_DISKS, PROOFS
from tests.faults.proofs.proof import HEAD
from tests.faults.small_disk import why_not


def run(options: Namespace) -> None:
    print(f"FAULTS_SEED={SEED}\n{HEAD}", flush=True)
    for name in options.only or PROOFS:
        prove, times = PROOFS[name]
        if name in ON_SMALL_DISKS and why_not():
            print(f"| {name}: left out, {why_not()} |", flush=True)
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
    return parser.parse_args()


if __name__ == "__main__":
    run(arguments())
