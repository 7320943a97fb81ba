"""A provider whose callbacks are refused is told, until they are accepted again."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from lib.clock import now
from lib.ids import new_id
from payments.callbacks.refusals import troubles, watch_callbacks
from payments.callbacks.rejected import count
from payments.models import Callback, Provider, RefusalCount, RefusedCallback
from payments.providers.signing_secrets import new_webhook_secret
from tests.support.callers import unique
from tests.support.shop import ShopSetup, event_body, make_provider
from wallet.job_runs import Run
from wallet.models import Alert


@pytest.fixture
def provider(callers: Any) -> Provider:
    RefusedCallback.objects.all().delete()
    RefusalCount.objects.all().delete()
    return Provider.objects.create(
        slug=unique("pay"), name="A provider", scheme="standard-webhooks", is_active=True
    )


def refuse(provider: Provider, times: int, ago: timedelta = timedelta()) -> None:
    count(provider.pk, times, now() - ago)


def accept(provider: Provider, times: int = 1) -> None:
    at = now()
    for _ in range(times):
        Callback.objects.create(
            id=new_id(),
            provider=provider,
            message_id=unique("m"),
            outcome="nothing",
            headers={},
            body=b"{}",
            address="10.0.0.9",
            received_at=at,
            last_seen_at=at,
            content_digest=b"",
            signed_digest=b"",
        )


def alert(provider: Provider) -> Alert | None:
    watch_callbacks(Run("watch_callbacks"))
    return Alert.objects.filter(kind="callbacks_refused", subject=provider.slug).first()


def test_provider__that_is_refused_thrice_is_told(provider: Provider) -> None:
    refuse(provider, 1, timedelta(minutes=65))
    refuse(provider, 2)
    assert alert(provider) is None
    refuse(provider, 1)
    found = alert(provider)
    assert found is not None
    assert found.text.startswith("3 callbacks were refused since ")
    assert found.text.endswith(", 0 were accepted.")


@pytest.mark.parametrize(("refused", "accepted", "is_told"), [(3, 57, False), (3, 56, True), (2, 0, False)])
def test_provider__of_which_more_than_a_small_share_is_refused_is_told(
    provider: Provider, refused: int, accepted: int, is_told: bool
) -> None:
    accept(provider, accepted)
    refuse(provider, refused)
    assert (alert(provider) is not None) == is_told


def test_alert__ends_when_callbacks_are_accepted_again(provider: Provider) -> None:
    refuse(provider, 3, timedelta(seconds=61))
    found = alert(provider)
    assert found is not None
    assert found.resolved_at is None
    accept(provider)
    found = alert(provider)
    assert found is not None
    assert (found.resolved_by, found.reason) == ("platform", "A callback was accepted again.")


def test_alert__stays_while_others_are_refused(provider: Provider) -> None:
    refuse(provider, 3)
    accept(provider)
    for _ in range(2):
        found = alert(provider)
        assert found is not None
        assert found.resolved_at is None


def test_alert__names_the_orders_and_the_reason(provider: Provider, shop_setup: ShopSetup) -> None:
    fake = make_provider("standard-webhooks")
    orders = [shop_setup.order(fake_provider=fake) for _ in range(6)]
    for order in orders:
        body = event_body("payment.succeeded", order)
        assert fake.post(body, fake.signed(body, secret=new_webhook_secret())).status == 401
    found = alert(fake.provider)
    assert found is not None
    assert "The reason: The signature is not of a live secret." in found.text
    assert "orders that were started there, unverified: " in found.text
    assert all(str(order.pk) in found.text for order in orders)
    [trouble] = troubles(fake.provider.slug)
    assert (trouble.provider, trouble.times, trouble.kept, trouble.orders) == (fake.provider, 6, 6, 6)


def test_troubles__take_as_many_queries_for_many_providers(provider: Provider) -> None:
    def taken() -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = troubles()
        assert found
        return len(queries)

    refuse(provider, 3)
    assert alert(provider)
    few = taken()
    for _ in range(3):
        other = Provider.objects.create(slug=unique("pay"), name="P", scheme="standard-webhooks")
        refuse(other, 3)
        assert alert(other)
    assert taken() == few
