"""What is kept of payments for a time only: refused callbacks, which may name a payer, and their counts."""

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
EXPIRING = [
    Expiring("payments_refusedcallback", REFUSED, KEPT_DAYS, stored("{number} refused callbacks")),
    Expiring("payments_refusalcount", COUNTS, KEPT_DAYS, stored("{number} counts of refused callbacks")),
]
