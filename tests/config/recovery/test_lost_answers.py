"""What partners know and the ledger does not is found after a restore; nothing is moved by finding it."""

import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings

from config.recovery.lost_answers import (
    Count,
    Lost,
    at_games,
    at_providers,
    open_at,
    pending_at,
    unknown_ids,
    unknown_orders,
)
from lib.clock import now
from payments.models import Order
from payments.providers.adapters import ADAPTERS
from payments.providers.signing_secrets import replace_api_secret
from payments.providers.stripe_checkout.checkout import StripeCheckout
from tests.support.callers import Callers, PlayerSession, make_party, open_session, unique
from tests.support.fake_stripe import FakeStripe, fake_stripe
from tests.support.game_query_server import FakeGame, closes, playing, says
from tests.support.shop import ShopSetup, fresh, make_provider, make_shop_setup, payments_of
from wallet.models import Transaction


@pytest.fixture(autouse=True)
def reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "OUTGOING_ALLOWED_NETWORKS", ["127.0.0.0/8"])


# --- Games ---------------------------------------------------------------------------------------------


@pytest.fixture
def game() -> Iterator[FakeGame]:
    with playing() as game:
        yield game


def player_at(callers: Callers, url: str) -> PlayerSession:
    player_session = open_session(make_party(query_url=url), callers.player())
    player_session.adjust("credit", 100_00)
    return player_session


def found_at_games(player_session: PlayerSession, count: Count) -> list[Lost]:
    return list(at_games(pending_at(now()).filter(player=player_session.player), count))


def test_at_games__what_the_game_has_settled_is_found(callers: Callers, game: FakeGame) -> None:
    player_session = player_at(callers, game.url)
    kept, settled, lost, mute = (player_session.opened("withdraw", "1.00") for _ in range(4))
    game.answers = {settled: says("CONFIRMED"), lost: says("UNKNOWN"), mute: closes}
    before, count = player_session.holding(), Count()
    found = found_at_games(player_session, count)
    uid, slug = player_session.player.uid, player_session.game.slug
    subjects = [f"{slug}, withdrawal {mm} of {uid}, 1.00 XAG, pending here" for mm in (settled, lost, mute)]
    # What was opened in the same millisecond is in no order.
    found.sort(key=lambda one: subjects.index(one.subject))
    assert [one.subject for one in found] == subjects
    assert [one.said for one in found[:2]] == ["the game says CONFIRMED", "the game says UNKNOWN"]
    assert found[2].said.startswith("the game says no usable answer (")
    assert found[0].page == f"/admin/wallet/transaction/{player_session.transaction(settled).pk}/change/"
    assert (count.asked, count.unasked, game.times_asked(kept)) == (4, 0, 1)
    assert player_session.holding() == before
    assert {player_session.transaction(mm).state for mm in (settled, lost)} == {Transaction.State.PENDING}


def test_at_games__what_was_opened_later_is_not_asked_about(callers: Callers, game: FakeGame) -> None:
    player_session, since = player_at(callers, game.url), now()
    player_session.opened("withdraw", "1.00")
    assert not pending_at(since).filter(player=player_session.player).exists()


def test_at_games__a_game_without_a_query_url_is_counted(callers: Callers) -> None:
    player_session, count = callers.player_session(), Count()
    player_session.opened("deposit", "1.00")
    assert found_at_games(player_session, count) == []
    assert (count.asked, count.unasked) == (0, 1)


def test_unknown_ids__what_a_game_mentions_and_is_not_here(callers: Callers) -> None:
    since, player_session = now(), callers.player_session()
    confirmed, rolled_back = unique("lost"), unique("lost")
    assert player_session.call("confirmWithdrawal", confirmed).error == 106
    player_session.done("rollbackDeposit", rolled_back)
    settled = player_session.opened("withdraw", "1.00")
    player_session.done("rollbackWithdrawal", settled)
    slug = player_session.game.slug
    found = {one.subject: one.said for one in unknown_ids(since)}
    assert found[f"{slug}, {confirmed}"] == "confirmWithdrawal of a transaction that is not here (106)"
    assert found[f"{slug}, {rolled_back}"] == "a rollback of a transaction that is not here"
    assert f"{slug}, {settled}" not in found


# --- Providers -----------------------------------------------------------------------------------------


@pytest.fixture
def shop_setup(callers: Callers) -> ShopSetup:
    return make_shop_setup(callers)


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStripe]:
    with fake_stripe() as fake:
        monkeypatch.setitem(ADAPTERS, "stripe", StripeCheckout(fake.url))
        yield fake


def order_at(stripe: FakeStripe, shop_setup: ShopSetup) -> Order:
    provider = make_provider("stripe", f"whsec_{uuid.uuid4().hex}", page_url="", timeout_seconds=1)
    stripe.key = f"sk_test_{uuid.uuid4().hex}"
    replace_api_secret(provider.provider, stripe.key, actor="test")
    return shop_setup.order(fake_provider=provider)


def test_at_providers__what_was_paid_there_is_found(stripe: FakeStripe, shop_setup: ShopSetup) -> None:
    order = order_at(stripe, shop_setup)
    ours = open_at(now()).filter(order=order)
    assert list(at_providers(ours, Count())) == []
    payment = ours.get()
    paid = {"payment_status": "paid", "status": "complete", "payment_intent": f"pi_{payment.pk.hex}"}
    stripe.sessions[payment.start_reference].update(paid)
    [found] = at_providers(ours, Count())
    assert found.subject.startswith(f"{payment.provider.slug}, order {order.pk}, ")
    assert found.said == "the provider says payment.succeeded"
    assert found.page == f"/admin/payments/order/{order.pk}/change/"
    assert (fresh(order).state, payments_of(order)) == ("created", [("started", False)])


def test_unknown_orders__a_genuine_callback_of_no_order(shop_setup: ShopSetup) -> None:
    since, provider = now(), make_provider("standard-webhooks")
    order = shop_setup.order(fake_provider=provider)
    provider.tell("payment.succeeded", order, orderId=str(uuid.uuid4()))
    [found] = [one for one in unknown_orders(since) if one.subject.startswith(f"{provider.provider.slug}, ")]
    assert found.said == "payment.succeeded of an order that is not here"
