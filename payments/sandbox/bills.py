"""What a player has to pay at the sandbox.

All that it knows of an order, as the address of its page tells it, in the words of each scheme.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from payments.models import Provider
from payments.providers.protocol import ProviderConfig
from payments.providers.registry import PROVIDERS
from wallet.currencies import decimals_of
from wallet.money import to_minor

Scheme = Provider.Scheme
# What order-notify tells a provider, and is told back.
FIELDS = ("uid", "serverId", "cpOrderId", "productId", "productPrice", "extParams")


@dataclass(frozen=True, slots=True)
class Bill:
    """`amount` in minor units. `reference` is what starting gave; `fields` are those of order-notify."""

    config: ProviderConfig
    order_id: UUID
    amount: int
    currency: str
    description: str
    return_url: str
    reference: str = ""
    fields: Mapping[str, str] | None = None

    @property
    def order(self) -> str:
        """The order's id, as the sandbox remembers it."""
        return str(self.order_id)


def find_provider(slug: str) -> ProviderConfig | None:
    """The provider that the sandbox stands for under that name, if it does.

    Where real players would be sent elsewhere, it does not.
    """
    if not settings.DEMO:
        return None
    config = PROVIDERS.find(slug)
    if config is None or not config.callback_secrets:
        return None
    is_here = (
        config.scheme in (Scheme.STANDARD_WEBHOOKS, Scheme.ORDER_NOTIFY)
        and urlsplit(config.page_url).path == f"/sandbox/{slug}/pay"
    )
    return config if config.scheme == Scheme.SANDBOX or is_here else None


def read_bill(config: ProviderConfig, told: Mapping[str, str]) -> Bill | None:
    """The bill in the address of the page, or nothing where that makes no sense."""
    is_notify = config.scheme == Scheme.ORDER_NOTIFY
    currency = (config.currency or "") if is_notify else told.get("currencyCode", "")
    decimals = decimals_of(currency)
    if decimals is None:
        return None
    try:
        order_id = UUID(told.get("cpOrderId" if is_notify else "orderId", ""))
        amount = to_minor(Decimal(told.get("productPrice" if is_notify else "amount", "")), decimals)
    except (ValueError, InvalidOperation):
        return None
    fields = {name: told.get(name, "") for name in FIELDS} if is_notify else None
    description = told.get("productId" if is_notify else "description", "")
    return Bill(
        config,
        order_id,
        amount,
        currency,
        description,
        told.get("returnUrl", ""),
        told.get("reference", ""),
        fields,
    )
