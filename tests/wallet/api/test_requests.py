"""How a request is read: JSON, content types, texts, ids (contract 1, Reading a request)."""

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.support.callers import Answer, Caller, PlayerSession, unique
from wallet.models import Transaction

LIMIT = 64 * 1024


def withdrawal(player_session: PlayerSession, mm: str, amount: str = "5.00", more: str = "") -> str:
    return (
        f'{{"token": "{player_session.token}", "mmTransactionId": "{mm}", "amount": {{"amount": {amount}, '
        f'"currencyCode": "XAG"}}{more}}}'
    )


def refused_as_malformed(answer: Answer, player_session: PlayerSession) -> bool:
    """Status 200, code 101, and nothing moved."""
    body = answer.body
    assert set(body) == {"errorCode", "errorDescription"}
    assert body["errorDescription"]
    assert player_session.holding()[:2] == (100_00, 0)
    return (answer.status, answer.error) == (200, 101)


# --- Bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"}",
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"1",
        b'"x"',
        b"\xff\xfe",
        b'{"token": "\xc3"}',
        b"{'token': 1}",
        b'{"token": 1,}',
        b'{"token": 1} {}',
        b"\xef\xbb\xbf{}",
        b'{"token": "\x00"}',
        '{"token": "x"}'.encode("utf-16"),
        b"[" * 65_000,
        b'{"a":' * 13_000,
        b"[" * 32_000 + b"]" * 32_000,
        b'{"token": ' + b"9" * 60_000 + b"}",
        b'{"token": 1e' + b"9" * 60_000 + b"}",
    ],
    ids=lambda body: repr(body[:16]),
)
@pytest.mark.parametrize("endpoint", ["withdraw", "getBalance", "queryTransaction"])
def test_request__no_json_object_of_right_form_is_malformed(
    player_session: PlayerSession, body: bytes, endpoint: str
) -> None:
    assert refused_as_malformed(player_session.caller.post(f"/wallet/{endpoint}", body), player_session)


def test_request__with_a_byte_order_mark_is_malformed(player_session: PlayerSession) -> None:
    body = withdrawal(player_session, unique("mm")).encode()
    assert refused_as_malformed(
        player_session.caller.post("/wallet/withdraw", b"\xef\xbb\xbf" + body), player_session
    )
    assert player_session.caller.post("/wallet/withdraw", body).error is None


@pytest.mark.parametrize("name", ["token", "mmTransactionId", "amount"])
@pytest.mark.parametrize("value", ["null", "5", "true", "[]", "{}", '""', '"\\ud800"', '"\\u0000"', "absent"])
def test_request__required_field_absent_or_wrong_is_malformed(
    player_session: PlayerSession, name: str, value: str
) -> None:
    fields = {
        "token": f'"{player_session.token}"',
        "mmTransactionId": f'"{unique("mm")}"',
        "amount": '{"amount": 5.00, "currencyCode": "XAG"}',
    }
    fields[name] = value
    body = "{" + ", ".join(f'"{field}": {text}' for field, text in fields.items() if text != "absent") + "}"
    assert refused_as_malformed(player_session.caller.post("/wallet/withdraw", body), player_session)


@pytest.mark.parametrize("deep", ['{"a": ' * 900 + "1" + "}" * 900, "[" * 900 + "]" * 900])
def test_request__tolerates_unknown_fields_however_deep(player_session: PlayerSession, deep: str) -> None:
    assert (
        player_session.caller.post(
            "/wallet/withdraw", withdrawal(player_session, unique("mm"), more=f', "unknown": {deep}')
        ).balance
        == "95.00"
    )


@pytest.mark.parametrize("depth", [10_000, 30_000])
def test_request__nested_beyond_all_measure_is_answered(player_session: PlayerSession, depth: int) -> None:
    body = withdrawal(player_session, unique("mm"), more=f', "unknown": {"[" * depth}{"]" * depth}')
    assert refused_as_malformed(player_session.caller.post("/wallet/withdraw", body), player_session)


def test_request__last_of_duplicate_keys_counts(player_session: PlayerSession) -> None:
    mm, other = unique("mm"), unique("mm")
    body = withdrawal(
        player_session,
        other,
        "1.00",
        more=f', "mmTransactionId": "{mm}", "amount": {{"amount": 9.00, "amount": 7.00, "currencyCode": '
        f'"XAG"}}',
    )
    assert player_session.caller.post("/wallet/withdraw", body).balance == "93.00"
    assert player_session.transaction(mm).amount == 7_00
    assert not Transaction.objects.filter(mm_transaction_id=other).exists()


