"""The checkout's pages: what they tell, what they start, and to whom they say nothing."""

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import translation

from lib.clock import now
from payments.checkout.pages import policy
from payments.checkout.payments import MOST_STARTS
from payments.checkout.status import PAUSES
from payments.models import Order, Provider
from payments.providers.adapters import ADAPTERS
from payments.providers.protocol import HostedPayment, PaymentRequest, ProviderConfig, ProviderUnavailable
from payments.providers.registry import PROVIDERS
from payments.providers.standard_webhooks import StandardWebhooks
from payments.templatetags.player_pages import amount, moment
from tests.faults.platform_processes import at_database
from tests.support.callers import CLIENT
from tests.support.owned import owned
from tests.support.shop import ShopSetup, fresh, make_provider, payments_of, story_of
from wallet.models import Entry

if TYPE_CHECKING:
    from django.test.client import _MonkeyPatchedWSGIResponse as Page

HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
BEFORE_FORMS = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action 'self'"
)


def get(order: Order, rest: str = "", **headers: str) -> "Page":
    return CLIENT.get(f"/checkout/{order.page_key}{rest}", headers=headers)


def pay(order: Order, provider: str, rest: str = "") -> "Page":
    return CLIENT.post(f"/checkout/{order.page_key}{rest}", {"provider": provider})


def seen(answer: "Page") -> str:
    """What a person reads on the page, in one line."""
    text = re.sub(r"<head>.*?</head>|<[^>]+>", " ", answer.content.decode(), flags=re.DOTALL)
    return " ".join(html.unescape(text).replace("\N{NO-BREAK SPACE}", " ").split())


def assert_headers(answer: "Page") -> None:
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert answer["Content-Security-Policy"].startswith(BEFORE_FORMS)
    assert not answer.cookies


def set_order(order: Order, **columns: Any) -> Order:
    owned(Order).filter(pk=order.pk).update(**columns)
    return fresh(order)


# --- The choice ------------------------------------------------------------------------------------------


