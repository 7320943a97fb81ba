"""Messages about alerts as rows: written with the alert, taken by a sweep, done with once they were sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from lib.clock import now
from lib.texts import storable
from wallet.alert_messages.recipients import recipients
from wallet.models import Alert, AlertMessage
from wallet.models.leased import lease_due

# Longer than one attempt can take.
LEASE = timedelta(minutes=5)
# The pause after the first failure; each further one doubles it.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)
PROBLEM_LENGTH = 255


def write_messages(alert: Alert) -> None:
    """A row for everybody who hears of a new alert. The caller is in the atomic block that raises it."""
    AlertMessage.objects.bulk_create(
        AlertMessage(
            alert=alert,
            channel=channel,
            address=address,
            created_at=alert.raised_at,
            next_attempt_at=alert.raised_at,
        )
        for channel, address in recipients(alert.severity)
    )


def tell_end(alert_ids: Sequence[UUID], at: datetime) -> None:
    """Whoever hears of these alerts hears that they are over. The caller is in the block that ends them."""
    AlertMessage.objects.filter(alert_id__in=alert_ids, ended_told_at=None).update(
        next_attempt_at=at, attempts=0
    )


def lease(at: datetime, *, left_out: Sequence[str], limit: int) -> list[AlertMessage]:
    """Takes messages that are due, but of the channels `left_out`; each attempt is counted before it is made.

    A message whose `raised_told_at` is empty tells that the alert is there, any other that it is over.
    """
    rows = AlertMessage.objects.exclude(channel__in=left_out)
    with transaction.atomic():
        return lease_due(rows, at, lease=LEASE, limit=limit, related=("alert",), attempts=F("attempts") + 1)


def record_sent(message: AlertMessage) -> None:
    """It was sent; what is next to be told of the alert, if it has ended meanwhile, is due at once."""
    at = now()
    with transaction.atomic():
        row = AlertMessage.objects.select_for_update().get(pk=message.pk)
        if message.raised_told_at is None:
            row.raised_told_at = row.raised_told_at or at
        else:
            row.ended_told_at = row.ended_told_at or at
        # After the lock: whoever ends the alert makes its messages due, and one of us is the later.
        is_over = Alert.objects.exclude(resolved_at=None).filter(pk=row.alert_id).exists()
        row.next_attempt_at = at if is_over and row.ended_told_at is None else None
        row.leased_until, row.attempts, row.problem = None, 0, ""
        save(row)


def record_failure(message: AlertMessage, problem: str, *, is_final: bool = False) -> None:
    """It was perhaps not sent: it is sent again under the same id after a pause, unless `is_final`."""
    with transaction.atomic():
        row = AlertMessage.objects.select_for_update().get(pk=message.pk)
        if row.raised_told_at != message.raised_told_at or row.ended_told_at is not None:
            # A slow attempt, overtaken by one that succeeded.
            return
        row.problem, row.leased_until = storable(problem, PROBLEM_LENGTH), None
        row.next_attempt_at = None if is_final else now() + pause_after(row.attempts)
        save(row)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row."""
    doublings = min(max(attempts, 1) - 1, 16)
    return min(FIRST_PAUSE * (1 << doublings), LONGEST_PAUSE)


def save(row: AlertMessage) -> None:
    row.save(
        update_fields=[
            "next_attempt_at",
            "leased_until",
            "raised_told_at",
            "ended_told_at",
            "attempts",
            "problem",
        ]
    )
