"""A provider whose callbacks are refused is red on the first page, and so are the orders that they name."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from lib.clock import now
from payments.callbacks.refusals import watch_callbacks
from payments.models import Order, Provider, RefusalCount
from payments.providers.signing_secrets import new_webhook_secret
from tests.support.admin_fixtures import shop_setup
from tests.support.admin_pages import get, operator, page, signed_in
from tests.support.shop import FakeProvider, ShopSetup, event_body, make_provider
from wallet.job_runs import Run

__all__ = ["shop_setup"]

TITLE = "Callbacks of a provider are refused"
REFUSED = re.compile(r">\s*callbacks refused\s*<")


@pytest.fixture
def fake() -> FakeProvider:
    return make_provider("standard-webhooks")


@pytest.fixture
def orders(fake: FakeProvider, shop_setup: ShopSetup) -> list[Order]:
    """Each is named by a callback that is signed with a secret that we do not have."""
    found = [shop_setup.order(fake_provider=fake) for _ in range(3)]
    for order in found:
        body = event_body("payment.succeeded", order)
        assert fake.post(body, fake.signed(body, secret=new_webhook_secret())).status == 401
    return found


def home(client: Client) -> str:
    return " ".join(unescape(get(client, "/admin/")).split())


def test_home__names_the_provider_while_its_callbacks_are_refused(
    fake: FakeProvider, orders: list[Order]
) -> None:
    client = signed_in(operator("payments.view_provider"))
    sentence = f'href="{page(Provider, fake.provider)}">{fake.provider.slug}: 3 were refused'
    assert sentence not in home(client)
    watch_callbacks(Run("watch_callbacks"))
    text = home(client)
    assert TITLE in text
    assert f"{sentence} in the last 7 days; 3 are kept, not verified, and name 3 orders" in text
    assert "wallet-verdict-wrong" in text
    assert TITLE not in home(signed_in(operator("wallet.view_alert")))
    RefusalCount.objects.filter(provider=fake.provider).update(last_at=now() - timedelta(minutes=2))
    body = event_body("payment.succeeded", orders[0])
    assert fake.post(body, fake.signed(body)).status == 200
    watch_callbacks(Run("watch_callbacks"))
    assert sentence not in home(client)


def test_order__that_a_refused_callback_names_is_red(orders: list[Order], shop_setup: ShopSetup) -> None:
    client = signed_in(operator("payments.view_order"))
    assert REFUSED.search(get(client, page(Order, orders[0])))
    assert not REFUSED.search(get(client, page(Order, shop_setup.order())))
