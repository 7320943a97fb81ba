"""Games that fail, hang and are paused hold up nobody but themselves (contract 4.3)."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import TypeVar

import pytest
from django.conf import settings
from django.db import connection

from lib.clock import now
from lib.telemetry.recorder import format_traceparent
from lib.telemetry.spans import resumed_span
from payments.deliveries.operations import (
    MOST_OF_A_GAME,
    is_any_due,
    lease,
    pause_deliveries,
    record_answer,
    resume_deliveries,
)
from payments.deliveries.worker import deliver_due
from payments.models import DeliveryAttempt, Shop
from payments.tasks import deliver_due_task, deliver_task
from tests.conftest import Clock
from tests.faults.platform_processes import LONG
from tests.support.callers import Callers
from tests.support.deliveries import delivery_of, sweep, tries_of
from tests.support.game_order_server import GameServer, answers, hangs, late, selling
from tests.support.launcher import eventually
from tests.support.recorded import recording
from tests.support.shop import ShopSetup, fresh, make_shop_setup
from wallet.job_runs import Run

Result = TypeVar("Result")


def test_delivery__paused_game_gets_nothing_until_resumed(served_shop: ShopSetup, game: GameServer) -> None:
    assert (pause_deliveries(served_shop.shop), pause_deliveries(served_shop.shop)) == (True, False)
    order = served_shop.paid(product="sword")
    assert sweep().looked_at == 0
    deliver_task(str(delivery_of(order).pk))
    assert (game.told, tries_of(order), delivery_of(order).state) == ([], [], "pending")
    assert (resume_deliveries(served_shop.shop), resume_deliveries(served_shop.shop)) == (True, False)
    sweep()
    assert fresh(order).state == "delivered"


def test_delivery__goes_on_in_the_trace_of_its_callback(served_shop: ShopSetup, game: GameServer) -> None:
    with recording() as recorded:
        order = served_shop.paid(product="sword")
        game.turns[order.cp_order_id] = [answers(503)]
        with resumed_span("a run", None):
            sweep()
    found = {span.name: span for span in recorded.get_finished_spans()}
    callback, attempt, post = found["POST /pay/<str:slug>"], found["delivery attempt"], found["POST"]
    assert attempt.parent is not None
    assert attempt.parent.span_id == callback.context.span_id
    assert [link.context for link in attempt.links] == [found["a run"].context]
    assert {span.context.trace_id for span in (attempt, post)} == {callback.context.trace_id}
    assert delivery_of(order).traceparent == format_traceparent(callback.context)
    # The game is away, and it is told again: the attempt itself did what it should.
    assert (attempt.status.is_unset, post.status.is_unset) == (True, False)


def test_nudge__delivers_at_once_and_leaves_failing_to_sweep(
    served_shop: ShopSetup, game: GameServer
) -> None:
    orders = [served_shop.paid(product="sword") for _ in range(2)]
    deliver_task(str(delivery_of(orders[0]).pk))
    assert ({fresh(order).state for order in orders}, len(game.told)) == ({"delivered"}, 2)
    orders = [served_shop.paid(product="sword") for _ in range(2)]
    Shop.objects.filter(pk=served_shop.shop.pk).update(failing_since=now())
    deliver_task(str(delivery_of(orders[0]).pk))
    assert ({fresh(order).state for order in orders}, len(game.told)) == ({"paid"}, 2)
    deliver_due_task()
    assert {fresh(order).state for order in orders} == {"delivered"}
    assert Shop.objects.get(pk=served_shop.shop.pk).failing_since is None


def test_nudge__that_finds_a_run_under_way_leaves_it_to_that(
    served_shop: ShopSetup, game: GameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", 10.0)
    game.otherwise = late(1.5)
    with ThreadPoolExecutor(1) as pool:
        served_shop.paid(product="sword")
        run = pool.submit(in_thread, deliver_due_task)
        eventually(lambda: len(game.told) == 1)
        order = served_shop.paid(product="sword")
        began = time.monotonic()
        deliver_task(str(delivery_of(order).pk))
        assert time.monotonic() - began < 1
        eventually(lambda: len(game.told) == 2)
        run.result()
    assert fresh(order).state == "delivered"


def test_lease__bounds_what_a_game_has_open_in_all_processes(served_shop: ShopSetup, clock: Clock) -> None:
    for _ in range(MOST_OF_A_GAME + 2):
        served_shop.paid(product="sword")
    start = now()
    clock.stand(start)
    taken = [one for _ in range(5) for one in lease(now(), "a process", limit=3)]
    assert len(taken) == MOST_OF_A_GAME
    assert (lease(now(), "another", game=served_shop.game.pk), is_any_due(now())) == ([], False)
    record_answer(taken[0], status=200, problem="", body="", took_ms=1)
    assert is_any_due(now())
    assert len(lease(now(), "another")) == 1
    # A lost process's tries end, whatever it did with them.
    clock.stand(start + timedelta(seconds=settings.OUTGOING_TOTAL_SECONDS + 6))
    assert len(lease(now(), "another")) == 1


def test_lease__two_processes_at_once_keep_the_bound(served_shop: ShopSetup) -> None:
    for _ in range(12):
        served_shop.paid(product="sword")
    with ThreadPoolExecutor(6) as pool:
        taken = pool.map(lambda _: in_thread(lambda: len(lease(now(), "a process", limit=3))), range(6))
        assert sum(taken) == MOST_OF_A_GAME


def most_at_once(shop: Shop) -> int:
    """How many tries of a game were under way at the same time, as they were written down."""
    tries = DeliveryAttempt.objects.filter(delivery__game_id=shop.game_id)
    times = list(tries.values_list("began_at", "ended_at"))
    return max(
        sum(began <= at and (ended is None or at < ended) for began, ended in times) for at, _ in times
    )


def in_thread(work: Callable[[], Result]) -> Result:
    """Does it with a connection of its own."""
    try:
        return work()
    finally:
        connection.close()


def test_sweep__recovered_game_gets_all_that_waited(served_shop: ShopSetup, game: GameServer) -> None:
    Shop.objects.filter(pk=served_shop.shop.pk).update(failing_since=now())
    orders = [served_shop.paid(product="sword") for _ in range(20)]
    run = sweep()
    assert (run.looked_at, run.done, {fresh(order).state for order in orders}) == (20, 20, {"delivered"})


def test_sweep__failing_game_is_left_alone_until_the_next_run(
    served_shop: ShopSetup, game: GameServer
) -> None:
    game.otherwise = answers(500)
    for _ in range(20):
        served_shop.paid(product="sword")
    # At most as many as may be under way at once; then it is known to fail.
    assert 3 <= sweep().looked_at <= 8
    before = len(game.told)
    sweep()
    assert len(game.told) - before == 3


def test_sweep__hanging_game_does_not_hold_up_another(
    served_shop: ShopSetup, game: GameServer, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Long enough for a busy machine to deliver all of the other game's before a hanging try is given up.
    hangs_for = 6.0
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", hangs_for)
    monkeypatch.setattr("payments.deliveries.worker.RUN_SECONDS", hangs_for + 0.5)
    game.otherwise = hangs
    for _ in range(20):
        served_shop.paid(product="sword")
    with selling() as other_game:
        other = make_shop_setup(callers, other_game.url)
        other_game.secrets.append(other.delivery_secret)
        orders = [other.paid(product="sword") for _ in range(20)]
        for _ in range(2):
            # In the first run nobody knows yet that it hangs.
            began = time.monotonic()
            deliver_due(Run("deliver_due"))
            took = [told.at - began for told in other_game.told]
            assert (len(took), max(took) < hangs_for) == (20, True)
            assert {fresh(order).state for order in orders} == {"delivered"}
            other_game.told.clear()
            orders = [other.paid(product="sword") for _ in range(20)]
        pause_deliveries(other.shop)
    assert Counter(told.fields["cpOrderId"] for told in game.told).most_common(1)[0][1] == 1


def test_sweep__slow_game_delays_none_of_nine_quick_ones(
    served_shop: ShopSetup, game: GameServer, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # One that does answer, but only just in time, is no game that fails.
    slow = 9.0 if LONG else 3.0
    monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", slow * 2)
    monkeypatch.setattr("payments.deliveries.worker.RUN_SECONDS", slow / 2)
    game.otherwise = late(slow)
    for _ in range(12):
        served_shop.paid(product="sword")
    with ExitStack() as stack:
        quick = []
        for _ in range(9):
            server = stack.enter_context(selling())
            shop = make_shop_setup(callers, server.url)
            server.secrets.append(shop.delivery_secret)
            stack.callback(pause_deliveries, shop.shop)
            quick.append((shop, server))
        pool = stack.enter_context(ThreadPoolExecutor(3))
        runs = [pool.submit(in_thread, deliver_due_task)]
        eventually(lambda: len(game.told) == MOST_OF_A_GAME)
        first_answer = time.monotonic() + slow
        paid = []
        # Also while the run only waits for the slow game: the next one has begun then.
        while time.monotonic() < first_answer - slow / 4:
            paid += [(shop.paid(product="sword"), server) for shop, server in quick]
            runs.append(pool.submit(in_thread, deliver_due_task))
            time.sleep(slow / 10)
        eventually(lambda: all(server.about(order.cp_order_id) for order, server in paid))
        assert len(game.told) <= 2 * MOST_OF_A_GAME
        assert max(server.about(order.cp_order_id)[0].at for order, server in paid) < first_answer + slow
        for run in runs:
            run.result()
        assert most_at_once(served_shop.shop) <= MOST_OF_A_GAME
        assert {fresh(order).state for order, _ in paid} == {"delivered"}
