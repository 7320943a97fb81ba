"""What is kept of all payments decides (contract 4.2, rule 6).

Returns keep the payment that they name, callbacks the digest of what is signed of them,
and an order says whether an operator has to give its credit.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

# Returns so far were booked against a payment whether or not the provider named it: from now on they name it.
RETURNS = """
    UPDATE payments_refund r SET payment_reference = p.reference
    FROM payments_payment p WHERE p.id = r.payment_id;
    UPDATE payments_payment p SET returned = least(p.amount, r.amount) FROM (
        SELECT payment_id, sum(amount)::bigint AS amount FROM payments_refund
        WHERE state = 'done' GROUP BY payment_id
    ) r WHERE r.payment_id = p.id;
"""
HELD = """
    UPDATE payments_order SET is_credit_held = true
    WHERE paid_at IS NOT NULL AND credit IS NOT NULL AND credit_transaction IS NULL AND clawed_back = credit
      AND refunded + charged_back < price
"""
DIGESTS = """
    UPDATE payments_callback
    SET signed_digest = sha256(convert_to(message_id || E'\\n', 'UTF8') || content_digest);
    UPDATE payments_callback SET outcome = 'duplicate' WHERE outcome = 'second_payment';
"""
FROZEN = """
    CREATE TRIGGER callback_stays_as_received BEFORE UPDATE ON payments_callback
    FOR EACH ROW WHEN (
        (OLD.provider_id, OLD.order_id, OLD.message_id, OLD.type, OLD.reference,
         OLD.content_digest, OLD.signed_digest, OLD.headers, OLD.body, OLD.address, OLD.received_at)
        IS DISTINCT FROM
        (NEW.provider_id, NEW.order_id, NEW.message_id, NEW.type, NEW.reference,
         NEW.content_digest, NEW.signed_digest, NEW.headers, NEW.body, NEW.address, NEW.received_at)
    ) EXECUTE FUNCTION refuse_change();
    DROP TRIGGER refund_is_frozen ON payments_refund;
    CREATE TRIGGER refund_is_frozen BEFORE UPDATE ON payments_refund
    FOR EACH ROW WHEN (
        (OLD.order_id, OLD.provider_id, OLD.kind, OLD.amount, OLD.payment_reference)
        IS DISTINCT FROM (NEW.order_id, NEW.provider_id, NEW.kind, NEW.amount, NEW.payment_reference)
    ) EXECUTE FUNCTION refuse_change();
"""
# Groups and operators keep what they may see.
PERMISSIONS = """
    UPDATE auth_permission SET
        codename = replace(codename, 'deliverytry', 'deliveryattempt'),
        name = replace(name, 'delivery try', 'delivery attempt')
    WHERE codename ~ '_deliverytry$'
      AND content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'payments')
