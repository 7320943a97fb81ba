"""A provider that does not answer holds a few threads, and nobody else waits for it."""

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.db import connection

from payments.checkout.payments import MOST_STARTS
from payments.models import Callback, Order
from payments.providers.adapters import ADAPTERS
from payments.providers.places import Places
from payments.providers.signing_secrets import replace_api_secret
from payments.providers.stripe_checkout.checkout import StripeCheckout
from tests.faults.platform_processes import eventually
from tests.support.callers import CLIENT, Answer, Caller, Callers
from tests.support.fake_stripe import FakeStripe, Reply, fake_stripe, says
from tests.support.shop import FakeProvider, ShopSetup, make_provider, payments_of
from tests.support.stripe_events import recorded, signed
from tests.support.web_server import served

THREADS = 16
# Of the four places of a process, one is for other providers.
PLACES = 3
CLICKS = 24
BUSY = (
    "Gerade werden viele Zahlungen begonnen. Es wurde nichts abgebucht. Versuchen Sie es gleich noch einmal."
)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    with fake_stripe() as fake:
        fake.key = f"sk_test_{uuid.uuid4().hex}"
        monkeypatch.setitem(ADAPTERS, "stripe", StripeCheckout(fake.url))
        yield fake


@pytest.fixture
def slow(shop_setup: ShopSetup, fake: FakeStripe) -> FakeProvider:
    """A Stripe that may take its time."""
    made = make_provider("stripe", f"whsec_{uuid.uuid4().hex}", page_url="", timeout_seconds=30)
    replace_api_secret(made.provider, fake.key, actor="test")
    return made


def waits(fake: FakeStripe) -> Callable[[Callable[[], Reply]], Reply]:
    """Answers when the test says so."""

    def act(answer: Callable[[], Reply]) -> Reply:
        fake.released.wait(60)
        return answer()

    return act


def click(url: str, order: Order, provider: FakeProvider) -> Answer:
    form = urlencode({"provider": provider.provider.slug}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return Caller(None, url=url).send("POST", f"/checkout/{order.page_key}?lang=de", form, headers)


def look_up(provider: FakeProvider, url: str | None = None) -> tuple[Answer, str]:
    """A callback about a payment that is known nowhere here: what is answered, and its id."""
    event = recorded("dispute_created", payment_intent=f"pi_{uuid.uuid4().hex}")
    body = json.dumps(event).encode()
    answer = replace(provider, url=url).post(body, {"Stripe-Signature": signed(body, provider.secret)})
    return answer, event["id"]


def test_slow_provider__holds_a_few_threads_and_slows_nobody_else(
    callers: Callers,
    shop_setup: ShopSetup,
    fake: FakeStripe,
    slow: FakeProvider,
    database_url: str,
    tmp_path: Path,
) -> None:
    orders = [shop_setup.order(start=False) for _ in range(CLICKS)]
    another = shop_setup.order(start=False)
    player_session = callers.player_session(100_00)
    fake.mishaps = [waits(fake)] * CLICKS
    with (
        served(
            tmp_path / "server.log",
            "tests.support.fake_stripe_wsgi:application",
            DATABASE_URL=database_url,
            FAKE_STRIPE_URL=fake.url,
            WEB_WORKERS="1",
            WEB_THREADS=str(THREADS),
        ) as url,
        ThreadPoolExecutor(CLICKS) as pool,
    ):
        try:
            clicks = [pool.submit(click, url, order, slow) for order in orders]
            eventually(lambda: len(fake.asked) >= PLACES, "the provider is asked")
            # All the others are answered while it hangs.
            eventually(lambda: len(done(clicks)) >= CLICKS - PLACES, "the others are told")
            refused = done(clicks)
            assert {answer.status for answer in refused} == {503}
            assert all(BUSY in answer.raw.decode() for answer in refused)
            assert {answer.headers["retry-after"] for answer in refused} == {"5"}
            player_session = replace(player_session, caller=player_session.caller.at(url))
            for _ in range(10):
                player_session.opened("withdraw", "1")
            # What asks no provider to start is not held up, and a callback is asked for again.
            assert click(url, another, shop_setup.webhooks).status == 303
            assert look_up(slow, url)[0].status == 503
            assert len(fake.asked) == PLACES
            assert not fake.released.is_set()
        finally:
            fake.released.set()
        wait(clicks)
        assert sorted(answer.status for answer in done(clicks)) == [303] * PLACES + [503] * (CLICKS - PLACES)
        # The places are free again.
        assert click(url, next(order for order in orders if not payments_of(order)), slow).status == 303
    # Who was told to come again has begun nothing.
    assert sum(len(payments_of(order)) for order in orders) == PLACES + 1


def done(clicks: list[Future[Answer]]) -> list[Answer]:
    return [click.result() for click in clicks if click.done()]


def test_order__many_clicks_at_once_begin_it_as_often_as_allowed(
    shop_setup: ShopSetup, fake: FakeStripe, slow: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("payments.checkout.payments.PLACES", Places(100))
    order = shop_setup.order(start=False)
    # Half of them join a start that is under way; a second provider has the same limit.
    providers = list(islice(cycle([slow, shop_setup.webhooks]), MOST_STARTS + 10))
    together = threading.Barrier(len(providers))

    def start(provider: FakeProvider) -> int:
        try:
            together.wait()
            path = f"/checkout/{order.page_key}"
            return CLIENT.post(path, {"provider": provider.provider.slug}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(providers)) as pool:
        statuses = list(pool.map(start, providers))
    assert (statuses.count(303), statuses.count(409)) == (MOST_STARTS, 10)


def test_callback__provider_that_cannot_be_asked_is_told_to_come_again(
    fake: FakeStripe, slow: FakeProvider
) -> None:
    fake.mishaps = [says(500, b"")]
    answer, id = look_up(slow)
    assert (answer.status, answer.headers["retry-after"]) == (503, "5")
    # Operators see it until it comes again.
    assert Callback.objects.get(message_id=id).outcome == "no_order"
