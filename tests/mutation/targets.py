"""Which files are mutated, and which tests are likely to notice."""

from pathlib import Path

# A mutant meets these first; then all the rest, so that the order costs time and never a kill.
LIKELY: dict[str, tuple[str, ...]] = {
    "wallet/sql/base.sql": ("ledger_edges", "guards", "state_table"),
    "wallet/sql/append.sql": ("ledger_edges", "debt_and_gates", "state_table", "guards"),
    "wallet/sql/open.sql": ("ledger_edges", "edges_of_locking", "refusal_order", "amounts", "debt_and_gates", "guards", "sessions", "state_table", "races"),
    "wallet/sql/settle.sql": ("ledger_edges", "debt_and_gates", "state_table", "guards", "sessions", "edges_of_locking", "races"),
    "wallet/sql/query.sql": ("ledger_edges", "sessions", "guards"),
    "wallet/sql/operate.sql": ("ledger_edges", "edges_of_locking", "debt_and_gates", "amounts", "entry", "guards"),
    "wallet/sql/guards.sql": ("guards", "ledger_edges"),
    "wallet/sql/call_log.sql": ("guards", "edges_of_locking", "ledger_edges"),
    "wallet/sql/sweep.sql": ("settling",),
    "wallet/sql/post.sql": ("posting", "payments/money", "payments/refunds"),
    "wallet/settling/rules.py": ("settling",),
    "wallet/settling/inquiries.py": ("settling",),
    "wallet/settling/due.py": ("settling",),
    "wallet/settling/asking.py": ("settling",),
    "wallet/outages.py": ("settling",),
    "wallet/folding.py": ("folding",),
    "wallet/money.py": ("amounts", "edges_of_operations"),
    "wallet/ledger.py": ("edges_of_retries", "sessions", "debt_and_gates", "failures", "races"),
    "wallet/errors.py": ("refusal_order", "debt_and_gates", "state_table"),
    "wallet/operations.py": ("edges_of_operations", "debt_and_gates", "entry", "sessions"),
    "wallet/requests.py": ("requests", "edges_of_operations", "amounts", "state_table"),
    "wallet/replay.py": ("replay", "audit", "tampering", "debt_and_gates"),
    "wallet/chain.py": ("replay", "audit", "state_table"),
    "wallet/texts.py": ("requests", "edges_of_operations"),
    "payments/rules.py": (
        *("payments/matrix", "payments/money", "payments/refunds", "payments/callbacks", "payments/order_notify"),
        *("payments/attacks", "payments/stripe_money", "payments/orders_model"),
    ),
    "payments/acting.py": ("payments/matrix", "payments/callbacks", "payments/money"),
    "payments/returning.py": ("payments/matrix", "payments/money", "payments/refunds"),
    "payments/postings.py": ("payments/matrix", "payments/money", "payments/auditing"),
    "payments/refunding.py": ("payments/refunds",),
    "payments/deliveries.py": ("payments/deliveries",),
    "payments/orders.py": ("payments/orders",),
    "players/operations.py": ("edges_of_operations", "entry", "sessions", "authentication"),
    "players/gate.py": ("authentication", "allow_list", "edges_of_operations"),
    "players/addresses.py": ("allow_list",),
}
# They start servers of their own or take minutes, and show nothing that the others do not.
LEFT_OUT = frozenset({"launcher", "simulate", "bench", "admin", "description", "mutation"})


def ordered_tests(path: str, known: list[str], *, quick: bool) -> list[str]:
    """Test files for a mutant of `path`, the likely killers first (`quick`: only they); `known` are those there are, by their short names."""
    likely = [name for name in LIKELY[path] if name in known]
    rest = [] if quick else [name for name in known if name not in likely and name not in LEFT_OUT]
    return [file_of(name) for name in likely + rest]


def file_of(name: str) -> str:
    """The test file of a short name: `money` is tests/test_money.py, `payments/money` is tests/payments/test_money.py."""
    folder, slash, stem = name.rpartition("/")
    return f"tests/{folder}{slash}test_{stem}.py"


def name_of(path: Path) -> str:
    """The short name of a test file."""
    folder = path.parent.relative_to("tests")
    return (folder / path.stem.removeprefix("test_")).as_posix()
