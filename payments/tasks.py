"""What beat starts and what nudges start.

Each task is safe to run twice, at any time, or not at all until the next.
"""

from contextlib import ExitStack

from celery import shared_task
from django.conf import settings

from lib.clock import now
from payments.callbacks.queries import query_due
from payments.callbacks.refusals import watch_callbacks
from payments.callbacks.reverification import verify_due
from payments.deliveries.operations import is_any_due
from payments.deliveries.worker import deliver_due
from payments.nudges import nudge
from payments.orders.operations import expire_orders
from payments.pushes.worker import push_due
from payments.reconciliation.run import reconcile_due
from payments.refunds.worker import settle_refunds
from payments.sandbox.callback_sender import call_back
from wallet.job_runs import alone, recorded


@shared_task(name="payments.expire_orders")
def expire_orders_task() -> None:
    """Expires what nobody paid in time."""
    with recorded("expire_orders") as run:
        while count := expire_orders(now()):
            run.looked_at += count
            run.done += count


@shared_task(name="payments.watch_callbacks")
def watch_callbacks_task() -> None:
    """Looks for providers whose callbacks are refused."""
    with recorded("watch_callbacks") as run:
        watch_callbacks(run)


@shared_task(name="payments.verify_refused")
def verify_refused_task() -> None:
    """Verifies refused callbacks again, after an operator's wish, and has what follows delivered."""
    with alone("verify_refused") as is_ours:
        if is_ours:
            with recorded("verify_refused") as run:
                verify_due(run)
            if run.done:
                nudge(deliver_due_task)


@shared_task(name="payments.query_payments")
def query_payments_task() -> None:
    """Asks providers what became of payments, after an operator's wish, and has what follows delivered."""
    with alone("query_payments") as is_ours:
        if is_ours:
            with recorded("query_payments") as run:
                query_due(run)
            if run.done:
                nudge(deliver_due_task)


@shared_task(name="payments.deliver_due")
def deliver_due_task(is_nudged: bool = False) -> None:
    """Tells games what to deliver: by beat, and nudged after a payment or an operator's wish.

    One run at a time begins tries, so a nudge that finds one under way has nothing to do: that run looks
    again and again. What became due while it ended is left to the next.
    """
    with ExitStack() as lock:
        if not lock.enter_context(alone("deliver_due")):
            return

        def hand_over() -> None:
            lock.close()
            if is_any_due(now()):
                nudge(deliver_due_task)

        with recorded("deliver_due") as run:
            deliver_due(run, is_nudged=is_nudged, hand_over=hand_over)


@shared_task(name="payments.deliver")
def deliver_task(delivery_id: str) -> None:
    """Has a delivery that has just become due sent at once, with whatever else is due."""
    deliver_due_task(is_nudged=True)


@shared_task(name="payments.push_events")
def push_events_task() -> None:
    """Sends events to those who want them."""
    with alone("push_events") as is_ours:
        if is_ours:
            with recorded("push_events") as run:
                push_due(run)


@shared_task(name="payments.settle_refunds")
def settle_refunds_task() -> None:
    """Asks providers for refunds, and about those whose outcome is not known."""
    with alone("settle_refunds") as is_ours:
        if is_ours:
            with recorded("settle_refunds") as run:
                settle_refunds(run)


@shared_task(name="payments.reconcile")
def reconcile_task() -> None:
    """Compares files with the ledger: by beat, and nudged when one has arrived. What a run does not finish,
    another one goes on with at once.
    """
    is_finished = True
    with alone("reconcile") as is_ours:
        if is_ours:
            with recorded("reconcile") as run:
                is_finished = reconcile_due(run)
    if not is_finished:
        nudge(reconcile_task)


@shared_task(name="payments.refund")
def refund_task(refund_id: str) -> None:
    """Has a provider asked at once, after an operator's wish, with whatever else is due."""
    settle_refunds_task()


@shared_task(name="payments.sandbox_call_back")
def sandbox_call_back_task(slug: str, order: str, what: str, body: str, headers: dict[str, str]) -> None:
    """The sandbox posts one of its callbacks; only where DEMO is on."""
    if settings.DEMO:
        call_back(slug, order, what, body, headers)