"""
TAKEN = ["acted", "nothing", "duplicate"]
REFUSED = ["contradicts", "no_order"]
STATES = [
    ("asked", "to be requested"),
    ("unknown", "outcome unknown"),
    ("refused", "refused by the provider"),
    ("remembered", "came before the payment"),
    ("done", "done"),
    ("reversed", "reversed"),
]
OUTCOMES = [
    ("acted", "acted on"),
    ("nothing", "nothing to do"),
    ("duplicate", "duplicate payment, to be refunded"),
    ("contradicts", "contradicts"),
    ("no_order", "no such order"),
]


# Rows that were changed have checks of their keys pending, and a table with those gets no index.
CHECKED = "SET CONSTRAINTS ALL IMMEDIATE"


def sql(text: str) -> migrations.RunSQL:
    return migrations.RunSQL(text, reverse_sql=migrations.RunSQL.noop)


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_guards")]
    operations = [
        # Attempts to deliver.
        migrations.RenameModel("DeliveryTry", "DeliveryAttempt"),
        sql(PERMISSIONS),
        migrations.AlterModelOptions("deliveryattempt", {"verbose_name": "delivery attempt"}),
        migrations.AlterField(
            "deliveryattempt",
            "delivery",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempt_log",
                to="payments.delivery",
            ),
        ),
        migrations.RenameField("delivery", "times_tried", "attempts"),
        migrations.RemoveIndex("delivery", "delivery_due"),
        migrations.RenameField("delivery", "next_at", "next_attempt_at"),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["next_attempt_at"], name="delivery_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ),
        # Payments and returns.
        migrations.RemoveConstraint("payment", "payment_first_once_per_order"),
        migrations.RenameField("payment", "is_second", "is_duplicate"),
        migrations.AlterField(
            "payment", "is_duplicate", models.BooleanField(default=False, verbose_name="duplicate payment")
        ),
        migrations.AddConstraint(
            "payment",
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(state="paid", is_duplicate=False),
                name="payment_first_once_per_order",
            ),
        ),
        migrations.RemoveIndex("refund", "refund_due"),
        migrations.RenameField("refund", "next_at", "next_attempt_at"),
        migrations.AddIndex(
            "refund",
            models.Index(
                fields=["next_attempt_at"], name="refund_due", condition=Q(next_attempt_at__isnull=False)
            ),
        ),
        migrations.AddField(
            "refund", "payment_reference", models.CharField(blank=True, max_length=255, default="")
        ),
        migrations.AlterField("refund", "payment_reference", models.CharField(blank=True, max_length=255)),
        sql(RETURNS),
        sql(CHECKED),
        migrations.RemoveConstraint("refund", "refund_amount_is_positive"),
        migrations.RemoveField("refund", "of_second"),
        migrations.AddConstraint(
            "refund", models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_is_positive")
        ),
        migrations.AlterField(
            "refund",
            "kind",
            models.CharField(choices=[("refund", "refund"), ("charge_back", "chargeback")], max_length=11),
        ),
        migrations.AlterField("refund", "state", models.CharField(choices=STATES, max_length=10)),
        migrations.AddField("order", "is_credit_held", models.BooleanField(default=False)),
        sql(HELD),
        sql(CHECKED),
        # Callbacks.
        migrations.RemoveConstraint("callback", "callback_once_per_message"),
        migrations.RemoveConstraint("callback", "callback_once_per_reference"),
        migrations.RemoveConstraint("callback", "callback_refused_once"),
        migrations.RemoveIndex("callback", "callback_to_look_at"),
        sql("DROP TRIGGER callback_stays_as_received ON payments_callback"),
        migrations.RenameField("callback", "meaning", "content_digest"),
        migrations.AddField("callback", "signed_digest", models.BinaryField(max_length=32, default=b"")),
        migrations.AlterField("callback", "signed_digest", models.BinaryField(max_length=32)),
        sql(DIGESTS),
        sql(CHECKED),
        migrations.AlterField("callback", "outcome", models.CharField(choices=OUTCOMES, max_length=14)),
        migrations.AddConstraint(
            "callback",
            models.UniqueConstraint(
                fields=["provider", "message_id"],
                condition=Q(outcome__in=TAKEN),
                name="callback_once_per_message",
            ),
        ),
        migrations.AddConstraint(
            "callback",
            models.UniqueConstraint(
                fields=["provider", "type", "reference"],
                condition=Q(outcome__in=TAKEN) & ~Q(reference=""),
                name="callback_once_per_reference",
            ),
        ),
        migrations.AddConstraint(
            "callback",
            models.UniqueConstraint(
                fields=["provider", "signed_digest"],
                condition=Q(outcome__in=REFUSED),
                name="callback_refused_once",
            ),
        ),
        migrations.AddIndex(
            "callback",
            models.Index(
                fields=["provider", "message_id"],
                name="callback_refused_message",
                condition=Q(outcome__in=REFUSED),
            ),
        ),
        migrations.AddIndex(
            "callback",
            models.Index(
                fields=["-id"],
                name="callback_to_look_at",
                condition=Q(outcome__in=["duplicate", *REFUSED], resolved_at__isnull=True),
            ),
        ),
        sql(FROZEN),
        # Returns that wait for their payment, for the operators' list.
        migrations.AddIndex(
            "refund",
            models.Index(fields=["-id"], name="refund_remembered", condition=Q(state="remembered")),
        ),
    ]
