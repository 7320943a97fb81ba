"""Operators at their doors in a real browser: app, passkey, lock-out, and the end of a session."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django_otp.oath import hotp
from playwright.sync_api import Page, expect

from players.models.logins import STEP_SECONDS
from tests.browser.conftest import launched
from tests.conftest import Clock
from tests.support.callers import Callers, fresh_address
from tests.support.doors import PASSWORD, with_password
from tests.support.web_server import served

SIZES = {"wide": ((1280, 900), "light"), "phone": ((390, 844), "dark")}
# The small screen takes as long again.
EACH_SIZE = ["wide", pytest.param("phone", marks=pytest.mark.long)]
# Where pictures of each page go, for whoever wants to look at them.
PICTURES = Path("var/pictures")


@pytest.fixture(scope="module")
def doors(
    chromium: str, callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An admin that asks for second factors, by a host name: passkeys know no addresses."""
    log = tmp_path_factory.mktemp("doors") / "log"
    given = {"DATABASE_URL": database_url, "DEBUG": "1", "SECOND_FACTOR_REQUIRED": "1"}
    with served(log, **given, TRUSTED_PROXIES="127.0.0.1") as url:
        yield url.replace("127.0.0.1", "localhost")


class Visit:
    """A browser of its own at one size; nothing on its pages breaks their policy."""

    def __init__(self, page: Page, url: str, size: str) -> None:
        self.page, self.url, self.size = page, url, size
        self.complaints: list[str] = []
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda problem: self.complaints.append(str(problem)))

    def log_in(self, name: str, password: str = PASSWORD) -> None:
        self.page.goto(f"{self.url}/admin/")
        self.page.fill("input[name=username]", name)
        self.page.fill("input[name=password]", password)
        self.page.click("#login-form button[type=submit]")

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).or_(
            self.page.get_by_role("link", name=name, exact=True)
        ).first.click()

    def shows(self, words: str | re.Pattern[str]) -> None:
        expect(self.page.locator("body")).to_contain_text(words)
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), self.page.url
        if PICTURES.is_dir():
            name = re.sub(r"\W+", "-", str(words))[:40]
            self.page.screenshot(path=PICTURES / f"{self.size}-{name}.png", full_page=True)


def visiting(chromium: str, url: str, size: str, act: Callable[[Visit], None]) -> None:
    with launched(chromium) as browser:
        (width, height), scheme = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            extra_http_headers={"X-Forwarded-For": fresh_address()},
        )
        context.set_default_timeout(15_000)
        visit = Visit(context.new_page(), url, size)
        act(visit)
        assert visit.complaints == []


def code_of(secret: bytes) -> str:
    return f"{hotp(secret, int(time.time()) // STEP_SECONDS):06d}"


@pytest.mark.parametrize("size", EACH_SIZE)
def test_authenticator_app__is_set_up_and_then_asked_for(chromium: str, doors: str, size: str) -> None:
    who = with_password("viewer", "finance").username

    def act(visit: Visit) -> None:
        page = visit.page
        visit.log_in(who)
        visit.shows("Your role needs a second factor")
        visit.press("Set up")
        visit.shows("Scan this picture")
        key = (page.locator("#secret").text_content() or "").replace(" ", "")
        page.fill("input[name=code]", code_of(base64.b32decode(key)))
        visit.press("Confirm")
        visit.press("Make recovery codes")
        visit.shows("They are shown only now")
        (first, *_), left = page.locator("#codes li").all_text_contents(), "9 left"
        visit.press("I have kept them")
        page.wait_for_url(f"{visit.url}/admin/")
        page.goto(f"{visit.url}/admin/account/factors/")
        visit.shows("10 left")
        page.context.clear_cookies()
        visit.log_in(who)
        visit.shows("6 digits from your authenticator app")
        page.fill("input[name=factor_code]", "no-such-code")
        visit.press("Go on")
        visit.shows("This code is wrong")
        page.fill("input[name=factor_code]", first)
        visit.press("Go on")
        page.wait_for_url(f"{visit.url}/admin/")
        page.goto(f"{visit.url}/admin/account/factors/")
        visit.shows(left)
        page.goto(f"{visit.url}/admin/account/sessions/")
        visit.shows("(this session)")
        visit.press("End all others")
        visit.shows("One session has ended.")

    visiting(chromium, doors, size, act)


@pytest.mark.parametrize("size", EACH_SIZE)
def test_passkey__is_made_and_then_lets_in(chromium: str, doors: str, size: str) -> None:
    who = with_password("viewer", "finance").username

    def act(visit: Visit) -> None:
        page = visit.page
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
        options |= {"hasUserVerification": True, "isUserVerified": True}
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        visit.log_in(who)
        visit.press("Add a passkey")
        visit.shows("Your browser asks where to keep the passkey")
        visit.press("Make a passkey")
        visit.shows("Recovery codes let you in")
        visit.press("Later")
        page.wait_for_url(f"{visit.url}/admin/")
        page.context.clear_cookies()
        visit.log_in(who)
        visit.press("Use a passkey")
        page.wait_for_url(f"{visit.url}/admin/")
        page.goto(f"{visit.url}/admin/account/factors/")
        visit.shows(re.compile("Passkey of .*, last used"))

    visiting(chromium, doors, size, act)


def test_lock_out__says_how_long(chromium: str, doors: str) -> None:
    who = with_password("viewer").username

    def act(visit: Visit) -> None:
        for _ in range(3):
            visit.log_in(who, "wrong")
            visit.shows("Please enter the correct username and password")
        visit.log_in(who, "wrong")
        visit.shows(re.compile(r"Too many failed log-ins\. Try again in 1 second|Please enter the correct"))

    visiting(chromium, doors, "phone", act)


def test_session__not_used_ends_and_says_so(chromium: str, doors: str, clock: Clock) -> None:
    who = with_password("viewer").username

    def act(visit: Visit) -> None:
        visit.log_in(who)
        visit.page.wait_for_url(f"{visit.url}/admin/")
        clock.go_ahead(timedelta(minutes=31))
        visit.page.goto(f"{visit.url}/admin/players/player/")
        visit.shows("Your session ended because it was not used for 30 minutes. Log in again.")
        visit.page.fill("input[name=username]", who)
        visit.page.fill("input[name=password]", PASSWORD)
        visit.page.click("#login-form button[type=submit]")
        visit.page.wait_for_url(f"{visit.url}/admin/players/player/")

    visiting(chromium, doors, "wide", act)
