"""What an alert's messages say."""

import json
from dataclasses import dataclass

from django.urls import reverse

from lib.texts import storable
from wallet.models import Alert, AlertMessage

SUBJECT_LENGTH = 150


@dataclass(frozen=True, slots=True)
class Told:
    """What is told: that an alert was raised, or that it has ended. `id` is the same in every attempt."""

    id: str
    alert: Alert
    is_over: bool

    @classmethod
    def next_of(cls, message: AlertMessage) -> "Told":
        """What is next to be told by a message."""
        is_over = message.raised_told_at is not None
        return cls(f"{message.pk}-{'ended' if is_over else 'raised'}", message.alert, is_over)


def page_of(alert: Alert) -> str:
    """The path of the alert's page in the admin."""
    return reverse("admin:wallet_alert_change", args=[alert.pk])


def webhook_body(told: Told) -> bytes:
    """The JSON object that a webhook gets: type, time, and the alert."""
    alert = told.alert
    data = {
        "id": str(alert.pk),
        "kind": alert.kind,
        "severity": alert.severity,
        "subject": alert.subject,
        "text": alert.text,
        "raisedAt": alert.raised_at.isoformat(),
        "page": page_of(alert),
    }
    if told.is_over and alert.resolved_at:
        data |= {
            "endedAt": alert.resolved_at.isoformat(),
            "endedBy": alert.resolved_by,
            "reason": alert.reason,
        }
    at = alert.resolved_at if told.is_over and alert.resolved_at else alert.raised_at
    kind = "alert.ended" if told.is_over else "alert.raised"
    body = {"type": kind, "timestamp": at.isoformat(), "data": data}
    return json.dumps(body, ensure_ascii=False).encode()


def mail_subject(told: Told) -> str:
    """One line, in which the gravest comes first to the eye."""
    alert = told.alert
    word = "ended" if told.is_over else alert.severity
    line = f"[Quantum Wallet] {word}: {alert.get_kind_display()} ({alert.subject})"
    return storable(" ".join(line.split()), SUBJECT_LENGTH)


def mail_text(told: Told) -> str:
    alert = told.alert
    lines = [
        f"{alert.get_kind_display()}: {alert.subject}",
        "",
        alert.text,
        "",
        f"Severity: {alert.severity}",
        f"Raised:   {alert.raised_at:%Y-%m-%d %H:%M:%S} UTC",
    ]
    if told.is_over and alert.resolved_at:
        lines += [
            f"Ended:    {alert.resolved_at:%Y-%m-%d %H:%M:%S} UTC, by {alert.resolved_by}",
            f"Reason:   {alert.reason}",
        ]
    return "\n".join([*lines, f"Page:     {page_of(alert)}", ""])
