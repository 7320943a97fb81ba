"""What one person alone could do: no way to money is opened without a second one."""

from django.test import Client

from payments.models import Provider
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import new_webhook_secret
from tests.support.admin_pages import approved_by, operator, page, requested, signed_in
from tests.support.shop import FakeProvider, ShopSetup, fresh

SECRETS = ("payments.view_provider", "payments.manage_secrets", "players.view_approval")


def test_own_secret__forges_no_payment_before_a_second_person_approved(shop_setup: ShopSetup) -> None:
    clerk, other = (signed_in(operator(*SECRETS)) for _ in range(2))
    provider, own = shop_setup.webhooks.provider, new_webhook_secret()
    approval = requested(clerk, page(Provider, provider, "enter_secret"), secret=own)
    order, before = shop_setup.order(), shop_setup.webhooks.provider.secrets.count()
    PROVIDERS.forget()
    assert FakeProvider(provider, own).tell("payment.succeeded", order).status == 401
    assert (
        clerk.post(page(type(approval), approval, "approve"), {"digest": approval.digest}).status_code == 403
    )
    assert (fresh(order).state, provider.secrets.count()) == ("created", before)
    # The second person sees which secret it is, and what it gives whoever has it.
    text = other.get(page(type(approval), approval, "approve")).content.decode()
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
    second.post(page(type(approval), approval, "decline"), {"reason": "It is in use"})
    secret.refresh_from_db()
    assert secret.retired_at is None
