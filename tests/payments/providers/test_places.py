"""Places for calls to providers: few, and not all of them for one provider."""

from contextlib import ExitStack
from uuid import UUID

import pytest

from payments.providers.places import Places
from payments.providers.protocol import ProviderBusy

SLOW, OTHER = UUID(int=1), UUID(int=2)


def test_places__one_provider_leaves_one_to_the_others() -> None:
    places = Places(4)
    with ExitStack() as calls:
        for _ in range(3):
            calls.enter_context(places.take(SLOW))
        with pytest.raises(ProviderBusy):
            calls.enter_context(places.take(SLOW))
        with places.take(OTHER):
            pass
        calls.enter_context(places.take(OTHER))
        with pytest.raises(ProviderBusy):
            calls.enter_context(places.take(UUID(int=3)))


def test_places__are_free_again_whatever_a_call_ends_with() -> None:
    places = Places(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), places.take(SLOW):
            raise ZeroDivisionError
    with places.take(OTHER):
        pass
