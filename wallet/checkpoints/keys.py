"""The keys of `CHECKPOINT_KEY`: the first one signs checkpoints, and the signatures of all of them count."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from wallet.proof.header import Unusable, decoded_key, public_bytes

HOW = (
    "Set CHECKPOINT_KEY in the environment or in .env to 32 random bytes in base64, for example to the "
    "output of: "
    "python -c 'import base64, secrets; print(base64.b64encode(secrets.token_bytes(32)).decode())'"
)


def signing_key() -> Ed25519PrivateKey:
    """The key that signs. Raises `ImproperlyConfigured` with a sentence that says what to set."""
    keys = configured_keys()
    if not keys:
        raise ImproperlyConfigured(f"Checkpoints cannot be signed: CHECKPOINT_KEY is missing. {HOW}")
    return keys[0]


def trusted_keys() -> list[bytes]:
    """The public keys whose checkpoints are ours; none where no key is set."""
    return [public_bytes(key) for key in configured_keys()]


def configured_keys() -> list[Ed25519PrivateKey]:
    """The keys, the newest first.

    After a rotation the old one stays, behind a comma, until a checkpoint was made with the new one.
    """
    return [private_key(word) for word in settings.CHECKPOINT_KEY.split(",") if word.strip()]


def private_key(word: str) -> Ed25519PrivateKey:
    try:
        return Ed25519PrivateKey.from_private_bytes(decoded_key(word))
    except Unusable as problem:
        raise ImproperlyConfigured(f"CHECKPOINT_KEY is malformed: {problem}. {HOW}") from None
