"""What the platform asks and tells: only what is genuine counts."""

import hashlib
import json
from base64 import b64encode
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from standardwebhooks import Webhook

from quantum_wallet import (
    Credential,
    Delivery,
    FinalState,
    Malformed,
    Money,
    NotGenuine,
    Untimely,
    Withdrawal,
    final_state,
    query_answer,
    verify_delivery,
    verify_query,
)
from quantum_wallet.deliveries import has_sign

SECRET, OLDER, FOREIGN = (
    "whsec_" + b64encode(word * 3).decode() for word in (b"newsecret", b"oldsecret", b"other's..")
)
NOW = 1_790_000_000
FIELDS = {
    "uid": "anna",
    "serverId": "10001",
    "cpOrderId": "o-1",
    "productId": "gold",
    "productPrice": "4.99",
    "extParams": "",
    "ts": "1790000000000",
}
PLATFORM = Credential("platform", "pass:word")


def told(
    sign_by: str = SECRET, secrets: tuple[str, ...] = (SECRET,), at: int = NOW, **other: Any
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a delivery."""
    fields = FIELDS | other
    names = ("cpOrderId", "serverId", "uid", "productPrice", "productId", "ts")
    text = "".join(FIELDS[name] for name in names) + sign_by
    raw = json.dumps(fields | {"sign": hashlib.md5(text.encode()).hexdigest().upper()}).encode()
    moment = datetime.fromtimestamp(at, UTC)
    signatures = " ".join(Webhook(secret).sign("d-1", moment, raw.decode()) for secret in secrets)
    return {"Webhook-Id": "d-1", "Webhook-Timestamp": str(at), "Webhook-Signature": signatures}, raw


def taken(message: tuple[dict[str, str], bytes], *secrets: str) -> Delivery:
    return verify_delivery(*message, secrets or (SECRET,), clock=lambda: NOW)


def test_delivery__genuine_is_read() -> None:
    wanted = Delivery("d-1", "anna", "10001", "o-1", "gold", Decimal("4.99"), "")
    assert taken(told()) == wanted
    assert taken(told(secrets=(FOREIGN, SECRET))) == wanted
    assert taken(told(sign_by=OLDER, secrets=(OLDER,)), SECRET, OLDER) == wanted
    assert taken(told(at=NOW - 300)) == taken(told(at=NOW + 300)) == wanted


def test_delivery__published_example_of_the_signature() -> None:
    example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330"}
    headers["webhook-signature"] = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    with pytest.raises(Malformed):  # it is genuine, and no delivery
        verify_delivery(headers, b'{"test": 2432232314}', [example], clock=lambda: 1614265330)


@pytest.mark.parametrize(
    "message",
    [
        told(secrets=(FOREIGN,)),
        told(sign_by=FOREIGN),
        told(at=NOW - 301),
        told(at=NOW + 301),
        told(productPrice="4.9", productId="9gold"),
        ({}, told()[1]),
        (told()[0] | {"Webhook-Id": "d-2"}, told()[1]),
        (told()[0] | {"Webhook-Signature": "v1,ü v1 v2,=="}, told()[1]),
        (told()[0] | {"Webhook-Timestamp": "²"}, told()[1]),
        (told()[0], told()[1] + b" "),
    ],
)
def test_delivery__forged_is_not_genuine(message: tuple[dict[str, str], bytes]) -> None:
    shifted = message[1].startswith(b'{"uid"') and b'"4.9"' in message[1]
    if shifted:  # its MD5 is right; only the webhook's signature tells
        message = (told()[0], message[1])
    with pytest.raises(NotGenuine):
        taken(message)


@pytest.mark.parametrize("at", [NOW - 301, NOW + 301])
def test_delivery__out_of_time_is_told_apart(at: int) -> None:
    with pytest.raises(Untimely):
        taken(told(at=at))


def test_delivery__without_a_secret_nothing_is_genuine() -> None:
    with pytest.raises(NotGenuine):
        verify_delivery(*told(), [], clock=lambda: NOW)


QUERY = b"""{"mmTransactionId": "w-1", "qwTransactionId": "q-1", "playerId": "anna", "type": "withdrawal",
  "amount": {"amount": 90071992547409.93, "currencyCode": "XAG"}}"""


def test_query__genuine_is_read_and_answered() -> None:
    query = verify_query({"authorization": PLATFORM.header}, QUERY, PLATFORM)
    assert (query.mm_transaction_id, query.player_id, query.type) == ("w-1", "anna", "withdrawal")
    assert query.amount == Money.of("90071992547409.93", "XAG")
    assert json.loads(query_answer(FinalState.PENDING)) == {"state": "PENDING"}
    answer = json.loads(query_answer(FinalState.CONFIRMED, query.qw_transaction_id))
    assert answer == {"state": "CONFIRMED", "qwTransactionId": "q-1"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"AUTHORIZATION": "Bearer ü"}])
def test_query__stranger_is_not_genuine(headers: dict[str, str]) -> None:
    with pytest.raises(NotGenuine):
        verify_query(headers, QUERY, PLATFORM)


def test_query__nonsense_is_malformed() -> None:
    body = b'{"mmTransactionId": "w", "qwTransactionId": "q", "playerId": "p", "type": "deposit"}'
    with pytest.raises(Malformed, match="amount is missing"):
        verify_query({"Authorization": PLATFORM.header}, body, PLATFORM)


def test_final_state__is_what_the_game_decided() -> None:
    one = Withdrawal(token="t", amount=Money.of(1, "XAG"))
    stored = [None, one, one.confirming(), one.rolling_back()]
    assert [final_state(each) for each in stored] == ["UNKNOWN", "PENDING", "CONFIRMED", "ROLLED_BACK"]


def test_sign__is_that_of_the_published_example() -> None:
    fields = {
        "cpOrderId": "c9c35cf409344312146fa7546a94d1a6",
        "serverId": "10001",
        "uid": "test",
        "productPrice": "4.99",
        "productId": "wm.spin.1",
        "ts": "1682319749000",
        "sign": "39E27178DE3254875D8470AB7A13D912",
    }
    assert has_sign(fields, "MKiLHWZvGPTq2258")
    assert not has_sign(fields | {"uid": "tset"}, "MKiLHWZvGPTq2258")
