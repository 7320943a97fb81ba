"""Who hears of which alerts, by the settings."""

from typing import NamedTuple

from django.conf import settings

from wallet.models import Alert, AlertMessage

Channel = AlertMessage.Channel
# From the mildest to the gravest.
SEVERITIES = tuple(Alert.Severity.values)


class Recipient(NamedTuple):
    """A channel, and the e-mail address (empty for the webhook)."""

    channel: str
    address: str


def recipients(severity: str = Alert.Severity.CRITICAL) -> list[Recipient]:
    """Who hears of an alert of this severity; of the gravest one, everybody who is configured."""
    found = []
    if settings.ALERT_WEBHOOK_URL and is_heard(severity, settings.ALERT_WEBHOOK_SEVERITY):
        found.append(Recipient(Channel.WEBHOOK, ""))
    if is_heard(severity, settings.ALERT_EMAILS_SEVERITY):
        found += [Recipient(Channel.EMAIL, address) for address in settings.ALERT_EMAILS]
    return found


def is_heard(severity: str, least: str) -> bool:
    """Whether a channel for `least` and what is graver takes an alert of this severity."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)
