"""Discrepancies are closed, booked as the game says, and owned; so are alerts owned."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("players", "0019_superusers"),
        ("wallet", "0026_figures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="adjustment",
            name="adjustment_is_of_a_known_type",
        ),
        migrations.AddField(
            model_name="alert",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="closed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="closed_by",
            field=models.CharField(blank=True, db_default="", max_length=80),
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="correction",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="wallet.transaction",
            ),
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="owner",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="discrepancy",
            name="reason",
            field=models.CharField(blank=True, db_default="", max_length=255),
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
                    ("late_withdrawal", "withdrawal confirmed afterwards"),
                    ("late_deposit", "deposit confirmed afterwards"),
                    ("withdrawal_back", "withdrawal given back afterwards"),
                    ("deposit_back", "deposit taken back afterwards"),
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
                    ("return_changed", "a refund failed after all, or a dispute was decided anew"),
                    ("delivery_given_up", "a paid order was not delivered"),
                    ("acts_not_linked", "acts of operators are not chained"),
                    ("money_by_hand", "much money was made by hand"),
                    ("deposits_unusual", "a game pays out far more than usual"),
                    ("access_changed", "an operator changed who may do what"),
                    ("lock_out", "log-ins of an operator were locked"),
                    ("callbacks_refused", "a provider's callbacks are refused"),
                    ("refund_refused", "a provider refused a refund"),
                ],
                db_collation="C",
                max_length=21,
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
                    ("late_withdrawal", "withdrawal confirmed afterwards"),
                    ("late_deposit", "deposit confirmed afterwards"),
                    ("withdrawal_back", "withdrawal given back afterwards"),
                    ("deposit_back", "deposit taken back afterwards"),
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
        migrations.AddIndex(
            model_name="discrepancy",
            index=models.Index(
                models.F("first_seen_at"), condition=models.Q(("closed_at", None)), name="discrepancy_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("amount__gt", 0),
                    (
                        "type__in",
                        [
                            "credit",
                            "debit",
                            "write_off",
                            "late_withdrawal",
                            "late_deposit",
                            "withdrawal_back",
                            "deposit_back",
                        ],
                    ),
                ),
                name="adjustment_is_of_a_known_type",
            ),
        ),
        migrations.AddConstraint(
            model_name="discrepancy",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at", None), ("closed_by", ""), ("correction", None)),
                    models.Q(("closed_at__isnull", False), models.Q(("closed_by", ""), _negated=True)),
                    _connector="OR",
                ),
                name="discrepancy_is_closed_by_somebody",
            ),
        ),
    ]
