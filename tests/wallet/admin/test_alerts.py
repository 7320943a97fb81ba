"""Alerts: found, resolved with a reason, and told on every page until then."""

import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import reverse

from players.models import AuditEvent, Operator
from tests.support.admin_pages import (
    address,
    alert,
    by_two,
    doubted,
    find,
    get,
    operator,
    page,
    queries,
    sent,
    signed_in,
)
from tests.support.callers import Callers, PlayerSession, unique
from wallet.admin.alert_meanings import MEANINGS
from wallet.admin.attention import Attention, banner, words
from wallet.admin.discrepancy_words import MEANINGS as CONTRADICTIONS
from wallet.admin.review_reasons import DOUBTS
from wallet.alerts import raise_alert
from wallet.models import Alert, AlertMessage, Currency, Discrepancy, Inquiry, Wallet

CRITICAL = "wallet-banner-critical"


def listed(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"/admin/wallet/alert/([0-9a-f-]{36})/change/", text)))


def test_alert__has_words_for_alert_doubt_and_discrepancy_kinds() -> None:
    assert set(MEANINGS) == set(Alert.Kind)
    assert set(DOUBTS) == set(Inquiry.Doubt)
    assert set(CONTRADICTIONS) == set(Discrepancy.Kind)


def test_alert_list__shows_open_first_and_critical_before_all(client: Client) -> None:
    bad, worse, new = alert(), alert("ledger_difference"), alert("game_forgets")
    done = alert(resolved_at=new.raised_at, resolved_by="operator:x", reason="r")
    text = get(client, address(Alert))
    assert listed(text) == [str(row.pk) for row in (worse, new, bad)]
    assert str(done.pk) in listed(get(client, f"{address(Alert)}?state=resolved"))
    ours = {str(row.pk) for row in (bad, worse, new, done)}
    every = [id for id in listed(get(client, f"{address(Alert)}?state=all")) if id in ours]
    assert every == [str(row.pk) for row in (done, new, worse, bad)]
    assert listed(find(client, Alert, done.subject)) == [str(done.pk)]


def test_alert_list__says_so_if_empty(client: Client) -> None:
    assert "No alert is open." in get(client, address(Alert))


def test_alert__page_says_who_was_told(client: Client) -> None:
    row = alert()
    assert "Nobody: when it was raised, no channel was set up" in get(client, page(Alert, row))
    for mail, problem in (("mia@example.com", ""), ("", "status 503")):
        AlertMessage.objects.create(
            alert=row,
            channel="email" if mail else "webhook",
            address=mail,
            created_at=row.raised_at,
            raised_told_at=row.raised_at if mail else None,
            attempts=3,
            problem=problem,
        )
    text = get(client, page(Alert, row))
    assert "mia@example.com" in text
    assert "status 503 (attempt 3)" in text
    assert "webhook" in text


def test_alert__resolving_asks_first_and_keeps_reason_and_name(client: Client, boss: Operator) -> None:
    row = alert()
    place = page(Alert, row, "resolve")
    get(client, place)
    assert b"This field is required" in client.post(place, {"reason": " "}).content
    row.refresh_from_db()
    assert row.resolved_at is None
    assert client.post(place, {"reason": "The disk was full"}).status_code == 302
    row.refresh_from_db()
    first = (row.resolved_at, row.resolved_by, row.reason)
    assert first[1:] == (f"operator:{boss.username}", "The disk was full")
    assert "was resolved already" in client.post(place, {"reason": "Other"}, follow=True).content.decode()
    row.refresh_from_db()
    assert (row.resolved_at, row.resolved_by, row.reason) == first
    assert AuditEvent.objects.filter(subject_id=str(row.pk), reason="The disk was full").exists()
    text = get(client, page(Alert, row))
    assert "The disk was full" in text
    assert f"{page(Alert, row, 'resolve')}" not in text


