"""A game is told to deliver: when, how often, signed how, and what its answers do (contract 4.3)."""

import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection

from lib.clock import now
from payments.deliveries.operations import LEASE, NotPossible, lease, record_answer, send_again
from payments.deliveries.worker import deliver_due
from payments.models import DeliveryAttempt, Shop
from payments.providers.signing_secrets import (
    add_delivery_secret,
    delivery_secrets,
    new_webhook_secret,
    retire_secret,
)
from tests.conftest import Clock
from tests.support.deliveries import delivery_of, stand, sweep, tries_of
from tests.support.game_order_server import GameServer, answers, closes, hangs, late, sends
from tests.support.game_query_server import Behaviour
from tests.support.shop import ShopSetup, fresh, story_of
from wallet.job_runs import Run
from wallet.models import Alert

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# Contract 2.4, in its own words.
SCHEDULE = [
    5 * SECOND,
    10 * SECOND,
    20 * SECOND,
    40 * SECOND,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
] + [HOUR] * 48
PAID = [("created", "created"), ("started", "created"), ("payment.succeeded", "paid")]
DELIVERED = [*PAID, ("delivered", "delivered")]


def test_delivery__has_8_fields_cp_order_id_and_both_signatures(
    served_shop: ShopSetup, game: GameServer
) -> None:
    order = served_shop.paid(product="sword")
    assert (order.state, delivery_of(order).state) == ("paid", "pending")
    run = sweep()
    assert (run.looked_at, run.done) == (1, 1)
    (told,) = game.told
    assert {
        name: told.fields[name]
        for name in ("uid", "serverId", "cpOrderId", "productId", "productPrice", "extParams")
    } == {
        "uid": order.player.uid,
        "serverId": "10001",
        "cpOrderId": order.cp_order_id,
        "productId": "sword",
        "productPrice": "9.99",
        "extParams": "",
    }
    assert (told.id, told.signatures) == (str(delivery_of(order).pk), 1)
    assert (fresh(order).state, story_of(order), tries_of(order)) == ("delivered", DELIVERED, [(200, "")])
    delivery = delivery_of(order)
    assert (delivery.state, delivery.next_attempt_at, delivery.leased_until, delivery.delivered_at) == (
        "delivered",
        None,
        None,
        fresh(order).delivered_at,
    )
    sweep()
    assert len(game.told) == 1


def test_delivery__extra_params_and_unicode_ids_arrive_as_sent(
    served_shop: ShopSetup, game: GameServer
) -> None:
    order = served_shop.order(
        product="sword", cpOrderId="\u00e4 &\u20ac\U0001f600", extParams='{"a": "\u00fc\\n"}\n', serverId=-3
    )
    assert served_shop.webhooks.tell("payment.succeeded", order).status == 200
    sweep()
    assert [
        (told.fields["cpOrderId"], told.fields["extParams"], told.fields["serverId"]) for told in game.told
    ] == [("\u00e4 &\u20ac\U0001f600", '{"a": "\u00fc\\n"}\n', "-3")]


@pytest.mark.parametrize(
    ("status", "body", "kept"),
    [
        (200, b"\x00ok\xff", "\\x00ok\\xff"),
        (500, "nein".encode("utf-16"), "\\xff\\xfen\\x00e\\x00i\\x00n\\x00"),
        (410, b"\xef\xbb\xbf" + b"x" * 600, "\\ufeff" + "x" * 494),
    ],
)
def test_delivery__any_bytes_of_an_answer_are_kept(
    served_shop: ShopSetup, game: GameServer, status: int, body: bytes, kept: str
) -> None:
    order = served_shop.paid(product="sword")
    game.otherwise = answers(status, body)
    sweep()
    attempt = DeliveryAttempt.objects.get(delivery=delivery_of(order))
    assert (attempt.status, attempt.body) == (status, kept)


def test_signature__one_of_each_secret_during_rotation(served_shop: ShopSetup, game: GameServer) -> None:
    newer = new_webhook_secret()
    old = served_shop.game.delivery_secrets.get()
    add_delivery_secret(served_shop.game, newer, actor="test")
    game.secrets.insert(0, newer)
    served_shop.paid(product="sword")
    sweep()
    retire_secret(old, actor="test")
    game.secrets.pop()
    served_shop.paid(product="sword")
    sweep()
    assert [told.signatures for told in game.told] == [2, 1]


