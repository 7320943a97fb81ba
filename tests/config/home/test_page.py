"""The first page of the admin: each operator sees of it what they may see elsewhere."""

import re
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from django.test import Client

from config.home import vital_signs
from config.home.to_do import KINDS, LATELY, MOST, Kind, Work
from config.home.vital_signs import Sign, heartbeat, replicas
from lib.backoffice.pages import view_permission
from lib.clock import now
from lib.ids import id_at
from payments.models import Provider, RefusedCallback
from tests.support.admin_pages import alert, doubted, get, operator, queries, run, signed_in
from tests.support.approvals import request_credit
from tests.support.callers import PlayerSession, unique
from tests.support.owned import owned
from wallet.admin.job_runs import JOBS
from wallet.models import Alert, JobRun, Outage, Pulse
from wallet.outages import leave_pulse

HOME = "/admin/"
SEES_ALERTS, SEES_RUNS, SEES_DOUBTS = "wallet.view_alert", "wallet.view_jobrun", "wallet.view_inquiry"


@pytest.fixture(autouse=True)
def clean(database: None) -> None:
    owned(Alert).update(resolved_at=now(), resolved_by="test", reason="test")
    owned(JobRun).all().delete()
    owned(Pulse).all().delete()
    owned(Outage).all().delete()


def words(client: Client) -> str:
    """What the page says below its head, without its marks."""
    [content] = re.findall(r'<div id="content".*', get(client, HOME), re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", content).split())


def seen(*permissions: str) -> str:
    return words(signed_in(operator(*permissions)))


def test_home__says_nothing_to_who_may_see_nothing() -> None:
    text = seen()
    assert "You have no role yet" in text
    assert "Money is" not in text


def test_home__gives_the_verdict_and_its_reasons() -> None:
    assert "Nobody has checked the money lately" in seen(SEES_ALERTS)
    run("audit_all", note="12 wallets, 345 entries: no difference.")
    text = seen(SEES_ALERTS)
    assert "Money is right" in text
    assert "12 wallets, 345 entries: no difference." in text
    alert("ledger_difference")
    text = seen(SEES_ALERTS)
    assert "Money is not right" in text
    assert "Audit: the ledger does not balance." in text


def test_home__counts_what_waits_with_the_age_of_the_oldest(player_session: PlayerSession) -> None:
    for hours in (1, 30):
        one = doubted(player_session, player_session.opened("withdraw", "1.00"))
        owned(type(one)).filter(pk=one.pk).update(doubt_since=now() - timedelta(hours=hours))
    text = seen(SEES_DOUBTS)
    assert re.search(r"2 Transactions in doubt the oldest waits 1 day", text), text
    assert "Open alerts" not in text
    assert "Jobs" not in text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.label))
def test_home__each_kind_of_work_has_its_list(kind: Kind) -> None:
    client = signed_in(operator(view_permission(kind.model)))
    text = get(client, HOME)
    places = re.findall(r'href="([^"]*)" class="wallet-work-item', text)
    assert str(kind.label) in text
    assert {client.get(unescape(place)).status_code for place in places} == {200}


def test_home__counts_no_further_than_a_thousand() -> None:
    assert [Work("", number, None, "").counted for number in (0, 1_000, MOST + 1)] == ["0", "1,000", "1,000+"]


def test_home__forgets_what_nobody_can_take_off_its_list(player_session: PlayerSession) -> None:
    at = now()
    ages = {"new": at, "week": at - LATELY + timedelta(minutes=1), "old": at - LATELY - timedelta(minutes=1)}
    for since in ages.values():
        provider = Provider.objects.create(
            slug=unique("p"), name="P", scheme=Provider.Scheme.STANDARD_WEBHOOKS
        )
        owned(RefusedCallback).create(
            pk=UUID(int=id_at(since).int + 1),
            provider=provider,
            at=since,
            address="10.0.0.1",
            problem="signature",
            headers={},
            body=b"",
            size=0,
        )
    owned(RefusedCallback).exclude(at__in=ages.values()).delete()
    text = seen("payments.view_refusedcallback")
    assert "2 Refused callbacks in the last 7 days the oldest waits 6 days" in text


def test_home__counts_requests_for_who_can_decide_them(player_session: PlayerSession) -> None:
    rights = ("wallet.adjust_balance", "players.view_approval")
    requester, other = operator(*rights), operator(*rights)
    before = number(other_text := words(signed_in(other)))
    request_credit(requester, player_session, 5_00)
    assert "Approvals that you can decide" in other_text
    assert number(words(signed_in(other))) == before + 1


def number(text: str) -> int:
    found = re.search(r"(\d+) Approvals that you can decide", text)
    assert found, text
    return int(found[1])


def test_home__tells_of_every_job(player_session: PlayerSession) -> None:
    run("settle_due", looked_at=5, done=4, note="")
    run("deliver_due", error="OperationalError: away")
    text = seen(SEES_RUNS)
    assert "4 of 5 done." in text
    assert "OperationalError: away" in text
    for words in JOBS.values():
        assert str(words) in text
    assert text.count("no run yet") == len(JOBS) - 2


def test_home__tells_who_shows_life() -> None:
    text = seen(SEES_RUNS)
    assert text.count("No sign of life yet.") == 2
    leave_pulse("web")
    leave_pulse("queue")
    assert re.search(r"Web processes well Last sign of life \d s ago.", seen(SEES_RUNS))
    owned(Outage).create(began_at=now() - timedelta(hours=3), ended_at=now() - timedelta(hours=2))
    assert "Outages look here From " in seen(SEES_RUNS)


def test_heartbeat__is_well_up_to_its_silence() -> None:
    at, silence = now(), timedelta(minutes=5)
    assert heartbeat("web", at - silence, silence, at).is_well
    assert heartbeat("web", at - silence - timedelta(seconds=1), silence, at) == Sign(
        "web", False, "Last sign of life 301 s ago."
    )


def test_home__takes_as_many_queries_however_much_waits(player_session: PlayerSession) -> None:
    client = signed_in(operator(is_superuser=True))
    get(client, HOME)
    few = len(queries(client, HOME))
    for _ in range(5):
        doubted(player_session, player_session.opened("withdraw", "1.00"))
        alert("settlement_failed", subject=unique("a"))
        run("settle_due")
    assert len(queries(client, HOME)) == few


def test_home__says_how_many_messages_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r"Queue (well|look here) [\d,]+ messages wait for a worker\.", seen(SEES_RUNS))
    monkeypatch.setattr("config.health.broker_state", lambda: "unreachable")
    assert "Queue look here The broker does not answer" in seen(SEES_RUNS)


def test_home__says_how_far_replicas_are_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    # Another test may have a standby of the same server just now.
    assert {sign.part for sign in replicas()} <= {"Replicas"}
    for statement, signs in (
        ("SELECT 0, NULL::interval", []),
        ("SELECT 1, NULL::interval", [Sign("Replicas", True, "1 replica follows; no lag is told.")]),
        (
            "SELECT 2, interval '61 seconds'",
            [Sign("Replicas", False, "2 replicas follow, the last one by 61.0 s.")],
        ),
    ):
        monkeypatch.setattr(vital_signs, "REPLICAS", statement)
        assert replicas() == signs
