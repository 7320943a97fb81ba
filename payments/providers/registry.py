"""The providers, remembered in the process with their opened secrets.

So a callback needs no query and no decryption for them.
"""

import logging
import threading
import time

from django.conf import settings
from django.db import transaction

from lib.http.addresses import parse_networks
from lib.security.encryption import Unreadable
from payments.models import Provider, Secret
from payments.providers.protocol import ProviderConfig
from payments.providers.signing_secrets import open_secret

logger = logging.getLogger(__name__)
# A slug that is not known looks for newer providers, at most this often, in seconds.
MISS_RELOAD_SECONDS = 1.0


def config_of(provider: Provider, secrets: list[Secret]) -> ProviderConfig:
    """What is needed to speak to a provider; a secret whose key is gone is left out, and said in the log."""
    opened: dict[str, list[str]] = {Secret.Purpose.CALLBACK: [], Secret.Purpose.API: []}
    for secret in secrets:
        try:
            opened[secret.purpose].append(open_secret(secret))
        except Unreadable:
            logger.exception("a secret of the provider %s cannot be opened", provider.slug)
    return ProviderConfig(
        id=provider.pk,
        slug=provider.slug,
        name=provider.name,
        scheme=provider.scheme,
        is_active=provider.is_active and (provider.scheme != Provider.Scheme.SANDBOX or settings.DEMO),
        is_live=provider.is_live,
        currency=provider.currency_id,
        page_url=provider.page_url,
        networks=parse_networks(tuple(provider.allowed_networks)),
        timeout_seconds=provider.timeout_seconds,
        callback_secrets=tuple(opened[Secret.Purpose.CALLBACK]),
        api_secret=next(iter(opened[Secret.Purpose.API]), ""),
    )


def read_configs() -> dict[str, ProviderConfig]:
    """All providers by their slugs."""
    secrets: dict[object, list[Secret]] = {}
    for secret in Secret.objects.filter(provider__isnull=False, retired_at=None).order_by(
        "-created_at", "-pk"
    ):
        secrets.setdefault(secret.provider_id, []).append(secret)
    return {
        provider.slug: config_of(provider, secrets.get(provider.pk, []))
        for provider in Provider.objects.order_by("name")
    }


class Providers:
    """The process's memory of providers; a change elsewhere is seen within `CREDENTIAL_CACHE_SECONDS`."""

    def __init__(self) -> None:
        self.taken_at = 0.0
        self.by_slug: dict[str, ProviderConfig] | None = None
        self.reading = threading.Lock()

    def forget(self) -> None:
        """Makes the next look-up read anew."""
        self.by_slug = None

    def all(self, seconds: float | None = None, *, waits: bool = False) -> dict[str, ProviderConfig]:
        """All providers by their slugs, as they were at most `seconds` ago.

        One thread reads; others go on with what is known, or wait for it.
        """
        limit = settings.CREDENTIAL_CACHE_SECONDS if seconds is None else seconds
        known = self.by_slug
        is_read_by_another = self.reading.locked() and not waits
        if known is not None and (time.monotonic() - self.taken_at < limit or is_read_by_another):
            return known
        with self.reading:
            if self.by_slug is None or self.by_slug is known:
                taken_at = time.monotonic()
                self.by_slug, self.taken_at = read_configs(), taken_at
            return self.by_slug

    def find(self, slug: str) -> ProviderConfig | None:
        """The provider of that slug, or None."""
        return self.all().get(slug) or self.all(MISS_RELOAD_SECONDS, waits=True).get(slug)


PROVIDERS = Providers()


def deactivate_provider(provider: Provider) -> bool:
    """Offers a provider at the checkout no more; its callbacks count. Returns whether that is new."""
    transaction.on_commit(PROVIDERS.forget)
    return Provider.objects.filter(pk=provider.pk, is_active=True).update(is_active=False) > 0
