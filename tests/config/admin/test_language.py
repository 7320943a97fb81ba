"""Operators read their pages in English or German; nobody else notices."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from lib.backoffice.languages import _
from players.approvals.kinds import Change, Preview, Subject
from players.models import AuditEvent, Operator, Player
from tests.support.admin_pages import address, get, page, rows_of, sent, signed_in
from tests.support.callers import Caller, PlayerSession
from wallet.models import Wallet

LANGUAGE = "/admin/language/"


def german(client: Client) -> Client:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "de"
    return client


def test_language__is_chosen_by_a_button_and_outlasts_the_log_out(boss: Operator) -> None:
    client = signed_in(boss)
    assert '<html lang="en"' in get(client, "/admin/")
    response = client.post(LANGUAGE, {"language": "de", "next": "/admin/find/?q=x"})
    assert (response.status_code, response["Location"]) == (302, "/admin/find/?q=x")
    cookie = response.cookies["language"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/admin/", True, "Lax")
    assert '<html lang="de"' in get(client, "/admin/")
    client.post("/admin/logout/")
    response = client.get("/admin/login/")
    assert '<html lang="de"' in response.content.decode()
    assert response["Content-Language"] == "de"


def test_language__that_nobody_speaks_is_refused(client: Client) -> None:
    for unknown in ("fr", "de-x", "", "../de"):
        response = client.post(LANGUAGE, {"language": unknown})
        assert (response.status_code, response.cookies.get("language")) == (400, None)
    client.cookies["language"] = "fr"
    assert '<html lang="en"' in get(client, "/admin/")


def test_language__is_changed_by_a_form_of_ours_alone(boss: Operator) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(boss)
    assert strict.post(LANGUAGE, {"language": "de"}).status_code == 403
    assert strict.get(LANGUAGE).status_code == 405


@pytest.mark.parametrize("place", ["https://elsewhere.example/", "//elsewhere.example/", "/checkout/x", ""])
def test_language__leads_back_to_pages_of_the_admin_alone(client: Client, place: str) -> None:
    response = client.post(LANGUAGE, {"language": "de", "next": place})
    assert response["Location"] == "/admin/"


def test_language__is_at_first_the_browsers() -> None:
    page = Client().get("/admin/login/", headers={"Accept-Language": "fr, de-AT;q=0.8, en;q=0.5"})
    assert '<html lang="de"' in page.content.decode()
    assert page["Vary"].count("Accept-Language") == 1


def test_language__of_a_page_is_not_the_next_callers(
    client: Client, callers: Any, player_session: PlayerSession
) -> None:
    def refusals() -> list[tuple[int, bytes]]:
        refused = Caller(None).send("POST", "/wallet/withdraw", b"{}")
        unknown = callers.front.send("PUT", "/entry/players/x", b"[]")
        plain = Client().get("/admin-of-nobody/")
        return [(refused.status, refused.body), (unknown.status, unknown.body), (404, plain.content)]

    before = refusals()
    assert '<html lang="de"' in get(german(client), "/admin/")
    assert translation.get_language() == "en"
    assert refusals() == before
    # A browser that asks for German gets the API's English, too.
    assert german(client).get("/wallet/none").content == Client().get("/wallet/none").content


def test_language__of_a_failure_is_the_operators(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, *args: object, **kwargs: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("players.admin.players.PlayerAdmin.get_queryset", broken)
    german(client).raise_request_exception = False
    for place, status in (("/admin/nowhere/", 404), (address(Player), 500)):
        response = client.get(place)
        assert (response.status_code, response["Content-Language"]) == (status, "de")
        assert '<html lang="de"' in response.content.decode()


def test_pages__open_in_german_all_of_them(client: Client, story: PlayerSession) -> None:
    german(client)
    for model, rows in rows_of(story).items():
        for place in (address(model), page(model, rows[0]), address(model, "history", rows[0].pk)):
            assert '<html lang="de"' in get(client, place), place


def test_act__is_recorded_in_english_and_told_in_german(
    client: Client, story: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wallet.admin.wallet_actions.Freeze.do", lambda self, act: _("Nothing was changed."))
    place = page(Wallet, story.wallet(), "freeze")
    sent(german(client), place, reason="Ticket 7")
    event = AuditEvent.objects.order_by("-pk")[0]
    assert (event.action, event.outcome, event.note) == ("freeze", "done", "Nothing was changed.")
    assert "Nichts wurde geändert." in get(client, page(Wallet, story.wallet()))


def test_effect__reads_the_same_in_any_language() -> None:
    change = Change(_("State"), _("active"), _("deactivated"))
    effect = Preview(Subject("players.game", "1", "x"), [change], [_("Nothing was changed.")])
    with translation.override("de"):
        assert str(effect.says[0]) == "Nichts wurde geändert."
        digest = effect.digest
    assert digest == effect.digest


def test_home__says_the_verdict_in_german(client: Client) -> None:
    text = get(german(client), "/admin/")
    assert "Das Geld" in text
    assert "Nobody has checked" not in text
    assert "Money is" not in text
