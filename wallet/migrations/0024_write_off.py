"""Debt can be written off: a type of transaction, and of operators' acts."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0018_audit_links"),
        ("wallet", "0023_watch"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="adjustment",
            name="adjustment_is_a_credit_or_a_debit",
        ),
        migrations.AlterField(
            model_name="adjustment",
            name="type",
            field=models.CharField(
                choices=[
                    ("withdrawal", "withdrawal"),
                    ("deposit", "deposit"),
                    ("credit", "credit by an operator"),
                    ("debit", "debit by an operator"),
                    ("write_off", "debt written off by an operator"),
                    ("payment", "payment for credit"),
                    ("sale", "payment for an item"),
                    ("payment_return", "return of a payment for credit"),
                    ("sale_return", "return of a payment for an item"),
                    ("top_up", "top-up"),
                    ("clawback", "credit taken back"),
                    ("set_aside", "credit set aside for a refund"),
                ],
                db_collation="C",
                max_length=14,
            ),
        ),
        migrations.AlterField(
            model_name="transaction",
            name="type",
            field=models.CharField(
                choices=[
                    ("withdrawal", "withdrawal"),
                    ("deposit", "deposit"),
                    ("credit", "credit by an operator"),
                    ("debit", "debit by an operator"),
                    ("write_off", "debt written off by an operator"),
                    ("payment", "payment for credit"),
                    ("sale", "payment for an item"),
                    ("payment_return", "return of a payment for credit"),
                    ("sale_return", "return of a payment for an item"),
                    ("top_up", "top-up"),
                    ("clawback", "credit taken back"),
                    ("set_aside", "credit set aside for a refund"),
                ],
                db_collation="C",
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0), ("type__in", ["credit", "debit", "write_off"])),
                name="adjustment_is_of_a_known_type",
            ),
        ),
    ]
