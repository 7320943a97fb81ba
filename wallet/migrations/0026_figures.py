"""What the admin's first page shows is summed up by day and game; the first runs do it for closed days."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0019_superusers"),
        ("wallet", "0025_id_ends"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiguresDay",
            fields=[
                ("day", models.DateField(primary_key=True, serialize=False)),
                ("read_up_to", models.DateTimeField()),
                ("is_final", models.BooleanField(default=False)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ActiveSession",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day_id", "session_id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("session_id", models.UUIDField()),
                ("player_id", models.UUIDField()),
                ("game_id", models.UUIDField()),
                ("currency_code", models.CharField(db_collation="C", max_length=12)),
                ("is_test", models.BooleanField()),
                (
                    "day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sessions",
                        to="wallet.figuresday",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="DailyActivity",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_test", models.BooleanField()),
                ("players", models.PositiveBigIntegerField()),
                ("sessions", models.PositiveBigIntegerField()),
                (
                    "currency",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallet.currency",
                    ),
                ),
                (
                    "game",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="players.game",
                    ),
                ),
                (
                    "day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="activity",
                        to="wallet.figuresday",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "game", "currency", "is_test"),
                        name="daily_activity_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GameTotal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_test", models.BooleanField()),
                (
                    "account",
                    models.CharField(
                        choices=[
                            ("spendable", "spendable"),
                            ("reserved", "reserved"),
                            ("debt", "debt"),
                            ("game_revenue", "game revenue"),
                            ("game_payout", "game payout"),
                            ("provider_clearing", "provider clearing"),
                            ("issuance", "issuance"),
                            ("adjustments", "adjustments"),
                            ("write_off", "write-off"),
                        ],
                        db_collation="C",
                        max_length=17,
                    ),
                ),
                ("debits", models.DecimalField(decimal_places=0, max_digits=40)),
                ("credits", models.DecimalField(decimal_places=0, max_digits=40)),
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
                    "day",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="totals",
                        to="wallet.figuresday",
                    ),
                ),
                (
                    "game",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="players.game",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "game", "currency", "is_test", "account"),
                        name="game_total_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Liability",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_test", models.BooleanField()),
                ("spendable", models.DecimalField(decimal_places=0, max_digits=40)),
                ("reserved", models.DecimalField(decimal_places=0, max_digits=40)),
                ("announced", models.DecimalField(decimal_places=0, max_digits=40)),
                ("debt", models.DecimalField(decimal_places=0, max_digits=40)),
                ("at", models.DateTimeField()),
                (
                    "currency",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="wallet.currency",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("currency", "is_test"), name="liability_once")
                ],
            },
        ),
    ]
