"""Alerts are told to people: once when they are raised and once when they end, whatever fails meanwhile."""

import json
import smtplib
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.core import mail
from django.db import transaction
from standardwebhooks.webhooks import Webhook

from config.gauges import read_checks
from lib.clock import now
from tests.conftest import Clock
from tests.support.alert_channels import MAILS, SECRET, Hook, hook, mails, make_due, nobody_waits, run
from tests.support.callers import unique
from wallet.alert_messages import channels
from wallet.alert_messages.contents import Told
from wallet.alert_messages.operations import lease, pause_after, record_failure, record_sent
from wallet.alerts import clear_alert, raise_alert, resolve_alert
from wallet.models import Alert, AlertMessage

__all__ = ["hook", "mails", "nobody_waits"]
Kind = Alert.Kind


def raised(kind: str = Kind.SWEEP_FAILED, text: str = "ValueError: no") -> Alert:
    subject = unique("job")
    raise_alert(kind, subject, text)
    return Alert.objects.get(kind=kind, subject=subject)


def state(alert: Alert) -> list[tuple[bool, bool, bool, int]]:
    """Of each message: whether the beginning and the end are told, whether it is due, and failures."""
    return [
        (
            row.raised_told_at is not None,
            row.ended_told_at is not None,
            row.next_attempt_at is not None,
            row.attempts,
        )
        for row in alert.messages.order_by("channel", "-address")
    ]


def test_alert__is_told_once_and_its_end_once(hook: Hook, mails: list[Any]) -> None:
    alert = raised()
    counted = run()
    assert (counted.looked_at, counted.done, counted.failed) == (3, 3, 0)
    assert state(alert) == [(True, False, False, 0)] * 3
    raise_alert(alert.kind, alert.subject, "ValueError: still no")
    assert run().looked_at == 0
    assert clear_alert(alert.kind, alert.subject, reason="It works.")
    assert not clear_alert(alert.kind, alert.subject, reason="It works.")
    assert run().done == 3
    assert run().looked_at == 0
    assert state(alert) == [(True, True, False, 0)] * 3
    assert hook.types == ["alert.raised", "alert.ended"]
    assert sorted(address for one in mails for address in one.to) == sorted(MAILS * 2)


def test_webhook__is_signed_and_says_all_of_the_alert(hook: Hook) -> None:
    alert = raised(Kind.WALLET_DIFFERENCE, "1 ≠ 2")
    run()
    resolve_alert(alert, actor="operator:mia", reason="A test")
    run()
    (_, first), (headers, second) = hook.told
    told = Webhook(SECRET).verify(second, headers)
    alert.refresh_from_db()
    assert told == {
        "type": "alert.ended",
        "timestamp": alert.resolved_at.isoformat() if alert.resolved_at else "",
        "data": json.loads(first)["data"]
        | {
            "endedAt": alert.resolved_at.isoformat() if alert.resolved_at else "",
            "endedBy": "operator:mia",
            "reason": "A test",
        },
    }
    assert json.loads(first)["data"] == {
        "id": str(alert.pk),
        "kind": "wallet_difference",
        "severity": "critical",
        "subject": alert.subject,
        "text": "1 ≠ 2",
        "raisedAt": alert.raised_at.isoformat(),
        "page": f"/admin/wallet/alert/{alert.pk}/change/",
    }


def test_mail__is_one_line_and_a_text_and_the_same_in_each_attempt(
    mails: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "ALERT_EMAILS", MAILS[:1])
    raise_alert(Kind.SWEEP_FAILED, "a job\nBcc: all@example.com", "ValueError")
    alert = Alert.objects.get(subject="a job\nBcc: all@example.com", resolved_at=None)
    message = alert.messages.get()
    run()
    [sent] = mails
    assert sent.subject == "[Quantum Wallet] warning: a job failed (a job Bcc: all@example.com)"
    assert (sent.to, sent.from_email) == (MAILS[:1], "wallet@example.com")
    assert sent.extra_headers["Message-ID"] == f"<{message.pk}-raised@example.com>"
    assert f"Page:     /admin/wallet/alert/{alert.pk}/change/" in sent.body
    resolve_alert(alert, actor="operator:mia", reason="A test")
    run()
    assert "by operator:mia\nReason:   A test\n" in mails[1].body
    assert mails[1].subject.startswith("[Quantum Wallet] ended: a job failed")


@pytest.mark.parametrize(
    ("least", "kinds"),
    [("critical", ["ledger_difference"]), ("warning", ["sweep_failed", "ledger_difference"])],
)
def test_channel__hears_of_its_severity_and_graver(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, least: str, kinds: list[str]
) -> None:
    monkeypatch.setattr(settings, "ALERT_WEBHOOK_SEVERITY", least)
    for kind in (Kind.SWEEP_FAILED, Kind.LEDGER_DIFFERENCE):
        raised(kind)
    run()
    assert [json.loads(body)["data"]["kind"] for _, body in hook.told] == kinds


