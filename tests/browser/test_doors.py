"""Operators at their doors in a real browser: app, passkey, lock-out, and the end of a session."""

import base64
import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from playwright.sync_api import Error as PlaywrightError

from players.logins.attempts import LOCKS, begin_login
from players.models import Operator
from tests.browser.visits import looks, visiting
from tests.conftest import Clock
from tests.support.callers import PlayerSession, fresh_address, unique
from tests.support.doors import PASSWORD, code_now, with_password


def with_factor_due() -> Operator:
    """Somebody whose role needs a second factor, who has none yet."""
    return with_password("viewer", "finance")


@pytest.mark.parametrize("look", looks("wide"))
def test_authenticator_app__is_set_up_and_then_asked_for(office: str, browser: Browser, look: str) -> None:
    who = with_factor_due().username
    with visiting(browser, office, look) as visit:
        page = visit.page
        visit.open("/admin/")
        visit.shows("Quantum Wallet")
        visit.send_log_in(who)
        visit.shows("Your role needs a second factor")
        visit.press("Set up")
        visit.shows("Scan this picture")
        secret = base64.b32decode((page.locator("#secret").text_content() or "").replace(" ", ""))
        page.fill("input[name=code]", code_now(secret))
        visit.press("Confirm")
        visit.shows("Recovery codes let you in")
        visit.press("Make recovery codes")
        visit.shows("They are shown only now")
        first = page.locator("#codes li").all_text_contents()[0]
        visit.press("I have kept them")
        visit.arrives("/admin/")
        visit.open("/admin/account/factors/")
        visit.shows("10 left")
        page.context.clear_cookies()
        visit.log_in(who)
        visit.shows("6 digits from your authenticator app")
        page.fill("input[name=factor_code]", "no-such-code")
        visit.press("Go on")
        visit.shows("This code is wrong")
        page.fill("input[name=factor_code]", first)
        visit.press("Go on")
        visit.arrives("/admin/")
        visit.open("/admin/account/factors/")
        visit.shows("9 left")
        page.context.clear_cookies()
        visit.log_in(who)
        # Each code is good once, and that of the next half minute is good already.
        page.fill("input[name=factor_code]", code_now(secret, 1))
        visit.press("Go on")
        visit.arrives("/admin/")
        visit.open("/admin/account/sessions/")
        visit.shows("(this session)")
        visit.press("End all others")
        visit.shows("2 sessions have ended.")


def give_virtual_authenticator(page: Page) -> None:
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
    options |= {"hasUserVerification": True, "isUserVerified": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


@pytest.mark.parametrize("look", looks("phone"))
def test_passkey__is_made_and_then_lets_in(office: str, browser: Browser, look: str) -> None:
    who = with_factor_due().username
    with visiting(browser, office, look) as visit:
        give_virtual_authenticator(visit.page)
        visit.log_in(who)
        visit.press("Add a passkey")
        visit.shows("Your browser asks where to keep the passkey")
        visit.press("Make a passkey")
        visit.shows("Recovery codes let you in")
        visit.press("Later")
        visit.arrives("/admin/")
        visit.page.context.clear_cookies()
        visit.log_in(who)
        visit.shows("Use a passkey")
        visit.press("Use a passkey")
        visit.arrives("/admin/")
        visit.open("/admin/account/factors/")
        visit.shows(re.compile("Passkey of .*, last used"))


@pytest.mark.parametrize("look", looks("phone"))
def test_lock_out__says_how_long_and_then_lets_in(
    office: str, browser: Browser, clock: Clock, look: str
) -> None:
    who, address = with_password("viewer").username, fresh_address()
    # Each try waits for the delay that the failures before it have brought.
    for failures in range(LOCKS - 1):
        clock.go_ahead(timedelta(minutes=3 * failures))
        assert begin_login(who, address).wait == 0
    with visiting(browser, office, look, address) as visit:
        visit.log_in(who, "wrong")
        visit.shows(re.compile(r"Too many failed log-ins\. Try again in \d+ seconds"))
        clock.go_ahead(timedelta(minutes=3 * LOCKS))
        visit.send_log_in(who, "wrong")
        visit.shows("Please enter the correct username and password")
        visit.send_log_in(who)
        visit.shows("Too many failed log-ins. Try again in 15 minutes.")
        clock.go_ahead(timedelta(minutes=3 * LOCKS + 16))
        visit.send_log_in(who)
        visit.arrives("/admin/")


@pytest.mark.parametrize("look", looks("wide"))
def test_session__not_used_ends_and_leads_back_to_the_same_page(
    office: str, browser: Browser, clock: Clock, player_session: PlayerSession, look: str
) -> None:
    who = with_password("viewer")
    listed = "/admin/players/player/"
    with visiting(browser, office, look) as visit:
        visit.log_in(who.username)
        visit.arrives("/admin/")
        visit.open(f"{listed}?q={player_session.player.uid}")
        clock.go_ahead(timedelta(minutes=31))
        visit.page.get_by_role("link", name=player_session.player.uid).click()
        visit.shows("Your session ended because it was not used for 30 minutes. Log in again.")
        visit.send_log_in(who.username)
        kept = f"?_changelist_filters=q%3D{player_session.player.uid}"
        visit.arrives(f"{listed}{player_session.player.pk}/change/{kept}")
        visit.shows(player_session.player.uid)


def test_admin__gives_other_networks_no_answer(office: str, browser: Browser) -> None:
    with visiting(browser, office, address="203.0.113.9") as visit:
        for place in ("/admin/", "/admin/login/", "/admin/new-password/"):
            with pytest.raises(PlaywrightError, match="socket hang up"):
                visit.page.request.get(visit.url + place)
        assert visit.page.request.get(f"{visit.url}/api/docs/").ok
        with pytest.raises(PlaywrightError, match="ERR_EMPTY_RESPONSE"):
            visit.open("/admin/")
    with visiting(browser, office) as visit:
        visit.open("/admin/")
        assert visit.page.locator("#login-form").is_visible()


@pytest.mark.parametrize("look", looks("phone"))
def test_new_operator__comes_in_by_a_link_that_two_people_made(
    office: str, browser: Browser, look: str
) -> None:
    name = unique("new")
    with visiting(browser, office, look) as first, visiting(browser, office, look) as second:
        first.enter(with_password("administrator", "viewer"))
        first.open("/admin/players/operator/add/")
        first.page.fill("input[name=username]", name)
        first.page.get_by_label("viewer").check()
        first.page.fill("input[name=reason]", "New in the office")
        first.press("Save")
        first.shows("only once")
        link = (first.page.locator("#link").text_content() or "").strip()
        second.enter(with_password("administrator", "viewer"))
        second.open("/admin/players/approval/")
        second.page.get_by_role("link").filter(has_text=name).click()
        second.begin("Approve")
        second.shows(name)
        second.press("Approve")
        second.shows(f"The log-in link of {name} works from now on")
        code = (second.page.locator("#code").text_content() or "").strip()
        second.page.get_by_role("link", name="I have copied it").click()
        expect(second.page.locator("body")).not_to_contain_text(f"{name} (")
    with visiting(browser, office, look) as visit:
        visit.open(link.removeprefix(office))
        visit.shows("Choose your password")
        assert "#" not in visit.page.url
        visit.page.fill("input[name=code]", code)
        visit.page.fill("input[name=password]", PASSWORD)
        visit.page.fill("input[name=again]", PASSWORD)
        visit.press("Set the password")
        visit.send_log_in(name)
        visit.arrives("/admin/")
