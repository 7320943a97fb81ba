"""Secrets that we must show to others one day, and therefore keep encrypted instead of hashed."""

import binascii
import re
import secrets
from base64 import b64decode, b64encode
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

VERSION = "v1"
SEALED = re.compile(r"v1\.(?P<key>[0-9a-f]{8})\.(?P<content>[A-Za-z0-9_-]+=*)")
NONCE_BYTES = 12
LEAST_KEY_CHARACTERS = 32


class Unreadable(Exception):
    """A sealed text that cannot be opened: damaged, of another purpose, or of a key that is gone."""


@dataclass(frozen=True, slots=True)
class Key:
    """One of ENCRYPTION_KEYS; `id` is public and stands in what it sealed."""

    id: str
    # AES-GCM and not Fernet, which can bind no purpose to what it encrypts. Its random nonces are good for
    # 2^32 secrets a key.
    cipher: AESGCM


def derive(text: str, use: bytes, length: int) -> bytes:
    """`length` bytes for one use, made of a key's text."""
    return HKDF(SHA256(), length, salt=None, info=b"quantum-wallet vault " + use).derive(
        text.encode(errors="surrogatepass")
    )


@lru_cache(maxsize=8)
def make_keys(texts: tuple[str, ...]) -> tuple[Key, ...]:
    """The keys that ENCRYPTION_KEYS names, newest first."""
    if not texts or any(len(text) < LEAST_KEY_CHARACTERS for text in texts):
        raise ImproperlyConfigured(
            f"ENCRYPTION_KEYS needs at least one key, and each of at least {LEAST_KEY_CHARACTERS} characters."
        )
    return tuple(Key(derive(text, b"id", 4).hex(), AESGCM(derive(text, b"key", 32))) for text in texts)


def current_keys() -> tuple[Key, ...]:
    """The keys in use; the first encrypts, all decrypt."""
    return make_keys(tuple(settings.ENCRYPTION_KEYS))


def bound(key: Key, purpose: str) -> bytes:
    """What is authenticated beside the secret, so that it opens only where it belongs."""
    return f"{VERSION}.{key.id}.{purpose}".encode()


def seal(text: str, *, purpose: str) -> str:
    """Encrypts `text` with the newest key.

    It opens only for the same `purpose` (name the column, better also the row).
    """
    key = current_keys()[0]
    nonce = secrets.token_bytes(NONCE_BYTES)
    content = nonce + key.cipher.encrypt(nonce, text.encode(errors="surrogatepass"), bound(key, purpose))
    return f"{VERSION}.{key.id}.{b64encode(content, altchars=b'-_').decode()}"


def open_sealed(sealed: str, *, purpose: str) -> str:
    """The text that was sealed for this `purpose`; else `Unreadable`."""
    parts = SEALED.fullmatch(sealed)
    if parts is None:
        raise Unreadable("this is no sealed text")
    try:
        content = b64decode(parts["content"], altchars=b"-_", validate=True)
    except binascii.Error:
        raise Unreadable("this sealed text is damaged") from None
    if b64encode(content, altchars=b"-_").decode() != parts["content"]:
        # The last character has bits that say nothing: only one spelling counts.
        raise Unreadable("this sealed text is damaged")
    for key in current_keys():
        if key.id == parts["key"]:
            return open_with(key, content, purpose)
    raise Unreadable(f"the key {parts['key']} that sealed this is not among ENCRYPTION_KEYS")


def open_with(key: Key, content: bytes, purpose: str) -> str:
    """The text within `content`, which begins with the nonce."""
    try:
        opened = key.cipher.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], bound(key, purpose))
    except (InvalidTag, ValueError):
        raise Unreadable("this sealed text was changed, or sealed for another purpose") from None
    return opened.decode(errors="surrogatepass")


def is_current(sealed: str) -> bool:
    """Whether the newest key sealed this.

    If not, it is to be opened and sealed again before the old key goes.
    """
    return sealed.startswith(f"{VERSION}.{current_keys()[0].id}.")
