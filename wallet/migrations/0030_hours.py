"""Latest days are summed up by the hour too; the next run of the job does it for those that are there."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models

ACCOUNTS = [
    ("spendable", "spendable"),
    ("reserved", "reserved"),
    ("debt", "debt"),
    ("game_revenue", "game revenue"),
    ("game_payout", "game payout"),
    ("provider_clearing", "provider clearing"),
    ("issuance", "issuance"),
    ("adjustments", "adjustments"),
    ("write_off", "write-off"),
]


def key() -> tuple[str, Any]:
    field = models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")
    return "id", field


def to(model: str, related_name: str = "+", *, null: bool = False) -> Any:
    on_delete = (
        django.db.models.deletion.PROTECT if related_name == "+" else django.db.models.deletion.CASCADE
    )
    return models.ForeignKey(
        db_index=False, null=null, on_delete=on_delete, related_name=related_name, to=model
    )


class Migration(migrations.Migration):
    dependencies = [("wallet", "0029_kinds_of_runs")]
    operations = [
        migrations.AddField("figuresday", "by_hour", models.BooleanField(default=False, db_default=False)),
        # Processes that are not yet new name no hour.
        migrations.AddField("activesession", "hour", models.PositiveSmallIntegerField(db_default=0)),
        migrations.CreateModel(
            name="HourTotal",
            fields=[
                key(),
                ("hour", models.PositiveSmallIntegerField()),
                ("is_test", models.BooleanField()),
                ("account", models.CharField(choices=ACCOUNTS, db_collation="C", max_length=17)),
                ("debits", models.DecimalField(decimal_places=0, max_digits=40)),
                ("credits", models.DecimalField(decimal_places=0, max_digits=40)),
                ("currency", to("wallet.currency")),
                ("day", to("wallet.figuresday", "hours")),
                ("game", to("players.game", null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "hour", "game", "currency", "is_test", "account"),
                        name="hour_total_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HourActivity",
            fields=[
                key(),
                ("hour", models.PositiveSmallIntegerField()),
                ("is_test", models.BooleanField()),
                ("players", models.PositiveBigIntegerField()),
                ("sessions", models.PositiveBigIntegerField()),
                ("currency", to("wallet.currency", null=True)),
                ("day", to("wallet.figuresday", "arrivals")),
                ("game", to("players.game", null=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "hour", "game", "currency", "is_test"),
                        name="hour_activity_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
    ]
