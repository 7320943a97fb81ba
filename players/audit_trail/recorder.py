"""How the operators' kit (`lib/backoffice`) records acts in the audit trail, and shows those of a row."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock, wrapped
from lib.backoffice.recording import Outcome, RecordedAct, State
from players.audit_trail.record import Origin, record_act
from players.audit_trail.snapshots import plain_value, stored
from players.models import AuditEvent

PAGE_SIZE = 25
OUTCOME_COLOURS = {Outcome.DONE: "success", Outcome.REFUSED: "warning"}


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

    def history(self, row: Model, number: int) -> tuple[list[Sequence[Any]], bool]:
        first = (number - 1) * PAGE_SIZE
        found = list(events_of(row)[first : first + PAGE_SIZE + 1])
        return [history_row(event) for event in found[:PAGE_SIZE]], len(found) > PAGE_SIZE


def plain(state: State | None) -> Mapping[str, Any] | None:
    """A state in values that JSON has."""
    return None if state is None else {name: plain_value(value) for name, value in state.items()}


def events_of(row: Model) -> QuerySet[AuditEvent]:
    """All acts on a row, newest first."""
    kind = row._meta.label_lower  # noqa: SLF001 (documented)
    return AuditEvent.objects.filter(subject_type=kind, subject_id=str(row.pk)).order_by("-pk")


def history_row(event: AuditEvent) -> tuple[Any, ...]:
    """An act in a table of a row's history."""
    said = ". ".join(filter(None, (event.note.rstrip("."), event.reason and f"Reason: {event.reason}")))
    return (
        clock(event.at),
        event.username,
        in_words(event.action),
        show_outcome(event),
        show_changes(event),
        wrapped(said),
    )


def in_words(action: str) -> str:
    """An action's name, as a sentence begins."""
    return action.replace("_", " ").capitalize()


def show_outcome(event: AuditEvent) -> SafeString:
    """The outcome as a badge."""
    outcome = Outcome(event.outcome)
    return badge(str(outcome.label).lower(), OUTCOME_COLOURS.get(outcome, "danger"))


def changes_of(event: AuditEvent) -> list[tuple[str, Any, Any]]:
    """What differs between before and after: name and both values."""
    before, after = event.before or {}, event.after or {}
    names = [*before, *(name for name in after if name not in before)]
    return [
        (name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]


def show_changes(event: AuditEvent) -> SafeString:
    """What differs, a line each: of what was made, only that it was."""
    if event.before is None or event.after is None:
        return SafeString(NOTHING)
    lines = format_html_join(
        "", "<div>{}: {} → {}</div>", ((name, show(old), show(new)) for name, old, new in changes_of(event))
    )
    return format_html('<div class="wallet-wrapped">{}</div>', lines) if lines else SafeString(NOTHING)


def show(value: Any) -> str:
    """A recorded value in a line."""
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return "; ".join(map(show, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(part)}" for name, part in value.items())
    return str(value)
