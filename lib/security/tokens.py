"""Secrets that callers show us: made here, kept only as hashes."""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Callable

from django.conf import settings

# Of codes: without what could be mistaken for another (no i, l, o, 0, 1).
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
# Who else shares secrets with others: each tells whether a text is or was one of its own. Apps add theirs in
# `ready()`.
OTHERS: list[Callable[[str], bool]] = []


def is_used_elsewhere(text: str) -> bool:
    """Whether a secret that somebody enters serves another purpose already (contract 4.2, rule 2)."""
    return any(knows(text) for knows in OTHERS)


def new_password() -> str:
    """A fresh password of 256 random bits; the caller sees it once (contract 1.2)."""
    return secrets.token_urlsafe(32)


def password_hash(password: str) -> bytes:
    """The keyed hash that is stored for a password. Fast on purpose: our passwords are long and random."""
    return hmac.digest(settings.CREDENTIAL_KEY.encode(), password.encode(errors="surrogatepass"), "sha256")


def new_code() -> str:
    """A fresh code of 49 random bits that people type, such as fk3pw-9xzra: no letter looks like another."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def plain_code(code: str) -> str:
    """A code as it was made, however it is typed."""
    letters = code.lower().replace("-", "").replace(" ", "")
    return f"{letters[:5]}-{letters[5:]}"


def new_token() -> uuid.UUID:
    """A fresh session token, a random UUID (contract 2.2)."""
    return uuid.UUID(bytes=secrets.token_bytes(16), version=4)


def token_hash(token: uuid.UUID) -> bytes:
    """The hash under which a session is stored and found; 122 random bits need no key."""
    return hashlib.sha256(token.bytes).digest()
