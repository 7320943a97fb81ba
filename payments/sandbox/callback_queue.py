"""Hands the sandbox's callbacks to a worker, which posts them."""

import logging

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from payments.sandbox import memory
from payments.sandbox.bills import Bill
from payments.sandbox.messages import Message
from payments.tasks import sandbox_call_back_task

logger = logging.getLogger(__name__)


def send(bill: Bill, message: Message, *, seconds: int = 0) -> None:
    """Has a callback posted, after so many seconds.

    Where the workers cannot be reached, that is all that is said.
    """
    words = (bill.config.slug, bill.order, message.what, message.body, message.headers)
    memory.expect_line(bill.config.slug, bill.order)
    try:
        sandbox_call_back_task.apply_async(words, countdown=seconds, expires=3600)
    except (OperationalError, RedisError, OSError) as problem:
        logger.warning("the sandbox cannot call back: %s", type(problem).__name__)
        memory.add_line(bill.config.slug, bill.order, message.what, "not sent: the workers cannot be reached")
