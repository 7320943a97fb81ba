"""Alerts: what the platform found wrong by itself, until an operator resolves it."""

import logging
from datetime import datetime
from hashlib import sha256

from django.db import transaction
from django.db.models import F, Q, QuerySet

from lib.clock import now
from lib.texts import storable
from wallet.alert_messages.operations import tell_end, write_messages
from wallet.models import Alert, Wallet

logger = logging.getLogger(__name__)

TEXT_LENGTH = 1000


def raise_alert(
    kind: str,
    subject: str,
    text: str,
    *,
    finding: str = "",
    wallet: Wallet | None = None,
    looked_at: datetime | None = None,
) -> bool:
    """Opens an alert of `kind` (an `Alert.Kind`) about `subject`, or counts it again where it is open.

    Returns whether it is new. A difference that an operator has resolved with a reason is not raised again
    if the very same is found: the same `finding`, which stays what it is if the text is worded anew, or else
    the same text (`accepted` says what `looked_at` is).
    """
    finding, text, at = finding or text, storable(text, TEXT_LENGTH), now()
    seen = {"last_seen_at": at, "times_seen": F("times_seen") + 1}
    told = {"text": text, "finding": fingerprint(finding)}
    if Alert.objects.filter(kind=kind, subject=subject, resolved_at=None).update(**seen, **told):
        return False
    if kind in Alert.CRITICAL and accepted(kind, subject, finding, looked_at).update(**seen):
        return False
    with transaction.atomic():
        alert, is_new = Alert.objects.get_or_create(
            kind=kind,
            subject=subject,
            resolved_at=None,
            defaults={**told, "wallet": wallet, "raised_at": at, "last_seen_at": at},
        )
        if is_new:
            write_messages(alert)
    logger.error("alert %s %s: %s", kind, subject, text)
    return is_new


def raise_once(kind: str, subject: str, text: str, *, wallet: Wallet | None = None) -> bool:
    """Opens an alert about a thing that happens once: never again, once an operator has resolved it.

    Returns whether it is new.
    """
    if Alert.objects.filter(kind=kind, subject=subject).exists():
        return False
    return raise_alert(kind, subject, text, wallet=wallet)


def is_news(kind: str, subject: str, finding: str, *, looked_at: datetime | None = None) -> bool:
    """Whether no operator has been told just this: it is neither open nor accepted."""
    is_open = same(kind, subject, finding).filter(resolved_at=None).exists()
    return not is_open and not accepted(kind, subject, finding, looked_at).exists()


def accepted(kind: str, subject: str, finding: str, looked_at: datetime | None) -> QuerySet[Alert]:
    """Alerts with which an operator has resolved just this.

    `looked_at` is when the subject was last looked at before: what was put right by then, and is there again,
    is not accepted.
    """
    resolved = same(kind, subject, finding).exclude(resolved_at=None)
    if looked_at is not None:
        resolved = resolved.filter(last_seen_at__gte=looked_at)
    return resolved


def same(kind: str, subject: str, finding: str) -> QuerySet[Alert]:
    """Alerts of just this."""
    # Those from before there were fingerprints have it as their text.
    of_old = Q(finding="", text=storable(finding, TEXT_LENGTH))
    return Alert.objects.filter(of_old | Q(finding=fingerprint(finding)), kind=kind, subject=subject)


def fingerprint(finding: str) -> str:
    return sha256(storable(finding).encode()).hexdigest()


def resolve_alert(alert: Alert, *, actor: str, reason: str) -> bool:
    """An operator has dealt with it. Returns whether it was open."""
    return end(Alert.objects.filter(pk=alert.pk), by=actor, reason=reason)


def clear_alert(kind: str, subject: str, *, reason: str) -> bool:
    """The platform itself sees that a transient problem (a failing sweep) is over.

    Returns whether an alert was open.
    """
    return end(Alert.objects.filter(kind=kind, subject=subject), by="platform", reason=reason)


def end(alerts: QuerySet[Alert], *, by: str, reason: str) -> bool:
    """Ends those that are open, and has it told. Returns whether there were any."""
    with transaction.atomic():
        open_ones = list(alerts.filter(resolved_at=None).select_for_update().values_list("pk", flat=True))
        if open_ones:
            at = now()
            Alert.objects.filter(pk__in=open_ones).update(resolved_at=at, resolved_by=by, reason=reason)
            tell_end(open_ones, at)
    return bool(open_ones)
