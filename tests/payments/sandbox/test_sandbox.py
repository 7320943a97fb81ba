"""The sandbox: its page, its API, and the demo games' mailboxes.

Callbacks, refunds and deliveries go over HTTP to a real server on the same database.
"""

import json
import time
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.conf import settings
from django.db import transaction

from config.celery import app
from lib.ids import new_id
from payments.callbacks.queries import request_query
from payments.checkout.payments import start_payment
from payments.models import Callback, Delivery, Order, Payment, Refund, Shop
from payments.providers.registry import PROVIDERS
from payments.providers.signatures import standard_webhooks
from payments.providers.signing_secrets import new_webhook_secret
from payments.refunds.operations import requery, request_refund
from payments.sandbox import memory
from payments.tasks import deliver_task, query_payments_task, refund_task
from tests.support.callers import CLIENT, Callers, holding, unique
from tests.support.invariants import problems_of
from tests.support.order_replay import difference
from tests.support.shop import (
    BASE,
    FakeProvider,
    ShopSetup,
    fresh,
    make_provider,
    make_shop_setup,
    outcomes,
    payments_of,
    refunds_of,
)
from tests.support.web_server import served

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

SCHEMES = ("sandbox", "standard-webhooks", "order-notify")


@pytest.fixture(scope="module")
def demo_url(callers: Callers, database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server where DEMO is on."""
    with served(
        tmp_path_factory.mktemp("demo") / "log",
        DATABASE_URL=database_url,
        DEMO="1",
        OUTGOING_TOTAL_SECONDS="1",
    ) as url:
        yield url


@pytest.fixture(autouse=True)
def demo(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """DEMO is on here too; what a worker would do is done at once, by this process.

    It waits as long as a worker does: only where the other side hangs, a test gives up sooner.
    """
    monkeypatch.setattr(settings, "DEMO", True)
    monkeypatch.setattr(settings, "PUBLIC_URL", demo_url)
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])
    PROVIDERS.forget()
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.fixture(scope="module")
def fake_providers(callers: Callers, demo_url: str) -> dict[str, FakeProvider]:
    """A provider of each scheme whose pages are the sandbox's."""
    slugs = {scheme: unique("box") for scheme in SCHEMES}
    return {
        scheme: make_provider(scheme, slug=slug, page_url=f"{demo_url}/sandbox/{slug}/pay")
        for scheme, slug in slugs.items()
    }


def visit(order: Order, fake_provider: FakeProvider) -> str:
    """The path of the sandbox's page that the player is sent to."""
    started = urlsplit(start_payment(order, fake_provider.provider.slug, BASE).url)
    assert f"{started.scheme}://{started.netloc}" == settings.PUBLIC_URL
    return f"{started.path}?{started.query}"


def press(path: str, act: str, **further: str) -> "Page":
    return CLIENT.post(path, {"act": act} | further)


def paid(shop_setup: ShopSetup, fake_provider: FakeProvider, product: str = "gold") -> tuple[Order, str, str]:
    """An order that was paid at the sandbox; its page there, and the payment's reference."""
    order = shop_setup.order(product=product, start=False)
    path = visit(order, fake_provider)
    press(path, "pay")
    return fresh(order), path, Payment.objects.get(order=order, state="paid").reference


# --- The page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", SCHEMES)
def test_sandbox_page__tells_amount_due_and_that_it_is_not_real(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], scheme: str
) -> None:
    path = visit(shop_setup.order(start=False), fake_providers[scheme])
    for language, price, word in (
        ("en", "4.99", "No real money moves here."),
        ("de", "4,99", "Hier fließt kein echtes Geld."),
    ):
        answer = CLIENT.get(f"{path}&lang={language}")
        page = answer.content.decode()
        assert (answer.status_code, f"{price}\N{NO-BREAK SPACE}EUR" in page, word in page) == (
            200,
            True,
            True,
        )
        assert ('value="decline"' in page, 'value="two"' in page) == (
            scheme != "order-notify",
            scheme != "order-notify",
        )
        assert 'name="payment"' not in page
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Content-Security-Policy"].endswith(f"form-action 'self' {settings.PUBLIC_URL}")


