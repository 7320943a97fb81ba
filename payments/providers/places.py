"""How many threads of a web process wait for providers at once.

Whoever finds no place is told so at once: waiting would take the threads that answer wallet calls.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

from lib.backoffice.languages import stored
from payments.providers.protocol import ProviderBusy


class Places:
    """At most `most` at once; one provider leaves a place to the others, where there are two."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.most_of_one = max(1, most - 1)
        self.taken: Counter[UUID] = Counter()
        self.lock = threading.Lock()

    @contextmanager
    def take(self, provider: UUID) -> Iterator[None]:
        """A place for one call to a provider, while the block lasts. Raises `ProviderBusy`."""
        with self.lock:
            if self.taken.total() >= self.most or self.taken[provider] >= self.most_of_one:
                raise ProviderBusy(stored("too many calls to providers are under way in this process"))
            self.taken[provider] += 1
        try:
            yield
        finally:
            with self.lock:
                self.taken[provider] -= 1


# A quarter of the threads.
PLACES = Places(max(1, settings.WEB_THREADS // 4))
