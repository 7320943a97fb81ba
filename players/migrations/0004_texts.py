"""Help texts and labels, reworded; no column changes."""

import django.contrib.postgres.fields
import django.core.validators
from django.db import migrations, models

import players.models


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0003_query_url"),
    ]

    operations = [
        migrations.AlterField(
            model_name="credential",
            name="allowed_networks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=43, validators=[players.models.validate_network]),
                blank=True,
                default=list,
                help_text="Addresses or networks, separated by commas. Calls from other addresses get no "
                "answer. Empty: any address.",
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="game",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="If off, no new sessions are started. Running sessions and their transactions "
                "continue.",
            ),
        ),
        migrations.AlterField(
            model_name="game",
            name="pending_hours",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Hours that a pending transaction waits for the game, at least 50. Empty: the "
                "platform's default.",
                null=True,
                validators=[django.core.validators.MinValueValidator(50)],
            ),
        ),
        migrations.AlterField(
            model_name="game",
            name="query_url",
            field=models.URLField(
                blank=True,
                help_text="The game's endpoint for status queries about transactions. Empty: the game cannot "
                "be queried.",
                max_length=500,
                validators=[django.core.validators.URLValidator(schemes=["https", "http"])],
                verbose_name="query URL",
            ),
        ),
        migrations.AlterField(
            model_name="game",
            name="query_username",
            field=models.CharField(
                blank=True,
                help_text="The platform's username at the game (HTTP Basic).",
                max_length=64,
                verbose_name="query username",
            ),
        ),
        migrations.AlterField(
            model_name="game",
            name="unanswered_policy",
            field=models.CharField(
                choices=[("expire", "expire"), ("hold", "hold for an operator")],
                default="expire",
                help_text="Applies to due transactions if the game has no query URL.",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="player",
            name="is_test",
            field=models.BooleanField(
                default=False,
                help_text="A player for demonstration or tests, excluded from reports.",
                verbose_name="test player",
            ),
        ),
    ]