def test_checkout__shows_item_price_and_deadline(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(product="pack", start=False, returnUrl="https://game.example/back")
    answer = get(order)
    text = seen(answer)
    assert answer.status_code == 200
    assert (
        "A game Your order Pack Added to your wallet 1,000.00 XAG Delivered by A game Price 20.00 EUR "
        "How do you want to pay?" in text
    )
    assert f"This order can be paid for 60 more minutes, until {moment(order.expires_at)}." in text
    assert (
        '<a href="https://game.example/back" rel="noreferrer">Back to A game</a>' in answer.content.decode()
    )
    assert (
        f'<button class="way" name="provider" value="{shop_setup.notify.provider.slug}">'
        "Pay with Till order-notify</button>" in answer.content.decode()
    )
    assert_headers(answer)


def test_csp__form_leads_only_to_the_offered_providers(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider(
        "standard-webhooks", page_url="https://pay.elsewhere.example:8443/start?shop=1"
    )
    order = shop_setup.order(start=False)
    targets = get(order)["Content-Security-Policy"].removeprefix(BEFORE_FORMS).split()
    assert {"http://testserver", "https://pay.example", "https://pay.elsewhere.example:8443"} <= set(targets)
    Provider.objects.filter(pk=fake_provider.provider.pk).update(is_active=False)
    PROVIDERS.forget()
    assert "elsewhere" not in get(order)["Content-Security-Policy"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example; script-src *",
        "https://a.example https://b.example",
        "javascript:alert(1)",
        "https://a.example/path",
        "*",
    ],
)
def test_csp__leaves_out_anything_but_a_plain_origin(origin: str) -> None:
    assert policy([origin]) == BEFORE_FORMS
    assert policy(["https://a.example", "https://a.example"]) == f"{BEFORE_FORMS} https://a.example"


def test_checkout__script_without_cookies_begins_a_payment(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(start=False)
    script = Client(enforce_csrf_checks=True, headers={"Origin": "null"})
    answer = script.post(f"/checkout/{order.page_key}", {"provider": shop_setup.webhooks.provider.slug})
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (303, "https://pay.example/start")
    assert f"returnUrl=http%3A%2F%2Ftestserver%2Fcheckout%2F{order.page_key}%2Fresult" in answer["Location"]
    assert (fresh(order).state, payments_of(order)) == ("created", [("started", False)])
    assert story_of(order) == [("created", "created"), ("started", "created")]
    assert_headers(answer)


def test_language__goes_to_the_provider_and_comes_back(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(start=False)
    answer = pay(order, shop_setup.webhooks.provider.slug, "?lang=de")
    assert answer["Location"].endswith(f"checkout%2F{order.page_key}%2Fresult%3Flang%3Dde")


@pytest.mark.parametrize("provider", ["", "no-such-provider", "\x00", "sandbox"])
def test_provider__unknown_one_begins_nothing(shop_setup: ShopSetup, provider: str) -> None:
    order = shop_setup.order(start=False)
    answer = pay(order, provider)
    assert (answer.status_code, payments_of(order)) == (422, [])
    assert "Choose one of these ways to pay." in seen(answer)


def test_provider__no_longer_offered_one_begins_nothing(shop_setup: ShopSetup) -> None:
    fake_provider = make_provider("standard-webhooks", is_active=False)
    order = shop_setup.order(start=False)
    assert fake_provider.provider.slug not in get(order).content.decode()
    assert (pay(order, fake_provider.provider.slug).status_code, payments_of(order)) == (422, [])


class Unreachable(StandardWebhooks):
    """A provider that is away."""

    def start(self, terms: ProviderConfig, purchase: PaymentRequest) -> HostedPayment:
        raise ProviderUnavailable("no answer within 10 seconds")


def test_provider__unavailable_one_is_told_and_choice_is_back(
    shop_setup: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_provider, order = make_provider("standard-webhooks"), shop_setup.order(start=False)
    monkeypatch.setitem(ADAPTERS, "standard-webhooks", Unreachable())
    answer = pay(order, fake_provider.provider.slug)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "This payment provider cannot be reached right now. Nothing was charged." in seen(answer)
    assert "no answer within" not in answer.content.decode()
    assert f'value="{fake_provider.provider.slug}"' in answer.content.decode()
    assert (payments_of(order), fresh(order).state) == ([("unstarted", False)], "created")
    # Nothing has begun, so there is no result to look at.
    assert get(order, "/result")["Location"] == f"/checkout/{order.page_key}"


def test_order__begun_too_often_begins_no_more(shop_setup: ShopSetup) -> None:
    order, fake_provider = shop_setup.order(start=False), make_provider("standard-webhooks")
    for _ in range(MOST_STARTS):
        assert pay(order, fake_provider.provider.slug).status_code == 303
    answer = pay(order, fake_provider.provider.slug)
    # Nothing tells these starts apart: they are one payment, and each of them counts.
    assert (answer.status_code, len(payments_of(order))) == (409, 1)
    assert "Payment of this order was begun too often." in seen(answer)


def test_provider__page_says_so_if_none_is_offered(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(start=False)
    active = list(Provider.objects.filter(is_active=True).values_list("pk", flat=True))
    Provider.objects.update(is_active=False)
    PROVIDERS.forget()
    try:
        answer = get(order)
    finally:
        Provider.objects.filter(pk__in=active).update(is_active=True)
        PROVIDERS.forget()
    assert answer.status_code == 200
    assert "There is no way to pay this order at present." in seen(answer)
    assert "<form" not in answer.content.decode()


def test_checkout__warns_of_paying_twice_once_payment_has_begun(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    assert (
        "You have begun to pay this order already. If you have paid, do not pay again. See what came of it"
        in seen(get(order))
    )
    shop_setup.webhooks.tell("payment.failed", order)
    assert "You have begun" not in seen(get(order))


@pytest.mark.parametrize("state", ["paid", "delivered", "expired", "refunded", "charged_back"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_order__no_longer_payable_leads_to_its_result(shop_setup: ShopSetup, state: str, method: str) -> None:
    order = set_order(shop_setup.order(start=False), state=state)
    answer = (
        get(order, "?lang=de")
        if method == "get"
        else pay(order, shop_setup.webhooks.provider.slug, "?lang=de")
    )
    assert (answer.status_code, answer["Location"]) == (303, f"/checkout/{order.page_key}/result?lang=de")
    assert payments_of(order) == []


def test_order__expired_cannot_be_paid_even_before_the_sweep(shop_setup: ShopSetup) -> None:
    order = set_order(shop_setup.order(start=False), expires_at=now() - timedelta(seconds=1))
    assert pay(order, shop_setup.webhooks.provider.slug).status_code == 303
    assert (payments_of(order), fresh(order).state) == ([], "created")
    assert "This order has expired" in seen(get(order, "/result"))


# --- The result ------------------------------------------------------------------------------------------

OUTCOMES = [
    # Product, columns of the order, whether a payment is begun, the heading,
    # whether it waits, whether it can be paid.
    ("gold", {}, True, "Waiting for the payment", True, True),
    ("gold", {"state": "failed"}, False, "The payment did not go through", False, True),
    ("gold", {"state": "failed"}, True, "Waiting for the payment", True, True),
    ("sword", {"state": "paid"}, False, "Paid, and on its way", True, False),
    (
        "gold",
        {"state": "paid"},
        False,
        "Paid Your payment has arrived, but it cannot be added to your wallet yet.",
        False,
        False,
    ),
    (
        "gold",
        {"state": "delivered"},
        False,
        "Thank you! Your payment has arrived, and your wallet has been topped up.",
        False,
        False,
    ),
    (
        "sword",
        {"state": "delivered"},
        False,
        "Thank you! Your payment has arrived, and the game has your purchase.",
        False,
        False,
    ),
    ("gold", {"state": "expired"}, False, "This order has expired", False, False),
    ("gold", {"state": "expired"}, True, "This order has expired", False, False),
    ("gold", {"state": "refunded", "refunded": 4_99}, False, "Refunded", False, False),
    ("gold", {"state": "charged_back", "charged_back": 4_99}, False, "Charged back", False, False),
]


@pytest.mark.parametrize(("product", "columns", "begun", "heading", "waits", "payable"), OUTCOMES)
def test_result__every_state_has_its_page(
    shop_setup: ShopSetup,
    product: str,
    columns: dict[str, Any],
    begun: bool,
    heading: str,
    waits: bool,
    payable: bool,
) -> None:
    order = set_order(
        shop_setup.order(product=product, start=begun, returnUrl="https://game.example/back"), **columns
    )
    answer = get(order, "/result")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert heading in seen(answer)
    assert ('http-equiv="refresh"' in page, "Check again" in page) == (waits, waits)
    assert (f'href="/checkout/{order.page_key}"' in page) == payable
    assert 'href="https://game.example/back" rel="noreferrer">Back to A game' in page
    assert (page.count('role="status"'), page.count("<h1")) == (1, 1)
    assert_headers(answer)


def test_order__failed_and_expired_cannot_be_retried(shop_setup: ShopSetup) -> None:
    order = set_order(shop_setup.order(start=False), state="failed", expires_at=now() - timedelta(seconds=1))
    answer = get(order, "/result")
    assert "To try again, start the purchase anew in the game." in seen(answer)
    assert f'href="/checkout/{order.page_key}"' not in answer.content.decode()


def test_result__tells_what_was_returned(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    shop_setup.webhooks.tell("payment.refunded", order, "1.00")
    assert "Price 4.99 EUR Refunded 1.00 EUR Taken out of your wallet again 100.20 XAG" in seen(
        get(order, "/result")
    )


@pytest.mark.slow
def test_result__refreshes_ever_more_slowly_and_then_stops(shop_setup: ShopSetup) -> None:
    order, pauses, url = shop_setup.order(), [], "/result?lang=de"
    while found := re.search(
        r'http-equiv="refresh" content="(\d+); url=(/checkout/[^"]+)"',
        page := get(order, url).content.decode(),
    ):
        pauses.append(int(found[1]))
        url = html.unescape(found[2]).removeprefix(f"/checkout/{order.page_key}")
        assert "lang=de" in url
    assert pauses == list(PAUSES) == sorted(PAUSES)
    assert 300 < sum(pauses) < 900
    assert "Diese Seite sieht nicht mehr von selbst nach." in page
    # Looking again by hand begins anew.
    assert f'href="/checkout/{order.page_key}/result?lang=de">Erneut nachsehen' in page


@pytest.mark.parametrize("check", ["off", "9999"])
def test_result__can_be_told_not_to_refresh_by_itself(shop_setup: ShopSetup, check: str) -> None:
    page = get(shop_setup.order(), f"/result?check={check}").content.decode()
    assert ("refresh" in page, "This page has stopped checking by itself." in page) == (False, True)


@pytest.mark.parametrize("check", ["-1", "x", "1e3", "99999", "%00", ""])
def test_result__nonsense_in_the_url_is_a_first_look(shop_setup: ShopSetup, check: str) -> None:
    assert (
        'http-equiv="refresh" content="1; url='
        in get(shop_setup.order(), f"/result?check={check}").content.decode()
    )


# --- Language --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wish", "accept", "language"),
    [
        ("", "", "", "en"),
        ("", "de", "", "de"),
        ("", "de-AT", "en", "de"),
        ("", "en", "de", "en"),
        ("", "fr", "de-CH,de;q=0.9,en;q=0.8", "de"),
        ("", "fr", "fr", "en"),
        ("?lang=de", "en", "en", "de"),
        ("?lang=en", "de", "de", "en"),
        ("?lang=fr", "de", "en", "de"),
        ("?lang=%00", "", "", "en"),
    ],
)
def test_language__comes_from_url_else_order_else_browser(
    shop_setup: ShopSetup, query: str, wish: str, accept: str, language: str
) -> None:
    order = set_order(shop_setup.order(start=False), language=wish)
    answer = get(order, query, **{"Accept-Language": accept})
    assert (answer["Content-Language"], f'<html lang="{language}">' in answer.content.decode()) == (
        language,
        True,
    )
    assert ("Wie möchten Sie bezahlen?" in seen(answer)) == (language == "de")


def test_language__german_page_has_german_names_amounts_times(shop_setup: ShopSetup) -> None:
    shop_setup.products["pack"].name_de = "Das Paket"
    shop_setup.products["pack"].save(update_fields=["name_de"])
    order = set_order(shop_setup.order(product="pack", start=False), language="de")
    text = seen(get(order))
    assert "Das Paket Kommt zu Ihrem Guthaben 1.000,00 XAG" in text
    assert "Preis 20,00 EUR" in text
    with translation.override("de"):
        assert f"bis {moment(order.expires_at)}." in text
    assert get(order, "?lang=en").content.decode().count("Das Paket") == 0


@pytest.mark.parametrize(
    ("minor", "currency", "english", "german"),
    [
        (4_99, "EUR", "4.99 EUR", "4,99 EUR"),
        (1_234_567_89, "EUR", "1,234,567.89 EUR", "1.234.567,89 EUR"),
        (750, "JPY", "750 JPY", "750 JPY"),
        (5, "BHD", "0.005 BHD", "0,005 BHD"),
        (10**17 - 1, "CLF", "9,999,999,999,999.9999 CLF", "9.999.999.999.999,9999 CLF"),
    ],
)
def test_amount__is_exact_in_either_language(
    shop_setup: ShopSetup, minor: int, currency: str, english: str, german: str
) -> None:
    for language, expected in (("en", english), ("de", german)):
        with translation.override(language):
            assert amount(minor, currency) == expected.replace(" ", "\N{NO-BREAK SPACE}")


# --- What is not there, and what is too much ---------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["unknown", "x" * 33, "%00", "%F0%9F%92%A9", "a'b", "4pUeB0bXcXq0w1mFz1y5nJ2k"]
)
@pytest.mark.parametrize("rest", ["", "/result"])
def test_checkout__unknown_address_has_its_own_page(shop_setup: ShopSetup, key: str, rest: str) -> None:
    answer = CLIENT.get(f"/checkout/{key}{rest}", headers={"Accept-Language": "de"})
    assert (answer.status_code, "Seite nicht gefunden" in seen(answer)) == (404, True)
    assert CLIENT.post(f"/checkout/{key}{rest}", {"provider": "sandbox"}).status_code == 404
    assert_headers(answer)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_checkout__answers_only_get_head_and_post(shop_setup: ShopSetup, method: str) -> None:
    order = shop_setup.order(start=False)
    answer = CLIENT.generic(method, f"/checkout/{order.page_key}")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
    assert_headers(answer)
    assert CLIENT.head(f"/checkout/{order.page_key}").status_code == 200


def test_checkout__does_not_read_a_form_that_is_too_long(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(start=False)
    answer = CLIENT.post(
        f"/checkout/{order.page_key}", {"provider": shop_setup.webhooks.provider.slug, "more": "x" * 65_536}
    )
    assert (answer.status_code, payments_of(order)) == (413, [])
    assert_headers(answer)


def test_checkout__says_so_if_there_is_no_database(shop_setup: ShopSetup) -> None:
    order = shop_setup.order(start=False)
    with at_database("postgres://nobody@127.0.0.1:9/nothing"):
        answer = get(order)
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Please try again in a moment" in seen(answer)
    assert_headers(answer)


def test_checkout__viewing_pages_changes_nothing(shop_setup: ShopSetup) -> None:
    order = shop_setup.paid()
    before = (fresh(order), story_of(order), Entry.objects.filter(player=order.player).count())
    for rest in ("", "/result", "/result?check=3"):
        get(order, rest)
    assert (fresh(order), story_of(order), Entry.objects.filter(player=order.player).count()) == before


def test_checkout__order_url_stands_in_no_log(
    shop_setup: ShopSetup, caplog: pytest.LogCaptureFixture
) -> None:
    order = shop_setup.order(start=False)
    with caplog.at_level("DEBUG"):
        get(order)
        pay(order, shop_setup.webhooks.provider.slug)
        get(order, "/result")
    assert "GET /checkout/…/result" in caplog.text
    assert order.page_key not in caplog.text


def test_checkout__name_is_text_and_no_markup(shop_setup: ShopSetup) -> None:
    product = shop_setup.products["gold"]
    name, product.name = product.name, '<script src="//x.example">'
    product.save(update_fields=["name"])
    order = shop_setup.order(start=False)
    page = get(order).content.decode()
    product.name = name
    product.save(update_fields=["name"])
    assert ("<script" in page, "&lt;script src=" in page) == (False, True)


def test_checkout__needs_no_third_parties_and_no_script(shop_setup: ShopSetup) -> None:
    order = shop_setup.order()
    for page in (
        get(order),
        get(order, "/result"),
        get(order, "?lang=de"),
        pay(order, "none"),
        CLIENT.get("/checkout/none"),
    ):
        text = page.content.decode()
        assert re.findall(r"<script|<style|style=|javascript:|onclick|<img|<iframe", text) == []
        assert set(re.findall(r'(?:src|<link[^>]* href)="([^"]+)"', text)) == {
            "/static/payments/icon.svg",
            "/static/payments/pages.css",
        }
        # But for the providers, of which other tests have made many.
        assert len(re.sub(r'<button class="way".*?</button>', "", text, flags=re.DOTALL)) < 6_000