def test_delivery__no_secret_sends_nothing_and_attempt_says_why(
    served_shop: ShopSetup, game: GameServer
) -> None:
    retire_secret(served_shop.game.delivery_secrets.get(), actor="test")
    assert delivery_secrets(served_shop.game) == []
    order = served_shop.paid(product="sword")
    sweep()
    assert (game.told, tries_of(order), delivery_of(order).state) == (
        [],
        [(None, "the game has no delivery secret")],
        "pending",
    )


def test_delivery__follows_the_contract_schedule_then_alerts(
    served_shop: ShopSetup, game: GameServer, clock: Clock
) -> None:
    game.otherwise = answers(500)
    order, start = stand(served_shop, clock)
    at = start
    for number, pause in enumerate(SCHEDULE, 1):
        assert sweep().looked_at == 1
        delivery = delivery_of(order)
        assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == (
            "pending",
            number,
            at + pause,
        )
        # Not a moment before.
        clock.stand(at + pause - timedelta(microseconds=1))
        assert sweep().looked_at == 0
        at += pause
        clock.stand(at)
    assert at - start == timedelta(hours=48, minutes=48, seconds=15)
    sweep()
    delivery = delivery_of(order)
    assert (delivery.state, delivery.attempts, delivery.next_attempt_at) == ("exhausted", 57, None)
    assert Alert.objects.filter(
        kind=Alert.Kind.DELIVERY_GIVEN_UP, subject=str(order.pk), resolved_at=None
    ).exists()
    clock.stand(at + timedelta(days=30))
    assert sweep().looked_at == 0
    assert {told.id for told in game.told} == {str(delivery.pk)}
    assert (len(game.told), tries_of(order), story_of(order)) == (
        57,
        [(500, "status 500")] * 57,
        [*PAID, ("delivery_given_up", "paid")],
    )


