"""Each refusal leads to a page that says what it means, why it comes, and what to do."""

import re
from html import unescape
from typing import Any

import pytest

from lib.http.error_documents import DOCUMENTS, NO_ANSWER
from lib.http.errors import ErrorCode
from lib.http.openapi import FAILURES
from tests.support.admin_pages import get, operator, page, signed_in
from tests.support.callers import Caller, PlayerSession, unique
from wallet.models import ApiCall

STRANGER = Caller(None)


def shown(place: str) -> str:
    """The words of a page that is there."""
    answer = STRANGER.send("GET", place)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return unescape(answer.raw.decode())


def help_of(answer: Any) -> str:
    """Where a refusal's header leads."""
    found = re.fullmatch(r'<([^>]+)>; rel="help"', answer.headers["link"])
    assert found
    return found[1]


def test_documents__are_there_for_every_code_and_failure() -> None:
    assert set(DOCUMENTS) == {*ErrorCode, *FAILURES, 404, 405, NO_ANSWER}
    listed = re.findall(r'href="/api/docs/errors/(\d+)"', shown("/api/docs/errors/"))
    assert listed == [str(code) for code in DOCUMENTS]


@pytest.mark.parametrize("code", DOCUMENTS)
def test_document__says_why_and_what_to_do(code: int) -> None:
    text, document = shown(f"/api/docs/errors/{code}"), DOCUMENTS[code]
    for words in (document.meaning, *document.causes, document.remedy, document.repeating):
        assert words in text
    example = re.search(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    if code == NO_ANSWER:
        assert example is None
    else:
        assert example
        assert example[1].startswith(f"HTTP/1.1 {code if document.is_status else 200} ")
        if not document.is_status:
            assert f'"errorCode": {code},' in example[1]


@pytest.mark.parametrize("code", ["99", "112", "x", "104/"])
def test_document__of_another_code_is_not_there(code: str) -> None:
    assert STRANGER.send("GET", f"/api/docs/errors/{code}").status == 404


def test_refusal__leads_to_its_document(player_session: PlayerSession) -> None:
    refused = player_session.call("withdraw", unique("mm"), "100.01")
    assert (refused.error, help_of(refused)) == (104, "/api/docs/errors/104")
    assert "link" not in player_session.done("getBalance").headers


@pytest.mark.parametrize("status", [401, 400])
def test_wrong_credential__leads_to_its_document(settings: Any, status: int) -> None:
    settings.WALLET_UNAUTHORIZED_STATUS = status
    refused = Caller("Basic eDp5").post("/wallet/getBalance", {})
    assert (refused.status, help_of(refused)) == (status, "/api/docs/errors/401")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/wallet/getBalance", b"", 405),
        ("POST", "/wallet/getBalance/", b"{}", 404),
        ("POST", "/wallet/getBalance", b" " * (64 * 1024 + 1), 413),
    ],
)
def test_no_answer__leads_to_its_document(
    player_session: PlayerSession, method: str, path: str, body: bytes, status: int
) -> None:
    answer = player_session.caller.send(method, path, body)
    assert (answer.status, help_of(answer)) == (status, f"/api/docs/errors/{status}")


def test_api_call__leads_operators_to_its_document(player_session: PlayerSession) -> None:
    refused, taken = unique("mm"), player_session.opened("withdraw", "1.00")
    player_session.call("withdraw", refused, "100.01")
    reader = signed_in(operator("wallet.view_apicall"))
    pages = [get(reader, page(ApiCall, ApiCall.objects.get(mm_transaction_id=mm))) for mm in (refused, taken)]
    assert ['href="/api/docs/errors/104"' in text for text in pages] == [True, False]
