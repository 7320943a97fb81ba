"""What games may pay out, and the counters of what they have."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0012_login_links"),
        ("wallet", "0020_alert_messages"),
    ]

    operations = [
        migrations.CreateModel(
            name="PayoutCounter",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "game_id",
                        "currency_id",
                        "day",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("number", models.SmallIntegerField()),
                ("net", models.DecimalField(decimal_places=0, max_digits=40)),
                (
                    "currency",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallet.currency",
                    ),
                ),
                (
                    "game",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="players.game",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="PayoutLimit",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("largest_deposit", models.BigIntegerField(blank=True, null=True)),
                (
                    "daily_payout",
                    models.BigIntegerField(blank=True, null=True, verbose_name="net payout per day"),
                ),
                ("counting_since", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "currency",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallet.currency",
                    ),
                ),
                (
                    "game",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="players.game",
                    ),
                ),
            ],
            options={
                "permissions": [("change_game_limits", "Can change what games may pay out")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("game", "currency"), name="payout_limit_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("largest_deposit", None), ("largest_deposit__gt", 0), _connector="OR"),
                            models.Q(("daily_payout", None), ("daily_payout__gt", 0), _connector="OR"),
                        ),
                        name="payout_limit_is_positive",
                    ),
                ],
            },
        ),
        migrations.RunSQL(Path(__file__).with_suffix(".sql").read_text(), migrations.RunSQL.noop),
    ]