def test_request__null_means_absent(player_session: PlayerSession) -> None:
    mm = unique("mm")
    player_session.caller.post(
        "/wallet/withdraw", withdrawal(player_session, mm, more=', "txDescription": null')
    )
    assert player_session.transaction(mm).description == ""
    answer = player_session.caller.post(
        "/wallet/confirmWithdrawal", {"token": player_session.token, "mmTransactionId": mm, "amount": None}
    )
    assert (answer.error, answer.balance) == (None, "95.00")


def test_request__duplicate_key_of_null_makes_the_field_absent(player_session: PlayerSession) -> None:
    assert refused_as_malformed(
        player_session.caller.post(
            "/wallet/withdraw", withdrawal(player_session, unique("mm"), more=', "amount": null')
        ),
        player_session,
    )


# --- Content types and lengths ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/json;",
    ],
)
def test_request__json_in_utf_8_is_read(player_session: PlayerSession, content_type: str) -> None:
    answer = player_session.caller.send(
        "POST",
        "/wallet/getBalance",
        json.dumps({"token": player_session.token}).encode(),
        {"Content-Type": content_type},
    )
    assert (answer.status, answer.balance) == (200, "100.00")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "text/json", "application/xml", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x",
     "application/json; charset=latin-1", "application/jsonp", "application/problem+json",
     "application/json, text/plain"],
)  # fmt: skip
def test_request__of_another_content_type_is_malformed(
    player_session: PlayerSession, content_type: str
) -> None:
    answer = player_session.caller.send(
        "POST",
        "/wallet/withdraw",
        withdrawal(player_session, unique("mm")).encode(),
        {"Content-Type": content_type},
    )
    assert refused_as_malformed(answer, player_session)


def test_request__body_of_64_kib_is_read_one_byte_more_gets_413(player_session: PlayerSession) -> None:
    body = f'{{"token": "{player_session.token}", "padding": "'
    exactly = body + "x" * (LIMIT - len(body) - 2) + '"}'
    assert len(exactly) == LIMIT
    assert player_session.caller.post("/wallet/getBalance", exactly).balance == "100.00"
    answer = player_session.caller.post("/wallet/getBalance", exactly + " ")
    assert (answer.status, answer.error) == (413, 101)


def test_request__methods_but_post_get_405_with_the_allowed_one(player_session: PlayerSession) -> None:
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = player_session.caller.send(
            method, "/wallet/withdraw", withdrawal(player_session, unique("mm")).encode()
        )
        assert (method, answer.status, answer.headers["allow"]) == (method, 405, "POST")
    assert player_session.holding()[:2] == (100_00, 0)


@pytest.mark.parametrize(
    "path",
    ["/wallet/", "/wallet/nothing", "/wallet/withdraw/", "/wallet/Withdraw", "/entry/", "/entry/nothing"],
)
def test_request__unknown_path_gets_404_in_json(house_callers: tuple[Caller, Caller], path: str) -> None:
    game, front = house_callers
    answer = (front if path.startswith("/entry") else game).post(path, {})
    assert (answer.status, answer.error, answer.headers["content-type"]) == (404, 101, "application/json")


@pytest.fixture
def house_callers(callers: Any) -> tuple[Caller, Caller]:
    return callers.game.caller, callers.front


def test_request__answer_is_json_whatever_the_caller_accepts(player_session: PlayerSession) -> None:
    for accepted in ("text/html", "application/xml", "image/png;q=0", "nonsense"):
        answer = player_session.caller.send(
            "POST",
            "/wallet/getBalance",
            json.dumps({"token": player_session.token}).encode(),
            {"Accept": accepted},
        )
        assert (answer.status, answer.headers["content-type"], answer.balance) == (
            200,
            "application/json",
            "100.00",
        )


# --- Ids and tokens ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mm",
    [
        "",
        " ",
        "a b",
        "x" * 65,
        "tab\there",
        "new\nline",
        "end\n",
        "nul\x00",
        "ü",
        "☃",
        "\ud800",
        "\x7f",
        "\u202e",
    ],
)
@pytest.mark.parametrize(
    "endpoint", ["withdraw", "confirmWithdrawal", "rollbackWithdrawal", "queryTransaction"]
)
def test_transaction_id__is_1_to_64_printable_ascii_no_spaces(
    player_session: PlayerSession, mm: str, endpoint: str
) -> None:
    extra = {"type": "withdrawal"} if endpoint == "queryTransaction" else {}
    assert refused_as_malformed(player_session.call(endpoint, mm, "5.00", **extra), player_session)


