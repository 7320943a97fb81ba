"""Requests for a second person, what happened to them, and the rules of who may act alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import lib.ids


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0014_kept_history"),
    ]

    operations = [
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(db_collation="C", max_length=40)),
                ("subject_type", models.CharField(db_collation="C", max_length=40)),
                ("subject_id", models.CharField(db_collation="C", max_length=64)),
                ("subject_name", models.CharField(max_length=200)),
                ("payload", models.JSONField()),
                ("sealed", models.CharField(blank=True, max_length=4000)),
                ("title", models.CharField(max_length=300)),
                ("effect", models.JSONField()),
                ("says", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("amount", models.BigIntegerField(null=True)),
                ("currency_code", models.CharField(blank=True, db_collation="C", max_length=12)),
                ("requested_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=255)),
                ("is_alone", models.BooleanField(default=False)),
                ("expires_at", models.DateTimeField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("requested", "waiting"),
                            ("executed", "executed"),
                            ("not_executable", "not executable"),
                            ("declined", "declined"),
                            ("withdrawn", "withdrawn"),
                            ("expired", "expired"),
                        ],
                        default="requested",
                        max_length=14,
                    ),
                ),
                ("decision_reason", models.CharField(blank=True, max_length=255)),
                ("ended_at", models.DateTimeField(null=True)),
                ("result", models.CharField(blank=True, max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ApprovalEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("requested", "requested"),
                            ("approved", "approved"),
                            ("executed", "executed"),
                            ("not_executable", "not executable"),
                            ("declined", "declined"),
                            ("withdrawn", "withdrawn"),
                            ("expired", "expired"),
                        ],
                        max_length=14,
                    ),
                ),
                ("note", models.CharField(blank=True, max_length=500)),
                ("at", models.DateTimeField()),
                (
                    "approval",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="players.approval",
                    ),
                ),
                (
                    "operator",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="ApprovalRule",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("kind", models.CharField(db_collation="C", max_length=40)),
                (
                    "currency_code",
                    models.CharField(
                        blank=True,
                        db_collation="C",
                        help_text="Empty: the rule is about how long requests wait, in any currency.",
                        max_length=12,
                        verbose_name="currency",
                    ),
                ),
                (
                    "alone_up_to",
                    models.BigIntegerField(
                        default=0,
                        help_text="The amount up to which one person may act alone on one object within 24 "
                        "hours, in minor units. 0: nobody acts alone.",
                    ),
                ),
                (
                    "alone_per_day",
                    models.BigIntegerField(
                        default=0,
                        help_text="What one person may do alone within 24 hours in total, in minor units.",
                    ),
                ),
                (
                    "hours",
                    models.PositiveSmallIntegerField(
                        default=72,
                        help_text="A request that nobody has decided by then expires.",
                        verbose_name="hours to decide",
                    ),
                ),
            ],
            options={
                "ordering": ["kind", "currency_code"],
                "permissions": [("manage_approval_rules", "Can change what one person may do alone")],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "currency_code"), name="approval_rule_once"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("alone_per_day", 0), ("alone_up_to", 0), ("currency_code", "")),
                            models.Q(
                                models.Q(("currency_code", ""), _negated=True),
                                ("alone_per_day__gte", models.F("alone_up_to")),
                                ("alone_up_to__gte", 0),
                            ),
                            _connector="OR",
                        ),
                        name="approval_rule_amounts_have_a_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("hours__gte", 1), ("hours__lte", 720)),
                        name="approval_rule_hours_1_to_720",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(
                condition=models.Q(("state", "requested")), fields=["expires_at"], name="approval_waiting"
            ),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["requested_by", "requested_at"], name="approval_by_requester"),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["subject_type", "subject_id"], name="approval_by_subject"),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_by", None), ("ended_at", None), ("state", "requested")),
                    models.Q(
                        models.Q(("state", "requested"), _negated=True),
                        ("ended_at__isnull", False),
                        ("sealed", ""),
                    ),
                    _connector="OR",
                ),
                name="approval_ended_if_not_requested",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("decided_by", None), ("is_alone", True), ("state__in", ["requested", "executed"])
                    ),
                    models.Q(("is_alone", False), ("state", "requested")),
                    models.Q(
                        ("decided_by__isnull", False),
                        ("is_alone", False),
                        ("state__in", ["executed", "not_executable", "declined"]),
                        models.Q(("decided_by", models.F("requested_by")), _negated=True),
                    ),
                    models.Q(
                        ("decided_by", models.F("requested_by")), ("is_alone", False), ("state", "withdrawn")
                    ),
                    models.Q(("decided_by", None), ("is_alone", False), ("state", "expired")),
                    _connector="OR",
                ),
                name="approval_is_decided_by_a_second_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount", None), ("currency_code", "")),
                    models.Q(("amount__gt", 0), models.Q(("currency_code", ""), _negated=True)),
                    _connector="OR",
                ),
                name="approval_amount_has_a_currency",
            ),
        ),
        migrations.AddIndex(
            model_name="approvalevent",
            index=models.Index(fields=["approval", "at"], name="approval_event_by_approval"),
        ),
    ]
