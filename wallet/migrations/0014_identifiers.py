"""Identifiers are ordered by their bytes, which no upgrade of the operating system changes."""

import django.core.validators
from django.db import migrations, models

from lib.collate_c import CollateC


class Migration(migrations.Migration):
    # Indexes are built beside the old ones, which no transaction can do.
    atomic = False
    dependencies = [("wallet", "0013_texts")]
    operations = [
        CollateC("wallet_currency", "code"),
        CollateC("wallet_wallet", "currency_id"),
        CollateC("wallet_transaction", "type", "mm_transaction_id"),
        CollateC("wallet_apicall", "mm_transaction_id", "currency_code"),
        CollateC("wallet_discrepancy", "kind"),
        CollateC("wallet_dailytotal", "currency_id", "account"),
        CollateC("wallet_alert", "kind", "subject"),
        CollateC("wallet_jobrun", "task"),
        CollateC("wallet_pulse", "part"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
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
                        db_collation="C",
                        max_length=21,
                    ),
                ),
                migrations.AlterField(
                    model_name="alert",
                    name="subject",
                    field=models.CharField(
                        db_collation="C",
                        help_text="A wallet, a game, a job, a refund or an order.",
                        max_length=80,
                    ),
                ),
                migrations.AlterField(
                    model_name="currency",
                    name="code",
                    field=models.CharField(
                        db_collation="C",
                        max_length=12,
                        primary_key=True,
                        serialize=False,
                        validators=[
                            django.core.validators.RegexValidator(
                                "\\A[A-Z0-9]{2,12}\\Z", "2 to 12 capital letters or digits."
                            )
                        ],
                    ),
                ),
                migrations.AlterField(
                    model_name="dailytotal",
                    name="account",
                    field=models.CharField(
                        choices=[
                            ("spendable", "spendable"),
                            ("reserved", "reserved"),
                            ("debt", "debt"),
                            ("game_revenue", "game revenue"),
                            ("game_payout", "game payout"),
                            ("provider_clearing", "provider clearing"),
                            ("issuance", "issuance"),
                            ("adjustments", "adjustments"),
                            ("write_off", "write-off"),
                        ],
                        db_collation="C",
                        max_length=17,
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
                        db_collation="C",
                        max_length=21,
                    ),
                ),
                migrations.AlterField(
                    model_name="jobrun",
                    name="task",
                    field=models.CharField(db_collation="C", max_length=40),
                ),
                migrations.AlterField(
                    model_name="pulse",
                    name="part",
                    field=models.CharField(
                        choices=[("web", "web"), ("queue", "queue")],
                        db_collation="C",
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                migrations.AlterField(
                    model_name="transaction",
                    name="mm_transaction_id",
                    field=models.CharField(
                        blank=True, db_collation="C", max_length=64, null=True, verbose_name="mmTransactionId"
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
            ]
        ),
    ]
