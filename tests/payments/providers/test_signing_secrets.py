"""A secret serves one owner and one direction (contract 4.2, rule 2).

Using one twice is refused when it is entered.
"""

from base64 import b64encode
from collections.abc import Callable

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.db.utils import ProgrammingError
from django.forms import modelform_factory

from payments.models import Provider, Secret
from payments.providers.registry import PROVIDERS
from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signing_secrets import (
    SecretRefused,
    add_callback_secret,
    add_delivery_secret,
    delivery_secrets,
    open_secret,
    replace_api_secret,
    reseal_secret,
    retire_secret,
)
from players.admin.games import GameForm
from players.models import Game
from players.operations import create_credential, set_query_password
from tests.support.callers import make_party, unique
from tests.support.shop import ShopSetup, event_body, fresh, make_provider


def live(provider: Provider) -> int:
    return Secret.objects.filter(provider=provider, retired_at=None).count()


@pytest.mark.parametrize("secret", [order_notify.PUBLISHED_SECRET, standard_webhooks.PUBLISHED_SECRET])
def test_secret__published_one_is_refused_as_live(shop_setup: ShopSetup, secret: str) -> None:
    fake_provider, game = make_provider("order-notify"), make_party().game
    stripe = Provider.objects.create(slug=unique("stripe"), name="Stripe", scheme="stripe")
    attempts: list[Callable[[], Secret]] = [
        lambda: add_callback_secret(fake_provider.provider, secret, actor="test"),
        lambda: add_callback_secret(make_provider("standard-webhooks").provider, secret, actor="test"),
        lambda: add_callback_secret(stripe, secret, actor="test"),
        lambda: replace_api_secret(stripe, secret, actor="test"),
        lambda: add_delivery_secret(game, secret, actor="test"),
    ]
    for enter in attempts:
        with pytest.raises(SecretRefused) as refused:
            enter()
        assert secret not in str(refused.value)
    assert (live(fake_provider.provider), live(stripe), delivery_secrets(game)) == (1, 0, [])


@pytest.mark.parametrize(
    ("scheme", "secret"),
    [("order-notify", "a" * 30), ("order-notify", "abcabc1" * 4), ("standard-webhooks", "whsec_" + "A" * 44)],
)
def test_secret__guessable_one_is_refused(shop_setup: ShopSetup, scheme: str, secret: str) -> None:
    provider = make_provider(scheme).provider
    with pytest.raises(SecretRefused, match="too simple"):
        add_callback_secret(provider, secret, actor="test")
    assert live(provider) == 1


def test_secret__is_used_only_once_whoever_had_it(shop_setup: ShopSetup) -> None:
    used = shop_setup.webhooks.secret
    other = make_provider("standard-webhooks").provider
    attempts: list[Callable[[], Secret]] = [
        lambda: add_callback_secret(shop_setup.webhooks.provider, used, actor="test"),
        lambda: add_callback_secret(other, used, actor="test"),
        lambda: add_callback_secret(shop_setup.notify.provider, used, actor="test"),
        lambda: add_callback_secret(other, shop_setup.delivery_secret, actor="test"),
        lambda: add_delivery_secret(shop_setup.game, used, actor="test"),
        lambda: add_delivery_secret(shop_setup.game, shop_setup.delivery_secret, actor="test"),
        lambda: add_delivery_secret(make_party().game, shop_setup.delivery_secret, actor="test"),
    ]
    for enter in attempts:
        with pytest.raises(SecretRefused, match="is or was in use already"):
            enter()
    assert (live(other), delivery_secrets(shop_setup.game)) == (1, [shop_setup.delivery_secret])


