"""The rules of callbacks, one by one (contract 4.2)."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from django.db.utils import ProgrammingError

from lib.clock import now
from lib.http.responses import NoAnswer
from payments.callbacks.intake import kept_headers
from payments.callbacks.rejected import Refusals
from payments.models import Callback, Order, Payment, Provider, RefusedCallback
from payments.providers.protocol import RawCallback
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import add_callback_secret, new_webhook_secret, retire_secret
from tests.lib.http.test_addresses import raw_answer, status
from tests.support.callers import Caller, Holding, holding, unique
from tests.support.invariants import problems_of
from tests.support.shop import (
    FakeProvider,
    ShopSetup,
    event_body,
    fresh,
    make_provider,
    new_reference,
    outcomes,
    payments_of,
    story_of,
)
from wallet.models import Entry

Owner = psycopg.Connection[Any]


def is_untouched(order: Order) -> bool:
    """Whether nothing has happened to an order since it was started, and nothing has moved."""
    present = fresh(order)
    moved = Entry.objects.filter(player=order.player).exclude(event="wallet_opened").exists()
    return (present.state, present.refunded, present.charged_back, present.paid_at, moved) == (
        "created",
        0,
        0,
        None,
        False,
    )


def kept(order: Order) -> Callback:
    """The one callback that is stored about an order."""
    return Callback.objects.get(order=order)


# --- Rule 1: verified first, then stored for ever ----------------------------------------------------------


@pytest.mark.parametrize("is_known", [True, False])
def test_signature__wrong_one_is_401_whatever_the_order(shop_setup: ShopSetup, is_known: bool) -> None:
    order, before = shop_setup.order(), Callback.objects.count()
    body = event_body("payment.succeeded", order, **({} if is_known else {"orderId": str(uuid.uuid4())}))
    answer = shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, secret=new_webhook_secret()))
    assert (answer.status, answer.error) == (401, 100)
    assert (Callback.objects.count(), is_untouched(order)) == (before, True)


def test_signature__covers_the_exact_bytes(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    body = event_body("payment.succeeded", order)
    headers = shop_setup.webhooks.signed(body)
    for changed in (body + b" ", body.replace(b", ", b","), body.replace(b"4.99", b"4.990"), body[:-1], b""):
        assert shop_setup.webhooks.post(changed, headers).status == 401
    assert is_untouched(order)
    assert shop_setup.webhooks.post(body, headers).raw == b'{"status":"ok"}'
    assert fresh(order).state == "delivered"


def test_secret__several_live_ones_count_but_not_a_retired_one(shop_setup: ShopSetup) -> None:
    fake_provider, second = make_provider("standard-webhooks"), new_webhook_secret()
    first = fake_provider.provider.secrets.get()
    add_callback_secret(fake_provider.provider, second, actor="test")
    PROVIDERS.forget()
    for secret in (fake_provider.secret, second):
        body = event_body("payment.succeeded", shop_setup.order(fake_provider=fake_provider))
        assert fake_provider.post(body, fake_provider.signed(body, secret=secret)).status == 200
    assert (retire_secret(first, actor="test"), retire_secret(first, actor="test")) == (True, False)
    PROVIDERS.forget()
    order = shop_setup.order(fake_provider=fake_provider)
    body = event_body("payment.succeeded", order)
    assert fake_provider.post(body, fake_provider.signed(body)).status == 401
    assert is_untouched(order)
    assert fake_provider.post(body, fake_provider.signed(body, secret=second)).status == 200


def test_callback__is_stored_as_received(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    body = b" " + event_body("payment.succeeded", order, reference=f"pay-7{order.pk.hex}") + b"\n"
    headers = shop_setup.webhooks.signed(body, id=f"msg-{order.pk}") | {
        "Authorization": "Basic c2VjcmV0",
        "Cookie": "a=b",
        "User-Agent": "Till/1",
    }
    began = now()
    assert shop_setup.webhooks.post(body, headers, "203.0.113.9").status == 200
    callback = kept(order)
    assert (bytes(callback.body), callback.message_id, callback.type) == (
        body,
        f"msg-{order.pk}",
        "payment.succeeded",
    )
    assert (callback.reference, callback.address, callback.times_seen) == (
        f"pay-7{order.pk.hex}",
        "203.0.113.9",
        1,
    )
    assert began <= callback.received_at <= now()
    sent = {name: headers[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    assert callback.headers == sent | {"content-type": "application/json", "user-agent": "Till/1"}


def test_callback__header_of_any_bytes_is_stored(shop_setup: ShopSetup) -> None:
    raw = RawCallback({"user-agent": "a\x00\x85\xe4\ud800", "cookie": "no"}, b"", "192.0.2.1", 0)
    assert kept_headers(raw) == {"user-agent": "a\\x00\\u0085\xe4\\ud800"}
    provider = make_provider("standard-webhooks").provider
    config = PROVIDERS.find(provider.slug)
    assert config is not None
    Refusals().keep(config, raw, "a problem with \x00")
    row = RefusedCallback.objects.get(provider=provider)
    assert (row.headers, row.problem) == (kept_headers(raw), "a problem with \\x00")


def test_callback__of_a_form_is_stored_as_received(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(fake_provider=shop_setup.notify)
    assert shop_setup.notify.notify(order, form=True).status == 200
    callback = kept(order)
    assert callback.headers["content-type"] == "application/x-www-form-urlencoded"
    assert bytes(callback.body).startswith(b"uid=")


@pytest.mark.parametrize(
    "change",
    [
        "body = ''",
        "content_digest = ''",
        "message_id = 'x'",
        "reference = 'x'",
        "type = 'x'",
        "received_at = now()",
        "provider_id = (SELECT gen_random_uuid())",
    ],
)
def test_callback__stored_content_never_changes_even_for_owner(
    shop_setup: ShopSetup, owner: Owner, change: str
) -> None:
    callback = kept(shop_setup.paid())
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(f"UPDATE payments_callback SET {change} WHERE id = %s", [callback.pk])
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM payments_callback WHERE id = %s", [callback.pk])
    with pytest.raises(ProgrammingError, match="permission denied"):
        Callback.objects.filter(pk=callback.pk)._raw_delete("default")
    callback.refresh_from_db()
    assert callback.times_seen == 1


# --- Where it arrives ---------------------------------------------------------------------------------------


def test_provider__unknown_one_is_404(shop_setup: ShopSetup) -> None:
    fake_provider = FakeProvider(Provider(slug=unique("nobody")), shop_setup.webhooks.secret)
    assert fake_provider.tell("payment.succeeded", shop_setup.order()).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_callback__answers_only_post(shop_setup: ShopSetup, method: str) -> None:
    answer = Caller(None).send(method, f"/pay/{shop_setup.webhooks.provider.slug}")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


def test_callback__reads_a_64_kib_body_and_no_longer_one(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    body = event_body("payment.succeeded", order)
    body += b" " * (64 * 1024 - len(body))
    longer = body + b" "
    assert shop_setup.webhooks.post(longer, shop_setup.webhooks.signed(longer)).status == 413
    assert is_untouched(order)
    assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body)).status == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/json; charset=latin-1",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "x",
    ],
)
def test_callback__content_type_of_a_webhook_does_not_matter(
    shop_setup: ShopSetup, content_type: str
) -> None:
    order = shop_setup.order()
    body = event_body("payment.succeeded", order)
    assert (
        shop_setup.webhooks.post(
            body, shop_setup.webhooks.signed(body) | {"Content-Type": content_type}
        ).status
        == 200
    )
    assert fresh(order).state == "delivered"


def test_callback__ip_not_on_provider_allowlist_gets_no_answer(shop_setup: ShopSetup, server: str) -> None:
    fake_provider = make_provider("standard-webhooks", allowed_networks=["127.0.0.1", "192.0.2.0/24"])
    order = shop_setup.order(fake_provider=fake_provider)
    body = event_body("payment.succeeded", order)
    headers = fake_provider.signed(body) | {"Content-Type": "application/json"}
    response = Caller(None, "198.51.100.1").respond(
        "POST", f"/pay/{fake_provider.provider.slug}", body, dict(headers)
    )
    assert isinstance(response, NoAnswer)
    path = f"/pay/{fake_provider.provider.slug}"
    assert (
        raw_answer(server, None, path, source="127.0.0.2")
        == raw_answer(server, None, path, source="127.0.0.2", method="GET")
        == b""
    )
    assert (status(raw_answer(server, None, path)), is_untouched(order)) == (401, True)
    assert fake_provider.post(body, headers, "192.0.2.77").status == 200


def test_callback__needs_no_csrf_token_over_http(shop_setup: ShopSetup, server: str) -> None:
    order = shop_setup.order()
    answer = FakeProvider(shop_setup.webhooks.provider, shop_setup.webhooks.secret, server).tell(
        "payment.succeeded", order
    )
    assert (answer.status, answer.raw, fresh(order).state) == (200, b'{"status":"ok"}', "delivered")


# --- Rule 3: only for the order, and the provider that it was started with ---------------------------------


def test_order__unknown_one_is_404_and_on_operators_list(shop_setup: ShopSetup) -> None:
    message = unique("msg")
    for times in (1, 2):
        assert (
            shop_setup.webhooks.tell(
                "payment.succeeded",
                shop_setup.order(),
                id=message,
                reference=message,
                orderId=str(uuid.UUID(int=7)),
            ).status
            == 404
        )
        row = Callback.objects.get(message_id=message)
        assert (row.outcome, row.order, row.resolved_at, row.times_seen) == ("no_order", None, None, times)


@pytest.mark.parametrize("other", ["nobody", "another"])
def test_order__not_started_with_this_provider_is_422(shop_setup: ShopSetup, other: str) -> None:
    order = shop_setup.order(fake_provider=make_provider("standard-webhooks"), start=other == "another")
    for type in ("succeeded", "failed", "refunded", "charged_back", "charge_back_reversed"):
        assert shop_setup.webhooks.tell(f"payment.{type}", order).status == 422
    assert (outcomes(order), is_untouched(order)) == (["contradicts"] * 5, True)
    assert kept_problems(order) == {"the order was not started with this provider"}


def kept_problems(order: Order) -> set[str]:
    return set(Callback.objects.filter(order=order).values_list("problem", flat=True))


def test_payment_start__failed_one_starts_nothing(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    Payment.objects.filter(order=order).update(state="unstarted")
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 422
    assert is_untouched(order)


@pytest.mark.parametrize("type", ["payment.succeeded", "payment.failed"])
def test_reference__must_be_the_one_given_at_start(shop_setup: ShopSetup, type: str) -> None:
    order, given = shop_setup.order(), new_reference()
    Payment.objects.filter(order=order).update(start_reference=given)
    for reference in (given + "x", given.upper(), new_reference()):
        assert shop_setup.webhooks.tell(type, order, reference=reference).status == 422
    assert (is_untouched(order), kept_problems(order)) == (
        True,
        {"it names another payment than the one that was started"},
    )
    assert shop_setup.webhooks.tell(type, order, reference=given).status == 200
    assert fresh(order).state == ("delivered" if type == "payment.succeeded" else "failed")


def test_reference__each_of_several_starts_is_paid_under_its_own(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    given = [new_reference() for _ in range(3)]
    Payment.objects.filter(order=order).update(start_reference=given[0])
    provider = shop_setup.webhooks.provider
    for reference in given[1:]:
        Payment.objects.create(
            order=order, provider=provider, amount=4_99, started_at=now(), start_reference=reference
        )
    for number in (1, 0, 2):
        assert shop_setup.webhooks.tell("payment.succeeded", order, reference=given[number]).status == 200
    found = (
        Payment.objects.filter(order=order)
        .order_by("started_at")
        .values_list("start_reference", "reference", "state", "is_duplicate")
    )
    assert list(found) == [
        (given[0], given[0], "paid", True),
        (given[1], given[1], "paid", False),
        (given[2], given[2], "paid", True),
    ]
    assert (outcomes(order), holding(order.player).spendable) == (
        ["acted", "duplicate", "duplicate"],
        500_00,
    )


def test_provider__no_longer_offered_one_is_still_heard(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider("standard-webhooks")
    order = shop_setup.order(fake_provider=fake_provider)
    Provider.objects.filter(pk=fake_provider.provider.pk).update(is_active=False)
    PROVIDERS.forget()
    assert fake_provider.tell("payment.succeeded", order).status == 200
    assert fresh(order).state == "delivered"


# --- Rule 4: once, for ever ---------------------------------------------------------------------------------


def test_message_id__is_used_only_once_for_ever(shop_setup: ShopSetup) -> None:
    order, other, message = shop_setup.order(), shop_setup.order(), unique("msg")
    assert shop_setup.webhooks.tell("payment.succeeded", order, id=message).status == 200
    assert shop_setup.webhooks.tell("payment.succeeded", other, id=message).status == 422
    assert shop_setup.webhooks.tell("payment.refunded", order, id=message).status == 422
    assert (is_untouched(other), fresh(order).refunded) == (True, 0)
    assert kept_problems(other) == {"its id was used before with other content"}


def test_message_id__is_used_up_by_a_mere_repeat_too(shop_setup: ShopSetup) -> None:
    order, other, reference, message = shop_setup.order(), shop_setup.order(), new_reference(), unique("msg")
    assert shop_setup.webhooks.tell("payment.succeeded", order, reference=reference).status == 200
    assert shop_setup.webhooks.tell("payment.succeeded", order, reference=reference, id=message).status == 200
    assert shop_setup.webhooks.tell("payment.succeeded", other, id=message).status == 422
    assert (outcomes(order), is_untouched(other)) == (["acted", "nothing"], True)
    assert shop_setup.webhooks.tell("payment.succeeded", order, reference=reference, id=message).status == 200
    assert outcomes(order) == ["acted", "nothing"]


def test_reference__belongs_to_one_order(shop_setup: ShopSetup) -> None:
    order, other, reference = shop_setup.paid(), shop_setup.paid(), new_reference()
    assert shop_setup.webhooks.tell("payment.refunded", order, reference=reference).status == 200
    assert shop_setup.webhooks.tell("payment.refunded", other, reference=reference).status == 422
    assert (fresh(other).refunded, holding(other.player).spendable) == (0, 500_00)
    # What a reference is of depends on the type, and on the provider.
    assert shop_setup.webhooks.tell("payment.charged_back", other, reference=reference).status == 200


def test_provider__two_may_use_the_same_ids(shop_setup: ShopSetup) -> None:
    fake_provider, message, reference = make_provider("standard-webhooks"), unique("msg"), new_reference()
    for one in (fake_provider, shop_setup.webhooks):
        order = shop_setup.order(fake_provider=one)
        assert one.tell("payment.succeeded", order, id=message, reference=reference).status == 200
        assert fresh(order).state == "delivered"


def test_duplicate__other_spelling_is_the_same_message(shop_setup: ShopSetup) -> None:
    order, message = shop_setup.order(), unique("msg")
    reference = new_reference()
    plain = event_body("payment.succeeded", order, reference=reference)
    other = json.dumps(
        {
            "data": {
                "providerReference": reference,
                "currencyCode": "EUR",
                "amount": "A",
                "orderId": order.pk.hex.upper(),
            },
            "more": [1],
        }
    )
    other = other.replace('"A"', "0.4990e1").replace("{", '{ "type":"payment.succeeded",', 1)
    for body in (plain, other.encode()):
        assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, id=message)).status == 200
    assert (kept(order).times_seen, bytes(kept(order).body)) == (2, plain)


def test_duplicate__64_copies_at_once_credit_once(shop_setup: ShopSetup, server: str) -> None:
    order, fake_provider = (
        shop_setup.order(product="pack"),
        FakeProvider(shop_setup.webhooks.provider, shop_setup.webhooks.secret, server),
    )
    body = event_body("payment.succeeded", order)
    headers = fake_provider.signed(body)
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda _: fake_provider.post(body, headers), range(64)))
    assert {(answer.status, answer.raw) for answer in answers} == {(200, b'{"status":"ok"}')}
    assert (kept(order).times_seen, outcomes(order), holding(order.player)) == (
        64,
        ["acted"],
        Holding(1000_00, 0, 0, 0, 2),
    )
    assert order.delivery.attempts == 0
    assert problems_of(order.player) == []


def test_duplicate__copies_under_other_ids_at_once_credit_once(shop_setup: ShopSetup, server: str) -> None:
    order, fake_provider, reference = (
        shop_setup.order(),
        FakeProvider(shop_setup.webhooks.provider, shop_setup.webhooks.secret, server),
        new_reference(),
    )
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda _: fake_provider.tell("payment.succeeded", order, reference=reference), range(16))
        )
    assert {answer.status for answer in answers} == {200}
    assert (sorted(outcomes(order)), holding(order.player).spendable) == (
        ["acted", *["nothing"] * 15],
        500_00,
    )


def test_message_id__one_for_many_orders_at_once_acts_for_one(shop_setup: ShopSetup, server: str) -> None:
    orders, fake_provider, message = (
        [shop_setup.order() for _ in range(12)],
        FakeProvider(shop_setup.webhooks.provider, shop_setup.webhooks.secret, server),
        unique("msg"),
    )
    with ThreadPoolExecutor(12) as pool:
        answers = list(
            pool.map(lambda order: fake_provider.tell("payment.succeeded", order, id=message), orders)
        )
    assert sorted(answer.status for answer in answers) == [200, *[422] * 11]
    assert sorted(fresh(order).state for order in orders) == [*["created"] * 11, "delivered"]
    assert problems_of(*(order.player for order in orders)) == []


# --- Rule 5: late, early, and twice -------------------------------------------------------------------------


def test_duplicate_payment__is_200_and_on_operators_list(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert (outcomes(order), payments_of(order)) == (
        ["acted", "duplicate"],
        [("paid", False), ("paid", True)],
    )
    assert Callback.objects.get(order=order, outcome="duplicate").resolved_at is None
    assert (fresh(order).state, holding(order.player).spendable, holding(order.player, "EUR").entries) == (
        "delivered",
        500_00,
        3,
    )


def test_duplicate_payment__early_refund_by_its_provider_counts(shop_setup: ShopSetup) -> None:
    other, order = make_provider("standard-webhooks"), shop_setup.order()
    Payment.objects.create(order=order, provider=other.provider, amount=4_99, started_at=now())
    assert other.tell("payment.refunded", order, "4.00").status == 200
    assert shop_setup.webhooks.tell("payment.succeeded", order).status == 200
    assert (fresh(order).state, holding(order.player).spendable) == ("delivered", 500_00)
    assert other.tell("payment.succeeded", order).status == 200
    second = Payment.objects.get(order=order, is_duplicate=True)
    assert (second.returned, second.provider, fresh(order).refunded) == (4_00, other.provider, 0)
    assert story_of(order)[-2:] == [("duplicate_payment", "delivered"), ("refund_applied", "delivered")]
    assert problems_of(order.player) == []


def test_payment__failure_does_not_end_the_next_attempt(shop_setup: ShopSetup) -> None:
    order, reference = shop_setup.order(), new_reference()
    assert shop_setup.webhooks.tell("payment.failed", order, reference=reference).status == 200
    assert (fresh(order).state, payments_of(order)) == ("failed", [("failed", False)])
    assert shop_setup.webhooks.tell("payment.succeeded", order, reference=reference).status == 200
    assert (fresh(order).state, payments_of(order)) == ("delivered", [("paid", False)])
    assert story_of(order)[-2:] == [("payment.failed", "failed"), ("payment.succeeded", "delivered")]


# --- Rule 7 and the operators' list -------------------------------------------------------------------------


def test_refused_callback__is_judged_anew_if_it_comes_again(shop_setup: ShopSetup) -> None:
    order, dispute, message = shop_setup.paid(), new_reference(), unique("msg")
    body = event_body("payment.charge_back_reversed", order, reference=dispute)
    headers = shop_setup.webhooks.signed(body, id=message)
    assert [shop_setup.webhooks.post(body, headers).status for _ in range(2)] == [422, 422]
    refused = Callback.objects.get(message_id=message)
    assert (refused.outcome, refused.problem, refused.times_seen) == (
        "contradicts",
        "no such chargeback is known",
        2,
    )
    assert shop_setup.webhooks.tell("payment.charged_back", order, reference=dispute).status == 200
    assert shop_setup.webhooks.post(body, headers).status == 200
    refused.refresh_from_db()
    assert (refused.resolved_by, outcomes(order)) == ("platform", ["acted", "contradicts", "acted", "acted"])
    assert (fresh(order).state, holding(order.player).spendable) == ("delivered", 500_00)
    assert problems_of(order.player) == []


def test_callback__stays_resolved_if_the_provider_repeats_itself(shop_setup: ShopSetup) -> None:
    order, message = shop_setup.order(), unique("msg")
    body = event_body("payment.succeeded", order, "4.98")
    for _ in range(2):
        assert shop_setup.webhooks.post(body, shop_setup.webhooks.signed(body, id=message)).status == 422
        Callback.objects.filter(order=order, resolved_at=None).update(
            resolved_at=now(), resolved_by="somebody", reason="they know"
        )
    assert (kept(order).times_seen, kept(order).resolved_by, is_untouched(order)) == (2, "somebody", True)


def test_callback__no_answer_reveals_the_order(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    for answer in (
        shop_setup.webhooks.tell("payment.succeeded", order, "5.00"),
        shop_setup.webhooks.tell("payment.succeeded", order, currency="XAG"),
    ):
        assert (answer.status, answer.error) == (422, 101)
        assert order.player.uid not in answer.raw.decode()
        assert shop_setup.webhooks.secret not in answer.raw.decode()
