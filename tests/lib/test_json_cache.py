"""What stands in the shared cache runs no code and breaks no page, whoever wrote it."""

import os
import pickle
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from redis import Redis

from payments.sandbox import memory


class Attack:
    """Pickled, it makes a directory when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def write(key: str, value: bytes) -> None:
    with Redis.from_url(settings.REDIS_URL) as client:
        client.set(cache.make_key(key), value, ex=60)


def test_cache__runs_no_pickle(tmp_path: Path) -> None:
    key = f"sandbox:{uuid4()}"
    write(key, pickle.dumps(Attack(tmp_path / "made")))
    assert memory.get("nothing", key.partition(":")[2]) == "nothing"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("value", [b"", b"poison", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_cache__what_is_no_json_is_not_there(value: bytes) -> None:
    key = str(uuid4())
    write(key, value)
    assert cache.get(key) is None


@pytest.mark.parametrize("value", [17, True, "text", {"of": ["things", None, 1.5]}, memory.DeliveryMood.GONE])
def test_cache__keeps_what_json_can_say(value: object) -> None:
    key = str(uuid4())
    cache.set(key, value, 60)
    assert cache.get(key) == value


def test_cache__counts() -> None:
    key = str(uuid4())
    assert (cache.add(key, 0, 60), cache.incr(key), cache.incr(key), cache.get(key)) == (True, 1, 2, 2)
