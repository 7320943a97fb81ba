"""Which files are mutated, and which tests meet a mutant first.

Tests mirror the code, so their paths say it.
"""

from pathlib import Path

# Files and whole folders: what moves money, and who may ask for it.
TARGETS = (
    *(
        "wallet/sql",
        "wallet/migrations/0002_ledger_functions.sql",
        "wallet/settlement",
        "wallet/ledger.py",
        "wallet/call_batches.py",
        "wallet/ledger_queue.py",
        "wallet/operations.py",
        "wallet/money.py",
        "wallet/outages.py",
    ),
    *("wallet/audit/replay.py", "wallet/audit/hash_chain.py", "wallet/audit/daily_totals.py"),
    *("wallet/api/errors.py", "wallet/api/requests.py", "wallet/api/texts.py"),
    *(
        "payments/settlement",
        "payments/callbacks/intake.py",
        "payments/refunds",
        "payments/orders",
        "payments/deliveries/operations.py",
    ),
    *("players/operations.py", "players/access/gate.py", "lib/http/addresses.py"),
    *("lib/event_loop.py", "lib/loop_connections.py"),
    *("config/web_requests.py", "config/web_answers.py", "config/web_kinds.py", "config/web_shares.py"),
)
# They start servers of their own or take minutes, and show nothing that the others do not, but of their own
# file.
LEFT_OUT = (
    "tests/benchmarks",
    "tests/browser",
    "tests/config",
    "tests/faults",
    "tests/mutation",
    "tests/simulation",
)
NOT_MUTATED = ("__init__.py",)


def mutated_files(root: Path) -> list[str]:
    """The paths of all files that are mutated."""
    places = [root / target for target in TARGETS]
    files = [path for place in places for path in (sorted(place.iterdir()) if place.is_dir() else [place])]
    chosen = [path for path in files if path.suffix in (".py", ".sql") and path.name not in NOT_MUTATED]
    return [path.relative_to(root).as_posix() for path in chosen]


def ordered_tests(path: str, known: list[str], *, quick: bool) -> list[str]:
    """Test files for a mutant of `path`: its own first, then its folder's, its app's, all others.

    `quick`: its folder's at most.
    """
    place = Path(path)
    # What a migration installs is tested with the functions that stand on it.
    folder = f"tests/{place.parent.as_posix().replace('/migrations', '/sql')}/"
    app = f"tests/{place.parts[0]}/"
    own = f"{folder}test_{place.stem}"
    likely = [test for test in known if test.startswith(own) or not test.startswith(LEFT_OUT)]

    def distance(test: str) -> int:
        if test.startswith(own):
            return 0
        return 1 if test.startswith(folder) else 2 if test.startswith(app) else 3

    return sorted((test for test in likely if not quick or distance(test) < 2), key=distance)
