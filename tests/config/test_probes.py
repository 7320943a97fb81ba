"""Probes of load balancers are answered whatever their Host; no other page is (contract 5)."""

import pytest

from lib.clock import now
from tests.support.callers import Answer, Caller
from wallet.models import Pulse

PROBES = ("/healthz", "/readyz", "/healthz/workers")
# As load balancers and Kubernetes send it, as strangers do, and as nobody should.
HOSTS = (
    "10.42.8.201:8000",
    "[fd00::8]:8000",
    "elsewhere.example",
    "under_score",
    "a b",
    "",
    "h" * 300,
    "\u00e9",
)
OTHER_PAGES = (
    "/",
    "/admin/",
    "/admin/login/",
    "/api/docs/",
    "/api/schema/",
    "/checkout/0/",
    "/healthz/",
    "/healthz/workers/",
    "/metrics",
    "/nowhere",
    "/readyz/",
    "/static/no-such-file",
    "//healthz",
)


def ask(path: str, host: str, method: str = "GET") -> Answer:
    return Caller(None).send(method, path, headers={"Host": host})


@pytest.fixture
def queue_pulse() -> None:
    Pulse.objects.update_or_create(part=Pulse.Part.QUEUE, defaults={"at": now()})


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", PROBES)
def test_probes__are_answered_whatever_the_host(path: str, host: str, queue_pulse: None) -> None:
    answer = ask(path, host)
    assert (answer.status, answer.body["status"]) == (200, "ok")
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PROBES)
def test_probes__take_only_reads_whatever_the_host(path: str) -> None:
    assert ask(path, "10.42.8.201:8000", "POST").status == 405
    assert ask(path, "10.42.8.201:8000", "HEAD").status in (200, 503)


@pytest.mark.parametrize("path", OTHER_PAGES)
def test_probes__no_other_page_is_answered_to_a_strange_host(path: str) -> None:
    assert ask(path, "10.42.8.201:8000").status == 400


def test_probes__a_real_server_answers_them_by_address(server: str) -> None:
    caller = Caller(None, url=server)
    asked = {path: caller.send("GET", path, headers={"Host": "10.42.8.201:8000"}) for path in OTHER_PAGES}
    assert {path: answer.status for path, answer in asked.items()} == dict.fromkeys(OTHER_PAGES, 400)
    for path in ("/healthz", "/readyz"):
        answer = caller.send("GET", path, headers={"Host": "10.42.8.201:8000"})
        assert (answer.status, answer.body) == (200, {"status": "ok"})
