"""What is kept of payments for a time only: refused callbacks, which may name a payer, and their counts; and
the bytes of files that were reconciled.
"""

from django.conf import settings

from lib.backoffice.languages import stored
from payments.callbacks.rejected import KEPT_DAYS
from wallet.retention import Expiring

REFUSED = """
    SELECT id FROM payments_refusedcallback
    WHERE id > %(after)s AND id < %(until)s AND at < %(before)s
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
COUNTS = """
    SELECT id FROM payments_refusalcount
    WHERE id > %(after)s AND id < %(until)s AND minute < %(before)s
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
# A file that has begun to arrive and was never finished goes, too.
PARTS = """
    SELECT p.id FROM payments_reconciliationpart p JOIN payments_reconciliationfile f ON f.id = p.file_id
    WHERE p.id > %(after)s AND p.id < %(until)s AND f.began_at < %(before)s
      AND f.state NOT IN ('reading', 'searching', 'ending')
    ORDER BY p.id LIMIT %(limit)s FOR UPDATE OF f SKIP LOCKED
"""
EXPIRING = [
    Expiring("payments_refusedcallback", REFUSED, KEPT_DAYS, stored("{number} refused callbacks")),
    Expiring("payments_refusalcount", COUNTS, KEPT_DAYS, stored("{number} counts of refused callbacks")),
    Expiring(
        "payments_reconciliationpart",
        PARTS,
        settings.RECONCILIATION_DAYS,
        stored("{number} parts of reconciled files"),
    ),
]
