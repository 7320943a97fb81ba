"""Identifiers are ordered by their bytes, which no upgrade of the operating system changes."""

import django.core.validators
from django.db import migrations, models

from lib.collate_c import CollateC


class Migration(migrations.Migration):
    # Indexes are built beside the old ones, which no transaction can do.
    atomic = False
    dependencies = [("payments", "0004_texts"), ("wallet", "0014_identifiers")]
    operations = [
        CollateC("payments_provider", "slug", "currency_id"),
        CollateC("payments_product", "code", "credit_currency_id"),
        CollateC("payments_price", "currency_id"),
        CollateC(
            "payments_order",
            "cp_order_id",
            "page_key",
            "product_code",
            "state",
            "currency_id",
            "credit_currency_id",
        ),
        CollateC("payments_payment", "start_reference", "reference"),
        CollateC("payments_refund", "kind", "payment_reference", "reference"),
        CollateC("payments_callback", "message_id", "type", "reference"),
        CollateC("payments_delivery", "state"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="callback",
                    name="message_id",
                    field=models.CharField(db_collation="C", max_length=255),
                ),
                migrations.AlterField(
                    model_name="callback",
                    name="reference",
                    field=models.CharField(blank=True, db_collation="C", max_length=255),
                ),
                migrations.AlterField(
                    model_name="callback",
                    name="type",
                    field=models.CharField(blank=True, db_collation="C", max_length=40),
                ),
                migrations.AlterField(
                    model_name="delivery",
                    name="state",
                    field=models.CharField(
                        choices=[
                            ("pending", "pending"),
                            ("delivered", "delivered"),
                            ("gone", "stopped by the game (410)"),
                            ("returned", "stopped: the money went back"),
                            ("exhausted", "given up after 48 hours"),
                        ],
                        db_collation="C",
                        default="pending",
                        max_length=9,
                    ),
                ),
                migrations.AlterField(
                    model_name="order",
                    name="cp_order_id",
                    field=models.CharField(db_collation="C", max_length=64, verbose_name="cpOrderId"),
                ),
                migrations.AlterField(
                    model_name="order",
                    name="page_key",
                    field=models.CharField(db_collation="C", editable=False, max_length=32, unique=True),
                ),
                migrations.AlterField(
                    model_name="order",
                    name="product_code",
                    field=models.CharField(db_collation="C", max_length=64, verbose_name="productId"),
                ),
                migrations.AlterField(
                    model_name="order",
                    name="state",
                    field=models.CharField(
                        choices=[
                            ("created", "created"),
                            ("paid", "paid"),
                            ("delivered", "delivered"),
                            ("failed", "failed"),
                            ("expired", "expired"),
                            ("refunded", "refunded"),
                            ("charged_back", "charged back"),
                        ],
                        db_collation="C",
                        default="created",
                        max_length=12,
                    ),
                ),
                migrations.AlterField(
                    model_name="payment",
                    name="reference",
                    field=models.CharField(blank=True, db_collation="C", max_length=255),
                ),
                migrations.AlterField(
                    model_name="payment",
                    name="start_reference",
                    field=models.CharField(blank=True, db_collation="C", max_length=255),
                ),
                migrations.AlterField(
                    model_name="product",
                    name="code",
                    field=models.CharField(
                        db_collation="C",
                        help_text="The game's name for it (productId). It cannot be changed later.",
                        max_length=64,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[!-~]{1,64}\\Z", "1 to 64 printable ASCII characters without spaces."
                            )
                        ],
                        verbose_name="product id",
                    ),
                ),
                migrations.AlterField(
                    model_name="provider",
                    name="slug",
                    field=models.CharField(
                        db_collation="C",
                        help_text="Its callbacks are received at /pay/<slug>. It cannot be changed later.",
                        max_length=40,
                        unique=True,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[a-z0-9]([a-z0-9-]*[a-z0-9])?\\Z", "Small letters, digits and hyphens."
                            )
                        ],
                    ),
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="kind",
                    field=models.CharField(
                        choices=[("refund", "refund"), ("charge_back", "chargeback")],
                        db_collation="C",
                        max_length=11,
                    ),
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="payment_reference",
                    field=models.CharField(blank=True, db_collation="C", max_length=255),
                ),
                migrations.AlterField(
                    model_name="refund",
                    name="reference",
                    field=models.CharField(blank=True, db_collation="C", max_length=255),
                ),
            ]
        ),
    ]
