"""Folded days become what accountants call them: closed days, and their daily totals."""

from django.db import migrations, models

# Groups and operators keep what they may see. Django makes a permission anew for a model's new name, and
# forgets nobody's old one.
PERMISSIONS = """
    UPDATE auth_permission SET
        codename = replace(replace(codename, 'foldedday', 'closedday'), 'accountday', 'dailytotal'),
        name = replace(replace(name, 'folded day', 'day''s totals'), 'account day', 'daily total')
    WHERE codename ~ '_(foldedday|accountday)$'
      AND content_type_id IN (SELECT id FROM django_content_type WHERE app_label = 'wallet')
"""
# A run that never was would be late, and a difference that an operator has accepted would be told again.
JOB = """
    UPDATE wallet_sweeprun SET task = 'daily_totals' WHERE task = 'fold_accounts';
    UPDATE wallet_alert SET subject = 'daily_totals'
    WHERE kind = 'sweep_failed' AND subject = 'fold_accounts';
    UPDATE wallet_alert SET
        subject = 'daily totals',
        text = replace(
            replace(text, ' was folded to ', ' was totalled as '),
            ' entries were folded, ', ' entries were totalled, ')
    WHERE kind = 'ledger_difference' AND subject = 'folded days'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("wallet", "0010_read_up_to"),
    ]
    operations = [
        migrations.RenameModel("FoldedDay", "ClosedDay"),
        migrations.RenameField("closedday", "folded_at", "closed_at"),
        migrations.AlterModelOptions(
            "closedday", {"verbose_name": "day's totals", "verbose_name_plural": "daily totals"}
        ),
        migrations.RenameModel("AccountDay", "DailyTotal"),
        migrations.AlterField(
            "dailytotal",
            "day",
            models.ForeignKey("wallet.ClosedDay", models.CASCADE, related_name="totals", db_index=False),
        ),
        migrations.RemoveConstraint("dailytotal", "account_day_once"),
        migrations.AddConstraint(
            "dailytotal",
            models.UniqueConstraint(fields=["day", "currency", "account"], name="daily_total_once"),
        ),
        migrations.RunSQL(PERMISSIONS, reverse_sql=migrations.RunSQL.noop),
        migrations.RunSQL(JOB, reverse_sql=migrations.RunSQL.noop),
    ]
