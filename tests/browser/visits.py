"""Operators at their pages in a browser: what is shown fits, everybody can use it, no policy is broken."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, expect

from players.models import Operator
from tests.support.callers import fresh_address
from tests.support.doors import PASSWORD, come_in

WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
# Wide is light and a phone is dark, where nothing else is said.
LOOKS = ("wide", "phone", "wide dark", "phone light")
# Where pictures of each page go, for whoever wants to look at them: make the folder.
PICTURES = Path("var/pictures")
AXE = Axe()
# What it would load of style sheets is for a rule that is still on trial.
QUICKLY = {"resultTypes": ["violations"], "preload": False}

# The elements that reach beyond the screen, where the page can be moved sideways by them.
TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > innerWidth)
        .slice(0, 12).map((element) => element.outerHTML.slice(0, 160))"""


def looks(*short: str) -> list[Any]:
    """All looks, for a test that has these few in every run, and the others with LONG=1."""
    return [pytest.param(look, marks=[] if look in short else pytest.mark.long) for look in LOOKS]


@dataclass
class Visit:
    """A browser of its own."""

    page: Page
    url: str
    look: str
    complaints: list[str] = field(default_factory=list)
    clicks: list[str] = field(default_factory=list)

    def complain(self, of: str) -> None:
        self.complaints.append(f"{self.page.url} {of}")

    @property
    def is_wide(self) -> bool:
        return "wide" in self.look

    def open(self, place: str) -> None:
        self.page.goto(self.url + place)

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        """Opens the log-in, and sends it."""
        self.open("/admin/")
        self.send_log_in(name, password)

    def send_log_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("#login-form button[type=submit]")

    def enter(self, who: Operator) -> None:
        """Is logged in, without the log-in's pages."""
        cookie = come_in(who).cookies["sessionid"].value
        self.page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.url}])

    def press(self, name: str) -> None:
        """Clicks a button or a link, which counts."""
        self.clicks.append(name)
        button = self.page.get_by_role("button", name=name, exact=True)
        button.or_(self.page.get_by_role("link", name=name, exact=True)).first.click()

    def begin(self, action: str) -> None:
        """Clicks an action of the page, which a phone has in a menu."""
        if not self.is_wide:
            self.press("Actions")
        self.press(action)

    def arrives(self, place: str) -> None:
        self.page.wait_for_url(self.url + place)

    def shows(self, words: str | re.Pattern[str]) -> None:
        """The page says so, and is as it has to be."""
        expect(self.page.locator("body")).to_contain_text(words)
        self.is_sound()
        if PICTURES.is_dir():
            name = re.sub(r"\W+", "-", f"{self.look}-{words}")[:60]
            self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def fits(self) -> None:
        """Nothing is wider than the screen, or what is has its name in the failure."""
        too_wide = self.page.evaluate(TOO_WIDE)
        assert not too_wide, f"{self.page.url}: {too_wide}"

    def is_sound(self) -> None:
        """The page fits, and axe-core finds nothing."""
        # An icon is a word until its font is there; and no font is awaited before the page is laid out.
        self.page.wait_for_load_state()
        self.page.evaluate("document.body.offsetWidth, document.fonts.ready.then(() => true)")
        self.fits()
        found = AXE.run(self.page, options=QUICKLY)
        assert not found.violations_count, f"{self.page.url}: {found.generate_report()}"


@contextmanager
def visiting(
    browser: Browser, url: str, look: str = "wide", address: str = "", zone: str = "UTC"
) -> Iterator[Visit]:
    """A visit to the admin in one of `LOOKS`, from an address and a time zone, until the block ends."""
    context = browser.new_context(
        viewport=WIDE if "wide" in look else PHONE,
        color_scheme="dark" if look in ("phone", "wide dark") else "light",
        extra_http_headers={"X-Forwarded-For": address or fresh_address()},
        timezone_id=zone,
        # What is still fading in has no contrast yet.
        reduced_motion="reduce",
    )
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), url, look)
    visit.page.on("console", lambda said: visit.complain(said.text) if said.type == "error" else None)
    visit.page.on("pageerror", lambda problem: visit.complain(str(problem)))
    yield visit
    context.close()
    assert visit.complaints == [], visit.complaints
