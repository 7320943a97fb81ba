"""An operator opens the admin and knows whether money is right: on one page, without a click."""

import os
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from players.models import Operator
from tests.browser.visits import Visit, looks, visiting
from tests.support.admin_pages import checkpoint
from tests.support.callers import PlayerSession
from tests.support.doors import with_password
from tests.support.own_database import AUDITED, OwnLedger, own_ledger
from tests.support.web_server import served
from wallet.audit.scheduled import audit_all
from wallet.job_runs import recorded
from wallet.models import Alert, JobRun


@pytest.fixture(scope="module")
def ledger(chromium: str, database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database in which money may be tampered with."""
    with own_ledger(f"{database_name}_right") as ledger:
        ledger.keep()
        checkpoint(wallets=1, entries=3)
        yield ledger


@pytest.fixture(scope="module")
def desk(ledger: OwnLedger, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The admin on that database."""
    log: Path = tmp_path_factory.mktemp("desk") / "log"
    given = {"DEBUG": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    given["CHECKPOINT_KEY"] = b64encode(os.urandom(32)).decode()
    with served(log, DATABASE_URL=ledger.url, **given) as url:
        yield url.replace("127.0.0.1", "localhost")


@pytest.fixture
def viewer(ledger: OwnLedger) -> Iterator[Operator]:
    """Who may only look, on a ledger in which nothing has happened yet."""
    yield with_password("viewer")
    ledger.restore()
    ledger.clear(Alert, JobRun, *AUDITED)


def audit() -> None:
    with recorded("audit_all") as run:
        audit_all(run)


def verdict_of(visit: Visit, title: str) -> None:
    """The page begins with this verdict."""
    expect(visit.page.locator("main").get_by_role("heading").first).to_have_text(title)


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_is_money_right__is_said_on_one_page_without_a_click(
    ledger: OwnLedger, desk: str, browser: Browser, viewer: Operator, look: str
) -> None:
    player_session: PlayerSession = ledger.callers.player_session(100_00)
    player_session.opened("withdraw", "5.00")
    with visiting(browser, desk, look) as visit:
        visit.enter(viewer)
        visit.open("/admin/")
        verdict_of(visit, "Nobody has checked the money lately")
        audit()
        visit.open("/admin/")
        verdict_of(visit, "Money is right")
        visit.shows("1 wallets, 3 entries: no difference. The sums are right in XAG.")
        visit.shows("number 1, 1 wallets, 3 entries.")
        visit.shows("No wallet is frozen.")
        assert visit.clicks == []


@pytest.mark.parametrize("look", looks("wide", "phone"))
def test_is_money_right__leads_to_a_balance_that_was_tampered_with(
    ledger: OwnLedger, desk: str, browser: Browser, viewer: Operator, look: str
) -> None:
    wallet = ledger.callers.player_session(100_00).wallet()
    ledger.owner.execute("UPDATE wallet_wallet SET spendable = spendable + 500 WHERE id = %s", [wallet.pk])
    audit()
    with visiting(browser, desk, look) as visit:
        visit.enter(viewer)
        visit.open("/admin/")
        verdict_of(visit, "Money is not right")
        visit.shows("1 wallet is frozen: nothing can be withdrawn there.")
        assert visit.clicks == []
        visit.press("Audit: a wallet differs from its journal.")
        alert = Alert.objects.get(kind="wallet_difference")
        visit.arrives(f"/admin/wallet/alert/{alert.pk}/change/")
        visit.shows(str(wallet.pk))
        assert len(visit.clicks) == 1
