"""Debian's Chromium, a platform that sells, and an admin."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, CHROMIUM
from tests.browser.demo_shop import Shop, open_shop
from tests.faults.platform_processes import running_platform
from tests.support.web_server import served


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of Chromium; without it the tests of this directory are skipped, but where CI=true."""
    if CHROMIUM is None and os.environ.get("CI") != "true":
        pytest.skip("there is no Chromium here: on Debian, apt install chromium-headless-shell")
    assert CHROMIUM, "CI=true, and there is no Chromium: .ci/run installs it"
    return CHROMIUM


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """One for all tests of this directory: each opens a context of its own in it, which knows nothing.

    It lives in a loop, beside which Django's ORM would refuse to work; but nothing in that loop is ours.
    """
    expect.set_options(timeout=20_000)
    with (
        pytest.MonkeyPatch.context() as environment,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS) as browser,
    ):
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield browser


@pytest.fixture(scope="module")
def shop(chromium: str, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A platform with web server, worker and beat, a game that sells, and the sandbox's providers."""
    static: Path = tmp_path_factory.mktemp("static")
    with django_db_blocker.unblock(), running_platform(durable=False) as platform:
        yield open_shop(platform, static)


@pytest.fixture(scope="package")
def office(chromium: str, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An admin that asks for second factors, by a host name: passkeys know no addresses.

    With DEBUG the files of the pages are served from where they are.
    """
    log: Path = tmp_path_factory.mktemp("office") / "log"
    given = {"DEBUG": "1", "SECOND_FACTOR_REQUIRED": "1", "TRUSTED_PROXIES": "127.0.0.1"}
    # The networks of `fresh_address`.
    given["ADMIN_ALLOWED_NETWORKS"] = "10.0.0.0/8"
    with served(log, DATABASE_URL=database_url, **given) as url:
        yield url.replace("127.0.0.1", "localhost")


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages of a browser that knows nothing.

    What a page is forbidden by its own policy fails the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def heed(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(message.text)

    def opened(size: tuple[int, int], *, scripts: bool = True, locale: str = "en-GB") -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts, locale=locale
        )
        context.set_default_timeout(20_000)
        context.on("console", heed)
        contexts.append(context)
        return context.new_page()

    yield opened
    for context in contexts:
        assert context.cookies() == []
        context.close()
    assert complaints == []
