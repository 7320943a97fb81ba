"""Returns of which a provider tells how they stand (contract 4.2, rule 6): since when, and in all."""

import django.db.models.deletion
from django.db import migrations, models

import lib.ids

# Refunds of Stripe were booked by totals, and without a name: what they add up to was the last total.
TOTALS = """
    INSERT INTO payments_refundtotal (id, order_id, provider_id, payment_reference, amount, told_at)
    SELECT gen_random_uuid(), r.order_id, r.provider_id, r.payment_reference, sum(r.amount),
        max(r.created_at) FILTER (WHERE r.reference = '')
    FROM payments_refund r JOIN payments_provider p ON p.id = r.provider_id
    WHERE p.scheme = 'stripe' AND r.kind = 'refund' AND r.state IN ('done', 'remembered')
        AND r.payment_reference <> ''
    GROUP BY r.order_id, r.provider_id, r.payment_reference
    HAVING bool_or(r.reference = '')
    ON CONFLICT DO NOTHING
"""
GUARDS = """
    CREATE TRIGGER refund_total_is_never_deleted BEFORE DELETE ON payments_refundtotal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER refund_total_is_of_its_payment BEFORE UPDATE ON payments_refundtotal
    FOR EACH ROW WHEN (
        (OLD.order_id, OLD.provider_id, OLD.payment_reference)
        IS DISTINCT FROM (NEW.order_id, NEW.provider_id, NEW.payment_reference)
    ) EXECUTE FUNCTION refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0006_what_stays"),
    ]

    operations = [
        migrations.AddField(
            model_name="refund",
            name="is_final",
            field=models.BooleanField(default=False),
        ),
        # Processes of the version before, which go on until they are reloaded, write refunds without it.
        migrations.RunSQL(
            "ALTER TABLE payments_refund ALTER COLUMN is_final SET DEFAULT false", migrations.RunSQL.noop
        ),
        migrations.AddField(
            model_name="refund",
            name="made_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="refund",
            name="told_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name="refund",
            name="state",
            field=models.CharField(
                choices=[
                    ("asked", "to be requested"),
                    ("unknown", "outcome unknown"),
                    ("refused", "refused by the provider"),
                    ("remembered", "came before the payment"),
                    ("done", "done"),
                    ("reversed", "reversed"),
                    ("unmoved", "moved no money"),
                    ("replaced", "replaced"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="RefundTotal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=lib.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("payment_reference", models.CharField(db_collation="C", max_length=255)),
                ("amount", models.BigIntegerField()),
                ("told_at", models.DateTimeField()),
                (
                    "order",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="refund_totals",
                        to="payments.order",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="payments.provider",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("provider", "payment_reference"), name="refund_total_once_per_payment"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount__gte", 0)), name="refund_total_is_not_negative"
                    ),
                ],
            },
        ),
        migrations.RunSQL(TOTALS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(GUARDS, reverse_sql=migrations.RunSQL.noop),
    ]
