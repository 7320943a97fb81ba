"""`make evidence`: runs the tests that docs/regulation.md names, and writes what came of it to one page."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path

from config.version import read_version
from tests.evidence.page import Evidence, write_page
from tests.evidence.rules import DOCUMENT, exists, faults, named_tests, read_rules
from tests.evidence.run import Result, run_tests

PAGE = Path("var/evidence.html")


def main() -> int:
    """The exit code: 1 if a named test failed, is missing or did not run, or a row is wrong."""
    parser = ArgumentParser(prog="make evidence", description=__doc__)
    parser.add_argument("--workers", type=int, default=2, help="processes that run tests (default: 2)")
    workers = parser.parse_args().workers
    rules = read_rules(DOCUMENT.read_text())
    wrong, tests, began_at = list(faults(rules)), named_tests(rules), datetime.now(UTC)
    results = {test: Result() for test in tests}
    results.update(run_tests([test for test in tests if exists(test)], workers))
    evidence = Evidence(read_version(), began_at, datetime.now(UTC) - began_at, rules, results, wrong)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(write_page(evidence))
    print(f"\n{evidence.verdict} {PAGE}")
    for fault in wrong:
        print(fault, file=sys.stderr)
    return 0 if evidence.is_whole else 1


if __name__ == "__main__":
    sys.exit(main())
