"""Which files are mutated, and which tests are likely to notice."""

# A mutant meets these first; then all the rest, so that the order costs time and never a kill.
LIKELY: dict[str, tuple[str, ...]] = {
    "wallet/sql/base.sql": ("ledger_edges", "guards", "state_table"),
    "wallet/sql/append.sql": ("ledger_edges", "debt_and_gates", "state_table", "guards"),
    "wallet/sql/open.sql": ("ledger_edges", "refusal_order", "amounts", "debt_and_gates", "guards", "sessions", "state_table", "races"),
    "wallet/sql/settle.sql": ("ledger_edges", "debt_and_gates", "guards", "sessions", "state_table", "races"),
    "wallet/sql/query.sql": ("ledger_edges", "sessions", "guards"),
    "wallet/sql/operate.sql": ("ledger_edges", "debt_and_gates", "amounts", "entry", "guards"),
    "wallet/sql/guards.sql": ("guards",),
    "wallet/sql/call_log.sql": ("guards",),
    "wallet/money.py": ("amounts",),
    "wallet/ledger.py": ("sessions", "debt_and_gates", "failures", "races"),
    "wallet/errors.py": ("refusal_order", "debt_and_gates", "state_table"),
    "wallet/operations.py": ("debt_and_gates", "entry", "sessions"),
    "wallet/requests.py": ("requests", "amounts", "state_table"),
    "wallet/replay.py": ("audit", "debt_and_gates"),
    "wallet/chain.py": ("audit", "state_table"),
    "wallet/texts.py": ("requests",),
    "players/operations.py": ("entry", "sessions", "authentication"),
    "players/gate.py": ("authentication", "allow_list"),
    "players/addresses.py": ("allow_list",),
}
# They start servers of their own or take minutes, and show nothing that the others do not.
LEFT_OUT = frozenset({"launcher", "simulate", "bench", "admin", "description", "mutation"})


def ordered_tests(path: str, known: list[str], *, quick: bool) -> list[str]:
    """Test files for a mutant of `path`, the likely killers first (`quick`: only they); `known` are the test files there are."""
    likely = [name for name in LIKELY[path] if name in known]
    rest = [] if quick else [name for name in known if name not in likely and name not in LEFT_OUT]
    return [f"tests/test_{name}.py" for name in likely + rest]