ACTS = [
    # What is pressed, the order's state, what came of the callbacks that were stored, the payments,
    # and whether the player leaves.
    ("pay", "delivered", ["acted"], [("paid", False)], True),
    ("late", "delivered", ["acted"], [("paid", False)], True),
    ("twice", "delivered", ["acted"], [("paid", False)], True),
    ("lost", "created", [], [("started", False)], True),
    ("forge", "created", [], [("started", False)], False),
    ("wrong", "created", ["contradicts"], [("started", False)], False),
]
FURTHER_ACTS = [
    ("decline", "failed", ["acted"], [("failed", False)], True),
    ("two", "delivered", ["acted", "duplicate"], [("paid", False), ("paid", True)], True),
]


@pytest.mark.parametrize(
    ("scheme", "act", "state", "stored", "payments", "leaves"),
    [
        (scheme, *row)
        for scheme in SCHEMES
        for row in ACTS + (FURTHER_ACTS if scheme != "order-notify" else [])
    ],
)
def test_sandbox_page__every_button_does_what_it_says(
    shop_setup: ShopSetup,
    fake_providers: dict[str, FakeProvider],
    scheme: str,
    act: str,
    state: str,
    stored: list[str],
    payments: list[tuple[str, bool]],
    leaves: bool,
) -> None:
    order = shop_setup.order(start=False)
    path = visit(order, fake_providers[scheme])
    answer = press(path, act)
    assert (answer.status_code, answer["Location"]) == (
        303,
        f"{settings.PUBLIC_URL}/checkout/{order.page_key}/result" if leaves else path,
    )
    order = fresh(order)
    assert (order.state, outcomes(order), payments_of(order)) == (state, stored, payments)
    assert holding(order.player).spendable == (500_00 if state == "delivered" else 0)
    assert [one.times_seen for one in Callback.objects.filter(order=order)][:1] == [
        2 if act == "twice" else 1
    ][: len(stored)]
    answered = {"forge": {"401"}, "wrong": {"422"}, "lost": set()}.get(act, {"200"})
    assert {
        line["answer"] for line in memory.lines_of(fake_providers[scheme].provider.slug, str(order.pk))
    } == answered
    assert problems_of(order.player) == []


@pytest.mark.parametrize(
    ("act", "says"), [("forge", "the signature is wrong"), ("wrong", "The platform refused what it says")]
)
def test_sandbox_page__says_what_came_of_a_callback(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], act: str, says: str
) -> None:
    path = visit(shop_setup.order(start=False), fake_providers["sandbox"])
    press(path, act)
    shown = CLIENT.get(path).content.decode()
    assert says in shown
    assert 'http-equiv="refresh"' not in shown


