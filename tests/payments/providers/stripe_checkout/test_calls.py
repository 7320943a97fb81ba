"""What is asked of Stripe: sessions, refunds, and what became of them.

On a real socket, with everything that can go wrong there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest

from payments.providers.protocol import (
    HostedPayment,
    PaymentRequest,
    ProviderConfig,
    ProviderUnavailable,
    RefundRequest,
    RefundResult,
    RefundStatus,
)
from payments.providers.stripe_checkout.checkout import StripeCheckout, closing_of, locale_of
from tests.conftest import Clock
from tests.support.callers import Callers
from tests.support.fake_stripe import FakeStripe, Mishap, fake_stripe, refuses, says

KEY = FakeStripe.key
NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
TERMS = ProviderConfig(
    id=UUID(int=1),
    slug="stripe",
    name="Stripe",
    scheme="stripe",
    is_active=True,
    is_live=False,
    currency=None,
    page_url="",
    networks=(),
    timeout_seconds=2,
    callback_secrets=("whsec_" + "a1" * 16,),
    api_secret=KEY,
)


@pytest.fixture
def fake(callers: Callers) -> Iterator[FakeStripe]:
    with fake_stripe() as fake:
        fake.paid["pi_1"] = 4_99
        yield fake


@pytest.fixture
def adapter(fake: FakeStripe) -> StripeCheckout:
    return StripeCheckout(fake.url)


def a_purchase(**changes: Any) -> PaymentRequest:
    bought: dict[str, Any] = {
        "order_id": UUID(int=7),
        "payment_id": uuid4(),
        "uid": "a-player",
        "server_id": 10001,
        "product_code": "gold",
        "product_name": "500 Gold",
        "ext_params": "",
        "price": 4_99,
        "currency": "EUR",
        "decimals": 2,
        "language": "de-AT",
        "expires_at": NOW + timedelta(hours=2),
        "result_url": "https://pay.example/checkout/k/result",
    }
    return PaymentRequest(**bought | changes)


def a_wish(**changes: Any) -> RefundRequest:
    wished: dict[str, Any] = {
        "id": uuid4(),
        "order_id": UUID(int=7),
        "start_reference": "cs_test_1",
        "payment_reference": "pi_1",
        "amount": 1_00,
        "currency": "EUR",
    }
    return RefundRequest(**wished | changes)


# --- Starting -------------------------------------------------------------------------------------------


def test_stripe_session__is_made_of_the_order_and_nothing_else(
    fake: FakeStripe, adapter: StripeCheckout, clock: Clock
) -> None:
    clock.stand(NOW)
    request = a_purchase()
    assert adapter.start(TERMS, request) == HostedPayment(
        "https://checkout.stripe.com/c/pay/cs_test_000001#fid", "cs_test_000001"
    )
    [asked] = fake.asked
    assert (asked.method, asked.path, asked.key, asked.idempotency_key) == (
        "POST",
        "/v1/checkout/sessions",
        KEY,
        f"start-{request.payment_id}",
    )
    assert asked.fields == {
        "mode": "payment",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "499",
        "line_items[0][price_data][product_data][name]": "500 Gold",
        "adaptive_pricing[enabled]": "false",
        "client_reference_id": str(UUID(int=7)),
        "metadata[wallet_order_id]": str(UUID(int=7)),
        "metadata[wallet_payment_id]": str(request.payment_id),
        "payment_intent_data[metadata][wallet_order_id]": str(UUID(int=7)),
        "payment_intent_data[metadata][wallet_payment_id]": str(request.payment_id),
        "success_url": "https://pay.example/checkout/k/result",
        "cancel_url": "https://pay.example/checkout/k/result",
        "expires_at": str(int((NOW + timedelta(hours=2)).timestamp())),
        "locale": "de",
    }


def test_stripe_session__amount_is_in_stripe_minor_units(fake: FakeStripe, adapter: StripeCheckout) -> None:
    adapter.start(TERMS, a_purchase(currency="JPY", decimals=2, price=500_00))
    assert fake.asked[0].fields["line_items[0][price_data][unit_amount]"] == "500"
    with pytest.raises(ProviderUnavailable, match="Stripe cannot take 50001 minor units of JPY"):
        adapter.start(TERMS, a_purchase(currency="JPY", decimals=2, price=500_01))
    assert len(fake.asked) == 1


def test_stripe_session__same_start_again_is_the_same_session(
    fake: FakeStripe, adapter: StripeCheckout
) -> None:
    request = a_purchase()
    assert adapter.start(TERMS, request) == adapter.start(TERMS, request)
    assert (len(fake.asked), len(fake.sessions)) == (2, 1)


@pytest.mark.parametrize(
    ("minutes", "closes"),
    [
        (1, 35),
        (31, 35),
        (35, 35),
        (36, 36),
        (120, 120),
        (23 * 60 + 55, 23 * 60 + 55),
        (24 * 60, 23 * 60 + 55),
        (72 * 60, 23 * 60 + 55),
    ],
)
def test_stripe_session__closes_with_its_order_as_stripe_allows(minutes: int, closes: int) -> None:
    assert closing_of(NOW + timedelta(minutes=minutes), NOW) == int(
        (NOW + timedelta(minutes=closes)).timestamp()
    )


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("en-GB", "en-GB"),
        ("pt_BR", "pt-BR"),
        ("ZH-tw", "zh-TW"),
        ("fr-CA", "fr-CA"),
        ("tlh", "auto"),
        ("", "auto"),
    ],
)
def test_stripe_session__page_speaks_the_language_of_the_player(language: str, locale: str) -> None:
    assert locale_of(language) == locale


@pytest.mark.parametrize(
    ("mishap", "problem"),
    [
        (FakeStripe.hang, "no answer: the connection failed or the time-out was reached"),
        (says(500, {"error": {"type": "api_error", "message": "Oops"}}), "status 500: Oops"),
        (says(500, b"<html>"), "status 500, and no answer that can be read"),
        (says(200, b"<html>"), "status 200, and no answer that can be read"),
        (says(200, b"\xff"), "an answer that cannot be read (UnicodeDecodeError)"),
        (says(200, []), "an answer that cannot be read (AttributeError)"),
        (says(200, {}), "an answer that cannot be read (KeyError)"),
        (says(200, {"id": "cs_1", "url": None}), "an answer that cannot be read (TypeError)"),
        (
            says(200, {"id": "cs_1", "url": "https://x/\ud800"}),
            "an answer that cannot be read (ValueError)",
        ),
        (
            says(200, {"id": "cs_1", "url": "javascript:alert(1)"}),
            "an answer that cannot be read (ValueError)",
        ),
        (says(400, {"error": "x"}), "an answer that cannot be read (AttributeError)"),
        (says(200, b"[" * 100_000), "status 200, and no answer that can be read"),
        (refuses(400, "invalid_request_error", "Not a valid URL\0\n"), "status 400: Not a valid URL  "),
        (
            refuses(401, "invalid_request_error", f"Invalid API Key provided: {KEY}"),
            "status 401: Invalid API Key provided: (key)",
        ),
        (
            refuses(401, "invalid_request_error", "Invalid API Key provided: sk_live_***abcd"),
            "status 401: Invalid API Key provided: (key)",
        ),
        (refuses(429, "invalid_request_error", "Too many requests"), "status 429: Too many requests"),
    ],
)
def test_stripe_session__start_errors_are_told_without_secrets(
    fake: FakeStripe, adapter: StripeCheckout, mishap: Mishap, problem: str
) -> None:
    fake.mishaps = [bound(fake, mishap)]
    with pytest.raises(ProviderUnavailable) as raised:
        adapter.start(TERMS, a_purchase())
    assert (str(raised.value), raised.value.__cause__) == (problem, None)
    assert fake.sessions == {}


def bound(fake: FakeStripe, mishap: Any) -> Mishap:
    """A mishap of this very one, where it is a method."""
    return (
        (lambda answer: mishap(fake, answer))
        if mishap in (FakeStripe.hang, FakeStripe.hang_after)
        else mishap
    )


@pytest.mark.parametrize(
    "mishap",
    [
        says(
            409,
            {"error": {"type": "idempotency_error", "code": "idempotency_key_in_use", "message": "Again"}},
        ),
        says(503, b""),
    ],
)
def test_stripe_session__start_is_asked_for_once_and_again_under_same_key(
    fake: FakeStripe, adapter: StripeCheckout, mishap: Mishap
) -> None:
    fake.mishaps, request = [mishap], a_purchase()
    with pytest.raises(ProviderUnavailable):
        adapter.start(TERMS, request)
    assert len(fake.asked) == 1
    assert adapter.start(TERMS, request).reference == "cs_test_000001"
    first, second = fake.asked
    assert (first.idempotency_key, first.fields) == (second.idempotency_key, second.fields)


def test_stripe_session__no_answer_at_all_is_unstartable() -> None:
    with pytest.raises(ProviderUnavailable, match="no answer"):
        StripeCheckout("http://127.0.0.1:9").start(TERMS, a_purchase())


@pytest.mark.parametrize(
    ("key", "is_live"),
    [
        ("sk_live_51FakeFakeFake", False),
        ("rk_live_51FakeFakeFake", False),
        ("sk_test_51FakeFakeFake", True),
        ("rk_test_51FakeFakeFake", True),
        ("pk_test_51FakeFakeFake", False),
        ("whsec_51FakeFakeFakeFake", False),
        ("sk_test_51FakeFakeFake\n", False),
        ("", False),
    ],
)
def test_stripe_key__is_never_used_in_the_other_mode(
    fake: FakeStripe, adapter: StripeCheckout, key: str, is_live: bool
) -> None:
    terms = replace(TERMS, api_secret=key, is_live=is_live)
    with pytest.raises(ProviderUnavailable, match="has no key for that"):
        adapter.start(terms, a_purchase())
    assert adapter.refund(terms, a_wish()).status == RefundStatus.REFUSED
    assert adapter.status(terms, a_wish()).status == RefundStatus.UNKNOWN
    assert fake.asked == []


@pytest.mark.parametrize(
    ("key", "is_live"),
    [("rk_test_51FakeFakeFake", False), ("sk_live_51FakeFakeFake", True), ("rk_live_51FakeFakeFake", True)],
)
def test_stripe_key__restricted_and_live_ones_work_in_their_mode(
    fake: FakeStripe, adapter: StripeCheckout, key: str, is_live: bool
) -> None:
    fake.key = key
    assert (
        adapter.start(replace(TERMS, api_secret=key, is_live=is_live), a_purchase()).reference
        == "cs_test_000001"
    )


def test_stripe_session__redirects_only_to_stripe_or_own_domain() -> None:
    assert StripeCheckout().origins(TERMS) == ("https://checkout.stripe.com",)
    assert StripeCheckout().origins(replace(TERMS, page_url="https://pay.example/x")) == (
        "https://checkout.stripe.com",
        "https://pay.example",
    )


# --- Refunds --------------------------------------------------------------------------------------------


def test_stripe_refund__names_the_payment_and_us(fake: FakeStripe, adapter: StripeCheckout) -> None:
    wish = a_wish()
    assert adapter.refund(TERMS, wish) == RefundResult(RefundStatus.DONE, "re_0000011")
    [asked] = fake.asked
    assert (asked.path, asked.idempotency_key) == ("/v1/refunds", f"refund-{wish.id}")
    assert asked.fields == {
        "payment_intent": "pi_1",
        "amount": "100",
        "metadata[wallet_refund_id]": str(wish.id),
        "metadata[wallet_order_id]": str(UUID(int=7)),
    }


def test_stripe_refund__same_request_again_is_made_once(fake: FakeStripe, adapter: StripeCheckout) -> None:
    wish = a_wish()
    assert (
        adapter.refund(TERMS, wish)
        == adapter.refund(TERMS, wish)
        == RefundResult(RefundStatus.DONE, "re_0000011")
    )
    assert len(fake.refunds) == 1


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("succeeded", RefundResult(RefundStatus.DONE, "re_0000011")),
        ("pending", RefundResult(RefundStatus.UNKNOWN, "re_0000011", "Stripe says: pending")),
        ("requires_action", RefundResult(RefundStatus.UNKNOWN, "re_0000011", "Stripe says: requires_action")),
        ("failed", RefundResult(RefundStatus.REFUSED, "re_0000011", "Stripe says: failed")),
        ("canceled", RefundResult(RefundStatus.REFUSED, "re_0000011", "Stripe says: canceled")),
        ("new_word", RefundResult(RefundStatus.UNKNOWN, "re_0000011", "Stripe says: new_word")),
        (None, RefundResult(RefundStatus.UNKNOWN, "", "an answer that cannot be read (TypeError)")),
        ("\0", RefundResult(RefundStatus.UNKNOWN, "", "an answer that cannot be read (ValueError)")),
    ],
)
def test_stripe_refund__status_is_as_stripe_says(
    fake: FakeStripe, adapter: StripeCheckout, status: Any, word: RefundResult
) -> None:
    fake.next_status = status
    wish = a_wish()
    assert adapter.refund(TERMS, wish) == word
    assert adapter.status(TERMS, wish) == word
    if word.reference:
        assert adapter.status(TERMS, replace(wish, reference=word.reference)) == word


@pytest.mark.parametrize(
    ("mishap", "word"),
    [
        (
            refuses(400, "invalid_request_error", "Charge has already been refunded."),
            RefundResult(RefundStatus.REFUSED, "", "status 400: Charge has already been refunded."),
        ),
        (refuses(402, "card_error", "No."), RefundResult(RefundStatus.REFUSED, "", "status 402: No.")),
        (
            refuses(403, "invalid_request_error", "No right."),
            RefundResult(RefundStatus.REFUSED, "", "status 403: No right."),
        ),
        (
            refuses(400, "invalid_request_error", "Slow down", code="rate_limit"),
            RefundResult(RefundStatus.UNKNOWN, "", "status 400: Slow down"),
        ),
        (
            refuses(400, "idempotency_error", "Other."),
            RefundResult(RefundStatus.UNKNOWN, "", "status 400: Other."),
        ),
        (
            refuses(409, "invalid_request_error", "At work."),
            RefundResult(RefundStatus.UNKNOWN, "", "status 409: At work."),
        ),
        (
            refuses(429, "invalid_request_error", "Slow down"),
            RefundResult(RefundStatus.UNKNOWN, "", "status 429: Slow down"),
        ),
        (refuses(500, "api_error", "Oops"), RefundResult(RefundStatus.UNKNOWN, "", "status 500: Oops")),
        (
            says(400, b"a proxy"),
            RefundResult(RefundStatus.UNKNOWN, "", "status 400, and no answer that can be read"),
        ),
        (
            says(400, {"error": {}}),
            RefundResult(RefundStatus.UNKNOWN, "", "status 400, and no answer that can be read"),
        ),
        (
            says(404, {"error": {"message": "a proxy"}}),
            RefundResult(RefundStatus.UNKNOWN, "", "status 404: a proxy"),
        ),
        (
            says(200, {"id": "", "status": "succeeded"}),
            RefundResult(RefundStatus.UNKNOWN, "", "an answer that cannot be read (ValueError)"),
        ),
        (
            says(200, {"id": None, "status": "succeeded"}),
            RefundResult(RefundStatus.UNKNOWN, "", "an answer that cannot be read (TypeError)"),
        ),
        (
            lambda answer: None,
            RefundResult(
                RefundStatus.UNKNOWN, "", "no answer: the connection failed or the time-out was reached"
            ),
        ),
        (
            FakeStripe.hang,
            RefundResult(
                RefundStatus.UNKNOWN, "", "no answer: the connection failed or the time-out was reached"
            ),
        ),
    ],
)
def test_stripe_refund__only_a_definite_no_is_a_refusal(
    fake: FakeStripe, adapter: StripeCheckout, mishap: Any, word: RefundResult
) -> None:
    fake.mishaps = [bound(fake, mishap)]
    assert adapter.refund(TERMS, a_wish()) == word
    # It is the sweep that asks again, not the library.
    assert (len(fake.asked), fake.refunds) == (1, {})


def test_stripe_call__ends_at_the_provider_timeout(fake: FakeStripe, adapter: StripeCheckout) -> None:
    fake.mishaps = [fake.hang]
    began = monotonic()
    assert adapter.refund(TERMS, a_wish()).status == RefundStatus.UNKNOWN
    assert 1 <= monotonic() - began < 4


def test_stripe_refund__more_than_is_left_is_refused(fake: FakeStripe, adapter: StripeCheckout) -> None:
    assert adapter.refund(TERMS, a_wish(amount=5_00)).status == RefundStatus.REFUSED
    assert adapter.refund(TERMS, a_wish(payment_reference="pi_2")) == RefundResult(
        RefundStatus.REFUSED, "", "status 404: No such payment_intent: 'pi_2'"
    )
    assert adapter.refund(TERMS, a_wish(amount=5_123, currency="BHD")).status == RefundStatus.REFUSED
    assert fake.refunds == {}


def test_stripe_refund__lost_answer_is_found_by_our_own_id(fake: FakeStripe, adapter: StripeCheckout) -> None:
    wish, other = a_wish(), a_wish()
    fake.mishaps = [fake.hang_after]
    assert adapter.refund(TERMS, wish).status == RefundStatus.UNKNOWN
    for _ in range(3):
        assert adapter.refund(TERMS, a_wish(amount=10)).status == RefundStatus.DONE
    # Over several pages, the newest first.
    fake.page_length = 2
    assert adapter.status(TERMS, wish) == RefundResult(RefundStatus.DONE, "re_0000011")
    assert adapter.status(TERMS, other) == RefundResult(RefundStatus.NOT_FOUND)


def test_stripe_refund__refused_query_says_nothing_of_the_refund(
    fake: FakeStripe, adapter: StripeCheckout
) -> None:
    for mishap in (
        refuses(403, "invalid_request_error", "No right."),
        refuses(404, "invalid_request_error", "No such refund"),
        says(200, {}),
        fake.hang,
    ):
        for wish in (a_wish(), a_wish(reference="re_1")):
            fake.mishaps = [mishap]
            assert adapter.status(TERMS, wish).status == RefundStatus.UNKNOWN
