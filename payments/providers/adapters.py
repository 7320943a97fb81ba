"""The adapters: which module speaks to the providers of a scheme."""

from payments.models import Provider
from payments.providers import order_notify, sandbox, standard_webhooks, stripe_checkout
from payments.providers.protocol import ProviderAdapter

ADAPTERS: dict[str, ProviderAdapter] = {
    Provider.Scheme.ORDER_NOTIFY: order_notify.ADAPTER,
    Provider.Scheme.STANDARD_WEBHOOKS: standard_webhooks.ADAPTER,
    Provider.Scheme.STRIPE: stripe_checkout.ADAPTER,
    Provider.Scheme.SANDBOX: sandbox.ADAPTER,
}


def adapter_for(scheme: str) -> ProviderAdapter:
    """The module that speaks to providers of a scheme (a `Provider.Scheme`)."""
    return ADAPTERS[scheme]
