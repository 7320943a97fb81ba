"""Significant events of people and machines: failed log-ins, outages, changes of settings."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from lib.backoffice.languages import _, format_lazy, ngettext_lazy
from lib.clock import in_words
from lib.ids import id_at
from players.audit_trail.names import name_of
from players.audit_trail.record import Outcome
from players.audit_trail.recorder import LOOK
from players.logins.events import LOCK_OUT
from players.models import Approval, AuditEvent
from wallet.models import Outage
from wallet.reports.days import Span
from wallet.reports.report import Asked, Row, written
from wallet.reports.significant_money import event

# Ids are made by other clocks than the database's.
CLOCKS = timedelta(days=1)
LOG_IN = "log_in"
# What the platform is set to, and who may do what on it.
PARAMETERS = (
    *("players.approvalrule", "players.credential", "players.game", "players.operator"),
    *("players.platformswitch", "wallet.currency", "wallet.payoutlimit"),
    *("payments.product", "payments.provider", "payments.secret", "payments.shop"),
)


def failed_logins(asked: Asked, span: Span) -> Iterator[Row]:
    """Of operators, summed up by name and address: who tries names fills no report. And names that were
    locked after them.
    """
    if asked.currency:
        return
    failed = acts_in(span).filter(action=LOG_IN, outcome=Outcome.FAILED)
    counted = failed.values("username", "address").annotate(
        number=Count("pk"), first=Min("at"), last=Max("at")
    )
    for one in counted.order_by("last", "username"):
        words = ngettext_lazy("{number} failed log-in", "{number} failed log-ins", one["number"])
        since = format_lazy(_("the first {time}"), time=in_words(one["first"]))
        yield event(
            one["last"],
            format_lazy(words, number=f"{one['number']:,}"),
            written(one["username"] or "?"),
            before=since if one["number"] > 1 else "",
            by=one["address"] or "",
        )
    for lock in acts_in(span).filter(action=LOCK_OUT).order_by("pk"):
        about = written(lock.subject_name or lock.username)
        yield event(lock.at, _("log-ins locked"), about, by=lock.address or "", reason=lock.note)


def outages(asked: Asked, span: Span) -> Iterator[Row]:
    """Those that ended in the span."""
    if asked.currency:
        return
    for one in Outage.objects.filter(ended_at__gte=span.since, ended_at__lt=span.until).order_by("ended_at"):
        yield event(
            one.ended_at,
            _("outage"),
            _("no web process answered"),
            before=in_words(one.began_at),
            after=in_words(one.ended_at),
        )


def changes_of_parameters(asked: Asked, span: Span) -> Iterator[Row]:
    """What was set otherwise, with both persons where there were two."""
    if asked.currency:
        return
    found = acts_in(span).filter(subject_type__in=PARAMETERS, outcome=Outcome.DONE).exclude(action=LOOK)
    acts = list(found.exclude(action__in=[LOG_IN, LOCK_OUT]).order_by("pk"))
    approvals = Approval.objects.select_related("requested_by", "decided_by").in_bulk(
        [act.approval_id for act in acts if act.approval_id]
    )
    for act in acts:
        before, after = changed(act.before, act.after)
        if not (before or after):
            continue
        approval = approvals.get(act.approval_id) if act.approval_id else None
        yield event(
            act.at,
            name_of(act.action),
            written(f"{act.subject_type.partition('.')[2]} {act.subject_name}"),
            before=written(before),
            after=written(after),
            by=approval.requested_by.username if approval else act.username,
            approved_by=approval.decided_by.username if approval and approval.decided_by else "",
            reason=act.reason,
        )


def acts_in(span: Span) -> "QuerySet[AuditEvent]":
    return AuditEvent.objects.filter(
        pk__gte=id_at(span.since - CLOCKS), at__gte=span.since, at__lt=span.until
    )


def changed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> tuple[str, str]:
    """What differs, as text; of what was not there, or is no more, everything that says something."""
    was, now = before or {}, after or {}
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    return told(was, names), told(now, names)


def told(state: Mapping[str, Any], names: list[str]) -> str:
    return "; ".join(f"{name}: {state[name]}" for name in names if state.get(name) not in (None, "", [], {}))
