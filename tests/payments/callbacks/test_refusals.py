"""A provider whose callbacks are refused is told, until one is accepted."""

from datetime import timedelta
from typing import Any

import pytest

from lib.clock import now
from lib.ids import new_id
from payments.callbacks.refusals import watch_callbacks
from payments.models import Callback, Provider, RefusedCallback
from tests.support.callers import unique
from wallet.job_runs import Run
from wallet.models import Alert


@pytest.fixture
def provider(callers: Any) -> Provider:
    RefusedCallback.objects.all().delete()
    return Provider.objects.create(
        slug=unique("pay"), name="A provider", scheme="standard-webhooks", is_active=True
    )


def refuse(provider: Provider, ago: timedelta = timedelta()) -> None:
    RefusedCallback.objects.create(
        id=new_id(),
        provider=provider,
        at=now() - ago,
        address="10.0.0.9",
        problem="The signature is not of a live secret.",
        headers={},
        body=b"",
    )


def accept(provider: Provider) -> None:
    at = now()
    Callback.objects.create(
        id=new_id(),
        provider=provider,
        message_id=unique("m"),
        outcome="nothing",
        headers={},
        body=b"{}",
        address="10.0.0.9",
        received_at=at,
        last_seen_at=at,
        content_digest=b"",
        signed_digest=b"",
    )


def alert(provider: Provider) -> Alert | None:
    watch_callbacks(Run("watch_callbacks"))
    return Alert.objects.filter(kind="callbacks_refused", subject=provider.slug).first()


def test_provider__that_is_refused_thrice_is_told(provider: Provider) -> None:
    refuse(provider, timedelta(minutes=11))
    refuse(provider)
    refuse(provider)
    assert alert(provider) is None
    refuse(provider)
    found = alert(provider)
    assert found is not None
    assert found.text.startswith("At least 3 callbacks were refused since ")


def test_provider__that_is_heard_meanwhile_is_not_told(provider: Provider) -> None:
    refuse(provider)
    accept(provider)
    refuse(provider)
    refuse(provider)
    assert alert(provider) is None


def test_alert__ends_when_a_callback_is_accepted(provider: Provider) -> None:
    for _ in range(3):
        refuse(provider)
    assert alert(provider) is not None
    accept(provider)
    found = alert(provider)
    assert found is not None
    assert (found.resolved_by, found.reason) == ("platform", "A callback was accepted again.")
