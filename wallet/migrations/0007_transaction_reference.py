"""A column for the order that a transaction belongs to, which was read out of its description before."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("wallet", "0006_payment_functions")]
    operations = [
        migrations.AddField(
            model_name="transaction",
            name="reference",
            field=models.UUIDField(
                blank=True, null=True, help_text="The order that it belongs to; empty if it is none's."
            ),
        ),
        # Before there is an index to keep. What these say is covered by no hash of theirs: their format is
        # the first.
        migrations.RunSQL(
            """
            UPDATE wallet_transaction SET reference = substring(description FROM 7)::uuid
            WHERE type IN ('payment', 'sale', 'payment_return', 'sale_return', 'top_up', 'clawback',
                'set_aside')
              AND description ~ '^order [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
            """,
            reverse_sql=migrations.RunSQL.noop,
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(("reference__isnull", False)),
                fields=["reference"],
                name="transaction_by_reference",
            ),
        ),
    ]
