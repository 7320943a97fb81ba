"""Writes acts into the audit trail, each in the atomic block of what it does."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from lib.backoffice.languages import english
from lib.backoffice.recorded_acts import Outcome
from lib.clock import now
from lib.http.addresses import NOWHERE, client_address
from lib.http.request_ids import HEADER
from lib.texts import storable
from players.audit_trail.snapshots import snapshot, stored
from players.models import AuditEvent, Operator, OperatorSession

__all__ = ["Origin", "Outcome", "events_of", "record_act", "session_name", "snapshot", "stored"]

SUPERUSER = "superuser"
NOTE_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts, with which roles, and from where."""

    operator: Operator | None
    username: str
    roles: tuple[str, ...] = ()
    address: str | None = None
    request_id: str = ""
    session: str = ""

    @classmethod
    def of(cls, request: HttpRequest, *, operator: Operator | None = None, username: str = "") -> "Origin":
        """The origin of a request, of whoever is logged in if nobody is given; `username` is the name that
        was entered if there is neither.
        """
        user = operator or request.user
        operator = user if isinstance(user, Operator) else None
        address = client_address(request.META)
        return cls(
            operator,
            operator.get_username() if operator else username,
            roles_of(operator) if operator else (),
            None if address == NOWHERE else str(address),
            request.META.get(HEADER, ""),
            # A log-in keeps its name when its cookie is changed.
            session_name(request.session.get(OperatorSession.KEY) or request.session.session_key or ""),
        )

    @classmethod
    def machine(cls, name: str) -> "Origin":
        """A command that somebody runs on the machine, such as `manage.py export_audit_trail`."""
        return cls(None, f"machine:{name}")


def roles_of(operator: Operator) -> tuple[str, ...]:
    """The roles of an operator, by name; that he is a superuser comes first."""
    names = operator.groups.order_by("name").values_list("name", flat=True)
    return (*((SUPERUSER,) if operator.is_superuser else ()), *names)


def session_name(key: str) -> str:
    """What a session is called where its key must not stand."""
    return hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""


def events_of(row: Model) -> QuerySet[AuditEvent]:
    """All acts on a row, newest first."""
    kind = row._meta.label_lower  # noqa: SLF001 (documented)
    return AuditEvent.objects.filter(subject_type=kind, subject_id=str(row.pk)).order_by("-pk")


@english()
def record_act(
    origin: Origin,
    *,
    action: str,
    subject: Model | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
    outcome: Outcome = Outcome.DONE,
    note: str = "",
    approval_id: UUID | None = None,
) -> AuditEvent:
    """Writes down an act, in the atomic block of the act itself.

    What was refused or failed is written after the block was rolled back. `before` and `after` hold no
    secret. The trail is in English, whatever language its operators read.
    """
    return AuditEvent.objects.create(
        at=now(),
        operator=origin.operator,
        username=storable(origin.username, 150),
        roles=list(origin.roles),
        address=origin.address,
        request_id=origin.request_id,
        session=origin.session,
        action=action,
        subject_type=subject._meta.label_lower if subject else "",  # noqa: SLF001 (documented)
        subject_id=str(subject.pk) if subject else "",
        subject_name=storable(str(subject), 200) if subject else "",
        before=before,
        after=after,
        reason=storable(reason, 255),
        # What is said in the operator's language is said in English here.
        note=storable(str(note), NOTE_LENGTH),
        approval_id=approval_id,
        outcome=outcome,
    )
