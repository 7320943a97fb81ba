"""Signatures of callbacks: the published examples, and everything that is nearly one (contract 4.2)."""

import json
from base64 import b64encode
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payments.providers.signatures import order_notify, standard_webhooks
from payments.providers.signatures.order_notify import Notification
from payments.providers.signatures.refused import Refused

# --- order-notify -------------------------------------------------------------------------------------

PUBLISHED = Notification(
    uid="test",
    serverId="10001",
    cpOrderId="c9c35cf409344312146fa7546a94d1a6",
    productId="wm.spin.1",
    productPrice="4.99",
    extParams="",
    ts="1682319749000",
    sign="39E27178DE3254875D8470AB7A13D912",
)
OTHER = "another secret"
FIELDS = {name: getattr(PUBLISHED, name) for name in order_notify.NAMES}


def test_order_notify__published_example_is_genuine() -> None:
    assert order_notify.sign(PUBLISHED, order_notify.PUBLISHED_SECRET) == "39E27178DE3254875D8470AB7A13D912"
    assert order_notify.is_genuine(PUBLISHED, [OTHER, order_notify.PUBLISHED_SECRET])
    assert not order_notify.is_genuine(PUBLISHED, [OTHER])
    assert not order_notify.is_genuine(PUBLISHED, [])


@pytest.mark.parametrize("name", order_notify.SIGNED)
def test_order_notify__changed_field_is_not_genuine(name: str) -> None:
    changed = replace(PUBLISHED, **{name: getattr(PUBLISHED, name) + "0"})
    assert not order_notify.is_genuine(changed, [order_notify.PUBLISHED_SECRET])


@pytest.mark.parametrize(
    "sign", ["", PUBLISHED.sign.lower(), PUBLISHED.sign[:-1], PUBLISHED.sign + " ", "\udc80", "0" * 32]
)
def test_order_notify__only_the_exact_signature_counts(sign: str) -> None:
    assert not order_notify.is_genuine(replace(PUBLISHED, sign=sign), [order_notify.PUBLISHED_SECRET])


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_order_notify__reads_json_with_string_fields(content_type: str) -> None:
    assert order_notify.read(json.dumps(FIELDS).encode(), content_type) == PUBLISHED


def test_order_notify__reads_a_form() -> None:
    assert order_notify.read(urlencode(FIELDS).encode(), "application/x-www-form-urlencoded") == PUBLISHED


@pytest.mark.parametrize("written", ["4.99", "4.990", "499e-2", "4.99E0", "0004"])
def test_order_notify__signs_numbers_as_written(written: str) -> None:
    body = (
        json.dumps({**FIELDS, "productPrice": "PRICE", "serverId": "SERVER"})
        .replace('"PRICE"', written)
        .replace('"SERVER"', "10001")
    )
    if written == "0004":
        with pytest.raises(Refused):
            order_notify.read(body.encode(), "application/json")
    else:
        read = order_notify.read(body.encode(), "application/json")
        assert (read.productPrice, read.serverId) == (written, "10001")
        assert order_notify.is_genuine(read, [order_notify.PUBLISHED_SECRET]) == (written == "4.99")


MALFORMED = {
    "nothing": (b"", "application/json"),
    "no json": (b"{", "application/json"),
    "a list": (b"[]", "application/json"),
    "no utf-8": (b'{"uid": "\xff"}', "application/json"),
    "nan": (json.dumps({**FIELDS, "ts": "NAN"}).replace('"NAN"', "NaN").encode(), "application/json"),
    "deep": (b'{"uid": ' + b"[" * 30_000, "application/json"),
    "another type": (json.dumps(FIELDS).encode(), "text/plain"),
    "no type": (json.dumps(FIELDS).encode(), ""),
    "a field twice": (json.dumps(FIELDS).encode()[:-1] + b', "uid": "test"}', "application/json"),
    "a form field twice": (urlencode(FIELDS).encode() + b"&uid=test", "application/x-www-form-urlencoded"),
    "a form not in utf-8": (urlencode(FIELDS).encode() + b"&x=%ff", "application/x-www-form-urlencoded"),
    "raw bytes in a form": (urlencode(FIELDS).encode() + b"&x=\xc3\xa4", "application/x-www-form-urlencoded"),
    "too many fields": (urlencode(FIELDS).encode() + b"&x=1" * 200, "application/x-www-form-urlencoded"),
    "a truth value": (json.dumps({**FIELDS, "uid": True}).encode(), "application/json"),
    "null": (json.dumps({**FIELDS, "uid": None}).encode(), "application/json"),
    "an object": (json.dumps({**FIELDS, "uid": {}}).encode(), "application/json"),
    "too long": (json.dumps({**FIELDS, "extParams": "x" * 1025}).encode(), "application/json"),
    **{
        f"without {name}": (
            json.dumps({key: value for key, value in FIELDS.items() if key != name}).encode(),
            "application/json",
        )
        for name in FIELDS
        if name != "extParams"
    },
}


