"""How the operators' kit (`lib/backoffice`) records acts in the audit trail, and reads those of a row."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db.models import Model
from django.http import HttpRequest

from lib.backoffice.recorded_acts import RecordedAct, State
from lib.clock import WalletNow
from players.audit_trail.display import READ, history_row
from players.audit_trail.record import Origin, events_of, record_act
from players.audit_trail.snapshots import plain_value, stored

PAGE_SIZE = 25
# Who opens a page again within this time is not recorded again: a trail that is full of looks is not read.
LOOK, LOOK_LASTS = "view_personal_data", timedelta(hours=1)


class AuditTrail:
    """The recorder: acts become rows of `AuditEvent`."""

    def state(self, row: Model) -> State | None:
        return stored(row)

    def record(self, request: HttpRequest, act: RecordedAct) -> None:
        record_act(
            Origin.of(request),
            action=act.action,
            subject=act.subject,
            before=plain(act.before),
            after=plain(act.after),
            reason=act.reason,
            outcome=act.outcome,
            note=act.note,
        )

    def record_look(self, request: HttpRequest, row: Model) -> None:
        looks = events_of(row).filter(action=LOOK, username=request.user.get_username())
        if not looks.filter(at__gt=WalletNow() - LOOK_LASTS).exists():
            self.record(request, RecordedAct(action=LOOK, subject=row))

    def history(self, request: HttpRequest, row: Model, number: int) -> tuple[list[Sequence[Any]], bool]:
        first = (number - 1) * PAGE_SIZE
        found = list(events_of(row)[first : first + PAGE_SIZE + 1])
        is_linked = request.user.has_perm(READ)
        rows: list[Sequence[Any]] = [history_row(event, is_linked=is_linked) for event in found[:PAGE_SIZE]]
        return rows, len(found) > PAGE_SIZE


def plain(state: State | None) -> Mapping[str, Any] | None:
    """A state in values that JSON has."""
    return None if state is None else {name: plain_value(value) for name, value in state.items()}
