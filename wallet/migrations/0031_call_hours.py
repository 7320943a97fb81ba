"""The call log is summed up by game and hour; the first runs of the job do it for the last days."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

STEPS = (
    *("withdrawal_confirmed", "withdrawal_rolled_back", "deposit_confirmed", "deposit_rolled_back"),
    *("opening_repeated", "settlement_repeated", "tombstone", "declined", "declined_confirmed", "queried"),
)


def key(*names: str) -> tuple[str, Any]:
    return "pk", models.CompositePrimaryKey(
        *names, blank=True, editable=False, primary_key=True, serialize=False
    )


def game() -> tuple[str, Any]:
    return "game", models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to="players.game",
    )


class Migration(migrations.Migration):
    dependencies = [("players", "0028_approval_player"), ("wallet", "0030_hours")]
    operations = [
        migrations.CreateModel(
            name="CallHour",
            fields=[
                key("game_id", "hour", "endpoint", "bucket"),
                ("hour", models.DateTimeField()),
                ("endpoint", models.CharField(db_collation="C", max_length=20)),
                ("bucket", models.PositiveSmallIntegerField()),
                ("calls", models.PositiveBigIntegerField()),
                ("refused", models.PositiveBigIntegerField()),
                ("repeats", models.PositiveBigIntegerField()),
                ("late", models.PositiveBigIntegerField()),
                game(),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="IntegrationStep",
            fields=[
                key("game_id", "name"),
                (
                    "name",
                    models.CharField(
                        choices=[(name, name.replace("_", " ").title()) for name in STEPS],
                        db_collation="C",
                        max_length=24,
                    ),
                ),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                game(),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="CallLogReading",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("up_to", models.DateTimeField()),
            ],
            options={"default_permissions": ()},
        ),
    ]
