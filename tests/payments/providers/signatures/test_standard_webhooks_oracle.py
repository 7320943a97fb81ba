"""The package `standardwebhooks` and we agree about every message, wherever it does not crash.

What differs on purpose: it goes by this machine's clock, and we by the database's; it takes ids, times and
spellings of base64 that we do not (`is_stricter`); it looks at any number of signatures, and we at ten;
malformed headers make it crash (`binascii.Error`, `ValueError`, `UnicodeDecodeError`), where we refuse.
Nothing that it refuses counts with us.
"""

import random
import time
from base64 import b64encode

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from payments.providers.signatures import standard_webhooks
from payments.providers.signatures.refused import Refused
from tests.payments.fuzz.calls import Call, sign_webhook
from tests.payments.fuzz.mutations import mutated
from tests.support.callers import unique

SEED = random.SystemRandom().randrange(10**6)
COUNT = 10_000
MALFORMED = (ValueError, UnicodeError, TypeError)


def ours(call: Call, secrets: list[str], at: int) -> bool:
    try:
        standard_webhooks.verify(standard_webhooks.read(call.headers), call.body, secrets, at)
    except Refused:
        return False
    return True


def theirs(call: Call, secret: str) -> bool | None:
    """What the package says; None where it crashes."""
    try:
        Webhook(secret).verify(call.body, call.headers, json_parse=False)
    except WebhookVerificationError:
        return False
    except MALFORMED:
        return None
    return True


def new_secret(dice: random.Random) -> str:
    return "whsec_" + b64encode(dice.randbytes(dice.randrange(24, 65))).decode()


def new_call(dice: random.Random, secret: str, at: int) -> Call:
    body = dice.choice(
        ("{}", '{"test": 2432232314}', "", "\u00e4\u20ac", '{"a": "\\u0000"}', "x" * dice.randrange(5000))
    ).encode()
    return sign_webhook(
        Call({"webhook-id": unique("msg"), "content-type": "application/json"}, body), secret, at
    )


def test_webhook__we_and_package_verify_each_others_signatures() -> None:
    dice = random.Random(SEED)
    for _ in range(500):
        at, secret = int(time.time()), new_secret(dice)
        call = new_call(dice, secret, at)
        headers = call.headers | {
            "webhook-signature": standard_webhooks.sign(call.headers["webhook-id"], at, call.body, secret)
        }
        assert headers == call.headers
        assert theirs(call, secret) is True
        assert ours(call, [new_secret(dice), secret], at)


@pytest.mark.slow
def test_webhook__10000_mutations_get_same_verdict_as_package() -> None:
    dice, verdicts = random.Random(SEED), {True: 0, False: 0, None: 0}
    at, secret = int(time.time()), new_secret(dice)
    genuine = [new_call(dice, secret, at - age) for age in (0, 100, 200, 290, 310)]
    for _ in range(COUNT):
        call = mutated(dice, dice.choice(genuine), dice.choice(genuine))
        said = theirs(call, secret)
        verdicts[said] += 1
        if said is None:
            assert_better_than_a_crash(call, secret, at, genuine)
        elif ours(call, [secret], at) != said:
            assert (said, is_stricter(call, secret)) == (True, True), f"seed {SEED}: they say {said}: {call}"
    # The test has seen all kinds.
    assert min(verdicts.values()) > 100, verdicts


def assert_better_than_a_crash(call: Call, secret: str, at: int, genuine: list[Call]) -> None:
    """Where it crashes we answer; and what we accept is what was signed.

    Beside a malformed signature, or of bytes that are no text.
    """
    if ours(call, [secret], at):
        right = [
            one
            for one in genuine
            if (one.body, *[one.headers[name] for name in ("webhook-id", "webhook-timestamp")])
            == said_by(call)
        ]
        assert len(right) == 1, f"seed {SEED}: {call}"
        assert any(
            right[0].headers["webhook-signature"][:-2] in word
            for word in call.headers["webhook-signature"].split(" ")
        ), f"seed {SEED}: {call}"


def said_by(call: Call) -> tuple[bytes, str, str]:
    return call.body, call.headers["webhook-id"], call.headers["webhook-timestamp"]


def is_stricter(call: Call, secret: str) -> bool:
    """Whether it is one of the things that the package lets pass and we do not."""
    id, at = call.headers["webhook-id"], call.headers["webhook-timestamp"]
    # An id that the specification forbids, since it could move what is signed.
    if len(id) > 255 or not (id.isascii() and id.isprintable()) or "." in id or " " in id:
        return True
    # A time in another spelling than the one that was signed: the package rebuilds it from a float.
    if not (at.isascii() and at.isdigit()) or str(int(at)) != at:
        return True
    # Letters or padding that are no base64, which Python's default leaves out; or the eleventh signature.
    right = sign_webhook(call, secret, int(at)).headers["webhook-signature"]
    return right not in call.headers["webhook-signature"].split(" ")[:10]


@pytest.mark.parametrize("time_said", ["{}.0", " {}", "{}e0"])
def test_webhook__refuses_respelled_times_that_package_accepts(time_said: str) -> None:
    dice, at = random.Random(SEED), int(time.time())
    secret = new_secret(dice)
    call = new_call(dice, secret, at)
    respelt = Call(call.headers | {"webhook-timestamp": time_said.format(at)}, call.body)
    assert (theirs(respelt, secret), ours(respelt, [secret], at)) == (True, False)


@pytest.mark.parametrize("signature", ["v1", "v1,a,b", "nonsense", "v1,A"])
def test_webhook__refuses_bad_signature_that_crashes_the_package(signature: str) -> None:
    dice, at = random.Random(SEED), int(time.time())
    secret = new_secret(dice)
    call = new_call(dice, secret, at)
    malformed = Call(call.headers | {"webhook-signature": signature}, call.body)
    assert (theirs(malformed, secret), ours(malformed, [secret], at)) == (None, False)
    # Beside a right one it does not matter to us.
    both = Call(
        call.headers | {"webhook-signature": f"{signature} {call.headers['webhook-signature']}"}, call.body
    )
    assert (theirs(both, secret), ours(both, [secret], at)) == (None, True)
