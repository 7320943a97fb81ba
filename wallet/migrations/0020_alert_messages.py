"""Who hears of each alert, and what was sent."""

import django.db.models.deletion
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0019_named_permissions"),
    ]

    operations = [
        migrations.CreateModel(
            name="AlertMessage",
            fields=[
                ("next_attempt_at", models.DateTimeField(blank=True, null=True)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("webhook", "webhook"), ("email", "e-mail")], db_collation="C", max_length=7
                    ),
                ),
                (
                    "address",
                    models.CharField(
                        blank=True,
                        db_collation="C",
                        help_text="An e-mail address; empty for the webhook.",
                        max_length=254,
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("raised_told_at", models.DateTimeField(blank=True, null=True)),
                ("ended_told_at", models.DateTimeField(blank=True, null=True)),
                (
                    "attempts",
                    models.PositiveIntegerField(default=0, help_text="Attempts since the last success."),
                ),
                ("problem", models.CharField(blank=True, max_length=255)),
                (
                    "alert",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="messages",
                        to="wallet.alert",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_attempt_at__isnull", False)),
                        fields=["next_attempt_at"],
                        name="alert_message_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("alert", "channel", "address"), name="alert_message_once")
                ],
            },
        ),
    ]
