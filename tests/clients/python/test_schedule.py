"""The schedule of contract 2.4, and what counts as no answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from quantum_wallet import (
    Credential,
    Exchange,
    InsufficientFunds,
    Money,
    NotAccepted,
    Refused,
    Settings,
    Unanswered,
    WalletClient,
    Withdrawal,
    errors,
)
from quantum_wallet.schedule import SETTLING, Schedule

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
YES = {
    "mmTransactionId": "w-1",
    "qwTransactionId": "q-1",
    "balance": {"amount": 85.00, "currencyCode": "XAG"},
}
TOKEN = "0fabcdc4-fe07-44f2-b968-93da3b324898"
Answers = list[httpx.Response | Exception]


def withdrawal(**other: Any) -> Withdrawal:
    return Withdrawal(token=TOKEN, amount=Money.of("15.00", "XAG"), id="w-1", since=NOW, **other)


class Platform:
    """Gives these answers, then always the last; `slept` is how long the client waited before each."""

    def __init__(self, answers: Answers, *, at: datetime = NOW, **settings: Any) -> None:
        self.answers, self.slept, self.asked = answers, list[float](), list[httpx.Request]()
        self.told: list[Exchange] = []
        self.client = WalletClient(
            "https://wallet.example/",
            Credential("game", "s3cr3t:of the game"),
            Settings(watch=self.told.append, **settings),
            transport=httpx.MockTransport(self.answer),
            sleep=self.slept.append,
            clock=lambda: at,
        )

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def refused(code: int, **members: Any) -> httpx.Response:
    return httpx.Response(200, json={"errorCode": code, "errorDescription": "why", **members})


def test_settle__is_repeated_for_48_hours_and_48_minutes() -> None:
    platform = Platform([httpx.ConnectError("no route")])
    with pytest.raises(Unanswered) as problem:
        platform.client.settle(withdrawal().confirming(at=NOW))
    assert platform.slept == [0, 5, 10, 20, 40, 120, 300, 600, 1800, *[3600] * 48]
    assert sum(platform.slept) == 48 * 3600 + 48 * 60 + 15
    assert problem.value.attempts == len(platform.asked) == 58
    assert len({request.content for request in platform.asked}) == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, json={"errorCode": 100, "errorDescription": "x"}),
        httpx.Response(502, text="<html>"),
        httpx.Response(429, text=""),
        refused(100),
        httpx.Response(200, text='{"mmTransactionId": "w-1", "qw'),
        httpx.Response(200, json={"mmTransactionId": "w-1"}),
        httpx.Response(200, json=YES | {"mmTransactionId": "another"}),
        httpx.Response(200, json=YES | {"balance": {"amount": "85.00", "currencyCode": "XAG"}}),
        httpx.Response(200, content=b'{"balance": {"amount": 1e99999999, "currencyCode": "XAG"}}'),
        httpx.ReadTimeout("late"),
        httpx.RemoteProtocolError("closed"),
        httpx.ReadError("reset"),
    ],
)
def test_settle__what_is_no_answer_is_asked_again(answer: httpx.Response | Exception) -> None:
    platform = Platform([answer, httpx.Response(200, json=YES)])
    assert platform.client.settle(withdrawal().confirming(at=NOW)).balance == Money.of("85.0", "XAG")
    assert platform.slept == [0]


@pytest.mark.parametrize(
    ("header", "slept"),
    [("7", [7]), ("0", [0]), ("soon", [0]), ("99999", [3600]), ("Mon, 30 Nov 2020 12:00:00 GMT", [0])],
)
def test_settle__waits_as_long_as_the_platform_asks(header: str, slept: list[float]) -> None:
    busy = httpx.Response(503, headers={"Retry-After": header})
    platform = Platform([busy, httpx.Response(200, json=YES)])
    platform.client.settle(withdrawal().confirming(at=NOW))
    assert platform.slept == slept


@pytest.mark.parametrize(
    ("hours", "left"),
    [(0, 57), (timedelta(seconds=59) / timedelta(hours=1), 57), (1, 48), (24.9, 24), (48.9, 0), (500, 0)],
)
def test_settle__goes_on_where_its_schedule_was(hours: float, left: int) -> None:
    platform = Platform([httpx.ConnectError("")], at=NOW + timedelta(hours=hours))
    one = withdrawal(step="confirm")
    with pytest.raises(Unanswered):
        platform.client.settle(one)
    assert len(platform.slept) == left


def test_open__is_not_repeated_for_long() -> None:
    platform = Platform([httpx.ConnectError("")])
    with pytest.raises(Unanswered):
        platform.client.open(withdrawal())
    assert platform.slept == [0, 5, 10]


@pytest.mark.parametrize(("code", "kind"), sorted(errors.REFUSALS.items()))
def test_refusal__is_typed_final_and_has_the_balance(code: int, kind: type[Refused]) -> None:
    platform = Platform([refused(code, balance=YES["balance"])])
    with pytest.raises(kind) as problem:
        platform.client.open(withdrawal())
    assert (type(problem.value), problem.value.code) == (kind, code)
    assert problem.value.balance == Money.of("85.0", "XAG")
    assert platform.slept == []


def test_refusal__code_that_is_new_is_a_refusal() -> None:
    with pytest.raises(Refused) as problem:
        Platform([refused(199)]).client.open(withdrawal())
    assert (problem.value.code, problem.value.balance) == (199, None)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 413, 302])
def test_other_status__is_no_answer_and_not_repeated(status: int) -> None:
    platform = Platform([httpx.Response(status, json={"errorCode": 100, "errorDescription": "why"})])
    with pytest.raises(NotAccepted, match=f"HTTP {status}: why"):
        platform.client.settle(withdrawal().confirming(at=NOW))
    assert platform.slept == []


def test_purchase__doubt_is_rolled_back() -> None:
    saved: list[str] = []
    platform = Platform([*[httpx.ConnectError("")] * 4, httpx.Response(200, json=YES)])
    with pytest.raises(Unanswered):
        platform.client.purchase(withdrawal(), pytest.fail, lambda one: saved.append(one.step))
    assert saved == ["open", "roll_back"]
    assert platform.asked[-1].url.path == "/wallet/rollbackWithdrawal"


def test_purchase__refused_opening_is_neither_handed_out_nor_rolled_back() -> None:
    platform = Platform([refused(104)])
    with pytest.raises(InsufficientFunds):
        platform.client.purchase(withdrawal(), pytest.fail, lambda one: None)
    assert [request.url.path for request in platform.asked] == ["/wallet/withdraw"]


def test_schedule__is_data() -> None:
    platform = Platform([httpx.ConnectError("")], settling=Schedule((1, 2)))
    with pytest.raises(Unanswered, match="no answer to 3 attempts, the last: ConnectError"):
        platform.client.settle(withdrawal().rolling_back(at=NOW))
    assert platform.slept == [1, 2]
    assert len(tuple(SETTLING)) == 57


def test_timeout__is_what_the_settings_say() -> None:
    platform = Platform([httpx.Response(200, json=YES)], answer_timeout=7.0, connect_timeout=3.0)
    platform.client.settle(withdrawal().confirming(at=NOW))
    wanted = {"connect": 3.0, "read": 7.0, "write": 7.0, "pool": 3.0}
    assert platform.asked[0].extensions["timeout"] == wanted


def secrets_in(text: str) -> list[str]:
    login: Callable[[], str] = lambda: Credential("game", "s3cr3t:of the game").header.removeprefix("Basic ")  # noqa: E731
    return [secret for secret in (TOKEN, "s3cr3t", login()) if secret in text]


def test_secrets__show_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    platform = Platform([httpx.ReadTimeout(TOKEN), refused(101)])
    one = withdrawal()
    with pytest.raises(Refused) as problem:
        platform.client.open(one)
    told = [repr(one), repr(problem.value), str(problem.value), repr(problem.value.__context__), caplog.text]
    told += [repr(Credential("game", "s3cr3t")), repr(platform.told), repr(vars(platform.client))]
    assert [secrets_in(text) for text in told] == [[]] * len(told)
    assert "withdraw w-1: ReadTimeout to attempt 1; again in 0 s" in caplog.text
    assert platform.told[0].answer == "no answer: ReadTimeout"
    assert '"token": "…"' in platform.told[1].request
