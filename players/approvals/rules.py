"""Who may act alone, who can be the second person, and how long a request waits."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Permission
from django.db.models import Q, QuerySet, Sum

from lib.backoffice.languages import _, format_lazy
from lib.clock import now
from players.approvals.kinds import KINDS, Kind, NotExecutable, Preview
from players.models import Approval, ApprovalRule, Operator

HOURS = 72
# What was done alone in this time before counts together, whatever the calendar says.
DAY = timedelta(hours=24)
# Two people are asked, so there must be two.
LEAST_ABLE = 2


def able(permission: str) -> QuerySet[Operator]:
    """The active operators who have a permission and can log in, by name."""
    app, _, codename = permission.partition(".")
    meant = Permission.objects.filter(content_type__app_label=app, codename=codename).values("pk")
    by_role = Operator.groups.through.objects.filter(group__permissions__in=meant).values("operator")
    single = Operator.user_permissions.through.objects.filter(permission__in=meant).values("operator")
    # One after the other: Django's own `with_perm` looks for the permission of each operator by himself.
    able = Q(is_superuser=True) | Q(pk__in=by_role) | Q(pk__in=single)
    can_log_in = Operator.objects.filter(able, is_active=True, is_staff=True)
    return can_log_in.exclude(password__startswith=UNUSABLE_PASSWORD_PREFIX).order_by("username")


def lack(permission: str) -> str:
    """Why two people are not there who have a permission, as the middle of a sentence; "" if they are."""
    who = [*able(permission)[:LEAST_ABLE]]
    if len(who) == LEAST_ABLE:
        return ""
    words = _("only {name} may ({permission}), and it takes two")
    if not who:
        words = _("no operator may ({permission}), and it takes two")
    return format_lazy(words, name=who[0].username if who else "", permission=permission)


def lost_with(operator: Operator) -> list[str]:
    """The titles of the kinds that have two people, and would not without this one."""
    permissions = {kind.permission for kind in KINDS.values() if operator.has_perm(kind.permission)}
    needed = {
        name
        for name in permissions
        if not lack(name) and able(name).exclude(pk=operator.pk).count() < LEAST_ABLE
    }
    return sorted(str(kind.title) for kind in KINDS.values() if kind.permission in needed)


def require_satisfiable(rule: ApprovalRule) -> None:
    """Raises `NotExecutable` if there are not two people for the acts of a rule, or it cannot be kept."""
    kind = KINDS.get(rule.kind)
    if kind is None:
        raise NotExecutable(format_lazy(_("There is no kind {kind}."), kind=rule.kind))
    if rule.currency_code and not kind.moves_money:
        raise NotExecutable(
            format_lazy(
                _("A {title} moves no money: a rule of it has no currency and no amounts."), title=kind.title
            )
        )
    if missing := lack(kind.permission):
        raise NotExecutable(
            format_lazy(_("Nobody could approve a {title}: {missing}."), title=kind.title, missing=missing)
        )


def waiting_time(kind: Kind[Any], currency: str) -> timedelta:
    """How long a request of a kind waits for a second person."""
    rules = {rule.currency_code: rule.hours for rule in ApprovalRule.objects.filter(kind=kind.name)}
    return timedelta(hours=rules.get(currency, rules.get("", HOURS)))


def may_act_alone(kind: Kind[Any], requester: Operator, preview: Preview) -> bool:
    """Whether the rules need no second person for what an operator wants to do.

    The caller holds the lock on the operator's row: two acts at once must not both find the room for one.
    """
    if preview.amount is None or not kind.moves_money:
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
