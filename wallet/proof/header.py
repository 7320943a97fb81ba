"""The signed header of a checkpoint.

What it states, its canonical bytes, its hash, and who may have signed it.
"""

import base64
import hashlib
import json
from binascii import Error as NotBase64
from datetime import UTC, datetime
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

START = bytes(32)
KEY_BYTES = 32
NOTE_LENGTH = 255
MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Count = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Unusable(Exception):
    """A file that is not what it should be; the text says why."""


class Header(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """What a checkpoint states.

    Hashes and key id in hexadecimal, the public key in base64, the time in UTC with microseconds. Format 2
    also states how many links the audit trail's chain has, and the last one's hash.
    """

    kind: Literal["quantum-wallet checkpoint"]
    format: Literal[1, 2]
    number: Annotated[int, Meta(ge=1, le=2**63 - 1)]
    made_at: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")]
    wallets: Count
    entries: Count
    currencies: dict[str, Annotated[int, Meta(ge=0, le=4)]]
    root: Sha256
    previous: Sha256
    note: Annotated[str, Meta(max_length=NOTE_LENGTH)]
    key_id: Annotated[str, Meta(pattern=r"^[0-9a-f]{16}\Z")]
    public_key: str
    audit_links: Count | None = None
    audit_head: Sha256 | None = None

    def __post_init__(self) -> None:
        stated = self.audit_links is not None, self.audit_head is not None
        if stated != (self.format == 2, self.format == 2):
            raise ValueError("the audit trail's head stands in format 2, and only there")

    def canonical(self) -> bytes:
        """The bytes that are hashed and signed: JSON in ASCII, names sorted, without spaces."""
        return json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":")).encode("ascii")

    def hash(self) -> bytes:
        return hashlib.sha256(self.canonical()).digest()

    def moment(self) -> datetime:
        """When it was made."""
        return datetime.strptime(self.made_at, MOMENT).replace(tzinfo=UTC)


class Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A header and its signature in base64, as they stand in a file's first line."""

    header: Header
    signature: str

    def line(self) -> bytes:
        return (
            b'{"header":'
            + self.header.canonical()
            + b',"signature":"'
            + self.signature.encode("ascii")
            + b'"}\n'
        )


def shown(moment: datetime) -> str:
    """A moment as a header states it."""
    return moment.astimezone(UTC).strftime(MOMENT)


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def key_id(public_key: bytes) -> str:
    """A key's short name: the first 8 bytes of its SHA-256, in hexadecimal."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def decoded_key(text: str) -> bytes:
    """The 32 bytes of a key in base64. Raises `Unusable`."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (NotBase64, ValueError):
        raise Unusable("the key is not base64") from None
    if len(key) != KEY_BYTES:
        raise Unusable(f"the key has {len(key)} bytes, not {KEY_BYTES}")
    return key


def sign(header: Header, key: Ed25519PrivateKey) -> Signed:
    return Signed(header, base64.b64encode(key.sign(header.canonical())).decode())


def read_signed(line: bytes) -> Signed:
    """The header of a file's first line, whose signature is by the key that it names.

    Whether that key is ours is another question. Raises `Unusable`.
    """
    try:
        signed = msgspec.json.decode(line, type=Signed)
        signed.header.moment()
    except (msgspec.DecodeError, ValueError) as problem:
        raise Unusable(f"the file's first line is no header of format 1 or 2: {problem}") from None
    public_key = decoded_key(signed.header.public_key)
    if key_id(public_key) != signed.header.key_id:
        raise Unusable("the file names another key id than its key has")
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(
            base64.b64decode(signed.signature, validate=True), signed.header.canonical()
        )
    except (InvalidSignature, NotBase64, ValueError):
        raise Unusable("the file's signature is wrong") from None
    return signed
