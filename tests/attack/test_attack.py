"""The short form of `make attack`; its clients are in tests/config/test_web_worker.py and test_nginx.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from tests.attack import forwarded, http_shapes, outgoing
from tests.support.web_server import served


@pytest.fixture(scope="module")
def guarded(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log: Path = tmp_path_factory.mktemp("guarded") / "log"
    with served(log, DATABASE_URL=database_url, WEB_WORKERS="1", **forwarded.SETTINGS) as url:
        yield url


def test_attack__has_all_that_it_promises() -> None:
    counts = (len(http_shapes.SHAPES), len(forwarded.SHAPES), len(set(outgoing.URLS)))
    assert counts == (58, 31, 75)


@pytest.mark.parametrize("shape", http_shapes.SHAPES, ids=lambda shape: shape.name)
def test_request__is_answered_as_it_should_be(shape: http_shapes.Shape, server: str) -> None:
    assert http_shapes.statuses(server, shape) == (shape.statuses, shape.goes_on)


@pytest.mark.parametrize("shape", forwarded.SHAPES, ids=lambda shape: shape.name)
def test_forwarded__only_the_proxy_is_believed(shape: forwarded.Shape, guarded: str) -> None:
    assert forwarded.is_answered(guarded, shape) == shape.is_answered


@pytest.mark.parametrize("url", outgoing.URLS)
def test_outgoing__is_never_called(url: str, settings: Settings) -> None:
    settings.OUTGOING_ALLOWED_NETWORKS = []
    assert outgoing.outcome(url) in outgoing.REFUSED
