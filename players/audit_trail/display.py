"""How acts of the audit trail look: in a history, in the list, and on their own page."""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock, link, wrapped
from lib.backoffice.languages import _
from lib.backoffice.recorded_acts import Outcome
from players.audit_trail.names import name_of
from players.models import AuditEvent

# To see the list, and the page of each act.
READ = "players.read_audit"
OUTCOME_COLOURS = {Outcome.DONE: "success", Outcome.REFUSED: "warning"}
# Of longer values, a table shows the beginning.
MOST_SHOWN = 200


def history_row(event: AuditEvent, *, is_linked: bool) -> tuple[Any, ...]:
    """An act in a table of a row's history, linked to its own page or not."""
    at = clock(event.at)
    return (
        link(at, "players_auditevent_change", event.pk) if is_linked else at,
        event.username,
        name_of(event.action),
        show_outcome(event),
        show_changes(event),
        wrapped(said(event)),
    )


def said(event: AuditEvent) -> str:
    """What is noted of an act, and the operator's reason."""
    parts = (event.note.rstrip("."), event.reason and _("Reason: {reason}").format(reason=event.reason))
    return ". ".join(part for part in parts if part)


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


def label_of(name: str) -> str:
    """A recorded name, as people read it."""
    return name.removesuffix("_id").replace("_", " ")


def show_changes(event: AuditEvent) -> SafeString:
    """What differs, a line each: of what was made, only that it was."""
    if event.before is None or event.after is None:
        return SafeString(NOTHING)
    lines = format_html_join(
        "",
        "<div>{}: {} → {}</div>",
        (
            (label_of(name), show(old), show(new))
            for name, old, new in changes_of(event)
            if name != "updated_at"
        ),
    )
    return format_html('<div class="wallet-wrapped">{}</div>', lines) if lines else SafeString(NOTHING)


def show(value: Any) -> str:
    """A recorded value in a line."""
    if value is None or value in ("", []):
        return NOTHING
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "; ".join(map(show, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {show(part)}" for name, part in value.items())
    text = str(value)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
