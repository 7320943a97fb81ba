"""The process's memory of providers: nobody waits for what is known, and a new one is found by all."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from payments.providers import registry
from payments.providers.registry import Providers


def test_find__of_a_new_provider_waits_for_who_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    known, new = object(), object()
    providers: Any = Providers()
    providers.by_slug, providers.taken_at = {"known": known}, time.monotonic() - 3600
    is_reading, may_go_on = threading.Event(), threading.Event()

    def read() -> dict[str, Any]:
        is_reading.set()
        assert may_go_on.wait(10)
        return {"known": known, "new": new}

    monkeypatch.setattr(registry, "read_configs", read)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(providers.find, "new")
        assert is_reading.wait(10)
        assert providers.find("known") is known
        second = pool.submit(providers.find, "new")
        may_go_on.set()
        assert [first.result(10), second.result(10)] == [new, new]
