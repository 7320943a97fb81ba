"""What is said to calls that would wait too long, and which calls are urgent (config.overload)."""

import logging
from typing import Any

import pytest

from config import overload
from config.overload import REFUSALS, refuse_call, tell_waiting, urgency_of
from config.web_admission import Urgency
from lib.http.metrics import REGISTRY
from payments.providers.registry import PROVIDERS
from players.access.credentials import CREDENTIALS
from tests.payments.conftest import shop_setup as shop_setup
from tests.support.callers import Callers, fresh_address, make_party
from tests.support.shop import ShopSetup
from wallet.api.urls import wallet

OPENS, READS, SETTLES = Urgency.OPENING, Urgency.READING, Urgency.SETTLING
# Of each call, whether it opens, reads or settles: who adds one decides.
URGENCIES = {
    "verifySession": READS,
    "getBalance": READS,
    "withdraw": OPENS,
    "confirmWithdrawal": SETTLES,
    "rollbackWithdrawal": SETTLES,
    "deposit": OPENS,
    "confirmDeposit": SETTLES,
    "rollbackDeposit": SETTLES,
    "queryTransaction": READS,
}


def test_urgency__of_each_wallet_call() -> None:
    assert {str(path.pattern): urgency_of(f"/wallet/{path.pattern}") for path in wallet} == URGENCIES


@pytest.mark.parametrize(
    ("path", "urgency"),
    [
        ("/payments/initiate", OPENS),
        ("/entry/launch", OPENS),
        ("/payments/query", READS),
        ("/entry/players/mira", READS),
        ("/wallet/withdraw/", READS),
        ("/pay/stripe", SETTLES),
        ("/healthz", SETTLES),
        ("/readyz", SETTLES),
        ("/metrics", Urgency.PAGE),
        ("/admin/", Urgency.PAGE),
        ("/", Urgency.PAGE),
    ],
)
def test_urgency__of_other_paths(path: str, urgency: Urgency) -> None:
    assert urgency_of(path) is urgency


def refused(path: str, address: str, authorization: str = "") -> tuple[str, dict[str, str], bytes]:
    said: list[Any] = []
    environ = {"PATH_INFO": path, "REMOTE_ADDR": address, "HTTP_AUTHORIZATION": authorization}
    body = b"".join(refuse_call(environ, lambda *words: said.extend(words)))
    return said[0], dict(said[1]), body


def shed(urgency: str) -> float:
    return REGISTRY.get_sample_value("wallet_shed_calls_total", {"urgency": urgency}) or 0.0


def test_refusal__is_that_of_what_cannot_be_had_now(callers: Callers) -> None:
    CREDENTIALS.find("nobody")
    before = shed("opening"), shed("settling")
    status, headers, body = refused("/wallet/withdraw", fresh_address())
    assert status == "503 Service Unavailable"
    assert (headers["Retry-After"], headers["Content-Type"]) == ("5", "application/json")
    assert headers["Content-Length"] == str(len(body))
    assert body == b'{"errorCode":100,"errorDescription":"An unexpected internal error occurred."}'
    assert (shed("opening"), shed("settling")) == (before[0] + 1, before[1])


def test_refusal__an_address_that_is_not_allowed_gets_no_byte(callers: Callers, settings: Any) -> None:
    CREDENTIALS.find("nobody")
    settings.API_ALLOWED_NETWORKS = ["10.1.0.0/16"]
    before = shed("opening")
    with pytest.raises(ConnectionResetError):
        refused("/wallet/withdraw", "10.2.0.1")
    assert shed("opening") == before
    assert refused("/wallet/withdraw", "10.1.0.1")[0].startswith("503")
    # A provider is on a list of its own.
    assert PROVIDERS.all() is not None
    assert refused("/pay/nobody", "10.2.0.1")[0].startswith("503")


def test_refusal__nor_one_that_is_not_on_the_credentials_list(callers: Callers) -> None:
    party = make_party(("10.1.0.0/16",))
    CREDENTIALS.forget()
    CREDENTIALS.find(party.credential.username)
    authorization = party.caller.authorization or ""
    with pytest.raises(ConnectionResetError):
        refused("/wallet/withdraw", "10.2.0.1", authorization)
    assert refused("/wallet/withdraw", "10.1.0.1", authorization)[0].startswith("503")


def test_refusal__nor_one_that_is_not_on_the_providers_list(shop_setup: ShopSetup) -> None:
    provider = shop_setup.webhooks.provider
    type(provider).objects.filter(pk=provider.pk).update(allowed_networks=["10.1.0.0/16"])
    PROVIDERS.forget()
    PROVIDERS.all()
    with pytest.raises(ConnectionResetError):
        refused(f"/pay/{provider.slug}", "10.2.0.1")
    assert refused(f"/pay/{provider.slug}", "10.1.0.1")[0].startswith("503")


def test_refusal__nobody_is_answered_before_the_lists_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CREDENTIALS, "snapshot", None)
    monkeypatch.setattr(PROVIDERS, "by_slug", None)
    for path in ("/wallet/withdraw", "/pay/stripe"):
        with pytest.raises(ConnectionResetError):
            refused(path, fresh_address())


def test_waiting__is_told_by_urgency_and_refusals_now_and_then(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(REFUSALS, "count", 0)
    monkeypatch.setattr(REFUSALS, "told_at", 0.0)
    with caplog.at_level(logging.WARNING):
        tell_waiting([1, 2, 3, 4])
        assert not caplog.records
        REFUSALS.count = 7
        tell_waiting([0, 0, 0, 0])
        REFUSALS.count = 8
        # Within ten seconds: later.
        tell_waiting([1, 2, 3, 4])
    assert [record.getMessage() for record in caplog.records] == [
        "overloaded: 7 calls were refused that would have waited too long"
    ]
    for urgency, count in zip(("settling", "reading", "page", "opening"), (1, 2, 3, 4), strict=True):
        assert REGISTRY.get_sample_value("wallet_waiting_requests", {"urgency": urgency}) == count
    assert overload.REFUSALS.count == 8
