"""`manage.py test_alert_channels`: a test message to everybody who hears of alerts."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lib.clock import now
from lib.ids import new_id
from wallet.alert_messages.channels import send
from wallet.alert_messages.contents import Told
from wallet.alert_messages.recipients import recipients
from wallet.models import Alert


class Command(BaseCommand):
    help = "Sends a test message to everybody who hears of alerts. It raises no alert."

    def handle(self, *args: Any, **options: Any) -> None:
        everybody = recipients()
        if not everybody:
            raise CommandError("Nobody hears of alerts: set ALERT_WEBHOOK_URL or ALERT_EMAILS.")
        problems = 0
        for channel, address in everybody:
            problem = send(channel, address, Told(f"{new_id()}-test", made_up(), is_over=False))
            problems += bool(problem)
            self.stdout.write(f"{address or channel}: {problem or 'sent'}")
        if problems:
            raise CommandError(f"{problems} of {len(everybody)} could not be told.")


def made_up() -> Alert:
    """An alert that nobody raised, and that is not kept."""
    text = "This is a test: manage.py test_alert_channels was run. Nothing is wrong."
    return Alert(kind=Alert.Kind.SWEEP_FAILED, subject="test", text=text, raised_at=now())
