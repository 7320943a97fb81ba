"""Products, shops and providers: their forms, and secrets that are only ever written, or shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from payments.models import Price, Product, Provider, Secret, Shop
from payments.providers.registry import PROVIDERS
from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signing_secrets import delivery_secrets, new_webhook_secret
from players.models import Approval, AuditEvent
from tests.conftest import Clock
from tests.support.admin_pages import (
    address,
    approved_by,
    by_two,
    get,
    hidden_in,
    operator,
    page,
    requested,
    saved,
    sent,
    signed_in,
    with_reason,
)
from tests.support.callers import make_party, unique
from tests.support.doors import come_in
from tests.support.shop import ShopSetup, make_product, make_provider

# Its currencies.
pytestmark = pytest.mark.usefixtures("callers")
SECRET = "a secret of the provider's own making"


# --- Products -------------------------------------------------------------------------------------------


def product_form(shop_setup: ShopSetup, **changes: str) -> dict[str, str]:
    """What a browser sends for a new product; `changes` is what somebody wrote into it."""
    given = {
        "game": str(shop_setup.game.pk),
        "code": unique("gems"),
        "name": "Gems",
        "name_de": "Edelsteine",
        "credit": "500.25",
        "credit_currency": "XAG",
    }
    dates = {"on_sale_from_0": "", "on_sale_from_1": "", "on_sale_to_0": "", "on_sale_to_1": ""}
    prices = {
        "prices-TOTAL_FORMS": "1",
        "prices-INITIAL_FORMS": "0",
        "prices-0-id": "",
        "prices-0-currency": "EUR",
        "prices-0-amount": "4.99",
    }
    return with_reason(given | dates | prices | changes)


def test_product_form__takes_major_units_and_stores_minor_units(
    client: Client, second: Client, shop_setup: ShopSetup
) -> None:
    given = product_form(shop_setup)
    saved(client, second, address(Product, "add"), given)
    product = Product.objects.get(code=given["code"])
    assert (product.credit, product.credit_currency_id, product.is_delivered, product.name_de) == (
        500_25,
        "XAG",
        False,
        "Edelsteine",
    )
    assert list(product.prices.values_list("currency", "amount")) == [("EUR", 4_99)]
    text = get(client, page(Product, product))
    assert 'value="500.25"' in text
    assert 'value="4.99"' in text
    assert "500.25 XAG" in get(client, address(Product) + f"?q={product.code}")


def test_product_form__game_and_id_never_change_but_price_does(
    client: Client, second: Client, shop_setup: ShopSetup
) -> None:
    product = make_product(shop_setup.game, unique("gems"), 4_99, credit=500_00)
    price = product.prices.get()
    known = {
        "prices-INITIAL_FORMS": "1",
        "prices-0-id": str(price.pk),
        "prices-0-product": str(product.pk),
        "prices-0-amount": "5.49",
    }
    other = make_party().game
    saved(
        client,
        second,
        page(Product, product),
        product_form(shop_setup, game=str(other.pk), code="other", name="New", **known),
    )
    found = Product.objects.get(pk=product.pk)
    assert (found.game_id, found.code, found.name, found.prices.get().amount) == (
        shop_setup.game.pk,
        product.code,
        "New",
        5_49,
    )


def test_product_form__last_price_cannot_be_removed(
    client: Client, second: Client, shop_setup: ShopSetup
) -> None:
    product = make_product(shop_setup.game, unique("gems"), 4_99, credit=500_00)
    known = {
        "prices-INITIAL_FORMS": "1",
        "prices-0-id": str(product.prices.get().pk),
        "prices-0-product": str(product.pk),
        "prices-0-DELETE": "on",
    }
    assert (
        "Enter at least one price"
        in client.post(page(Product, product), product_form(shop_setup, **known)).content.decode()
    )
    another = {
        "prices-TOTAL_FORMS": "2",
        "prices-1-id": "",
        "prices-1-product": str(product.pk),
        "prices-1-currency": "XAG",
        "prices-1-amount": "600",
    }
    saved(client, second, page(Product, product), product_form(shop_setup, **known, **another))
    assert list(product.prices.values_list("currency", "amount")) == [("XAG", 600_00)]


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"credit": "1.001"}, "Enter an amount of XAG greater than zero, with at most 2 decimals"),
    ({"credit": "-1"}, "Enter an amount of XAG greater than zero"),
    ({"credit": "0"}, "Enter an amount of XAG greater than zero"),
    ({"credit": "1,000.00"}, "Enter an amount of XAG greater than zero"),
    ({"credit_currency": ""}, "Choose the currency of the credit below."),
    ({"credit": ""}, "Enter the amount of the credit, or choose no currency."),
    ({"credit": "", "credit_currency": ""}, "A product needs a credit, delivery by the game, or both."),
    ({"code": "with space"}, "1 to 64 printable ASCII characters without spaces."),
    ({"code": "gold"}, "already exists"),
    ({"prices-0-amount": "4.999"}, "Enter an amount of EUR greater than zero"),
    ({"prices-0-amount": "0"}, "Enter an amount of EUR greater than zero"),
    ({"prices-0-currency": "", "prices-0-amount": ""}, "Enter at least one price"),
    ({"prices-TOTAL_FORMS": "2", "prices-1-currency": "EUR", "prices-1-amount": "5.99"}, "duplicate"),
    (
        {
            "on_sale_from_0": "2026-01-02",
            "on_sale_from_1": "00:00",
            "on_sale_to_0": "2026-01-01",
            "on_sale_to_1": "00:00",
        },
        "must end after it begins",
    ),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED)
def test_product_form__says_why_an_invalid_product_is_refused(
    client: Client, shop_setup: ShopSetup, changes: dict[str, str], words: str
) -> None:
    before = (Product.objects.count(), Price.objects.count())
    response = client.post(address(Product, "add"), product_form(shop_setup, **changes))
    assert response.status_code == 200
    assert words in response.content.decode()
    assert "Constraint" not in response.content.decode()
    assert (Product.objects.count(), Price.objects.count()) == before


def test_product_list__tells_products_on_sale_from_others(client: Client, shop_setup: ShopSetup) -> None:
    ended = make_product(shop_setup.game, unique("ended"), 1_00, credit=1_00)
    Product.objects.filter(pk=ended.pk).update(on_sale_to="2020-01-01T00:00Z")
    coming = make_product(shop_setup.game, unique("coming"), 1_00, credit=1_00)
    Product.objects.filter(pk=coming.pk).update(on_sale_from="2100-01-01T00:00Z")
    lasting = make_product(shop_setup.game, unique("lasting"), 1_00, credit=1_00)
    shown = {
        view: get(client, f"{address(Product)}?{view}q={shop_setup.game.slug}")
        for view in ("", "sale=on&", "sale=off&")
    }
    seen = {
        view: [product.code in text for product in (ended, coming, lasting)] for view, text in shown.items()
    }
    assert seen == {
        "": [True, True, True],
        "sale=on&": [False, False, True],
        "sale=off&": [True, True, False],
    }


def test_product_page__says_what_an_undeliverable_product_lacks(
    client: Client, second: Client, shop_setup: ShopSetup
) -> None:
    game = make_party().game
    sword = make_product(game, unique("sword"), 1_00, is_delivered=True)
    place = page(Product, sword)
    assert ["no order URL" in get(client, place), "no delivery secret" in get(client, place)] == [True, True]
    shop = Shop.objects.create(game=game, order_url="https://game.example/orders")
    assert ["no order URL" in get(client, place), "no delivery secret" in get(client, place)] == [False, True]
    assert "not deliverable" in get(client, f"{address(Product)}?q={sword.code}")
    by_two(client, second, page(Shop, shop, "make_secret"))
    assert ["no order URL" in get(client, place), "no delivery secret" in get(client, place)] == [
        False,
        False,
    ]
    assert "not deliverable" not in get(client, f"{address(Product)}?q={sword.code}")


def test_product_page__view_only_user_reads_major_units(shop_setup: ShopSetup) -> None:
    text = get(signed_in(operator("payments.view_product")), page(Product, shop_setup.products["gold"]))
    assert ["500.00 XAG" in text, "4.99 EUR" in text, "50000" in text, "prices-0-amount" in text] == [
        True,
        True,
        False,
        False,
    ]


# --- Shops ----------------------------------------------------------------------------------------------


def test_shop_form__adds_a_shop_and_shows_its_secret_once(
    client: Client, second: Client, caplog: Any
) -> None:
    game = make_party().game
    given = {
        "game": str(game.pk),
        "order_url": "https://game.example/orders",
        "return_origins": "https://game.example,https://www.game.example",
    }
    saved(client, second, address(Shop, "add"), given)
    shop = Shop.objects.get(game=game)
    assert shop.return_origins == ["https://game.example", "https://www.game.example"]
    get(client, page(Shop, shop, "make_secret"))
    assert Secret.objects.filter(game=game).count() == 0
    response, fields = sent(client, page(Shop, shop, "make_secret"), reason="Its first")
    # Nothing is signed with it before a second person has approved it.
    assert delivery_secrets(game) == []
    approved_by(second, Approval.objects.get(pk=fields["approval_id"]))
    [secret] = delivery_secrets(game)
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    said = (
        get(client, page(Shop, shop))
        + get(client, address(Shop, "history", shop.pk))
        + get(client, page(Shop, shop, "retire"))
    )
    assert (
        secret in said,
        secret in caplog.text,
        secret in str(list(AuditEvent.objects.values_list("note", "before", "after"))),
    ) == (False, False, False)


def test_shop_form__checks_origins(client: Client) -> None:
    game = make_party().game
    for wrong in ("http://game.example", "https://game.example/path", "game.example"):
        text = client.post(
            address(Shop, "add"), {"game": str(game.pk), "order_url": "", "return_origins": wrong}
        ).content.decode()
        assert f"{wrong} is no origin such as https://game.example" in text
    assert not Shop.objects.filter(game=game).exists()


def test_shop_secret__newest_of_two_signs_until_older_is_retired(client: Client, second: Client) -> None:
    game = make_party().game
    shop = Shop.objects.create(game=game, order_url="https://game.example/orders")
    for _ in range(2):
        by_two(client, second, page(Shop, shop, "make_secret"))
    newest, older = Secret.objects.filter(game=game).order_by("-created_at", "-pk")
    text = get(client, page(Shop, shop, "retire"))
    assert [str(one.pk) in text for one in (newest, older)] == [True, True]
    by_two(client, second, page(Shop, shop, "retire"), secret=str(older.pk))
    assert [Secret.objects.get(pk=one.pk).retired_at is None for one in (newest, older)] == [True, False]
    # Somebody else's, or one that is retired already, is none to choose.
    foreign = make_provider("standard-webhooks").provider.secrets.get()
    for wrong in (older, foreign):
        assert (
            "not one of the available choices"
            in client.post(page(Shop, shop, "retire"), {"secret": str(wrong.pk)}).content.decode()
        )
    assert Secret.objects.get(pk=foreign.pk).retired_at is None


def test_shop__pauses_and_resumes_deliveries_with_a_reason(client: Client) -> None:
    shop = Shop.objects.create(game=make_party().game, order_url="https://game.example/orders")
    assert client.post(page(Shop, shop, "pause"), {"reason": ""}).status_code == 200
    assert Shop.objects.get(pk=shop.pk).paused_at is None
    given = {"reason": "the game moves house", "typed_name": "another"}
    assert client.post(page(Shop, shop, "pause"), given).status_code == 200
    assert Shop.objects.get(pk=shop.pk).paused_at is None
    given["typed_name"] = shop.game.slug
    assert client.post(page(Shop, shop, "pause"), given).status_code == 302
    assert Shop.objects.get(pk=shop.pk).paused_at is not None
    text = get(client, page(Shop, shop))
    assert ["Paused since" in text, "Resume deliveries" in text, "Pause deliveries" in text] == [
        True,
        True,
        False,
    ]
    assert "the game moves house" in get(client, address(Shop, "history", shop.pk))
    assert client.post(page(Shop, shop, "resume"), {"reason": "it has moved"}).status_code == 302
    assert Shop.objects.get(pk=shop.pk).paused_at is None


# --- Providers ------------------------------------------------------------------------------------------


def provider_form(**changes: str) -> dict[str, str]:
    given = {
        "slug": unique("till"),
        "name": "Till",
        "scheme": "standard-webhooks",
        "is_active": "on",
        "currency": "",
        "page_url": "https://pay.example/start",
    }
    return with_reason(given | {"timeout_seconds": "10", "allowed_networks": ""} | changes)


def test_provider_form__adds_one_and_fixes_its_slug_and_scheme(client: Client, second: Client) -> None:
    given = provider_form(allowed_networks="10.0.0.0/8,192.0.2.1")
    saved(client, second, address(Provider, "add"), given)
    provider = Provider.objects.get(slug=given["slug"])
    assert provider.allowed_networks == ["10.0.0.0/8", "192.0.2.1"]
    saved(client, second, page(Provider, provider), provider_form(slug="other", scheme="stripe", name="New"))
    found = Provider.objects.get(pk=provider.pk)
    assert (found.slug, found.scheme, found.name) == (provider.slug, "standard-webhooks", "New")
    text = get(client, page(Provider, provider))
    assert f"http://testserver/pay/{provider.slug}" in text
    assert "it has no secret for its callbacks" in text


def test_provider_form__order_notify_currency_never_changes(client: Client, second: Client) -> None:
    # Its callbacks name none: what is under way would be paid in another one.
    given = provider_form(scheme="order-notify", currency="EUR")
    saved(client, second, address(Provider, "add"), given)
    provider = Provider.objects.get(slug=given["slug"])
    saved(client, second, page(Provider, provider), provider_form(currency="JPY", name="New"))
    found = Provider.objects.get(pk=provider.pk)
    assert (found.name, found.currency_id) == ("New", "EUR")


def test_provider_page__shows_the_public_callback_url_if_known(
    client: Client, shop_setup: ShopSetup, settings: Any
) -> None:
    settings.PUBLIC_URL = "https://wallet.example"
    assert f"https://wallet.example/pay/{shop_setup.webhooks.provider.slug}" in get(
        client, page(Provider, shop_setup.webhooks.provider)
    )


REFUSED_PROVIDERS: list[tuple[dict[str, str], str]] = [
    ({"scheme": "order-notify"}, "Order-notify callbacks name no currency"),
    ({"page_url": ""}, "enter its address"),
    ({"timeout_seconds": "0"}, "1 to 30 seconds."),
    ({"timeout_seconds": "31"}, "1 to 30 seconds."),
    ({"slug": "With Capitals"}, "Small letters, digits and hyphens."),
    ({"allowed_networks": "10.0.0.300"}, "10.0.0.300"),
    ({"scheme": "sandbox"}, "not one of the available choices"),
]


@pytest.mark.parametrize(("changes", "words"), REFUSED_PROVIDERS)
def test_provider_form__says_why_an_invalid_provider_is_refused(
    client: Client, settings: Any, changes: dict[str, str], words: str
) -> None:
    settings.DEMO = False
    before = Provider.objects.count()
    text = client.post(address(Provider, "add"), provider_form(**changes)).content.decode()
    assert words in text
    assert "Constraint" not in text
    assert Provider.objects.count() == before


def test_provider_form__offers_the_sandbox_only_if_demo_is_on(client: Client, settings: Any) -> None:
    for demo in (True, False):
        settings.DEMO = demo
        assert ('value="sandbox"' in get(client, address(Provider, "add"))) is demo


def test_secret_form__entered_secret_counts_once_it_is_approved(
    client: Client, second: Client, caplog: Any
) -> None:
    provider = make_provider("order-notify").provider
    assert len(PROVIDERS.all()[provider.slug].callback_secrets) == 1
    secret = unique("secret-of-the-provider")
    approval = requested(client, page(Provider, provider, "enter_secret"), secret=f" {secret} ")
    PROVIDERS.forget()
    assert len(PROVIDERS.all()[provider.slug].callback_secrets) == 1
    assert (secret in str(approval.payload), secret in approval.sealed, approval.sealed != "") == (
        False,
        False,
        True,
    )
    assert approved_by(second, approval).sealed == ""
    assert PROVIDERS.all()[provider.slug].callback_secrets[0] == secret
    said = "".join(
        get(client, place)
        for place in (
            page(Provider, provider),
            address(Provider, "history", provider.pk),
            page(Provider, provider, "retire"),
            page(Approval, approval),
            address(Approval, "history", approval.pk),
        )
    )
    assert (secret in said, secret in caplog.text) == (False, False)


def refused_secrets(shop_setup: ShopSetup) -> list[tuple[str, str, str]]:
    return [
        (shop_setup.notify.secret, "order-notify", "This secret is or was in use already"),
        (shop_setup.webhooks.secret, "standard-webhooks", "This secret is or was in use already"),
        (shop_setup.delivery_secret, "standard-webhooks", "This secret is or was in use already"),
        (order_notify.PUBLISHED_SECRET, "order-notify", "This secret stands in public documents"),
        (standard_webhooks.PUBLISHED_SECRET, "standard-webhooks", "This secret stands in public documents"),
        ("too-short-it-is", "order-notify", "16 to 255 printable ASCII characters"),
        ("no-whsec-secret-at-all", "standard-webhooks", "whsec_"),
    ]


def test_secret_form__used_published_malformed_refused_not_shown(
    client: Client, shop_setup: ShopSetup, caplog: Any
) -> None:
    for secret, scheme, words in refused_secrets(shop_setup):
        provider = make_provider(scheme).provider
        before = Secret.objects.count()
        response, _ = sent(client, page(Provider, provider, "enter_secret"), secret=secret, reason="r")
        text = response.content.decode()
        assert (response.status_code, words in text, secret in text, secret in caplog.text) == (
            200,
            True,
            False,
            False,
        ), (scheme, words)
        assert Secret.objects.count() == before


def test_secret_form__generates_secrets_only_for_our_own_schemes(client: Client, second: Client) -> None:
    ours, theirs = make_provider("standard-webhooks").provider, make_provider("order-notify").provider
    response, fields = sent(client, page(Provider, ours, "make_secret"), reason="Rotation")
    approved_by(second, Approval.objects.get(pk=fields["approval_id"]))
    secret = PROVIDERS.all()[ours.slug].callback_secrets[0]
    assert re.search(r'id="secret">(.*?)</dd>', response.content.decode())[1] == secret  # type: ignore[index]
    assert client.post(page(Provider, theirs, "make_secret")).status_code == 302
    assert theirs.secrets.count() == 1
    assert ["Make a secret" in get(client, page(Provider, one)) for one in (ours, theirs)] == [True, False]


def test_api_key__only_if_the_scheme_has_one_and_replaces_old(client: Client, second: Client) -> None:
    stripe, ours = (
        Provider.objects.create(slug=unique("stripe"), name="Stripe", scheme="stripe"),
        make_provider("standard-webhooks").provider,
    )
    keys = [unique("sk_test_of_nobody"), unique("sk_test_of_nobody")]
    for key in keys:
        by_two(client, second, page(Provider, stripe, "enter_api_key"), secret=key)
    assert PROVIDERS.all()[stripe.slug].api_secret == keys[1]
    assert stripe.secrets.filter(retired_at=None).count() == 1
    place = page(Provider, ours, "enter_api_key")
    text = sent(client, place, secret=unique("sk_test_of_nobody"), reason="r")[0].content.decode()
    assert "never called with a secret" in text
    assert ["Enter the API key" in get(client, page(Provider, one)) for one in (stripe, ours)] == [
        True,
        False,
    ]


def test_secret__retired_one_no_longer_counts(client: Client, second: Client) -> None:
    fake_provider = make_provider("standard-webhooks")
    by_two(client, second, page(Provider, fake_provider.provider, "make_secret"))
    older = fake_provider.provider.secrets.order_by("created_at", "pk")[0]
    assert fake_provider.secret in PROVIDERS.all()[fake_provider.provider.slug].callback_secrets
    approval = requested(client, page(Provider, fake_provider.provider, "retire"), secret=str(older.pk))
    PROVIDERS.forget()
    assert fake_provider.secret in PROVIDERS.all()[fake_provider.provider.slug].callback_secrets
    approved_by(second, approval)
    assert fake_provider.secret not in PROVIDERS.all()[fake_provider.provider.slug].callback_secrets


def test_secret_form__needs_the_permission_to_add_secrets(shop_setup: ShopSetup) -> None:
    provider, before = shop_setup.webhooks.provider, Secret.objects.count()
    clerk = signed_in(operator("payments.view_provider", "players.change_endpoints", "payments.view_shop"))
    for place in (
        page(Provider, provider, "enter_secret"),
        page(Provider, provider, "make_secret"),
        page(Shop, shop_setup.shop, "make_secret"),
    ):
        assert clerk.post(place, {"secret": SECRET}).status_code == 403
    assert "Make a secret" not in get(clerk, page(Provider, provider))
    assert Secret.objects.count() == before
    keeper = signed_in(operator("payments.view_provider", "payments.manage_secrets"))
    assert keeper.get(page(Provider, provider, "enter_secret")).status_code == 200


def test_secret_form__that_has_lain_open_asks_for_the_second_factor_anew(
    shop_setup: ShopSetup, clock: Clock
) -> None:
    """The secret that was entered does not come back with the page that asks."""
    browser = come_in(operator("payments.view_provider", "payments.manage_secrets"))
    place, secret = page(Provider, shop_setup.webhooks.provider, "enter_secret"), new_webhook_secret()
    fields = hidden_in(get(browser, place)) | {"secret": secret, "reason": "r"}
    clock.go_ahead(timedelta(minutes=6))
    answer = browser.post(place, fields)
    assert answer["Location"].startswith("/admin/account/factor/?next=")
    assert not Approval.objects.filter(pk=fields["approval_id"]).exists()


def test_secret__is_marked_sensitive_in_failure_reports(
    shop_setup: ShopSetup, boss: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(boss)
    browser.raise_request_exception = False
    monkeypatch.setattr("payments.admin.signing_secrets.fingerprint_of", None)
    secret = new_webhook_secret()
    response, _ = sent(
        browser, page(Provider, shop_setup.webhooks.provider, "enter_secret"), secret=secret, reason="r"
    )
    assert (response.status_code, secret in response.content.decode()) == (500, False)
    assert response.wsgi_request.sensitive_post_parameters == ("secret",)


def test_provider__list_is_reloaded_after_a_change(client: Client, second: Client) -> None:
    provider = make_provider("standard-webhooks", name="Before").provider
    assert PROVIDERS.all()[provider.slug].name == "Before"
    saved(client, second, page(Provider, provider), provider_form(name="After"))
    assert PROVIDERS.all()[provider.slug].name == "After"


def recorded_secrets(row: Any) -> list[tuple[str, str]]:
    """What executed acts on a row's secrets recorded, before and after."""
    events: Any = AuditEvent.objects.filter(subject_id=str(row.pk), approval_id__isnull=False).order_by("pk")
    label = "Secrets that sign callbacks"
    return [(event.before[label], event.after[label]) for event in events]


def test_secrets__are_recorded_by_fingerprint(client: Client, second: Client) -> None:
    provider = make_provider("order-notify").provider
    by_two(client, second, page(Provider, provider, "enter_secret"), secret=unique("secret"))
    newer, older = provider.secrets.order_by("-created_at")
    by_two(client, second, page(Provider, provider, "retire"), secret=str(older.pk))
    first, last = (bytes(one.fingerprint)[:4].hex() for one in (older, newer))
    assert recorded_secrets(provider) == [(first, f"{last}, {first}"), (f"{last}, {first}", last)]
