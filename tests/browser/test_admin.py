"""Operators' pages in a real browser: nothing on them is refused by their own policy."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page

from players.operations import put_player
from tests.browser.conftest import launched
from tests.support.admin_pages import operator
from tests.support.callers import Callers, unique
from tests.support.names import NAMES
from tests.support.web_server import served

PASSWORD = "a password of a test"
# The screen, and how many kinds of pages are opened on it.
SIZES = {"wide": (1280, 900, 45), "phone": (390, 844, 15)}
# What differs from row to row; of each kind of page one is opened.
KEY = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+|\?.*")
LEFT_OUT = ("/logout/", "/jsi18n/", "/password_change/")


@dataclass(frozen=True)
class Admin:
    """Where the admin is, who may enter, and a player whose name is long in every script."""

    url: str
    username: str
    uid: str
    nickname: str


@pytest.fixture(scope="module")
def admin(
    chromium: str, callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Admin]:
    boss = operator(is_superuser=True)
    boss.set_password(PASSWORD)
    boss.save()
    player_session = callers.player_session()
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "1.00"))
    nickname = " ".join(NAMES.values())[:24] + "\u05d0" * 40
    uid = unique("p")
    put_player(uid, attributes={"nickname": nickname}, status=None, actor="test")
    # With DEBUG the files of the pages are served from where they are.
    log = tmp_path_factory.mktemp("admin") / "log"
    with served(log, DATABASE_URL=database_url, DEBUG="1") as url:
        yield Admin(url, boss.username, uid, nickname)


def log_in(page: Page, admin: Admin) -> None:
    page.goto(f"{admin.url}/admin/")
    page.fill("input[name=username]", admin.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{admin.url}/admin/")


def visit_all(page: Page, admin: Admin, most: int) -> set[str]:
    """Opens a page of each kind that links lead to, and presses what opens something on it."""
    waiting, seen = ["/admin/"], set[str]()
    while waiting and len(seen) < most:
        place = waiting.pop(0)
        kind = KEY.sub("…", place)
        if kind in seen or any(word in place for word in LEFT_OUT):
            continue
        seen.add(kind)
        page.goto(admin.url + place)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), place
        open_everything(page)
        links = page.eval_on_selector_all("a[href^='/admin/']", "all => all.map(a => a.getAttribute('href'))")
        waiting += dict.fromkeys(links)
    return seen


def open_everything(page: Page) -> None:
    """Clicks what Alpine listens to, without leaving the page."""
    page.evaluate(
        "[...document.querySelectorAll('[x-on\\\\:click]')]"
        ".filter(one => !one.closest('a[href]') && one.getAttribute('type') !== 'submit')"
        ".slice(0, 12).forEach(one => one.click())"
    )


@pytest.mark.parametrize("size", SIZES)
def test_admin_pages__break_no_policy_in_a_browser(chromium: str, admin: Admin, size: str) -> None:
    with launched(chromium) as browser:
        width, height, most = SIZES[size]
        page = browser.new_page(viewport={"width": width, "height": height})
        complaints: list[str] = []
        page.on(
            "console",
            lambda said: complaints.append(f"{page.url} {said.text}") if said.type == "error" else None,
        )
        page.on("pageerror", lambda problem: complaints.append(f"{page.url} {problem}"))
        log_in(page, admin)
        seen = visit_all(page, admin, most)
        page.goto(f"{admin.url}/admin/players/player/?q={admin.uid}")
        shown = page.locator("bdi.wallet-name")
        assert shown.text_content() == admin.nickname
        page.goto(f"{admin.url}/api/docs/")
        page.locator(".opblock").first.wait_for()
    assert complaints == []
    assert len(seen) == most
