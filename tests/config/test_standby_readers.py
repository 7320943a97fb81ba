"""No decision about money reads the standby: only these modules may, and nothing that decides goes there."""

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from config.environment import BASE_DIR
from lib.clock import now
from lib.standby import ALIAS
from tests.support.admin_pages import get, operator, signed_in
from tests.support.callers import PlayerSession, unique
from tests.support.owned import owned
from tests.support.standby import noting_readers
from wallet.job_runs import Run
from wallet.models import Transaction
from wallet.settlement.sweep import settle_due

APPS = ("lib", "players", "wallet", "payments", "config", "demo")
# Who opens a block that reads the standby, and why that decides nothing.
OPENERS = {
    "lib/backoffice/pages.py": "lists, when they are opened",
    "lib/backoffice/lists.py": "lists as files",
    "config/home/page.py": "the report of money on the first page",
    "config/home/vital_signs.py": "tells how it does",
    "config/gauges.py": "tells how it does",
    "config/standby_check.py": "tells how it does",
    "wallet/admin/reports.py": "reports, their files and pages to print",
    "wallet/audit/whole.py": "the audit; what it finds is looked for at the primary",
    "wallet/management/standby_option.py": "exports of the journal and of operators' acts",
}
# Who reads by statements of their own within such a block.
READERS = {
    "config/home/figures.py",
    "lib/backoffice/lists.py",
    "players/audit_trail/chain.py",
    "wallet/audit/limits.py",
    "wallet/audit/rows.py",
    "wallet/reports/account_summary.py",
    "wallet/reports/dormant_accounts.py",
    "wallet/reports/moved.py",
    "wallet/reports/significant_money.py",
}
# They know where the present block reads, or how far a standby must have come.
TELLERS = {"lib/backoffice/standby_words.py", "lib/backoffice/own_changes.py"}


def imports(path: Path) -> Iterator[str]:
    """What a module takes from `lib.standby`; `*` if it takes all of it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "lib.standby":
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "lib":
            yield from ("*" for name in node.names if name.name == "standby")
        elif isinstance(node, ast.Import):
            yield from ("*" for name in node.names if name.name == "lib.standby")


def takers() -> dict[str, set[str]]:
    """What each module takes of it."""
    found = {
        path.relative_to(BASE_DIR).as_posix(): set(imports(path))
        for app in APPS
        for path in (BASE_DIR / app).rglob("*.py")
    }
    return {path: names for path, names in found.items() if names}


def test_standby__nobody_else_can_read_it() -> None:
    found = takers()
    assert set(found) == {*OPENERS, *READERS, *TELLERS}
    assert {path for path, names in found.items() if "STANDBY" in names} == {
        *OPENERS,
        "lib/backoffice/own_changes.py",
    }
    assert {path for path, names in found.items() if "reader" in names} == READERS
    assert not any("*" in names or "CURRENT" in names for path, names in found.items() if path not in TELLERS)


def test_standby__nobody_names_its_connection() -> None:
    """The alias in any other module would be a way around."""
    named_in = {
        path.relative_to(BASE_DIR).as_posix()
        for app in APPS
        for path in (BASE_DIR / app).rglob("*.py")
        if any(
            isinstance(node, ast.Constant) and node.value == ALIAS
            for node in ast.walk(ast.parse(path.read_text()))
        )
    }
    assert named_in == {"lib/standby.py", "config/databases.py"}


def test_standby__the_audit_alone_has_that_of_the_ledger() -> None:
    """What it finds there, nobody else can take for true."""
    paths = [path for app in APPS for path in (BASE_DIR / app).rglob("*.py")]
    users = {path.name for path in paths if "wallet.audit.whole" in path.read_text()}
    assert users == {"scheduled.py", "audit_ledger.py"}


@pytest.fixture
def noted(database: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[str]]:
    """Each time that the standby was asked."""
    with noting_readers(monkeypatch, tmp_path) as noted:
        yield noted


def test_standby__no_call_asks_it(noted: list[str], player_session: PlayerSession) -> None:
    for opening, ending in (
        ("withdraw", "confirmWithdrawal"),
        ("withdraw", "rollbackWithdrawal"),
        ("deposit", "confirmDeposit"),
        ("deposit", "rollbackDeposit"),
    ):
        mm = unique("mm")
        player_session.done(opening, mm, "1.00")
        player_session.done(ending, mm)
    for endpoint in ("verifySession", "getBalance"):
        player_session.done(endpoint)
    assert noted == []


def test_standby__no_sweep_asks_it(noted: list[str], player_session: PlayerSession) -> None:
    mm = player_session.opened("withdraw", "1.00")
    owned(Transaction).filter(mm_transaction_id=mm).update(due_at=now() - timedelta(hours=5))
    settle_due(Run("settle_due"))
    assert player_session.transaction(mm).state == "expired"
    assert noted == []


def test_standby__a_list_asks_it(noted: list[str]) -> None:
    """Or the tests above could not fail."""
    get(signed_in(operator("wallet.view_wallet")), "/admin/wallet/wallet/")
    assert noted != []