def test_alert__is_not_resolved_by_whoever_it_tells_of(
    client: Client, second: Client, boss: Operator, player_session: PlayerSession
) -> None:
    """Who has made money, or opened a way to it, would see to it that nobody hears of that."""
    wallet = player_session.wallet()
    given = {"type": "credit", "amount": "5.00"}
    approval = by_two(client, second, page(Wallet, wallet, "adjust"), **given)
    act = AuditEvent.objects.get(approval_id=approval.pk)
    told = [
        alert("money_by_hand", subject=str(approval.pk)),
        alert("money_by_hand", subject=f"{wallet.currency_id} {approval.requested_at:%Y-%m-%d}"),
        alert("access_changed", subject=str(act.pk)),
        alert("lock_out", subject=boss.username),
    ]
    for row in told:
        place = page(Alert, row, "resolve")
        assert "what you did yourself" in client.post(place, {"reason": "r"}, follow=True).content.decode()
        row.refresh_from_db()
        assert row.resolved_at is None, row.kind
        assert second.post(place, {"reason": "r"}).status_code == 302
        row.refresh_from_db()
        assert row.resolved_at, row.kind
    refused = AuditEvent.objects.filter(action="resolve", subject_id=str(told[0].pk), outcome="refused")
    assert refused.get().operator == boss


def test_alert__resolving_difference_accepts_it_and_keeps_freeze(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    wallet = player_session.wallet()
    client.post(page(Wallet, wallet, "freeze"), {"reason": "audit"})
    raise_alert("wallet_difference", str(wallet.pk), "spendable is 1 and follows as 2", wallet=wallet)
    row = Alert.objects.get(subject=str(wallet.pk))
    text = get(client, page(Alert, row))
    assert page(Wallet, wallet) in text
    assert "Its withdrawals are frozen until an operator unfreezes the wallet" in text
    # Not by one person, whatever is sent.
    assert client.post(page(Alert, row, "resolve"), {"reason": "r"}).status_code == 302
    assert Alert.objects.get(pk=row.pk).resolved_at is None
    asked = get(client, page(Alert, row, "accept"))
    assert "Resolving accepts this difference" in asked
    assert "It does not unfreeze the wallet" in asked
    before = player_session.holding()
    by_two(client, second, page(Alert, row, "accept"), reason="Put right by hand")
    assert Alert.objects.get(pk=row.pk).resolved_at is not None
    assert (player_session.wallet().frozen_at is not None, player_session.holding()) == (True, before)
    assert listed(find(client, Alert, player_session.player.uid)) == [str(row.pk)]
    assert listed(find(client, Alert, player_session.token)) == [str(row.pk)]


def test_alert__is_taken_by_an_operator_and_that_is_recorded(client: Client, boss: Operator) -> None:
    row, other = alert(), alert()
    place = page(Alert, row, "assign")
    assert place in get(client, page(Alert, row))
    sent(client, place, owner=str(boss.pk))
    row.refresh_from_db()
    assert row.owner == boss
    told = AuditEvent.objects.get(subject_id=str(row.pk), action="assign")
    assert told.after is not None
    assert told.after["owner_id"] == boss.pk
    assert boss.username in get(client, page(Alert, row))
    text = get(client, address(Alert))
    assert {str(row.pk), str(other.pk)} <= set(listed(text))
    assert boss.username in rows_in(text)[listed(text).index(str(row.pk))]
    assert listed(get(client, f"{address(Alert)}?state=mine")) == [str(row.pk)]
    sent(client, page(Alert, row, "resolve"), reason="r")
    assert listed(get(client, f"{address(Alert)}?state=mine")) == []
    assert place not in get(client, page(Alert, row))


def rows_in(text: str) -> list[str]:
    """The rows of a list."""
    return re.findall(r"<tr[^>]*>(.*?)</tr>", text[text.index('id="result_list"') :], re.DOTALL)[1:]


def test_alert__is_resolved_only_by_who_may_change_alerts() -> None:
    row, reader = alert(), signed_in(operator("wallet.view_alert"))
    assert page(Alert, row, "resolve") not in get(reader, page(Alert, row))
    assert reader.post(page(Alert, row, "resolve"), {"reason": "r"}).status_code == 403
    row.refresh_from_db()
    assert row.resolved_at is None
    assert (
        signed_in(operator("wallet.view_alert", "wallet.resolve_alert"))
        .post(page(Alert, row, "resolve"), {"reason": "r"})
        .status_code
        == 302
    )


# --- On every page ------------------------------------------------------------------------------------


def test_banner__shows_open_alerts_on_every_page_red_if_critical(
    client: Client, second: Client, story: PlayerSession
) -> None:
    places = [
        "/admin/",
        address(Alert),
        page(Wallet, story.wallet()),
        page(Wallet, story.wallet(), "freeze"),
        reverse("admin:password_change"),
    ]
    for place in places:
        assert "wallet-banner" not in get(client, place), place
    row = alert()
    for place in places:
        text = get(client, place)
        assert "1 alert is open: a job failed." in text, place
        assert CRITICAL not in text, place
    worse = alert("checkpoint_difference")
    for place in places:
        text = get(client, place)
        assert "Critical: a checkpoint does not match the ledger. 1 alert is open as well." in text, place
        assert CRITICAL in text, place
    client.post(page(Alert, row, "resolve"), {"reason": "r"})
    by_two(client, second, page(Alert, worse, "accept"))
    assert "wallet-banner" not in get(client, "/admin/")


def test_banner__is_shown_only_to_who_may_see_alerts() -> None:
    alert("ledger_difference")
    stranger = Operator.objects.create(username=unique("player"), is_staff=False)
    watcher, clerk = operator("wallet.view_alert"), operator("players.view_player")
    for user, told in ((AnonymousUser(), False), (stranger, False), (clerk, False), (watcher, True)):
        request = RequestFactory().get("/admin/")
        request.user = user
        assert bool(banner(request)) == told
    assert "wallet-banner" not in get(Client(), "/admin/login/")


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("sweep_failed",), "1 alert is open: a job failed."),
        (
            ("game_forgets", "sweep_failed", "sweep_failed"),
            "3 alerts are open: a game no longer knows most of its transactions; a job failed (2 times).",
        ),
        (("ledger_difference",), "Critical: audit: the ledger does not balance."),
        (("wallet_difference",) * 100, "Critical: audit: a wallet differs from its journal (99+ times)."),
        (
            ("ledger_difference", "sweep_failed", "sweep_failed"),
            "Critical: audit: the ledger does not balance. 2 alerts are open as well.",
        ),
    ],
)
def test_banner__counts_open_alerts(kinds: tuple[str, ...], said: str) -> None:
    assert words(Attention(kinds, 0)) == said