def test_sandbox_page__looks_again_while_a_callback_is_under_way(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    order = shop_setup.order(start=False)
    path = visit(order, fake_providers["sandbox"])
    memory.expect_line(fake_providers["sandbox"].provider.slug, str(order.pk))
    waiting = CLIENT.get(path).content.decode()
    assert "A callback is under way" in waiting
    assert '<meta http-equiv="refresh" content="1">' in waiting


def test_sandbox__is_asked_about_a_payment_whose_callback_got_lost(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    order = shop_setup.order(start=False)
    path = visit(order, fake_providers["sandbox"])
    assert told(order) == ("created", "not paid (open)")
    press(path, "lost")
    assert told(order) == ("delivered", "paid")
    assert (outcomes(order), holding(order.player).spendable) == (["nothing", "acted"], 500_00)
    assert problems_of(order.player) == []
    assert difference(fresh(order)) == ""


def told(order: Order) -> tuple[str, str]:
    """The order's state, and what the sandbox said, once an operator has it asked."""
    with transaction.atomic():
        request_query(order, actor="operator:anna", reason="the player complains")
    query_payments_task()
    return fresh(order).state, Payment.objects.get(order=order).query_answer


@pytest.mark.parametrize("act", ["decline", "two", "refund", "charge-back", "reverse", "", "pay me"])
def test_sandbox__order_notify_supports_only_payment(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], act: str
) -> None:
    order = shop_setup.order(start=False)
    answer = press(visit(order, fake_providers["order-notify"]), act)
    assert (answer.status_code, fresh(order).state, outcomes(order)) == (422, "created", [])


def test_sandbox_page__can_still_be_paid_after_a_decline(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    order = shop_setup.order(start=False)
    path = visit(order, fake_providers["sandbox"])
    press(path, "decline")
    press(path, "pay")
    assert (fresh(order).state, outcomes(order)) == ("delivered", ["acted", "acted"])


@pytest.mark.parametrize("scheme", ["sandbox", "standard-webhooks"])
def test_sandbox__refund_chargeback_reversal_follow_a_payment(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], scheme: str
) -> None:
    order, path, reference = paid(shop_setup, fake_providers[scheme])
    assert f'value="{reference}"' in CLIENT.get(path).content.decode()
    assert press(path, "refund", payment=reference, amount="1,00").status_code == 303
    assert (fresh(order).refunded, holding(order.player).spendable) == (1_00, 399_80)
    press(path, "charge-back", payment=reference)
    assert (fresh(order).state, fresh(order).charged_back, holding(order.player).spendable) == (
        "charged_back",
        3_99,
        0,
    )
    press(path, "reverse", payment=reference)
    assert (fresh(order).state, fresh(order).charged_back, holding(order.player).spendable) == (
        "delivered",
        0,
        399_80,
    )
    press(path, "refund", payment=reference, amount="3.99")
    assert (fresh(order).state, refunds_of(order)) == (
        "refunded",
        [("refund", "done", 1_00), ("charge_back", "reversed", 3_99), ("refund", "done", 3_99)],
    )
    assert outcomes(order) == ["acted"] * 5
    assert problems_of(order.player) == []


@pytest.mark.parametrize("name", ["startReference", "paymentReference"])
@pytest.mark.parametrize("reference", ["x\x00", "\ud800", "x" * 256])
def test_sandbox_callback__reference_that_is_none_contradicts(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], name: str, reference: str
) -> None:
    order, box = shop_setup.order(start=False), fake_providers["sandbox"]
    visit(order, box)
    answer = box.tell("payment.refunded", order, **{name: reference})
    assert (answer.status, outcomes(order)) == (422, ["contradicts"])


def test_sandbox__duplicate_payment_is_refunded_by_its_reference(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    order = shop_setup.order(start=False)
    path = visit(order, fake_providers["sandbox"])
    press(path, "two")
    second = Payment.objects.get(order=order, is_duplicate=True)
    press(path, "refund", payment=second.reference, amount="4.99")
    second.refresh_from_db()
    assert (second.returned, fresh(order).refunded, holding(order.player).spendable) == (4_99, 0, 500_00)


@pytest.mark.parametrize(
    ("act", "amount"),
    [
        ("refund", "5.00"),
        ("refund", "0"),
        ("refund", "-1"),
        ("refund", "1.001"),
        ("refund", "all"),
        ("refund", ""),
        ("refund", "1e999999999"),
        ("reverse", ""),
    ],
)
def test_sandbox__impossible_act_is_refused(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], act: str, amount: str
) -> None:
    order, path, reference = paid(shop_setup, fake_providers["sandbox"])
    assert press(path, act, payment=reference, amount=amount).status_code == 422
    assert press(path, "charge-back", payment="unknown").status_code == 422
    assert (fresh(order).refunded, fresh(order).charged_back, outcomes(order)) == (0, 0, ["acted"])


