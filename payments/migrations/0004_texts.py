"""Help texts and labels, reworded; no column changes."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import payments.models.products
import players.models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0003_what_is_kept"),
        ("wallet", "0013_texts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="product",
            name="code",
            field=models.CharField(
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
            model_name="product",
            name="credit",
            field=models.BigIntegerField(
                blank=True,
                help_text="The amount added to the wallet, in minor units.",
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="is_delivered",
            field=models.BooleanField(
                default=False,
                help_text="The game is told to deliver it once it is paid.",
                verbose_name="delivered by the game",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="name",
            field=models.CharField(help_text="Shown to players at the checkout.", max_length=100),
        ),
        migrations.AlterField(
            model_name="product",
            name="name_de",
            field=models.CharField(
                blank=True,
                help_text="Empty: the name above is shown in German too.",
                max_length=100,
                verbose_name="German name",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="on_sale_from",
            field=models.DateTimeField(blank=True, help_text="UTC. Empty: immediately.", null=True),
        ),
        migrations.AlterField(
            model_name="product",
            name="on_sale_to",
            field=models.DateTimeField(blank=True, help_text="UTC. Empty: no end.", null=True),
        ),
        migrations.AlterField(
            model_name="provider",
            name="allowed_networks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=43, validators=[players.models.validate_network]),
                blank=True,
                default=list,
                help_text=(
                    "Addresses or networks, separated by commas. "
                    "Callbacks from other addresses get no answer. Empty: any address."
                ),
                size=None,
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="currency",
            field=models.ForeignKey(
                blank=True,
                help_text=(
                    "The only currency of its payments. Empty: any currency. Required for order-notify."
                ),
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wallet.currency",
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="is_active",
            field=models.BooleanField(
                default=True,
                help_text="If off, it is not offered at the checkout. Its callbacks are still processed.",
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="is_live",
            field=models.BooleanField(
                default=False,
                help_text="Stripe: whether real money is charged. Events of the other mode are refused.",
                verbose_name="live mode",
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="name",
            field=models.CharField(help_text="Shown to players at the checkout.", max_length=60),
        ),
        migrations.AlterField(
            model_name="provider",
            name="page_url",
            field=models.URLField(
                blank=True,
                help_text=(
                    "The payment page that players are sent to; the order is added as query parameters. "
                    "Not needed for Stripe and the sandbox."
                ),
                max_length=500,
                validators=[django.core.validators.URLValidator(schemes=["https", "http"])],
                verbose_name="payment page",
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="scheme",
            field=models.CharField(
                choices=[
                    ("order-notify", "order-notify (MD5)"),
                    ("standard-webhooks", "Standard Webhooks"),
                    ("stripe", "Stripe Checkout"),
                    ("sandbox", "sandbox (demonstration only)"),
                ],
                help_text="It cannot be changed later.",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="slug",
            field=models.CharField(
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
            model_name="provider",
            name="timeout_seconds",
            field=models.PositiveSmallIntegerField(
                default=10,
                help_text="Seconds that a call to the provider may take, 1 to 30.",
                verbose_name="time-out",
            ),
        ),
        migrations.AlterField(
            model_name="shop",
            name="order_url",
            field=models.URLField(
                blank=True,
                help_text=(
                    "The game's endpoint for deliveries of paid orders. "
                    "Empty: the game delivers nothing itself."
                ),
                max_length=500,
                validators=[django.core.validators.URLValidator(schemes=["https", "http"])],
                verbose_name="order URL",
            ),
        ),
        migrations.AlterField(
            model_name="shop",
            name="paused_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="The time since which deliveries are paused.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="shop",
            name="return_origins",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    max_length=200, validators=[payments.models.products.validate_origin]
                ),
                blank=True,
                default=list,
                help_text=(
                    "Origins that players may return to after paying, such as https://game.example, "
                    "separated by commas."
                ),
                size=None,
            ),
        ),
    ]
