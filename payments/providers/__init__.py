"""Payment providers: one module for each scheme, all of the shape that `protocol.py` says."""

from payments.models import Provider
from payments.providers import order_notify, sandbox, standard_webhooks, stripe_checkout
from payments.providers.protocol import Speaker

SPEAKERS: dict[str, Speaker] = {
    Provider.Scheme.ORDER_NOTIFY: order_notify.SPEAKER,
    Provider.Scheme.STANDARD_WEBHOOKS: standard_webhooks.SPEAKER,
    Provider.Scheme.STRIPE: stripe_checkout.SPEAKER,
    Provider.Scheme.SANDBOX: sandbox.SPEAKER,
}


def speaker_of(scheme: str) -> Speaker:
    """The module that speaks to providers of a scheme (a `Provider.Scheme`)."""
    return SPEAKERS[scheme]