def test_message__that_fails_is_repeated_under_its_id(hook: Hook) -> None:
    hook.status = 500
    alert = raised()
    counted = run()
    assert (counted.done, counted.failed) == (0, 1)
    [row] = alert.messages.all()
    assert (row.problem, row.attempts) == ("status 500", 1)
    assert row.next_attempt_at is not None
    assert run().looked_at == 0
    # It ends before anybody could be told: both are told, in their order.
    clear_alert(alert.kind, alert.subject, reason="It works.")
    hook.status = 200
    run()
    assert hook.types == ["alert.raised", "alert.raised", "alert.ended"]
    ids = [headers["webhook-id"] for headers, _ in hook.told]
    assert ids == [f"{row.pk}-raised", f"{row.pk}-raised", f"{row.pk}-ended"]
    assert state(alert) == [(True, True, False, 0)]


def test_pause__doubles_up_to_an_hour() -> None:
    pauses = [pause_after(attempts).total_seconds() for attempts in (1, 2, 3, 9, 10, 1000)]
    assert pauses == [10, 20, 40, 2560, 3600, 3600]


def test_channel__that_fails_is_left_alone_and_others_go_on(hook: Hook, mails: list[Any]) -> None:
    hook.status = 503
    for _ in range(12):
        raised()
    counted = run()
    assert counted.done == 24
    assert len(mails) == 24
    # Those that were taken when the third one failed.
    assert 3 <= counted.failed <= 7


def test_mail_server__that_refuses_is_asked_again(mails: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    problems = iter(
        [
            smtplib.SMTPAuthenticationError(535, b"the password hunter2 is wrong"),
            smtplib.SMTPRecipientsRefused({MAILS[0]: (550, b"unknown")}),
            TimeoutError(),
        ]
    )

    def refuse(self: Any, messages: Any) -> int:
        raise next(problems)

    monkeypatch.setattr(settings, "ALERT_EMAILS", MAILS[:1])
    told = Told("id", Alert(raised_at=now()), is_over=False)
    with monkeypatch.context() as patched:
        patched.setattr(mail.backends.locmem.EmailBackend, "send_messages", refuse)  # type: ignore[attr-defined]
        assert [channels.send_mail(MAILS[0], told) for _ in range(3)] == [
            "the mail server refused it with 535",
            "the mail server refused the address with 550",
            "the mail could not be sent: TimeoutError",
        ]


def test_address__that_is_configured_no_longer_is_not_told(
    mails: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = raised()
    monkeypatch.setattr(settings, "ALERT_EMAILS", MAILS[:1])
    run()
    assert [one.to for one in mails] == [MAILS[:1]]
    gone = alert.messages.get(address=MAILS[1])
    assert (gone.next_attempt_at, gone.raised_told_at) == (None, None)
    assert gone.problem == "no longer among those who hear of alerts"


def fail_after_raising(subject: str) -> None:
    raise_alert(Kind.SWEEP_FAILED, subject, "no")
    raise RuntimeError


def test_alert__that_is_not_raised_after_all_is_told_to_nobody(hook: Hook) -> None:
    subject = unique("job")
    with pytest.raises(RuntimeError), transaction.atomic():
        fail_after_raising(subject)
    assert not AlertMessage.objects.filter(alert__subject=subject).exists()


def test_end__that_comes_while_the_beginning_is_told_is_told_next(hook: Hook) -> None:
    alert = raised()
    [message] = lease(now(), left_out=[], limit=1)
    clear_alert(alert.kind, alert.subject, reason="It works.")
    record_sent(message)
    assert state(alert) == [(True, False, True, 0)]
    run()
    assert state(alert) == [(True, True, False, 0)]


def test_failure__of_an_overtaken_attempt_changes_nothing(hook: Hook) -> None:
    alert = raised()
    [message] = lease(now(), left_out=[], limit=1)
    record_sent(message)
    record_failure(message, "too slow")
    assert state(alert) == [(True, False, False, 0)]
    record_sent(message)
    assert state(alert) == [(True, False, False, 0)]


def test_lease__is_one_workers_until_it_runs_out(hook: Hook) -> None:
    alert = raised()
    [message] = lease(now(), left_out=[], limit=9)
    assert message.alert_id == alert.pk
    assert lease(now(), left_out=[], limit=9) == []
    alert.messages.update(leased_until=now())
    assert [row.pk for row in lease(now(), left_out=["email"], limit=9)] == [message.pk]
    make_due(alert)
    assert lease(now(), left_out=["webhook"], limit=9) == []


def test_metrics__tell_for_how_long_somebody_should_have_been_told(hook: Hook, clock: Clock) -> None:
    hook.status = 500
    clock.stand(datetime(2029, 1, 1, tzinfo=UTC))
    raised()
    run()
    clock.stand(datetime(2029, 1, 1, 0, 7, tzinfo=UTC))
    assert lag() == 420
    hook.status = 200
    run()
    assert lag() == 0


def lag() -> float:
    families = {family.name: family for family in read_checks()}
    return float(families["wallet_alert_message_lag_seconds"].samples[0].value)
