"""The conditions under which acts are listed and exported, each one with an index."""

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import QuerySet

from lib.backoffice.conditions import read_moment
from lib.backoffice.languages import _
from lib.backoffice.recorded_acts import Outcome
from lib.http.addresses import parse_address
from lib.ids import id_at
from players.models import AuditEvent

# Ids begin with the time by the clock of the process that wrote, `at` is by the database's.
CLOCKS_DIFFER = timedelta(hours=1)
# Which conditions there are, as addresses name them, and what a form calls them.
LABELS = {
    "operator": _("Operator"),
    "action": _("Action"),
    "outcome": _("Outcome"),
    "kind": _("Kind of object"),
    "object": _("Id of the object"),
    "address": _("Address"),
    "since": _("From (UTC)"),
    "until": _("Before (UTC)"),
}
COLUMNS = {
    "operator": "username",
    "action": "action",
    "kind": "subject_type",
    "object": "subject_id",
}


def found(events: QuerySet[AuditEvent], wanted: Mapping[str, str]) -> QuerySet[AuditEvent]:
    """Acts that meet all conditions, by `LABELS`; of a value that cannot be meant, none."""
    for name, text in wanted.items():
        value = text.strip()
        if value:
            events = narrowed(events, name, value)
    return events


def narrowed(events: QuerySet[AuditEvent], name: str, value: str) -> QuerySet[AuditEvent]:
    """Acts that meet one condition."""
    if name in COLUMNS:
        return events.filter(**{COLUMNS[name]: value})
    if name == "outcome":
        return events.filter(outcome=value) if value in Outcome.values else events.none()
    if name == "address":
        address = parse_address(value)
        return events.filter(address=str(address)) if address else events.none()
    moment = read_moment(value)
    if moment is None:
        return events.none()
    if name == "since":
        return events.filter(at__gte=moment, pk__gte=id_at(moment - CLOCKS_DIFFER))
    return events.filter(at__lt=moment, pk__lt=id_at(moment + CLOCKS_DIFFER))
