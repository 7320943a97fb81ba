"""Counts what games' calls were answered with, by day."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("players", "0028_approval_player")]
    operations = [
        migrations.CreateModel(
            name="AnswerCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "game_id",
                        "day",
                        "endpoint",
                        "code",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("endpoint", models.CharField(db_collation="C", max_length=20)),
                ("code", models.PositiveSmallIntegerField()),
                ("times", models.PositiveBigIntegerField()),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
                ("example", models.CharField(blank=True, max_length=2048)),
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
            options={"default_permissions": ()},
        ),
    ]
