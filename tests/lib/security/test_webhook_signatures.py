"""Standard Webhooks 1.0: the specification's own example."""

from lib.security import webhook_signatures

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_headers__are_those_of_the_published_example() -> None:
    id, at, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert webhook_signatures.headers(id, at, body, [SECRET, SECRET]) == {
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"{signature} {signature}",
    }
