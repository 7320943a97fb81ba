"""Installs what the ledger's functions stand on.

Their answer's type, the call log, and the triggers that guard history.
"""

from pathlib import Path

from django.db import migrations

# A constraint needs its function to exist; its body is installed after every migrate (wallet/sql/guards.sql).
WALLET_IS_SOUND = """
CREATE FUNCTION wallet_is_sound(w wallet_wallet) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (w.spendable | w.reserved | w.announced | w.debt) >= 0
       AND w.spendable + w.reserved + w.announced < 1000000000000000000
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0001_initial"), ("players", "0002_guards")]
    operations = [
        migrations.RunSQL(text, reverse_sql=migrations.RunSQL.noop)
        for text in (WALLET_IS_SOUND, Path(__file__).with_suffix(".sql").read_text())
    ]
