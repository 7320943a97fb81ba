"""The providers whose callbacks are refused: what was paid there waits, and nobody gets anything for it."""

from django.urls import reverse

from config.home.verdict import Reason
from payments.admin.providers import trouble_words
from payments.callbacks.refusals import troubles

# Providers that are shown; all have an alert.
MOST = 10


def refused_providers() -> list[Reason]:
    """Each in a sentence, with the page where a secret is entered and what came is verified again."""
    return [
        Reason(
            f"{trouble.provider.slug}: {trouble_words(trouble)}",
            reverse("admin:payments_provider_change", args=[trouble.provider.pk]),
        )
        for trouble in troubles()[:MOST]
    ]
