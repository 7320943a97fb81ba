"""What Django's history had becomes a part of the audit trail, which takes its place."""

from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.db import migrations

# By Django's flag.
ACTS = {1: "add", 2: "change", 3: "delete"}


def id_at(moment: datetime, number: int) -> UUID:
    """A UUIDv7 of that time; `number` tells rows apart, and orders those of one millisecond."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | 0b10 << 62 | number)


def keep_history(apps: Any, editor: Any) -> None:
    """What Django's own history had becomes a part of the audit trail."""
    alias = editor.connection.alias
    entries = apps.get_model("admin", "LogEntry").objects.using(alias).select_related("user", "content_type")
    events = apps.get_model("players", "AuditEvent").objects.using(alias)
    made = (event_of(events.model, entry) for entry in entries.order_by("pk").iterator(1000))
    while batch := list(islice(made, 1000)):
        events.bulk_create(batch)


def event_of(model: Any, entry: Any) -> Any:
    """The event of one entry; what was changed stood there in a sentence, or as Django's list of fields."""
    kind = entry.content_type
    return model(
        id=id_at(entry.action_time, entry.pk),
        at=entry.action_time,
        operator=entry.user,
        username=entry.user.username,
        roles=[],
        action=f"{ACTS.get(entry.action_flag, 'change')}_{kind.model if kind else 'unknown'}"[:64],
        subject_type=f"{kind.app_label}.{kind.model}"[:80] if kind else "",
        subject_id=(entry.object_id or "")[:150],
        subject_name=entry.object_repr[:200],
        note=LogEntry.get_change_message(entry)[:2000],
        outcome="done",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0013_audit_events"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [migrations.RunPython(keep_history, migrations.RunPython.noop)]
