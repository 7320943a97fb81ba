"""What one person alone could do: no way to money is opened without a second one."""

from django.test import Client

from payments.models import Product, Provider, Shop
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import new_webhook_secret
from players.models import Approval
from tests.support.admin_pages import approved_by, operator, page, requested, signed_in, with_reason
from tests.support.callers import unique
from tests.support.shop import FakeProvider, ShopSetup, fresh, make_product, make_provider

SECRETS = ("payments.view_provider", "payments.manage_secrets", "players.view_approval")


def test_own_secret__forges_no_payment_before_a_second_person_approved(shop_setup: ShopSetup) -> None:
    clerk, other = (signed_in(operator(*SECRETS)) for _ in range(2))
    provider, own = shop_setup.webhooks.provider, new_webhook_secret()
    approval = requested(clerk, page(Provider, provider, "enter_secret"), secret=own)
    order, before = shop_setup.order(), shop_setup.webhooks.provider.secrets.count()
    PROVIDERS.forget()
    assert FakeProvider(provider, own).tell("payment.succeeded", order).status == 401
    assert clerk.post(page(Approval, approval, "approve"), {"digest": approval.digest}).status_code == 403
    assert (fresh(order).state, provider.secrets.count()) == ("created", before)
    # The second person sees which secret it is, and what it gives whoever has it.
    text = other.get(page(Approval, approval, "approve")).content.decode()
    assert approval.payload["fingerprint"] in text
    assert "can tell us that orders of any player are paid" in text
    approved_by(other, approval)
    assert FakeProvider(provider, own).tell("payment.succeeded", order).status == 200


def test_only_secret__is_not_retired_by_one_person(second: Client, shop_setup: ShopSetup) -> None:
    clerk, provider = signed_in(operator(*SECRETS)), shop_setup.webhooks.provider
    [secret] = provider.secrets.filter(retired_at=None)[:1]
    approval = requested(clerk, page(Provider, provider, "retire"), secret=str(secret.pk))
    secret.refresh_from_db()
    assert secret.retired_at is None
    second.post(page(Approval, approval, "decline"), {"reason": "It is in use"})
    secret.refresh_from_db()
    assert secret.retired_at is None


def test_credit_of_a_product__is_not_raised_by_one_person(shop_setup: ShopSetup) -> None:
    rights = ("payments.view_product", "payments.change_catalogue", "players.view_approval")
    clerk, other = (signed_in(operator(*rights)) for _ in range(2))
    product = make_product(shop_setup.game, unique("gems"), 9_99, credit=10_00)
    price = product.prices.get()
    given = with_reason(
        {
            "name": product.name,
            "credit": "9999999.00",
            "credit_currency": "XAG",
            "prices-TOTAL_FORMS": "1",
            "prices-INITIAL_FORMS": "1",
            "prices-0-id": str(price.pk),
            "prices-0-product": str(product.pk),
            "prices-0-currency": "EUR",
            "prices-0-amount": "9.99",
        }
    )
    assert clerk.post(page(Product, product), given).status_code == 302
    product.refresh_from_db()
    assert product.credit == 10_00
    approval = Approval.objects.get(pk=given["approval_id"])
    assert ["Credit", "10.00 XAG", "9,999,999.00 XAG"] in approval.effect
    assert clerk.post(page(Approval, approval, "approve"), {"digest": approval.digest}).status_code == 403
    other.post(page(Approval, approval, "decline"), {"reason": "A typing error?"})
    product.refresh_from_db()
    assert product.credit == 10_00


def test_payment_page__is_not_pointed_elsewhere_by_one_person(shop_setup: ShopSetup) -> None:
    clerk = signed_in(operator("payments.view_provider", "players.change_endpoints", "players.view_approval"))
    provider = make_provider("standard-webhooks", page_url="https://pay.example/").provider
    given = {"name": provider.name, "timeout_seconds": "10", "page_url": "http://evil.example/"}
    assert clerk.post(page(Provider, provider), with_reason(given)).status_code == 302
    provider.refresh_from_db()
    assert provider.page_url == "https://pay.example/"


def test_order_url__is_not_pointed_elsewhere_by_one_person(shop_setup: ShopSetup) -> None:
    clerk = signed_in(operator("payments.view_shop", "players.change_endpoints", "players.view_approval"))
    shop, before = shop_setup.shop, shop_setup.shop.order_url
    given = with_reason({"order_url": "http://evil.example/", "return_origins": ""})
    assert clerk.post(page(Shop, shop), given).status_code == 302
    shop.refresh_from_db()
    assert shop.order_url == before
    assert ["Order URL", before or "none", "http://evil.example/"] in Approval.objects.get(
        pk=given["approval_id"]
    ).effect


def test_provider__is_deactivated_by_one_and_reactivated_by_two(shop_setup: ShopSetup) -> None:
    rights = ("payments.view_provider", "players.change_endpoints", "players.view_approval")
    clerk, other = (signed_in(operator(*rights)) for _ in range(2))
    provider = make_provider("standard-webhooks").provider
    stop = page(Provider, provider, "deactivate")
    assert clerk.post(stop, {"reason": "Forged callbacks", "typed_name": ""}).status_code == 200
    assert offered(provider)
    given = {"reason": "Forged callbacks", "typed_name": provider.slug}
    assert clerk.post(stop, given).status_code == 302
    assert not offered(provider)
    # Neither does the form switch it on.
    form = {"name": "P", "page_url": "https://p.example/", "timeout_seconds": "10", "is_active": "on"}
    clerk.post(page(Provider, provider), with_reason(form))
    approval = requested(clerk, page(Provider, provider, "reactivate"))
    assert not offered(provider)
    approved_by(other, approval)
    assert offered(provider)


def offered(provider: Provider) -> bool:
    """Whether the checkout offers a provider."""
    return PROVIDERS.all()[provider.slug].is_active
