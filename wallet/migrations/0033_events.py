"""What happens to money and players is told in an order that skips nothing."""

from pathlib import Path
from typing import Any

import django.db.models.deletion
from django.db import migrations, models


def unmanaged(name: str, *fields: tuple[str, Any]) -> migrations.CreateModel:
    """A model whose table the statements above have made."""
    options = {"managed": False, "db_table": f"wallet_{name.lower()}", "default_permissions": ()}
    return migrations.CreateModel(name, list(fields), options)


def row() -> list[tuple[str, Any]]:
    player = models.ForeignKey(
        db_constraint=False,
        db_index=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name="+",
        to="players.player",
    )
    return [
        ("at", models.DateTimeField()),
        ("seq", models.BigIntegerField(null=True)),
        ("player", player),
        ("subject_id", models.UUIDField()),
        ("kind", models.CharField(db_collation="C", max_length=8)),
    ]


class Migration(migrations.Migration):
    dependencies = [("players", "0029_answer_counts"), ("wallet", "0032_audit_parts")]
    operations = [
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), reverse_sql=migrations.RunSQL.noop),
        unmanaged(
            "NewEvent",
            ("n", models.BigIntegerField(primary_key=True, serialize=False)),
            *row(),
        ),
        unmanaged(
            "Event",
            (
                "pk",
                models.CompositePrimaryKey(
                    "day", "position", blank=True, editable=False, primary_key=True, serialize=False
                ),
            ),
            ("position", models.BigIntegerField()),
            ("day", models.DateField()),
            *row(),
        ),
        unmanaged(
            "EventHead",
            ("id", models.SmallIntegerField(primary_key=True, serialize=False)),
            ("position", models.BigIntegerField()),
            ("day", models.DateField()),
            ("dropped_position", models.BigIntegerField()),
            ("dropped_at", models.DateTimeField(null=True)),
            ("dropped_subject_id", models.UUIDField(null=True)),
            ("dropped_seq", models.BigIntegerField(null=True)),
        ),
    ]
