"""Refused callbacks are kept whole, counted exactly, and can be verified again."""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

import lib.ids

OUTCOMES = [
    ("acted", "acted on"),
    ("nothing", "nothing to do"),
    ("duplicate", "duplicate payment, to be refunded"),
    ("contradicts", "contradicts"),
    ("no_order", "no such order"),
]
# Of those that are there only the beginning was kept.
SIZES = "UPDATE payments_refusedcallback SET size = octet_length(body)"
# Rows that were changed have checks of their keys pending, and a table with those gets no index.
CHECKED = "SET CONSTRAINTS ALL IMMEDIATE"


def added(name: str, field: Any) -> migrations.AddField:
    return migrations.AddField("refusedcallback", name, field)


def without_default(name: str, field: Any) -> migrations.AlterField:
    return migrations.AlterField("refusedcallback", name, field)


def identifier(length: int, **options: Any) -> Any:
    return models.CharField(max_length=length, blank=True, db_collation="C", **options)


class Migration(migrations.Migration):
    dependencies = [("payments", "0011_id_ends")]
    operations = [
        migrations.AlterModelOptions(
            "refusedcallback",
            {
                "default_permissions": ("view",),
                "permissions": [("verify_callback", "Can have refused callbacks verified again")],
            },
        ),
        added("size", models.PositiveIntegerField(default=0)),
        added("message_id", identifier(255, default="")),
        added("said_type", identifier(40, default="")),
        added("said_order", models.UUIDField(null=True, blank=True)),
        added("said_reference", identifier(255, default="")),
        added("said_amount", models.BigIntegerField(null=True, blank=True)),
        added("said_currency", identifier(12, default="")),
        added("is_likely", models.BooleanField(default=False)),
        added("due_at", models.DateTimeField(null=True, blank=True)),
        added("verified_at", models.DateTimeField(null=True, blank=True)),
        added("outcome", models.CharField(max_length=14, blank=True, default="", choices=OUTCOMES)),
        migrations.RunSQL(SIZES, migrations.RunSQL.noop),
        migrations.RunSQL(CHECKED, migrations.RunSQL.noop),
        without_default("size", models.PositiveIntegerField()),
        without_default("message_id", identifier(255)),
        without_default("said_type", identifier(40)),
        without_default("said_reference", identifier(255)),
        without_default("said_currency", identifier(12)),
        without_default("outcome", models.CharField(max_length=14, blank=True, choices=OUTCOMES)),
        migrations.AddIndex(
            "refusedcallback",
            models.Index(
                fields=["said_order"], name="refused_callback_by_order", condition=Q(said_order__isnull=False)
            ),
        ),
        migrations.AddIndex(
            "refusedcallback",
            models.Index(
                fields=["said_reference"],
                name="refused_callback_by_reference",
                condition=~Q(said_reference=""),
            ),
        ),
        migrations.AddIndex(
            "refusedcallback",
            models.Index(fields=["due_at"], name="refused_callback_due", condition=Q(due_at__isnull=False)),
        ),
        migrations.CreateModel(
            "RefusalCount",
            [
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("minute", models.DateTimeField()),
                ("times", models.PositiveBigIntegerField()),
                ("last_at", models.DateTimeField()),
                (
                    "provider",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="refusal_counts",
                        to="payments.provider",
                    ),
                ),
            ],
            options={"default_permissions": ()},
        ),
        migrations.AddConstraint(
            "refusalcount",
            models.UniqueConstraint(fields=["provider", "minute"], name="refusal_count_once_per_minute"),
        ),
        migrations.AddField("secret", "last_used_at", models.DateTimeField(null=True, blank=True)),
    ]
