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
        "wallet/ledger_tries.py",
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
    *("config/web_connection.py", "config/web_table.py", "config/web_worker.py", "config/web_reload.py"),
)
# The web server's loop: for each file, the tests that stand closest to it, the quickest first. They open
# sockets or start servers, and a folder of them takes minutes.
CLOSEST = {
    "wallet/ledger_queue.py": ["wallet/test_ledger_queue", "config/test_telemetry"],
    "wallet/call_batches.py": [
        "wallet/test_call_batches",
        "wallet/sql/test_many",
        "wallet/test_ledger_queue",
    ],
    "lib/event_loop.py": ["lib/test_event_loop", "lib/test_loop_connections", "wallet/test_ledger_queue"],
    "lib/loop_connections.py": ["lib/test_loop_connections", "wallet/test_ledger_queue"],
    "config/web_requests.py": ["config/test_web_requests", "config/test_web_connection"],
    "config/web_answers.py": ["config/test_web_answers"],
    "config/web_shares.py": ["config/test_web_shares", "config/test_web_table", "config/test_gunicorn"],
    "config/web_kinds.py": [
        "config/test_web_table_hand_over",
        "config/test_gunicorn",
        "config/test_web_kinds",
    ],
    "config/web_connection.py": [
        *("config/test_web_connection", "config/test_web_table", "config/test_web_table_hand_over"),
        *("config/test_web_requests", "config/test_web_worker"),
    ],
    "config/web_table.py": [
        "config/test_web_table",
        "config/test_web_table_hand_over",
        "config/test_web_worker",
    ],
    "config/web_worker.py": [
        *("config/test_web_worker_requests", "config/test_web_worker_run", "config/test_web_table"),
        *("config/test_web_table_hand_over", "config/test_web_worker", "config/test_web_calls"),
        "config/test_web_kinds",
    ],
    "config/web_reload.py": ["config/test_web_reload_failures", "config/test_web_reload"],
}
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
    """Test files for a mutant of `path`: the closest first, then its folder's, its app's, all others.

    `quick`: the closest alone if CLOSEST has them, else its folder's at most.
    """
    closest = [f"tests/{test}.py" for test in CLOSEST.get(path, ())]
    place = Path(path)
    # What a migration installs is tested with the functions that stand on it.
    folder = f"tests/{place.parent.as_posix().replace('/migrations', '/sql')}/"
    app = f"tests/{place.parts[0]}/"
    own = f"{folder}test_{place.stem}"
    likely = [test for test in known if test not in closest and not test.startswith(LEFT_OUT)]

    def distance(test: str) -> int:
        if test.startswith(own):
            return 0
        return 1 if test.startswith(folder) else 2 if test.startswith(app) else 3

    if quick:
        likely = [] if closest else [test for test in likely if distance(test) < 2]
    return [*closest, *sorted(likely, key=distance)]
