"""What beat starts and what nudges start.

Each task is safe to run twice, at any time, or not at all until the next.
"""

from uuid import UUID

from celery import shared_task
from django.conf import settings

from lib.clock import now
from payments.deliveries.worker import deliver_due, deliver_one
from payments.orders.operations import expire_orders
from payments.refunds.worker import lease, settle_one, settle_refunds
from payments.sandbox.callback_sender import call_back
from wallet.job_runs import Run, alone, recorded


@shared_task(name="payments.expire_orders")
def expire_orders_task() -> None:
    """Expires what nobody paid in time."""
    with recorded("expire_orders") as run:
        while count := expire_orders(now()):
            run.looked_at += count
            run.done += count


@shared_task(name="payments.deliver_due")
def deliver_due_task() -> None:
    """Tells games what to deliver. One that has not finished in its time is followed by another.

    One at a time: games that hang must not take all workers,
    and what has just become due is sent by nudges besides.
    """
    is_finished = True
    with alone("deliver_due") as is_ours:
        if is_ours:
            with recorded("deliver_due") as run:
                is_finished = deliver_due(run)
    if not is_finished:
        deliver_due_task.delay()


@shared_task(name="payments.deliver")
def deliver_task(delivery_id: str) -> None:
    """Tells a game at once, after a payment or an operator's wish."""
    deliver_one(UUID(delivery_id), Run("deliver").worker)


@shared_task(name="payments.settle_refunds")
def settle_refunds_task() -> None:
    """Asks providers for refunds, and about those whose outcome is not known."""
    with alone("settle_refunds") as is_ours:
        if is_ours:
            with recorded("settle_refunds") as run:
                settle_refunds(run)


@shared_task(name="payments.refund")
def refund_task(refund_id: str) -> None:
    """Asks a provider at once, after an operator's wish."""
    for refund, is_first in lease(now(), only=UUID(refund_id)):
        settle_one(refund, is_first=is_first)


@shared_task(name="payments.sandbox_call_back")
def sandbox_call_back_task(slug: str, order: str, what: str, body: str, headers: dict[str, str]) -> None:
    """The sandbox posts one of its callbacks; only where DEMO is on."""
    if settings.DEMO:
        call_back(slug, order, what, body, headers)
