"""Callbacks to look at, deliveries that are sent again, what waits for a person, and what the pages cost."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.urls import reverse

from lib.backoffice.filters import Selections
from lib.clock import now
from lib.ids import new_id
from payments.admin import callbacks, deliveries, orders, refunds
from payments.callbacks.rejected import REFUSALS
from payments.deliveries.bulk_retry import Range, find_range, send_batch_again
from payments.deliveries.operations import GONE
from payments.models import (
    Callback,
    Delivery,
    DeliveryAttempt,
    Order,
    OrderEvent,
    Product,
    Provider,
    Refund,
    RefusedCallback,
    Shop,
)
from players.models import AuditEvent, Game
from tests.support.admin_orders import make_orders, payment_rows, tried
from tests.support.admin_pages import address, get, operator, page, queries, signed_in
from tests.support.callers import Callers, holding, unique
from tests.support.shop import FakeProvider, ShopSetup, fresh, make_shop_setup, story_of

RANGE = "/admin/payments/delivery/send_range/"
HOUR = timedelta(hours=1)


@pytest.fixture
def served_shop(callers: Callers) -> ShopSetup:
    """A game of one test's own."""
    return make_shop_setup(callers)


def said(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def contradicted(shop_setup: ShopSetup) -> Callback:
    """A callback that says another amount than the order's."""
    order = shop_setup.order()
    assert shop_setup.webhooks.tell("payment.succeeded", order, "1.00").status == 422
    return Callback.objects.get(order=order)


# --- Callbacks ------------------------------------------------------------------------------------------


def test_callback_list__open_problems_come_first_until_resolved(
    client: Client, shop_setup: ShopSetup
) -> None:
    order, wrong = shop_setup.paid(), contradicted(shop_setup)
    acted = Callback.objects.get(order=order)
    text = get(client, address(Callback))
    assert [page(Callback, one) in text for one in (wrong, acted)] == [True, False]
    assert [
        page(Callback, one) in get(client, f"{address(Callback)}?outcome=acted") for one in (wrong, acted)
    ] == [False, True]
    assert [
        page(Callback, one) in get(client, f"{address(Callback)}?outcome=all") for one in (wrong, acted)
    ] == [True, True]
    before = holding(wrong.order.player)  # type: ignore[union-attr]
    assert client.post(page(Callback, wrong, "resolve"), {"reason": ""}).status_code == 200
    assert Callback.objects.get(pk=wrong.pk).resolved_at is None
    response = client.post(page(Callback, wrong, "resolve"), {"reason": "their test"})
    assert (response.status_code, said(response)) == (302, "The callback is resolved.")
    resolved = Callback.objects.get(pk=wrong.pk)
    assert (resolved.resolved_by.startswith("operator:"), resolved.reason, resolved.outcome) == (
        True,
        "their test",
        "contradicts",
    )
    assert holding(wrong.order.player) == before  # type: ignore[union-attr]
    assert page(Callback, wrong) not in get(client, address(Callback))
    text = get(client, page(Callback, wrong))
    assert ["their test" in text, "resolve/" in text] == [True, False]


def test_callback__resolves_only_open_problems_and_only_once(client: Client, shop_setup: ShopSetup) -> None:
    wrong, acted = contradicted(shop_setup), Callback.objects.get(order=shop_setup.paid())
    client.post(page(Callback, wrong, "resolve"), {"reason": "first"})
    for one in (wrong, acted):
        assert "There was nothing to resolve." in said(
            client.post(page(Callback, one, "resolve"), {"reason": "second"})
        )
    assert Callback.objects.get(pk=wrong.pk).reason == "first"
    assert Callback.objects.get(pk=acted.pk).resolved_at is None


def test_callback__resolving_needs_the_change_permission(shop_setup: ShopSetup) -> None:
    wrong = contradicted(shop_setup)
    reader, clerk = (
        signed_in(operator("payments.view_callback")),
        signed_in(operator("payments.view_callback", "payments.resolve_callback")),
    )
    assert reader.post(page(Callback, wrong, "resolve"), {"reason": "x"}).status_code == 403
    assert Callback.objects.get(pk=wrong.pk).resolved_at is None
    assert clerk.post(page(Callback, wrong, "resolve"), {"reason": "x"}).status_code == 302


def test_callback_page__shows_any_callback_as_received(client: Client, shop_setup: ShopSetup) -> None:
    fake_provider = shop_setup.webhooks
    bodies = {
        json.dumps(
            {
                "type": "payment.succeeded",
                "data": {"orderId": str(new_id()), "note": "<script>alert(1)</script>"},
            }
        ).encode(): "&lt;script&gt;alert(1)",
        b"\xff\x00not text at all": "\\xff\\x00not text at all",
        b"x" * 60_000 + b"end of it": "xend of it",
    }
    for body, words in bodies.items():
        id = unique("msg")
        assert fake_provider.post(body, fake_provider.signed(body, id=id)).status == 422
        text = get(client, page(Callback, Callback.objects.get(message_id=id)))
        assert words in text, words
        assert f"webhook-id: {id}" in text
        assert "<script>alert(1)" not in text


def test_refused_callback__is_shown_and_cannot_be_changed(client: Client, shop_setup: ShopSetup) -> None:
    REFUSALS.forget()
    shop_setup.webhooks.post(
        b'{"forged": "<b>yes</b>"}',
        {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"},
    )
    refused = RefusedCallback.objects.order_by("-pk")[0]
    text = get(client, page(RefusedCallback, refused))
    assert ["&lt;b&gt;yes" in text, "<b>yes" in text, "webhook-signature: v1,AAAA" in text] == [
        True,
        False,
        True,
    ]
    assert page(RefusedCallback, refused) in get(client, address(RefusedCallback))
    assert page(RefusedCallback, refused) in get(client, page(Provider, shop_setup.webhooks.provider))


def test_provider_page__lists_only_its_own_latest_callbacks(client: Client, shop_setup: ShopSetup) -> None:
    wrong = contradicted(shop_setup)
    assert page(Callback, wrong) in get(client, page(Provider, shop_setup.webhooks.provider))
    assert page(Callback, wrong) not in get(client, page(Provider, shop_setup.notify.provider))


def test_provider_page__leads_to_all_of_its_callbacks(client: Client, shop_setup: ShopSetup) -> None:
    wrong = contradicted(shop_setup)
    for fake_provider, is_there in ((shop_setup.webhooks, True), (shop_setup.notify, False)):
        text = get(client, page(Provider, fake_provider.provider))
        [place] = re.findall(rf'href="({address(Callback)}\?[^"]*)" class="wallet-link"', text)
        assert (page(Callback, wrong) in get(client, unescape(place))) is is_there


# --- Deliveries -----------------------------------------------------------------------------------------


def test_delivery_page__shows_every_attempt_page_by_page(client: Client, shop_setup: ShopSetup) -> None:
    order = shop_setup.paid(product="sword")
    for number in range(27):
        delivery = tried(order, 500, body=f"answer-{number:02}")
    first, second = (
        get(client, page(Delivery, delivery)),
        get(client, page(Delivery, delivery) + "?attempts=2"),
    )
    assert [f"answer-{number:02}" in first for number in (26, 2, 1)] == [True, True, False]
    assert [f"answer-{number:02}" in second for number in (2, 1, 0)] == [False, True, True]
    assert ["Older attempts" in first, "Older attempts" in second, "Newest attempts" in second] == [
        True,
        False,
        True,
    ]
    for nonsense in ("x", "-1", "0", "9" * 30):
        assert "answer-26" in get(client, page(Delivery, delivery) + f"?attempts={nonsense}")


def test_delivery_page__tells_unanswered_attempts_apart(client: Client, shop_setup: ShopSetup) -> None:
    order = shop_setup.paid(product="sword")
    delivery = tried(order, None)
    DeliveryAttempt.objects.create(
        delivery=delivery, url="https://game.example/orders", worker="worker:8", began_at=now()
    )
    DeliveryAttempt.objects.create(
        delivery=delivery, url="https://game.example/orders", worker="worker:9", began_at=now() - HOUR
    )
    text = get(client, page(Delivery, delivery))
    assert [words in text for words in ("no response", "timeout: no answer", "under way", "worker lost")] == [
        True
    ] * 4


def test_delivery__is_sent_again_with_a_reason(client: Client, shop_setup: ShopSetup) -> None:
    order = shop_setup.paid(product="sword")
    delivery = tried(order, GONE)
    assert page(Delivery, delivery) in get(client, f"{address(Delivery)}?state=given_up")
    assert client.post(page(Delivery, delivery, "send_again"), {"reason": ""}).status_code == 200
    assert Delivery.objects.get(pk=delivery.pk).state == "gone"
    response = client.post(page(Delivery, delivery, "send_again"), {"reason": "the game is mended"})
    assert (response.status_code, said(response)) == (302, "The delivery is being sent again.")
    row = Delivery.objects.get(pk=delivery.pk)
    assert (row.state, row.attempts, row.next_attempt_at is not None) == ("pending", 0, True)
    assert story_of(order)[-1] == ("delivery_sent_again", "paid")
    assert page(Delivery, delivery) not in get(client, f"{address(Delivery)}?state=given_up")


@pytest.mark.parametrize(
    ("answer", "state"), [(None, "returned"), (503, "returned"), (GONE, "gone"), (200, "delivered")]
)
def test_delivery__returned_payment_is_not_resent_in_any_state(
    client: Client, served_shop: ShopSetup, answer: int | None, state: str
) -> None:
    order = served_shop.paid(product="sword")
    if answer:
        tried(order, answer)
    served_shop.webhooks.tell("payment.refunded", order)
    delivery = Delivery.objects.get(order=order)
    text = get(client, page(Delivery, delivery))
    assert ["send_again/" in text, "None: the payment was returned." in text] == [False, True]
    assert "has gone back" in said(client.post(page(Delivery, delivery, "send_again"), {"reason": "because"}))
    for name in ("given_up", "delivered"):
        assert "No delivery matches" in client.post(RANGE, form(served_shop.game, name)).content.decode()
    assert send_batch_again([delivery.pk], [state], actor="operator:test", reason="test") == set()
    row = Delivery.objects.get(pk=delivery.pk)
    assert (row.state, row.next_attempt_at) == (state, None)


def test_delivery__says_if_it_cannot_be_sent_now(client: Client, served_shop: ShopSetup) -> None:
    delivery = tried(served_shop.paid(product="sword"), GONE)
    Shop.objects.filter(pk=served_shop.shop.pk).update(paused_at=now())
    assert "it is sent when they are resumed" in get(client, page(Delivery, delivery, "send_again"))
    Shop.objects.filter(pk=served_shop.shop.pk).update(order_url="")
    assert "has no order URL" in said(
        client.post(page(Delivery, delivery, "send_again"), {"reason": "because"})
    )
    assert Delivery.objects.get(pk=delivery.pk).state == "gone"


NEXT: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (
        {"next_attempt_at": datetime(2100, 1, 1, tzinfo=UTC)},
        {},
        "The next attempt is at 2100-01-01 00:00:00 UTC.",
    ),
    ({"next_attempt_at": datetime(2020, 1, 1, tzinfo=UTC)}, {}, "It is due, and sent by the next run."),
    (
        {"next_attempt_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"paused_at": datetime(2020, 1, 1, tzinfo=UTC)},
        "It waits until deliveries to this game are resumed.",
    ),
    (
        {"next_attempt_at": datetime(2020, 1, 1, tzinfo=UTC)},
        {"order_url": ""},
        "It cannot be sent: the game has no order URL.",
    ),
    ({"next_attempt_at": None, "state": "gone"}, {}, "None: an operator can send it again."),
    ({"next_attempt_at": None, "state": "delivered"}, {}, "None."),
]


@pytest.mark.parametrize(("delivery", "shop", "words"), NEXT)
def test_delivery_page__says_what_happens_next(
    client: Client, served_shop: ShopSetup, delivery: dict[str, Any], shop: dict[str, Any], words: str
) -> None:
    row = Delivery.objects.get(order=served_shop.paid(product="sword"))
    Delivery.objects.filter(pk=row.pk).update(**delivery)
    Shop.objects.filter(pk=served_shop.shop.pk).update(**shop)
    assert words in get(client, page(Delivery, row))


def test_delivery__sending_again_needs_the_change_permission(shop_setup: ShopSetup) -> None:
    delivery = tried(shop_setup.paid(product="sword"), GONE)
    reader = signed_in(operator("payments.view_delivery", "payments.refund_order"))
    for place in (page(Delivery, delivery, "send_again"), RANGE):
        assert [reader.get(place).status_code, reader.post(place, {"reason": "x"}).status_code] == [403, 403]
    assert "send_range" not in get(reader, address(Delivery))
    assert Delivery.objects.get(pk=delivery.pk).state == "gone"


# --- A range of deliveries ------------------------------------------------------------------------------


def form(
    game: Game | None,
    state: str = "given_up",
    since: datetime | None = None,
    until: datetime | None = None,
    **changes: str,
) -> dict[str, str]:
    begins, ends = since or now() - HOUR, until or now() + HOUR
    times = {
        "since_0": f"{begins:%Y-%m-%d}",
        "since_1": f"{begins:%H:%M:%S}",
        "until_0": f"{ends:%Y-%m-%d}",
        "until_1": f"{ends:%H:%M:%S}",
    }
    return (
        {"game": str(game.pk) if game else "", "state": state, "reason": "the game was down"}
        | times
        | changes
    )


def test_bulk_retry__says_how_many_before_sending(
    client: Client, served_shop: ShopSetup, shop_setup: ShopSetup
) -> None:
    orders = [served_shop.paid(product="sword") for _ in range(3)]
    gone = [tried(order, GONE) for order in orders[:2]]
    foreign = tried(shop_setup.paid(product="sword"), GONE)
    text = client.post(RANGE, form(served_shop.game)).content.decode()
    assert [
        words in text
        for words in (
            "2 deliveries of",
            "Send 2 deliveries again?",
            "Reason: the game was down",
            'name="since_0"',
        )
    ] == [True] * 4
    assert [row.state for row in Delivery.objects.filter(pk__in=[one.pk for one in gone])] == ["gone", "gone"]
    response = client.post(RANGE, form(served_shop.game, confirmed="1"))
    assert (response.status_code, said(response)) == (302, "2 deliveries are being sent again.")
    rows = Delivery.objects.filter(game=served_shop.game).order_by("pk")
    assert [(row.state, row.attempts) for row in rows] == [("pending", 0)] * 3
    assert Delivery.objects.get(pk=foreign.pk).state == "gone"
    events = OrderEvent.objects.filter(order__in=orders, what="delivery_sent_again")
    assert {(event.order_id, event.note, event.old_state, event.new_state) for event in events} == {
        (order.pk, "the game was down", "paid", "paid") for order in orders[:2]
    }
    # The same again finds none.
    assert (
        "No delivery matches that could be sent"
        in client.post(RANGE, form(served_shop.game)).content.decode()
    )


def test_bulk_retry__range_ends_at_its_times(client: Client, served_shop: ShopSetup) -> None:
    delivery = tried(served_shop.paid(product="sword"), GONE)
    at = delivery.created_at.astimezone(UTC)
    outside = [(at - HOUR, at - timedelta(seconds=2)), (at + timedelta(seconds=2), at + HOUR)]
    for since, until in outside:
        assert (
            "No delivery matches"
            in client.post(RANGE, form(served_shop.game, since=since, until=until)).content.decode()
        )
    assert (
        "1 delivery of"
        in client.post(RANGE, form(served_shop.game, since=at - HOUR, until=at + HOUR)).content.decode()
    )


def test_bulk_retry__skips_returned_and_unsendable_deliveries(client: Client, served_shop: ShopSetup) -> None:
    returned = served_shop.paid(product="sword")
    served_shop.webhooks.tell("payment.refunded", returned)
    assert Delivery.objects.get(order=returned).state == "returned"
    assert find_range(Range(("returned",), now() - HOUR, now() + HOUR, served_shop.game.pk)) == []
    tried(served_shop.paid(product="sword"), GONE)
    Shop.objects.filter(pk=served_shop.shop.pk).update(order_url="")
    for state in ("given_up", "pending", "delivered"):
        assert "No delivery matches" in client.post(RANGE, form(served_shop.game, state)).content.decode()


def test_bulk_retry__delivered_ones_stay_delivered(client: Client, served_shop: ShopSetup) -> None:
    order = served_shop.paid(product="sword")
    tried(order, 200)
    client.post(RANGE, form(served_shop.game, "delivered", confirmed="1"))
    row = Delivery.objects.get(order=order)
    assert (row.state, row.next_attempt_at is not None, fresh(order).state) == (
        "delivered",
        True,
        "delivered",
    )


def test_bulk_retry__leaves_deliveries_changed_since_found(served_shop: ShopSetup) -> None:
    gone, delivered = (tried(served_shop.paid(product="sword"), status) for status in (GONE, 200))
    sent_now = send_batch_again([gone.pk, delivered.pk], ["gone"], actor="operator:test", reason="test")
    assert sent_now == {gone.pk}
    assert [
        (row.state, row.next_attempt_at is None)
        for row in Delivery.objects.filter(pk__in=[gone.pk, delivered.pk]).order_by("pk")
    ] == [
        ("pending", False),
        ("delivered", True),
    ]


def test_bulk_retry__range_is_bounded(
    client: Client, served_shop: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("payments.deliveries.bulk_retry.MOST", "payments.admin.bulk_retry.MOST"):
        monkeypatch.setattr(name, 2)
    monkeypatch.setattr("payments.deliveries.bulk_retry.find_range.__defaults__", (2,))
    orders = [served_shop.paid(product="sword") for _ in range(3)]
    for order in orders:
        tried(order, GONE)
    text = client.post(RANGE, form(served_shop.game)).content.decode()
    assert ["More than 2 deliveries" in text, "The oldest 2 are sent now." in text] == [True, True]
    assert (
        said(client.post(RANGE, form(served_shop.game, confirmed="1")))
        == "2 deliveries are being sent again."
    )
    assert [Delivery.objects.get(order=order).state for order in orders] == ["pending", "pending", "gone"]


WRONG: list[tuple[dict[str, str], str]] = [
    ({"reason": ""}, "This field is required."),
    ({"state": "returned"}, "not one of the available choices"),
    ({"since_0": ""}, "This field is required."),
    ({"until_0": "2020-01-01"}, "The end must be later than the beginning."),
    ({"game": "00000000-0000-7000-8000-000000000000"}, "not one of the available choices"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_bulk_retry__says_why_an_invalid_range_is_refused(
    client: Client, served_shop: ShopSetup, changes: dict[str, str], words: str
) -> None:
    delivery = tried(served_shop.paid(product="sword"), GONE)
    response = client.post(RANGE, form(served_shop.game, confirmed="1") | changes)
    assert (response.status_code, words in response.content.decode()) == (200, True)
    assert Delivery.objects.get(pk=delivery.pk).state == "gone"


# --- What waits, and what it costs ----------------------------------------------------------------------


def test_refunds__of_payments_that_never_came_are_listed(client: Client, shop_setup: ShopSetup) -> None:
    address_of_them = f"{address(Refund)}?state=unmatched"
    assert "No refund or chargeback of a paid order waits for its payment." in get(client, address_of_them)
    remembered = [
        Refund.objects.create(
            order=order,
            provider=shop_setup.webhooks.provider,
            kind="refund",
            state="remembered",
            amount=1_00,
            payment_reference="never told",
            actor="provider:test",
            created_at=now(),
        )
        for order in (shop_setup.paid(), shop_setup.order())
    ]
    text = get(client, address_of_them)
    assert [page(Refund, refund) in text for refund in remembered] == [True, False]


def test_refunds__refused_ones_are_listed_while_the_order_is_paid(
    client: Client, shop_setup: ShopSetup
) -> None:
    address_of_them = f"{address(Refund)}?state=refused"
    order = shop_setup.paid()
    refund = Refund.objects.create(
        order=order,
        provider=shop_setup.webhooks.provider,
        kind="refund",
        state="refused",
        amount=1_00,
        actor="operator:test",
        created_at=now(),
    )
    assert page(Refund, refund) in get(client, address_of_them)
    Order.objects.filter(pk=order.pk).update(state="refunded")
    assert page(Refund, refund) not in get(client, address_of_them)


@pytest.mark.parametrize("state", ["done", "reversed", "unmoved", "replaced"])
def test_refund_page__says_how_it_stands_at_the_provider(
    client: Client, shop_setup: ShopSetup, state: str
) -> None:
    refund = Refund.objects.create(
        order=shop_setup.paid(),
        provider=shop_setup.webhooks.provider,
        kind="refund",
        state=state,
        amount=1_00,
        actor="provider:test",
        created_at=now(),
        made_at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        told_at=datetime(2026, 3, 4, 12, tzinfo=UTC),
    )
    text = get(client, page(Refund, refund))
    assert str(refunds.MEANINGS[Refund.State(state)]) in text
    assert [part in text for part in ("2026-03-02", "2026-03-04")] == [True, True]


def badges(text: str) -> list[bool]:
    """Whether the sidebar counts something at deliveries and callbacks."""
    return [
        ">1<" in "".join(text.split(f"/admin/payments/{model}/")[1][:900].split())
        for model in ("delivery", "callback")
    ]


def test_sidebar__counts_what_waits_for_a_person(client: Client, shop_setup: ShopSetup) -> None:
    assert badges(get(client, "/admin/")) == [False, False]
    wrong = contradicted(shop_setup)
    order = shop_setup.paid(product="sword")
    delivery = tried(order, GONE)
    assert badges(get(client, "/admin/")) == [True, True]
    client.post(page(Callback, wrong, "resolve"), {"reason": "x"})
    shop_setup.webhooks.tell("payment.refunded", order)
    assert badges(get(client, "/admin/")) == [False, False]
    assert page(Delivery, delivery) not in get(client, f"{address(Delivery)}?state=given_up")


def test_sidebar__looks_up_counts_once_and_only_if_permitted(client: Client, shop_setup: ShopSetup) -> None:
    for _ in range(3):
        contradicted(shop_setup)
    place = reverse("admin:own_sessions")
    asked = [sql for sql in queries(client, place) if "payments_" in sql]
    # Callbacks, deliveries, refunds, differences.
    assert len(asked) == 4
    assert all("LIMIT 100" in sql and "COUNT" not in sql for sql in asked)
    clerk = signed_in(operator("players.view_player"))
    assert not [sql for sql in queries(clerk, place) if "payments_" in sql]


LISTS = [
    (Order, ""),
    (Order, "?state=paid"),
    (Callback, ""),
    (Callback, "?outcome=all"),
    (Refund, "?state=all"),
    (Delivery, ""),
    (Delivery, "?state=given_up"),
]
LISTS += [(Delivery, "?state=all"), (RefusedCallback, ""), (Product, "")]


def test_admin_page__query_count_does_not_grow_with_content(client: Client, shop_setup: ShopSetup) -> None:
    order = make_orders(shop_setup)
    tried(shop_setup.paid(product="sword"), GONE)
    shop_setup.paid(product="sword")
    places = [f"{address(model)}{view}" for model, view in LISTS]
    places += [
        page(model, rows[0])
        for model, rows in payment_rows().items()
        if model in (Order, Callback, Delivery, Provider, Shop)
    ]
    places += [f"{address(Order)}?q={order.player.uid}", page(Provider, shop_setup.webhooks.provider)]
    before = {place: len(queries(client, place)) for place in places}
    for _ in range(8):
        make_orders(shop_setup)
        tried(shop_setup.paid(product="sword"), GONE)
        shop_setup.paid(product="sword")
    assert {place: len(queries(client, place)) for place in places} == before
    assert max(before.values()) <= 30, before


def test_payments_list__never_runs_a_count_query(client: Client, shop_setup: ShopSetup) -> None:
    make_orders(shop_setup)
    for model in (Order, Callback, Refund, Delivery, RefusedCallback):
        for view in ("", "?_facets=True", "?all=", "?state=all&outcome=all"):
            place = address(model) + (view if model is not RefusedCallback else "")
            response = client.get(place)
            assert response.status_code == 200 or view == "?state=all&outcome=all", place
            if response.status_code == 200:
                assert not [sql for sql in queries(client, place) if "COUNT(" in sql.upper()], place


INDEXES: list[tuple[Any, type[Selections], str, tuple[str, ...]]] = [
    (Order, orders.States, "paid", ("order_by_state",)),
    (Order, orders.States, "charged_back", ("order_by_state",)),
    (Callback, callbacks.Outcomes, "open", ("callback_to_look_at",)),
    (Delivery, deliveries.States, "pending", ("delivery_by_state",)),
    (Delivery, deliveries.States, "given_up", ("delivery_by_state",)),
    (Refund, refunds.Openness, "open", ("refund_due", "refund_open_once_per_order")),
    (Refund, refunds.Openness, "refused", ("refund_refused",)),
]


@pytest.mark.parametrize(("model", "selections", "name", "indexes"), INDEXES)
def test_list_filter__has_an_index_for_every_selection(
    model: Any, selections: type[Selections], name: str, indexes: tuple[str, ...]
) -> None:
    rows = selections.offered[name].select(model.objects.all()).order_by()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = rows.explain()
        cursor.execute("RESET enable_seqscan")
    assert any(index in plan for index in indexes), plan


def test_order_notify__orders_and_callbacks_have_pages_too(client: Client, shop_setup: ShopSetup) -> None:
    fake_provider: FakeProvider = shop_setup.notify
    order = shop_setup.order(fake_provider=fake_provider)
    assert fake_provider.notify(order).status == 200
    callback = Callback.objects.get(order=order)
    assert page(Callback, callback) in get(client, page(Order, order))
    assert Order.objects.get(pk=order.pk).state == "delivered"


def test_raw_callback__is_shown_with_permission_and_each_look_recorded(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    shop_setup.webhooks.tell("payment.succeeded", order, "1.00")
    row, model = Callback.objects.get(order=order), "payments.view_callback"
    reader, viewer = operator(model, "payments.read_raw_callback"), operator(model)
    assert "wallet-raw" in get(signed_in(reader), page(Callback, row))
    assert "wallet-raw" not in get(signed_in(viewer), page(Callback, row))
    (event,) = AuditEvent.objects.filter(subject_id=str(row.pk))
    assert (event.username, event.action, event.outcome) == (reader.username, "view_raw_callback", "done")
    assert (event.before, event.after) == (None, None)