def badge_of(text: str, title: str) -> str:
    found = re.search(rf"<span>{title}</span>\s*(?:<span[^>]*>\s*([^<]*?)\s*</span>)?", text)
    assert found, title
    return found[1] or ""


def test_sidebar__counts_what_waits_up_to_a_hundred(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    text = get(client, "/admin/")
    assert (badge_of(text, "Manual review"), badge_of(text, "Alerts")) == ("", "")
    alert()
    settled = player_session.opened("withdraw", "0.01")
    doubted(player_session, settled)
    doubted(player_session, player_session.opened("withdraw", "0.01"))
    player_session.done("confirmWithdrawal", settled)
    text = get(client, "/admin/")
    assert (badge_of(text, "Manual review"), badge_of(text, "Alerts")) == ("1", "1")
    for _ in range(99):
        alert(subject=unique("many"))
    assert badge_of(get(client, "/admin/"), "Alerts") == "99+"
    groups = re.findall(r"<h2[^>]*>\s*([A-Z][a-z ]+?)\s*</h2>", text)
    assert groups[:2] == ["To do", "Money"]


def test_sidebar__and_banner_cost_two_queries_on_every_page(client: Client, story: PlayerSession) -> None:
    alert("ledger_difference")
    # The home page lists alerts besides.
    place = address(Currency)
    asked = [sql for sql in queries(client, place) if "wallet_alert" in sql or "wallet_inquiry" in sql]
    assert len(asked) == 2
    assert all("LIMIT 100" in sql for sql in asked)
