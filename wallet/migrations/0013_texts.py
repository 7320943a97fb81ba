"""Help texts and labels, reworded; no column changes."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("wallet", "0012_job_runs"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="inquiry",
            options={"verbose_name_plural": "manual review"},
        ),
        migrations.AlterField(
            model_name="alert",
            name="kind",
            field=models.CharField(
                choices=[
                    ("wallet_difference", "audit: a wallet differs from its journal"),
                    ("ledger_difference", "audit: the ledger does not balance"),
                    ("checkpoint_difference", "a checkpoint does not match the ledger"),
                    ("game_forgets", "a game no longer knows most of its transactions"),
                    ("sweep_failed", "a job failed"),
                    ("settlement_failed", "a due transaction cannot be settled"),
                    ("credit_held", "a payment's credit could not be posted"),
                    ("refund_open", "a refund is unconfirmed for days"),
                    ("delivery_given_up", "a paid order was not delivered"),
                ],
                max_length=21,
            ),
        ),
        migrations.AlterField(
            model_name="alert",
            name="subject",
            field=models.CharField(help_text="A wallet, a game, a job, a refund or an order.", max_length=80),
        ),
        migrations.AlterField(
            model_name="checkpoint",
            name="differences",
            field=models.PositiveIntegerField(
                blank=True, help_text="Differences found by the last verification.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="currency",
            name="decimals",
            field=models.PositiveSmallIntegerField(
                help_text="Decimals of an amount, 0 to 4. It cannot be changed later.",
                validators=[django.core.validators.MaxValueValidator(4)],
            ),
        ),
        migrations.AlterField(
            model_name="discrepancy",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirm_of_returned", "confirmation of a rolled back or expired transaction"),
                    ("rollback_of_confirmed", "rollback of a transaction confirmed by the platform"),
                    ("tombstone_elsewhere", "rollback of an id that is pending for another player"),
                ],
                max_length=21,
            ),
        ),
        migrations.AlterField(
            model_name="inquiry",
            name="doubt",
            field=models.CharField(
                blank=True,
                choices=[
                    ("held", "the game has no query URL, and its policy is to hold"),
                    ("unknown_deposit", "the game does not know this deposit"),
                    ("pending_too_long", "the game has answered PENDING for 7 days"),
                    ("unreachable", "the game has given no usable answer for 7 days"),
                    ("game_forgets", "the game no longer knows most of its transactions"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="question",
            name="body",
            field=models.CharField(
                blank=True, help_text="The beginning of the game's answer.", max_length=500
            ),
        ),
        migrations.AlterField(
            model_name="question",
            name="problem",
            field=models.CharField(
                blank=True, help_text="The reason for which the answer was not usable.", max_length=120
            ),
        ),
        migrations.AlterField(
            model_name="transaction",
            name="refusal",
            field=models.CharField(
                blank=True, help_text="The reason for which a transaction was declined.", max_length=18
            ),
        ),
        migrations.AlterField(
            model_name="wallet",
            name="withdrawal_limit",
            field=models.BigIntegerField(
                blank=True,
                help_text="The largest single withdrawal, in minor units. Empty: no limit.",
                null=True,
            ),
        ),
    ]
