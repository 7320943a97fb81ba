"""Whose acts an alert tells of: somebody else takes it off the list."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q

from players.approvals.kinds import actor_of
from players.models import Approval, AuditEvent, Operator
from wallet.models import Alert, Transaction
from wallet.watch.money_by_hand import made_by_hand

Kind = Alert.Kind


def tells_of(alert: Alert, operator: Operator) -> bool:
    """Whether an alert tells of what this operator did, or requested."""
    if alert.kind == Kind.ACCESS_CHANGED:
        return did(operator, UUID(alert.subject))
    if alert.kind == Kind.MONEY_BY_HAND:
        return made(operator, alert.subject)
    return alert.kind == Kind.LOCK_OUT and alert.subject == operator.username[:80]


def did(operator: Operator, event_id: UUID) -> bool:
    """Whether an act is this operator's: of one that two people did, whoever requested it."""
    event = AuditEvent.objects.filter(pk=event_id).first()
    approval = Approval.objects.filter(pk=event.approval_id).first() if event and event.approval_id else None
    doer = approval.requested_by_id if approval else event and event.operator_id
    return doer == operator.pk


def made(operator: Operator, subject: str) -> bool:
    """Whether money is this operator's: of a transaction, or some of a currency on a day."""
    code, _, day = subject.partition(" ")
    actor = actor_of(operator.username)
    if not day:
        his = Q(actor=actor) | Q(settled_actor=actor)
        return Transaction.objects.filter(his, pk=UUID(code)).exists()
    began = datetime.fromisoformat(day).replace(tzinfo=UTC)
    of_day = made_by_hand(began).filter(at__lt=began + timedelta(days=1), wallet__currency_id=code)
    return of_day.filter(actor=actor).exists()