NOT_FOUND: dict[str, tuple[Behaviour, tuple[int | None, str]]] = {
    "500": (answers(500), (500, "status 500")),
    "404": (answers(404), (404, "status 404")),
    "a redirect": (answers(302, headers="Location: http://127.0.0.1/\r\n"), (302, "status 302")),
    "nothing": (closes, (None, "closed: the connection was closed before the end of an answer")),
    "nonsense": (sends(b"nonsense\r\n\r\n"), (None, "protocol: the answer is not HTTP")),
    "half an answer": (
        sends(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{"),
        (None, "closed: the connection was closed before the end of an answer"),
    ),
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_delivery__anything_but_success_is_retried_under_same_id(
    served_shop: ShopSetup, game: GameServer, clock: Clock, name: str
) -> None:
    behaviour, said = NOT_FOUND[name]
    order, start = stand(served_shop, clock)
    game.turns[order.cp_order_id] = [behaviour, answers(200)]
    sweep()
    assert (tries_of(order), fresh(order).state) == ([said], "paid")
    clock.stand(start + 5 * SECOND)
    sweep()
    assert (tries_of(order), fresh(order).state, story_of(order)) == (
        [said, (200, "")],
        "delivered",
        DELIVERED,
    )
    assert len({told.id for told in game.told}) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_delivery__every_2xx_status_is_a_success(
    served_shop: ShopSetup, game: GameServer, status: int
) -> None:
    game.otherwise = answers(status, b"" if status == 204 else b"{}")
    order = served_shop.paid(product="sword")
    sweep()
    assert (tries_of(order), fresh(order).state) == ([(status, "")], "delivered")


@pytest.mark.parametrize("slow", [hangs, late(0.6)])
def test_delivery__success_after_the_timeout_is_retried(
    served_shop: ShopSetup, game: GameServer, clock: Clock, slow: Behaviour
) -> None:
    order, start = stand(served_shop, clock)
    game.turns[order.cp_order_id] = [slow, slow, answers(200)]
    for pause in (0, 5, 15):
        clock.stand(start + pause * SECOND)
        sweep()
    assert [status for status, _ in tries_of(order)] == [None, None, 200]
    assert {told.id for told in game.told} == {str(delivery_of(order).pk)}
    assert (fresh(order).state, story_of(order)) == ("delivered", DELIVERED)


def test_delivery_alert__clears_if_the_game_takes_it_after_all(
    served_shop: ShopSetup, game: GameServer
) -> None:
    game.otherwise = answers(410)
    order = served_shop.paid(product="sword")
    sweep()
    about = Alert.objects.filter(kind="delivery_given_up", subject=str(order.pk))
    assert about.get().resolved_at is None
    game.otherwise = answers(200)
    send_again(delivery_of(order), actor="operator:test", reason="the game is mended")
    sweep()
    assert (fresh(order).state, about.get().resolved_by, about.get().reason) == (
        "delivered",
        "platform",
        "The game has taken it after all.",
    )


def test_delivery__410_stops_it_visibly_and_game_is_not_failing(
    served_shop: ShopSetup, game: GameServer, clock: Clock
) -> None:
    other = served_shop.paid(product="sword")
    order, start = stand(served_shop, clock)
    game.turns[order.cp_order_id] = [answers(410)]
    sweep()
    delivery = delivery_of(order)
    assert (delivery.state, delivery.next_attempt_at, fresh(order).state) == ("gone", None, "paid")
    assert story_of(order) == [*PAID, ("delivery_gone", "paid")]
    assert Alert.objects.filter(
        kind=Alert.Kind.DELIVERY_GIVEN_UP, subject=str(order.pk), resolved_at=None
    ).exists()
    assert (fresh(other).state, Shop.objects.get(pk=served_shop.shop.pk).failing_since) == ("delivered", None)
    clock.stand(start + timedelta(days=3))
    assert sweep().looked_at == 0
    # An operator may, after a word with the game.
    game.turns[order.cp_order_id] = [answers(200)]
    send_again(delivery, actor="operator", reason="they have mended it")
    sweep()
    assert (fresh(order).state, delivery_of(order).state, len(game.about(order.cp_order_id))) == (
        "delivered",
        "delivered",
        2,
    )


# --- Money that goes back ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "state"), [("payment.refunded", "refunded"), ("payment.charged_back", "charged_back")]
)
def test_delivery__full_return_stops_further_attempts(
    served_shop: ShopSetup, game: GameServer, clock: Clock, type: str, state: str
) -> None:
    game.otherwise = answers(503)
    order, start = stand(served_shop, clock)
    sweep()
    assert served_shop.webhooks.tell(type, order).status == 200
    delivery = delivery_of(order)
    assert (fresh(order).state, delivery.state, delivery.next_attempt_at) == (state, "returned", None)
    clock.stand(start + timedelta(days=3))
    assert sweep().looked_at == 0
    with pytest.raises(NotPossible, match="gone back"):
        send_again(delivery, actor="operator", reason="test")
    assert (len(game.told), delivery_of(order).state) == (1, "returned")


def test_delivery__partial_refund_stops_nothing(served_shop: ShopSetup, game: GameServer) -> None:
    order = served_shop.paid(product="sword")
    assert served_shop.webhooks.tell("payment.refunded", order, "9.98").status == 200
    sweep()
    assert (len(game.told), fresh(order).state, delivery_of(order).state) == (1, "delivered", "delivered")


def test_reversal__resumes_the_delivery_that_chargeback_stopped(
    served_shop: ShopSetup, game: GameServer
) -> None:
    order = served_shop.paid(product="sword")
    assert (
        served_shop.webhooks.tell("payment.charged_back", order, reference=f"dispute-{order.pk}").status
        == 200
    )
    assert sweep().looked_at == 0
    assert (
        served_shop.webhooks.tell(
            "payment.charge_back_reversed", order, reference=f"dispute-{order.pk}"
        ).status
        == 200
    )
    assert (fresh(order).state, delivery_of(order).state) == ("paid", "pending")
    sweep()
    assert (len(game.told), fresh(order).state, delivery_of(order).state) == (1, "delivered", "delivered")


def test_reversal__taken_during_the_chargeback_is_not_resent(
    served_shop: ShopSetup, game: GameServer
) -> None:
    order = served_shop.paid(product="sword")
    (one,) = lease(now(), "a slow worker")
    assert (
        served_shop.webhooks.tell("payment.charged_back", order, reference=f"dispute-{order.pk}").status
        == 200
    )
    assert record_answer(one, status=200, problem="", body="", took_ms=1) == "returned"
    assert (fresh(order).state, fresh(order).delivered_at is None) == ("charged_back", False)
    assert (
        served_shop.webhooks.tell(
            "payment.charge_back_reversed", order, reference=f"dispute-{order.pk}"
        ).status
        == 200
    )
    assert (fresh(order).state, delivery_of(order).state, sweep().looked_at, game.told) == (
        "delivered",
        "delivered",
        0,
        [],
    )


@pytest.mark.parametrize("status", [200, 410])
def test_delivery__manual_resend_is_stopped_by_a_refund_too(
    served_shop: ShopSetup, game: GameServer, status: int
) -> None:
    game.otherwise = answers(status)
    order = served_shop.paid(product="sword")
    sweep()
    send_again(delivery_of(order), actor="operator", reason="test")
    assert served_shop.webhooks.tell("payment.refunded", order).status == 200
    assert (delivery_of(order).next_attempt_at, sweep().looked_at, len(game.told)) == (None, 0, 1)
    with pytest.raises(NotPossible, match="gone back"):
        send_again(delivery_of(order), actor="operator", reason="test")
    assert sweep().looked_at == 0


# --- Once ----------------------------------------------------------------------------------------------


def test_delivery__resending_a_delivered_one_delivers_only_once(
    served_shop: ShopSetup, game: GameServer
) -> None:
    order = served_shop.paid(product="sword")
    sweep()
    delivered_at = fresh(order).delivered_at
    send_again(delivery_of(order), actor="operator", reason="the game asked for it")
    sweep()
    assert len(game.told) == 2
    assert len({told.id for told in game.told}) == 1
    assert (story_of(order), fresh(order).delivered_at) == (
        [*DELIVERED, ("delivery_sent_again", "delivered")],
        delivered_at,
    )
    # The game is told until it takes it once more; the order stays what it is.
    game.otherwise = answers(500)
    send_again(delivery_of(order), actor="operator", reason="the game asked for it")
    sweep()
    delivery = delivery_of(order)
    assert (delivery.state, delivery.next_attempt_at is None, fresh(order).state) == (
        "delivered",
        False,
        "delivered",
    )


def test_lease__expired_one_of_a_lost_worker_is_sent(
    served_shop: ShopSetup, game: GameServer, clock: Clock
) -> None:
    order, start = stand(served_shop, clock)
    (lost,) = lease(start, "a worker that dies")
    clock.stand(start + LEASE - timedelta(microseconds=1))
    assert sweep().looked_at == 0
    clock.stand(start + LEASE)
    sweep()
    assert (fresh(order).state, len(game.told), tries_of(order)) == ("delivered", 1, [(None, ""), (200, "")])
    # Its word comes after all, whatever it is: nothing changes, and it counts once.
    for status in (500, 200):
        record_answer(lost, status=status, problem="", body="", took_ms=1)
        delivery = delivery_of(order)
        assert (delivery.state, delivery.next_attempt_at, story_of(order)) == ("delivered", None, DELIVERED)


@pytest.mark.parametrize("late_status", [200, 410, 500, None])
@pytest.mark.parametrize("first_status", [200, 410, 500])
def test_delivery__two_answers_in_any_order_deliver_at_most_once(
    served_shop: ShopSetup, game: GameServer, clock: Clock, first_status: int, late_status: int | None
) -> None:
    order, start = stand(served_shop, clock)
    (lost,) = lease(start, "slow")
    clock.stand(start + LEASE)
    (second,) = lease(start + LEASE, "quick")
    record_answer(second, status=first_status, problem="", body="", took_ms=1)
    # The lease that a third one has by now is not the lost one's to end.
    record_answer(lost, status=late_status, problem="", body="", took_ms=1)
    is_delivered = 200 in (first_status, late_status)
    assert fresh(order).state == ("delivered" if is_delivered else "paid")
    assert sum(what == "delivered" for what, _ in story_of(order)) == is_delivered
    delivery = delivery_of(order)
    assert (delivery.next_attempt_at is None) == (is_delivered or 410 in (first_status, late_status))
    assert delivery.state == (
        "delivered" if is_delivered else "gone" if delivery.next_attempt_at is None else "pending"
    )


def test_lease__late_answer_does_not_end_another_attempts_lease(
    served_shop: ShopSetup, game: GameServer, clock: Clock
) -> None:
    order, start = stand(served_shop, clock)
    (lost,) = lease(start, "slow")
    clock.stand(start + LEASE)
    lease(start + LEASE, "quick")
    record_answer(lost, status=500, problem="", body="", took_ms=1)
    assert delivery_of(order).leased_until == start + 2 * LEASE
    clock.stand(start + LEASE + 10 * SECOND)
    assert sweep().looked_at == 0


def test_sweep__two_at_once_send_each_delivery_once(served_shop: ShopSetup, game: GameServer) -> None:
    game.otherwise = late(0.02)
    orders = [served_shop.paid(product="sword") for _ in range(24)]
    runs = [Run("deliver_due") for _ in range(3)]

    def work(run: Run) -> None:
        deliver_due(run)
        connection.close()

    threads = [threading.Thread(target=work, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(told.fields["cpOrderId"] for told in game.told) == {
        order.cp_order_id: 1 for order in orders
    }
    assert (game.overlaps, sum(run.done for run in runs)) == ([], 24)
    assert {fresh(order).state for order in orders} == {"delivered"}
