"""Compares the figures of the admin's first page with the daily totals: both sum up the same journal."""

from collections.abc import Iterator

import psycopg

from wallet.currencies import show_amount
from wallet.models import Entry

# Of days whose figures are final; a day that is closed anew is summed up anew, and is not final until then.
DIFFERING = """
    WITH final AS (SELECT day FROM wallet_figuresday WHERE is_final)
    SELECT day_id, currency_id, account, coalesce(f.debits, 0), coalesce(f.credits, 0),
        coalesce(t.debits, 0), coalesce(t.credits, 0)
    FROM (
        SELECT day_id, currency_id, account, sum(debits) AS debits, sum(credits) AS credits
        FROM wallet_gametotal WHERE day_id IN (SELECT day FROM final)
        GROUP BY day_id, currency_id, account) f
    FULL JOIN (
        SELECT day_id, currency_id, account, debits, credits
        FROM wallet_dailytotal WHERE day_id IN (SELECT day FROM final)) t
        USING (day_id, currency_id, account)
    WHERE (coalesce(f.debits, 0), coalesce(f.credits, 0)) <> (coalesce(t.debits, 0), coalesce(t.credits, 0))
    ORDER BY day_id, currency_id, account
"""


def differing_figures(raw: psycopg.Connection) -> Iterator[str]:
    """Where the figures of a day, of all games together, are not its daily totals."""
    for day, currency, account, *sums in raw.execute(DIFFERING):
        debits, credits, totalled_debits, totalled_credits = (show_amount(int(n), currency) for n in sums)
        yield (
            f"{day}: of {Entry.Account(account).label} the figures have {debits} debited and {credits} "
            f"credited, the daily totals {totalled_debits} and {totalled_credits}"
        )