@pytest.mark.parametrize("name", MALFORMED)
def test_order_notify__refuses_a_malformed_notification(name: str) -> None:
    with pytest.raises(Refused):
        order_notify.read(*MALFORMED[name])


def test_order_notify__shifted_fields_have_the_same_signature() -> None:
    shifted = replace(PUBLISHED, productPrice="4.9", productId="9wm.spin.1")
    assert order_notify.is_genuine(shifted, [order_notify.PUBLISHED_SECRET])


# --- Standard Webhooks --------------------------------------------------------------------------------

ID, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": ID, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
SECRET = standard_webhooks.PUBLISHED_SECRET
OTHER_SECRET = "whsec_" + b64encode(b"x" * 24).decode()


def check(
    headers: dict[str, str], body: bytes = BODY, secrets: list[str] | None = None, now: int = AT
) -> None:
    standard_webhooks.verify(
        standard_webhooks.read(headers), body, [SECRET] if secrets is None else secrets, now
    )


def test_webhook__published_example_is_genuine() -> None:
    assert standard_webhooks.sign(ID, AT, BODY, SECRET) == SIGNATURE
    check(HEADERS)
    check(HEADERS, secrets=[OTHER_SECRET, SECRET])
    check(HEADERS | {"webhook-signature": f"v1a,xx v1,AAAA {SIGNATURE} v1,!!!"})


@pytest.mark.parametrize("off", [-300, 300])
def test_webhook__tolerates_five_minutes(off: int) -> None:
    check(HEADERS, now=AT + off)


@pytest.mark.parametrize("off", [-301, 301])
def test_webhook__refuses_a_second_over_five_minutes(off: int) -> None:
    with pytest.raises(Refused, match="too old"):
        check(HEADERS, now=AT + off)


CHANGED: dict[str, tuple[dict[str, str], bytes]] = {
    "another body": (HEADERS, BODY + b" "),
    "another id": (HEADERS | {"webhook-id": ID + "x"}, BODY),
    "another time": (HEADERS | {"webhook-timestamp": str(AT + 1)}, BODY),
    "no id": ({key: value for key, value in HEADERS.items() if key != "webhook-id"}, BODY),
    "no time": ({key: value for key, value in HEADERS.items() if key != "webhook-timestamp"}, BODY),
    "no signature": ({key: value for key, value in HEADERS.items() if key != "webhook-signature"}, BODY),
    "an id with a full stop": (HEADERS | {"webhook-id": "msg.1"}, BODY),
    "an id with a space": (HEADERS | {"webhook-id": "msg 1"}, BODY),
    "an id that is too long": (HEADERS | {"webhook-id": "x" * 256}, BODY),
    "a time that is none": (HEADERS | {"webhook-timestamp": "now"}, BODY),
    "a leading zero": (HEADERS | {"webhook-timestamp": f"0{AT}"}, BODY),
    "other digits": (HEADERS | {"webhook-timestamp": "\u0661\u0662"}, BODY),
    "a fraction": (HEADERS | {"webhook-timestamp": f"{AT}.0"}, BODY),
    "another version": (HEADERS | {"webhook-signature": SIGNATURE.replace("v1", "v2")}, BODY),
    "no version": (HEADERS | {"webhook-signature": SIGNATURE[3:]}, BODY),
    "cut off": (HEADERS | {"webhook-signature": SIGNATURE[:-5]}, BODY),
    "not ascii": (HEADERS | {"webhook-signature": "v1,\u00e4"}, BODY),
    "the eleventh": (HEADERS | {"webhook-signature": "v1,AAAA " * 10 + SIGNATURE}, BODY),
}


@pytest.mark.parametrize("name", CHANGED)
def test_webhook__refuses_anything_changed(name: str) -> None:
    headers, body = CHANGED[name]
    with pytest.raises(Refused):
        check(headers, body)


def test_webhook__nothing_is_genuine_without_a_live_secret() -> None:
    for secrets in ([], [OTHER_SECRET]):
        with pytest.raises(Refused):
            check(HEADERS, secrets=secrets)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_!!!!",
        SECRET[6:],
        "whsec_" + b64encode(b"x" * 23).decode(),
        "whsec_" + b64encode(b"x" * 65).decode(),
    ],
)
def test_webhook_secret__must_be_well_formed(secret: str) -> None:
    with pytest.raises(ValueError, match=r"secret|base64"):
        standard_webhooks.key_of(secret)


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from(list(HEADERS)), st.text(max_size=80)), st.binary(max_size=40))
def test_webhook__no_headers_crash_it(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(Refused):
        check(headers, body)


@given(st.binary(max_size=80), st.sampled_from(["application/json", "application/x-www-form-urlencoded"]))
def test_webhook__no_body_crashes_it(body: bytes, content_type: str) -> None:
    with pytest.raises(Refused):
        order_notify.read(body, content_type)
