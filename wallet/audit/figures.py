"""Compares the figures of the admin's first page with the daily totals: both sum up the same journal.

The hours of the latest days are compared with the days that they are of.
"""

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

DIFFERING_HOURS = """
    WITH final AS (SELECT day FROM wallet_figuresday WHERE is_final AND by_hour)
    SELECT day_id, currency_id, account, coalesce(h.debits, 0), coalesce(h.credits, 0),
        coalesce(f.debits, 0), coalesce(f.credits, 0)
    FROM (
        SELECT day_id, currency_id, account, sum(debits) AS debits, sum(credits) AS credits
        FROM wallet_hourtotal WHERE day_id IN (SELECT day FROM final)
        GROUP BY day_id, currency_id, account) h
    FULL JOIN (
        SELECT day_id, currency_id, account, sum(debits) AS debits, sum(credits) AS credits
        FROM wallet_gametotal WHERE day_id IN (SELECT day FROM final)
        GROUP BY day_id, currency_id, account) f
        USING (day_id, currency_id, account)
    WHERE (coalesce(h.debits, 0), coalesce(h.credits, 0)) <> (coalesce(f.debits, 0), coalesce(f.credits, 0))
    ORDER BY day_id, currency_id, account
"""
# What is compared with what.
COMPARED = ((DIFFERING, "the figures", "the daily totals"), (DIFFERING_HOURS, "the hours", "the figures"))


def differing_figures(raw: psycopg.Connection) -> Iterator[str]:
    """Where the figures of a day, of all games together, are not its daily totals, or not their hours."""
    for statement, these, those in COMPARED:
        for day, currency, account, *sums in raw.execute(statement):
            debits, credits, other_debits, other_credits = (show_amount(int(n), currency) for n in sums)
            yield (
                f"{day}: of {Entry.Account(account).label} {these} have {debits} debited and {credits} "
                f"credited, {those} {other_debits} and {other_credits}"
            )
