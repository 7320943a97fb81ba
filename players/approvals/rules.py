"""Who may act alone, who can be the second person, and how long a request waits."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet, Sum

from lib.clock import now
from players.approvals.kinds import Kind, Preview
from players.models import Approval, ApprovalRule, Operator

HOURS = 72
# What was done alone in this time before counts together, whatever the calendar says.
DAY = timedelta(hours=24)
# Two people are asked, so there must be two.
LEAST_ABLE = 2


def able(permission: str) -> QuerySet[Operator]:
    """The active operators who have a permission, by name."""
    found: QuerySet[Operator] = Operator.objects.with_perm(
        permission, backend="django.contrib.auth.backends.ModelBackend"
    )
    return found.order_by("username")


def waiting_time(kind: Kind[Any], currency: str) -> timedelta:
    """How long a request of a kind waits for a second person."""
    rules = {rule.currency_code: rule.hours for rule in ApprovalRule.objects.filter(kind=kind.name)}
    return timedelta(hours=rules.get(currency, rules.get("", HOURS)))


def may_act_alone(kind: Kind[Any], requester: Operator, preview: Preview) -> bool:
    """Whether the rules need no second person for what an operator wants to do.

    The caller holds the lock on the operator's row: two acts at once must not both find the room for one.
    """
    if preview.amount is None:
        return False
    rule = ApprovalRule.objects.filter(kind=kind.name, currency_code=preview.currency).first()
    if rule is None or preview.amount > rule.alone_up_to:
        return False
    recent = Approval.objects.filter(
        requested_by=requester,
        requested_at__gt=now() - DAY,
        kind=kind.name,
        currency_code=preview.currency,
        is_alone=True,
    )
    same = recent.filter(subject_type=preview.subject.type, subject_id=preview.subject.id)
    return (
        total(same) + preview.amount <= rule.alone_up_to
        and total(recent) + preview.amount <= rule.alone_per_day
    )


def total(approvals: QuerySet[Approval]) -> int:
    """The sum of the amounts, in minor units."""
    return int(approvals.aggregate(total=Sum("amount"))["total"] or 0)