def test_secret__retired_one_is_not_used_again(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider("standard-webhooks")
    assert retire_secret(fake_provider.provider.secrets.get(), actor="test")
    for provider in (fake_provider.provider, make_provider("standard-webhooks").provider):
        with pytest.raises(SecretRefused, match="is or was in use already"):
            add_callback_secret(provider, fake_provider.secret, actor="test")
    assert live(fake_provider.provider) == 0


def test_secret__other_spellings_of_the_same_bytes_are_the_same(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider(
        "standard-webhooks", secret="whsec_" + b64encode(bytes(range(100, 132))).decode()
    )
    spelt = fake_provider.secret[:-2] + chr(ord(fake_provider.secret[-2]) + 1) + "="
    assert standard_webhooks.key_of(spelt) == standard_webhooks.key_of(fake_provider.secret)
    with pytest.raises(SecretRefused, match="is or was in use already"):
        add_callback_secret(make_provider("standard-webhooks").provider, spelt, actor="test")


def test_secret__api_and_game_credentials_cannot_sign_callbacks(shop_setup: ShopSetup) -> None:
    party = make_party(query_username="platform")
    _, password = create_credential(
        kind="game", game=party.game, username=unique("g"), allowed_networks=[], note=""
    )
    set_query_password(party.game, unique("query-password"))
    asked_with = unique("query-password")
    set_query_password(party.game, asked_with)
    fake_provider = make_provider("order-notify")
    for secret in (password, asked_with):
        with pytest.raises(SecretRefused, match="is or was in use already"):
            add_callback_secret(fake_provider.provider, secret, actor="test")
    assert live(fake_provider.provider) == 1


def test_secret__of_payments_cannot_be_a_game_query_password(shop_setup: ShopSetup) -> None:
    form = modelform_factory(Game, form=GameForm, fields=["query_username"])(instance=make_party().game)
    assert isinstance(form, GameForm)
    for text in (shop_setup.webhooks.secret, shop_setup.notify.secret, shop_setup.delivery_secret):
        form.cleaned_data = {"query_password": text}
        with pytest.raises(ValidationError, match="each secret must be used only once") as refused:
            form.clean_query_password()
        assert text not in str(refused.value)
    form.cleaned_data = {"query_password": "one of its own"}
    assert form.clean_query_password() == "one of its own"


@pytest.mark.parametrize(
    ("scheme", "text"),
    [
        ("order-notify", "fifteen chars .."[:15]),
        ("order-notify", "x" * 256),
        ("order-notify", "a secret with ümlaut"),
        ("order-notify", "a secret\nof two lines"),
        ("order-notify", ""),
        ("standard-webhooks", "MKiLHWZvGPTq2258"),
        ("standard-webhooks", "whsec_"),
        ("standard-webhooks", "whsec_" + b64encode(b"x" * 23).decode()),
        ("standard-webhooks", "whsec_" + b64encode(b"x" * 65).decode()),
        ("standard-webhooks", "whsec_" + "!" * 40),
        ("standard-webhooks", "WHSEC_" + b64encode(b"x" * 32).decode()),
    ],
)
def test_secret__unusable_one_is_refused_and_not_repeated(
    shop_setup: ShopSetup, scheme: str, text: str
) -> None:
    fake_provider = make_provider(scheme)
    with pytest.raises(SecretRefused) as refused:
        add_callback_secret(fake_provider.provider, text, actor="test")
    assert not text or text not in str(refused.value)
    assert live(fake_provider.provider) == 1


def test_api_secret__is_replaced_and_only_if_the_scheme_has_one(shop_setup: ShopSetup) -> None:
    stripe = Provider.objects.create(slug=unique("stripe"), name="Stripe", scheme="stripe")
    first, second = (unique("sk_test") for _ in range(2))
    replace_api_secret(stripe, first, actor="test")
    made = replace_api_secret(stripe, second, actor="test")
    assert list(Secret.objects.filter(provider=stripe, retired_at=None)) == [made]
    for text in (first, second, "short", "x" * 256, "a secret key of ümlauts"):
        with pytest.raises(SecretRefused):
            replace_api_secret(stripe, text, actor="test")
    with pytest.raises(SecretRefused, match="never called with a secret"):
        replace_api_secret(shop_setup.webhooks.provider, unique("sk"), actor="test")
    assert open_secret(made) == second
    assert PROVIDERS.all(0)[stripe.slug].api_secret == second


def test_secret__is_encrypted_and_nowhere_readable(shop_setup: ShopSetup) -> None:
    row = shop_setup.webhooks.provider.secrets.get()
    stored = " ".join(str(value) for value in Secret.objects.filter(pk=row.pk).values_list()[0])
    assert shop_setup.webhooks.secret not in stored + repr(row) + str(row) + repr(
        PROVIDERS.find(shop_setup.webhooks.provider.slug)
    )
    assert open_secret(row) == shop_setup.webhooks.secret
    reseal_secret(row)
    row.refresh_from_db()
    assert open_secret(row) == shop_setup.webhooks.secret


def test_secret__is_never_forgotten(shop_setup: ShopSetup, owner: "psycopg.Connection[object]") -> None:
    row = shop_setup.webhooks.provider.secrets.get()
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM payments_secret WHERE id = %s", [row.pk])
    with pytest.raises(ProgrammingError, match="permission denied"):
        Secret.objects.filter(pk=row.pk)._raw_delete("default")


def test_provider__without_live_secret_not_offered_nor_believed(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider("standard-webhooks")
    order = shop_setup.order(fake_provider=fake_provider)
    retire_secret(fake_provider.provider.secrets.get(), actor="test")
    PROVIDERS.forget()
    body = event_body("payment.succeeded", order)
    assert fake_provider.post(body, fake_provider.signed(body)).status == 401
    assert fresh(order).state == "created"
