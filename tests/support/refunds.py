"""One refund at a time, as a run settles many."""

from payments.models import Refund
from payments.refunds.worker import ask, config_of, refund_request, write_down


def settle_one(refund: Refund, *, is_first: bool) -> bool:
    """Asks the provider and records the result. Returns whether the refund has come to an end."""
    return write_down(refund, ask(config_of(refund), refund_request(refund), is_first=is_first))
