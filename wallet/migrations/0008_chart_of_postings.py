"""The type of a line of the chart of postings, and the wallet's CHECK.

That is by a function with a whole word for its argument.
"""

from django.db import migrations

MOVEMENT = """
-- Accounts, and by how many times the amount the announced money changes;
-- wallet/sql/chart.sql says which when.
CREATE TYPE ledger_movement AS (
    debit     text,
    shortfall text,
    credit    text,
    announced integer
);
"""
# An argument's name cannot be replaced, and a constraint holds on to its function.
WALLET_IS_SOUND = """
ALTER TABLE wallet_wallet DROP CONSTRAINT wallet_is_sound;
DROP FUNCTION wallet_is_sound(wallet_wallet);
CREATE FUNCTION wallet_is_sound(wallet wallet_wallet) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT (wallet.spendable | wallet.reserved | wallet.announced | wallet.debt) >= 0
       AND wallet.spendable + wallet.reserved + wallet.announced < 1000000000000000000
$$;
ALTER TABLE wallet_wallet ADD CONSTRAINT wallet_is_sound CHECK (wallet_is_sound(wallet_wallet));
"""


class Migration(migrations.Migration):
    dependencies = [("wallet", "0007_transaction_reference")]
    operations = [
        migrations.RunSQL(text, reverse_sql=migrations.RunSQL.noop) for text in (MOVEMENT, WALLET_IS_SOUND)
    ]