def test_transaction_id__takes_every_printable_ascii_character(player_session: PlayerSession) -> None:
    everything = "".join(map(chr, range(0x21, 0x7F)))
    for mm in (everything[:64], everything[30:], "!", "\"';--<b>\\", "%s{}%(a)s"):
        assert player_session.done("withdraw", mm, "1.00").body["mmTransactionId"] == mm
        assert player_session.transaction(mm).amount == 1_00


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "not-a-uuid",
        "0fabcdc4fe0744f2b96893da3b324898",
        "{0fabcdc4-fe07-44f2-b968-93da3b324898}",
        "urn:uuid:x",
        "é" * 36,
    ],
)
def test_token__that_is_no_uuid_is_malformed(player_session: PlayerSession, token: str) -> None:
    for endpoint in ("getBalance", "verifySession"):
        assert refused_as_malformed(
            player_session.caller.post(f"/wallet/{endpoint}", {"token": token}), player_session
        )


def test_token__in_capital_letters_is_the_same_token(player_session: PlayerSession) -> None:
    assert (
        player_session.caller.post("/wallet/getBalance", {"token": player_session.token.upper()}).balance
        == "100.00"
    )


@pytest.mark.parametrize("type", ["loan", "", "Withdrawal", "withdrawal ", "withdrawal\n"])
def test_query__names_a_withdrawal_or_a_deposit(player_session: PlayerSession, type: str) -> None:
    assert refused_as_malformed(
        player_session.call("queryTransaction", unique("mm"), type=type), player_session
    )


@pytest.mark.parametrize(
    "code",
    [
        "",
        "xag",
        "QQQ",
        "XAGXAGXAGXAGX",
        "X" * 5000,
        "\u0000",
        "X\u0000G",
        "\ud800",
        "é",
        "☃",
        "X G",
        "%",
        "'",
    ],
)
@pytest.mark.parametrize("endpoint", ["withdraw", "deposit", "confirmWithdrawal"])
def test_currency__whatever_stands_for_it_is_answered(
    player_session: PlayerSession, code: str, endpoint: str
) -> None:
    answer = player_session.caller.post(
        f"/wallet/{endpoint}",
        {
            "token": player_session.token,
            "mmTransactionId": unique("mm"),
            "amount": {"amount": 1, "currencyCode": code},
        },
    )
    assert answer.status == 200, answer.raw
    assert answer.error in {101, 105, 106}
    assert player_session.holding()[:3] == (100_00, 0, 0)


# --- Texts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('"Test Shopping."', "Test Shopping."),
        (f'"{"x" * 5000}"', "x" * 255),
        (f'"{"☃" * 300}"', "☃" * 255),
        ('"nul\\u0000 tab\\t line\\n bell\\u0007 c1\\u0085"', "nul tab line bell c1"),
        ('"\\u202eevil\\u2066 \\u200emark\\u061c"', "evil mark"),
        ('"half \\ud800 of a character"', "half  of a character"),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"Grüße, Ζωή, 日本"', "Grüße, Ζωή, 日本"),
        ('""', ""),
        ("5", ""),
        ("1e999999999", ""),
        ("true", ""),
        ("null", ""),
        ('["x"]', ""),
        ('{"x": "\\ud800"}', ""),
    ],
    ids=lambda text: text[:24],
)
def test_optional_text__is_cleaned_and_never_causes_a_refusal(
    player_session: PlayerSession, text: str, kept: str
) -> None:
    mm, buried = unique("mm"), unique("mm")
    assert (
        player_session.caller.post(
            "/wallet/withdraw", withdrawal(player_session, mm, "1.00", more=f', "txDescription": {text}')
        ).error
        is None
    )
    for id in (mm, buried):
        answer = player_session.caller.post(
            "/wallet/rollbackWithdrawal",
            f'{{"token": "{player_session.token}", "mmTransactionId": "{id}", "rollbackReason": {text}}}',
        )
        assert (answer.status, answer.error) == (200, None)
    assert (
        player_session.transaction(mm).description,
        player_session.transaction(mm).reason,
        player_session.transaction(buried).reason,
    ) == (kept, kept, kept)
    assert player_session.holding()[:2] == (100_00, 0)


def test_confirm__without_an_amount_takes_the_whole_amount(player_session: PlayerSession) -> None:
    mm = player_session.opened("withdraw", "40.00")
    assert player_session.done("confirmWithdrawal", mm).body["balance"] == {
        "amount": Decimal("60.00"),
        "currencyCode": "XAG",
    }
    assert player_session.holding()[:2] == (60_00, 0)