def test_sandbox__redirects_to_no_foreign_url(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    path = visit(shop_setup.order(start=False), fake_providers["sandbox"])
    told = dict(parse_qsl(urlsplit(path).query))
    for url in (
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "javascript:alert(1)",
        f"{settings.PUBLIC_URL}.elsewhere.example/",
        "/checkout/x",
        "",
    ):
        elsewhere = f"{urlsplit(path).path}?{urlencode(told | {'returnUrl': url})}"
        assert (
            "elsewhere.example"
            not in CLIENT.get(elsewhere).content.decode().replace("returnUrl", "").partition("<footer")[0]
        )
        assert press(elsewhere, "decline")["Location"].startswith("/sandbox/")


@pytest.mark.parametrize(
    "changes",
    [
        {"orderId": "x"},
        {"amount": "-1"},
        {"amount": "NaN"},
        {"amount": "1e999999999"},
        {"amount": "4.999"},
        {"currencyCode": "XXX"},
        {"currencyCode": "\x00"},
    ],
)
def test_sandbox_page__nonsense_parameters_are_404(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], changes: dict[str, str]
) -> None:
    path = visit(shop_setup.order(start=False), fake_providers["sandbox"])
    told = dict(parse_qsl(urlsplit(path).query)) | changes
    assert CLIENT.get(f"{urlsplit(path).path}?{urlencode(told)}").status_code == 404


