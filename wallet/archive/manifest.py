"""What an archived part consists of, signed as checkpoints are if there is a key."""

import base64
import hashlib
import json
from binascii import Error as NotBase64
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from wallet.proof.header import Count, Sha256, Unusable, decoded_key, public_bytes

FileName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9.]{0,40}\Z")]


class FileState(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A file, its bytes and their hash."""

    name: FileName
    size: Count
    sha256: Sha256


class Manifest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Times in UTC; `began` is empty for the first part, which begins with the journal."""

    kind: Literal["quantum-wallet archive"]
    format: Literal[1]
    part: str
    began: str
    ended: str
    wallets: Count
    entries: Count
    calls: Count
    files: list[FileState]

    def canonical(self) -> bytes:
        """The bytes that are signed: JSON in ASCII, names sorted, without spaces."""
        return json.dumps(msgspec.to_builtins(self), sort_keys=True, separators=(",", ":")).encode("ascii")

    def hash(self) -> str:
        return hashlib.sha256(self.canonical()).hexdigest()


class SignedManifest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """As it lies beside the files; without a key both texts are empty."""

    manifest: Manifest
    public_key: str
    signature: str


def signed(manifest: Manifest, key: Ed25519PrivateKey | None) -> bytes:
    """The text of a manifest's file."""
    if key is None:
        return written(SignedManifest(manifest, "", ""))
    public = base64.b64encode(public_bytes(key)).decode()
    signature = base64.b64encode(key.sign(manifest.canonical())).decode()
    return written(SignedManifest(manifest, public, signature))


def written(content: SignedManifest) -> bytes:
    return json.dumps(msgspec.to_builtins(content), sort_keys=True, indent=1).encode("ascii") + b"\n"


def read_manifest(text: bytes) -> Manifest:
    """A manifest whose signature, if it has one, is by the key that it names. Raises `Unusable`."""
    try:
        found = msgspec.json.decode(text, type=SignedManifest)
    except msgspec.DecodeError as problem:
        raise Unusable(f"the manifest is none of an archive: {problem}") from None
    if found.signature:
        try:
            Ed25519PublicKey.from_public_bytes(decoded_key(found.public_key)).verify(
                base64.b64decode(found.signature, validate=True), found.manifest.canonical()
            )
        except (InvalidSignature, NotBase64, ValueError):
            raise Unusable("the manifest's signature is wrong") from None
    return found.manifest
