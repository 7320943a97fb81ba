"""Refused callbacks are verified again once their secret is there, and act by the normal path, once."""

from datetime import timedelta
from typing import Any

import pytest

from lib.clock import now
from payments.callbacks.reverification import RETRY, request_verification, verify_due
from payments.models import Callback, Order, Provider, RefusedCallback, Secret
from payments.providers.protocol import ProviderUnavailable
from payments.providers.registry import PROVIDERS
from payments.providers.secret_use import SECRET_USE
from payments.providers.signing_secrets import add_callback_secret, new_webhook_secret
from tests.conftest import Clock
from tests.support.order_replay import difference
from tests.support.shop import FakeProvider, ShopSetup, event_body, fresh, make_provider, outcomes
from wallet.job_runs import Run


@pytest.fixture
def fake(callers: Any) -> FakeProvider:
    SECRET_USE.noted_at.clear()
    return make_provider("standard-webhooks")


def refused(fake: FakeProvider, order: Order, secret: str, *, at: int | None = None, id: str = "") -> bytes:
    """A payment of an order that came with a secret that is not there yet."""
    body = event_body("payment.succeeded", order)
    assert fake.post(body, fake.signed(body, secret=secret, at=at, id=id or None)).status == 401
    return body


def enter(provider: Provider, secret: str) -> Secret:
    made = add_callback_secret(provider, secret, actor="test")
    PROVIDERS.forget()
    return made


def verified(fake: FakeProvider) -> Run:
    request_verification(RefusedCallback.objects.filter(provider=fake.provider))
    run = Run("verify_refused")
    verify_due(run)
    return run


def states(fake: FakeProvider) -> list[tuple[bool, str, bool]]:
    rows = RefusedCallback.objects.filter(provider=fake.provider).order_by("pk")
    return [(row.verified_at is not None, row.outcome, row.due_at is not None) for row in rows]


def test_rotated_secret__what_came_meanwhile_is_credited(shop_setup: ShopSetup, fake: FakeProvider) -> None:
    secret, sessions = new_webhook_secret(), [shop_setup.player_session() for _ in range(6)]
    orders = [shop_setup.order(session, fake_provider=fake) for session in sessions]
    for order in orders:
        refused(fake, order, secret)
    run = verified(fake)
    assert (run.looked_at, run.done, states(fake)) == (6, 0, [(False, "", False)] * 6)
    assert {fresh(order).state for order in orders} == {"created"}
    made = enter(fake.provider, secret)
    run = verified(fake)
    assert (run.looked_at, run.done, states(fake)) == (6, 6, [(True, "acted", False)] * 6)
    assert [session.holding().spendable for session in sessions] == [500_00] * 6
    assert {outcomes(order)[0] for order in orders} == {"acted"}
    assert {difference(fresh(order)) for order in orders} == {""}
    made.refresh_from_db()
    assert made.last_used_at is not None


def test_verified_callback__acts_once_however_it_comes_again(
    shop_setup: ShopSetup, fake: FakeProvider
) -> None:
    secret, session = new_webhook_secret(), shop_setup.player_session()
    order = shop_setup.order(session, fake_provider=fake)
    body = refused(fake, order, secret, id="msg-1" + order.pk.hex)
    headers = fake.signed(body, secret=secret, id="msg-1" + order.pk.hex)
    enter(fake.provider, secret)
    # The provider's own retry is quicker.
    assert fake.post(body, headers).status == 200
    assert verified(fake).done == 1
    assert verified(fake).looked_at == 0
    assert fake.post(body, headers).status == 200
    assert session.holding().spendable == 500_00
    assert outcomes(order) == ["acted"]
    assert Callback.objects.get(order=order).times_seen == 3


def test_verification__judges_the_age_by_when_it_was_received(
    shop_setup: ShopSetup, fake: FakeProvider, clock: Clock
) -> None:
    secret, order = new_webhook_secret(), shop_setup.order(fake_provider=fake)
    refused(fake, order, secret, at=int(now().timestamp()))
    clock.go_ahead(timedelta(days=3))
    enter(fake.provider, secret)
    assert verified(fake).done == 1
    assert fresh(order).state == "delivered"


@pytest.mark.parametrize("apart", [-301, 302])
def test_verification__takes_nothing_that_was_too_old_when_it_came(
    shop_setup: ShopSetup, fake: FakeProvider, apart: int
) -> None:
    order = shop_setup.order(fake_provider=fake)
    refused(fake, order, fake.secret, at=int(now().timestamp()) + apart)
    assert verified(fake).done == 0
    [row] = RefusedCallback.objects.filter(provider=fake.provider)
    assert row.problem == "The message is too old, or from the future."
    assert (fresh(order).state, outcomes(order)) == ("created", [])


def test_verification__by_a_retired_secret_takes_nothing(shop_setup: ShopSetup, fake: FakeProvider) -> None:
    secret, order = new_webhook_secret(), shop_setup.order(fake_provider=fake)
    refused(fake, order, secret)
    made = enter(fake.provider, secret)
    Secret.objects.filter(pk=made.pk).update(retired_at=now())
    assert verified(fake).done == 0
    assert fresh(order).state == "created"


def test_verification__of_a_contradiction_moves_nothing(shop_setup: ShopSetup, fake: FakeProvider) -> None:
    secret, session = new_webhook_secret(), shop_setup.player_session()
    order = shop_setup.order(session, fake_provider=fake)
    body = event_body("payment.succeeded", order, "3.99")
    assert fake.post(body, fake.signed(body, secret=secret)).status == 401
    enter(fake.provider, secret)
    assert (verified(fake).done, states(fake)) == (1, [(True, "contradicts", False)])
    assert (fresh(order).state, session.holding().spendable) == ("created", 0)


def test_verification__waits_for_a_provider_that_cannot_be_asked(
    shop_setup: ShopSetup, fake: FakeProvider, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    def away(config: Any, raw: Any) -> None:
        raise ProviderUnavailable("no answer")

    secret, order = new_webhook_secret(), shop_setup.order(fake_provider=fake)
    refused(fake, order, secret)
    enter(fake.provider, secret)
    with monkeypatch.context() as broken:
        broken.setattr("payments.callbacks.reverification.take_in", away)
        assert verified(fake).done == 0
    assert states(fake) == [(False, "", True)]
    clock.go_ahead(RETRY)
    run = Run("verify_refused")
    verify_due(run)
    assert (run.done, fresh(order).state) == (1, "delivered")