def test_sandbox__serves_no_provider_with_a_page_elsewhere(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    order = shop_setup.order()
    told = {
        "orderId": str(order.pk),
        "amount": "4.99",
        "currencyCode": "EUR",
        "description": "Gold",
        "returnUrl": "",
    }
    path = f"/sandbox/{shop_setup.webhooks.provider.slug}/pay?{urlencode(told)}"
    assert (CLIENT.get(path).status_code, press(path, "pay").status_code) == (404, 404)
    assert (fresh(order).state, outcomes(order)) == ("created", [])


def test_sandbox__does_not_exist_without_demo(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    order = shop_setup.order(start=False)
    path = visit(order, fake_providers["sandbox"])
    monkeypatch.setattr(settings, "DEMO", False)
    PROVIDERS.forget()
    slug = fake_providers["sandbox"].provider.slug
    for address in (path, "/sandbox/", f"/sandbox/deliveries/{shop_setup.game.slug}"):
        assert (CLIENT.get(address).status_code, press(address, "pay").status_code) == (404, 404)
    for address in (
        f"/sandbox/{slug}/refunds",
        f"/sandbox/{slug}/refunds/status",
        f"/sandbox/deliveries/{shop_setup.game.slug}/answer",
    ):
        assert (
            CLIENT.post(
                address, json.dumps({"id": str(uuid.uuid4())}), content_type="application/json"
            ).status_code
            == 404
        )
    # Nor is it offered, and what is signed with its secret counts for nothing.
    assert slug not in CLIENT.get(f"/checkout/{order.page_key}").content.decode()
    assert (fake_providers["sandbox"].tell("payment.succeeded", order).status, fresh(order).state) == (
        401,
        "created",
    )


def test_sandbox__recent_payment_pages_can_be_found_again(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    path = visit(shop_setup.order(start=False), fake_providers["sandbox"])
    for language in ("en", "de"):
        CLIENT.get(f"{path}&lang={language}")
    page = CLIENT.get("/sandbox/").content.decode()
    assert page.count(urlsplit(path).query.partition("&")[0]) == 1
    assert shop_setup.game.name in page


# --- Its API, when the platform asks for refunds ---------------------------------------------------------


def asked(shop_setup: ShopSetup, fake_provider: FakeProvider, mood: str) -> tuple[Order, Refund]:
    """An order of which 2.00 EUR was asked back while the sandbox was in that mood."""
    order, *_ = paid(shop_setup, fake_provider)
    memory.put(mood, "mood", fake_provider.provider.slug)
    refund = request_refund(order.pk, 2_00, actor="test", reason="test")
    refund_task(str(refund.pk))
    refund.refresh_from_db()
    return fresh(order), refund


def returned(fake_provider: FakeProvider, order: Order) -> int:
    """What the sandbox has really given back."""
    return sum(
        one["returned"] for one in memory.payments_of(fake_provider.provider.slug, str(order.pk)).values()
    )


@pytest.mark.parametrize(
    ("mood", "at_first", "in_the_end", "spendable", "given"),
    [
        ("accept", "done", "done", 299_60, 2_00),
        ("refuse", "refused", "refused", 500_00, 0),
        ("late", "unknown", "done", 299_60, 2_00),
        ("lost", "unknown", "done", 299_60, 2_00),
        ("not_found", "unknown", "done", 299_60, 2_00),
    ],
)
def test_sandbox_refund__ends_however_it_is_answered(
    shop_setup: ShopSetup,
    fake_providers: dict[str, FakeProvider],
    mood: str,
    at_first: str,
    in_the_end: str,
    spendable: int,
    given: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if mood == "late":
        monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", 1.0)
    fake_provider = fake_providers["sandbox"]
    order, refund = asked(shop_setup, fake_provider, mood)
    assert refund.state == at_first
    # What is not known stays set aside.
    assert holding(order.player)[:2] == (
        (500_00, 0) if at_first == "refused" else (299_60, 0 if at_first == "done" else 200_40)
    )
    if at_first == "unknown":
        requery(refund, actor="test")
        refund_task(str(refund.pk))
        refund.refresh_from_db()
    assert (refund.state, returned(fake_provider, order), fresh(order).refunded) == (in_the_end, given, given)
    assert holding(order.player)[:2] == (spendable, 0)
    assert memory.get("", "mood", fake_provider.provider.slug) == "accept"
    assert problems_of(order.player) == []


def call(fake_provider: FakeProvider, path: str, told: Any) -> "Page":
    return CLIENT.post(
        f"/sandbox/{fake_provider.provider.slug}/{path}",
        told if isinstance(told, str) else json.dumps(told),
        content_type="application/json",
    )


def test_sandbox_refund__repeated_is_made_once_and_calls_back(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    fake_provider = fake_providers["sandbox"]
    order, _, reference = paid(shop_setup, fake_provider)
    told = {
        "id": str(new_id()),
        "orderId": str(order.pk),
        "amount": 2_00,
        "currencyCode": "EUR",
        "payment": reference,
    }
    assert call(fake_provider, "refunds/status", told).json() == {
        "state": "not_found",
        "reference": "",
        "problem": "",
    }
    first, second, status = (
        call(fake_provider, "refunds", told).json(),
        call(fake_provider, "refunds", told).json(),
        call(fake_provider, "refunds/status", told).json(),
    )
    assert first == second == status == {"state": "done", "reference": first["reference"], "problem": ""}
    assert (returned(fake_provider, order), fresh(order).refunded, refunds_of(order)) == (
        2_00,
        2_00,
        [("refund", "done", 2_00)],
    )


@pytest.mark.parametrize(
    "changes",
    [{"amount": 5_00}, {"amount": 0}, {"amount": -1}, {"payment": "unknown"}, {"orderId": str(uuid.uuid4())}],
)
def test_sandbox_refund__more_than_is_left_is_refused(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider], changes: dict[str, Any]
) -> None:
    fake_provider = fake_providers["sandbox"]
    order, _, reference = paid(shop_setup, fake_provider)
    told = {
        "id": str(new_id()),
        "orderId": str(order.pk),
        "amount": 2_00,
        "currencyCode": "EUR",
        "payment": reference,
    } | changes
    assert call(fake_provider, "refunds", told).json()["state"] == "refused"
    assert (returned(fake_provider, order), fresh(order).refunded) == (0, 0)


ID = str(uuid.uuid4())


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "[]",
        "[" * 60_000,
        "null",
        {},
        {"id": "x"},
        {"id": ID, "amount": "2"},
        {"id": ID, "amount": 2},
    ],
)
def test_sandbox_refund__nonsense_is_refused(fake_providers: dict[str, FakeProvider], told: Any) -> None:
    assert call(fake_providers["sandbox"], "refunds", told).status_code == 404
    assert call(fake_providers["standard-webhooks"], "refunds", told).status_code == 404
    assert CLIENT.get(f"/sandbox/{fake_providers['sandbox'].provider.slug}/refunds").status_code == 405


# --- The demo games' mailboxes -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def selling(callers: Callers, demo_url: str) -> ShopSetup:
    """A game whose order URL is its mailbox."""
    shop_setup = make_shop_setup(callers)
    shop_setup.shop.order_url = f"{demo_url}/sandbox/deliveries/{shop_setup.game.slug}"
    shop_setup.shop.save(update_fields=["order_url"])
    return shop_setup


@pytest.mark.parametrize(
    ("mood", "state", "order_state"),
    [
        ("200", "delivered", "delivered"),
        ("500", "pending", "paid"),
        ("410", "gone", "paid"),
        ("hang", "pending", "paid"),
    ],
)
def test_sandbox_delivery__is_verified_shown_answered_as_chosen(
    selling: ShopSetup,
    fake_providers: dict[str, FakeProvider],
    mood: str,
    state: str,
    order_state: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if mood == "hang":
        monkeypatch.setattr(settings, "OUTGOING_TOTAL_SECONDS", 1.0)
    address = f"/sandbox/deliveries/{selling.game.slug}"
    assert CLIENT.post(f"{address}/answer", {"mood": mood})["Location"] == address
    Shop.objects.filter(pk=selling.shop.pk).update(failing_since=None)
    order, *_ = paid(selling, fake_providers["sandbox"], "sword")
    delivery = Delivery.objects.get(order=order)
    deliver_task(str(delivery.pk))
    delivery.refresh_from_db()
    assert (delivery.state, fresh(order).state) == (state, order_state)
    page = CLIENT.get(address).content.decode()
    assert (
        page.count(str(delivery.pk)),
        page.count(order.cp_order_id),
        f"answered</span> {mood}" in page or f"answered {mood}" in page,
    ) == (1, 1, True)


def test_sandbox_delivery__forged_one_is_refused_and_shown(selling: ShopSetup) -> None:
    address, id, at, body = (
        f"/sandbox/deliveries/{selling.game.slug}",
        unique("msg"),
        1_700_000_000,
        b'{"cpOrderId": "forged"}',
    )
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": standard_webhooks.sign(id, at, body, new_webhook_secret()),
    }
    assert CLIENT.post(address, body, content_type="application/json", headers=headers).status_code == 401
    page = CLIENT.get(address).content.decode()
    assert (page.count(id), "The signature is not of a live secret." in page) == (1, True)


def test_sandbox_delivery__needs_the_second_signature_too(selling: ShopSetup) -> None:
    address, id = f"/sandbox/deliveries/{selling.game.slug}", unique("msg")
    fields = {
        "uid": "p",
        "serverId": "1",
        "cpOrderId": "c",
        "productId": "sword",
        "productPrice": "9.99",
        "extParams": "",
        "ts": "1",
        "sign": "0" * 32,
    }
    body, at = json.dumps(fields).encode(), int(time.time())
    headers = {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": standard_webhooks.sign(id, at, body, selling.delivery_secret),
    }
    answer = CLIENT.post(address, body, content_type="application/json", headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"problem": "sign is not of a live secret."})


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"cpOrderId": {"a": 1}}', b"[" * 60_000])
def test_sandbox_delivery__nonsense_is_refused(selling: ShopSetup, body: bytes) -> None:
    answer = CLIENT.post(f"/sandbox/deliveries/{selling.game.slug}", body, content_type="application/json")
    assert answer.status_code == 401
    assert CLIENT.get(f"/sandbox/deliveries/{selling.game.slug}").status_code == 200
    assert CLIENT.get(f"/sandbox/deliveries/{unique('game')}").status_code == 404


def test_sandbox__lists_only_the_providers_it_serves(
    shop_setup: ShopSetup, fake_providers: dict[str, FakeProvider]
) -> None:
    page = CLIENT.get("/sandbox/").content.decode()
    assert [f"/pay/{fake_provider.provider.slug}" in page for fake_provider in fake_providers.values()] == [
        True
    ] * 3
    assert f"/pay/{shop_setup.webhooks.provider.slug}" not in page
