"""People who hear of alerts: a webhook on a real socket, and mail into memory."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core import mail

from lib.clock import now
from tests.support.http_peer import Peer, peer
from wallet.alert_messages.worker import tell_alerts
from wallet.job_runs import Run
from wallet.models import Alert, AlertMessage

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx"
MAILS = ["night@example.com", "day@example.com"]


class Hook:
    """A webhook that answers with `status`, and what it was told."""

    def __init__(self) -> None:
        self.status = 204
        self.server: Peer

    def answer(self, connection: Any, server: Peer) -> None:
        connection.sendall(f"HTTP/1.1 {self.status} x\r\ncontent-length: 0\r\n\r\n".encode())

    @property
    def told(self) -> list[tuple[dict[str, str], bytes]]:
        """Headers and body of each call."""
        return [taken_apart(raw) for raw in self.server.requests]

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for _, body in self.told]


def taken_apart(raw: bytes) -> tuple[dict[str, str], bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return {name.decode().lower(): value.decode() for name, _, value in lines}, body


@pytest.fixture
def nobody_waits(database: None) -> None:
    """Alerts of other tests are told to nobody now."""
    AlertMessage.objects.update(next_attempt_at=None)


@pytest.fixture
def hook(nobody_waits: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hook]:
    found = Hook()
    with peer(found.answer) as server:
        found.server = server
        monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.1"])
        monkeypatch.setattr(settings, "ALERT_WEBHOOK_URL", server.url())
        monkeypatch.setattr(settings, "ALERT_WEBHOOK_SECRET", SECRET)
        monkeypatch.setattr(settings, "ALERT_WEBHOOK_SEVERITY", "notice")
        yield found


@pytest.fixture
def mails(nobody_waits: None, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The mails that were sent."""
    monkeypatch.setattr(settings, "ALERT_EMAILS", MAILS)
    monkeypatch.setattr(settings, "ALERT_EMAILS_SEVERITY", "warning")
    monkeypatch.setattr(settings, "DEFAULT_FROM_EMAIL", "wallet@example.com")
    monkeypatch.setattr(settings, "EMAIL_BACKEND", "django.core.mail.backends.locmem.EmailBackend")
    mail.outbox = []
    return mail.outbox


def run() -> Run:
    """A run of the job that tells people."""
    made = Run("tell_alerts")
    tell_alerts(made)
    return made


def make_due(alert: Alert) -> None:
    """What waits for another attempt is due now."""
    alert.messages.exclude(next_attempt_at=None).update(next_attempt_at=now())
