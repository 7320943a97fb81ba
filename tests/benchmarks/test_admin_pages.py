"""What the benchmark of operators' pages opens, and that it counts."""

import pytest

from benchmarks.admin_pages import Page, opened, pages_of_list, see
from tests.support.admin_pages import operator, signed_in
from tests.support.callers import PlayerSession
from wallet.models import Transaction

LABEL = "wallet.transaction"


def test_pages_of_list__are_list_filters_searches_and_a_row(player_session: PlayerSession) -> None:
    player_session.opened("withdraw", "3.00")
    browser = signed_in(operator(is_superuser=True))
    found = {page.name: page.path for page in pages_of_list(browser, LABEL, Transaction)}
    assert found[f"{LABEL}: list"] == "/admin/wallet/transaction/"
    filters = [path for name, path in found.items() if "search" not in name and "/?" in path]
    assert "/admin/wallet/transaction/?unfinished=pending" in filters
    assert found[f"{LABEL}: search of nothing that is there"].endswith("?q=nobody-has-this-name")
    assert found[f"{LABEL}: page"].endswith("/change/")
    assert all(opened(browser, Page(name, path)).status_code == 200 for name, path in found.items())


def test_see__tells_time_and_queries_of_the_slowest() -> None:
    seen = see(signed_in(operator(is_superuser=True)), Page("games", "/admin/players/game/"))
    assert (seen.name, seen.queries > 3, 0 < seen.ms < 60_000) == ("games", True, True)


def test_opened__ends_the_benchmark_where_a_page_fails() -> None:
    with pytest.raises(SystemExit, match="was answered 404"):
        opened(signed_in(operator(is_superuser=True)), Page("none", "/admin/none/"))
