"""A passkey in software: what an authenticator and a browser say to our ceremonies."""

import hashlib
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client

from lib.ids import new_id

HOST, ORIGIN = "testserver", "http://testserver"
REGISTER, SHOW = "/admin/account/passkeys/register/", "/admin/account/passkeys/show/"
# Somebody is there and was recognised; with the credential's data.
PRESENT, WITH_CREDENTIAL = 0x05, 0x40


def spelled(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class SoftPasskey:
    """One key for one operator."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    id: bytes = field(default_factory=lambda: new_id().bytes)
    uses: int = 0

    def register(self, client: Client) -> Any:
        """Has the browser add the passkey. Returns the last answer."""
        said = client_data("webauthn.create", client.post(f"{REGISTER}begin/").json()["challenge"])
        attested = {"fmt": "none", "attStmt": {}, "authData": self.facts(is_new=True)}
        return self.sent(client, REGISTER, said, attestationObject=spelled(cbor2.dumps(attested)))

    def show(self, client: Client) -> Any:
        """Has the browser show it as the second factor. Returns the last answer."""
        said = client_data("webauthn.get", client.post(f"{SHOW}begin/").json()["challenge"])
        self.uses += 1
        facts = self.facts()
        signature = self.key.sign(facts + hashlib.sha256(said).digest(), ec.ECDSA(SHA256()))
        proof = {"authenticatorData": spelled(facts), "signature": spelled(signature), "userHandle": None}
        return self.sent(client, SHOW, said, **proof)

    def facts(self, *, is_new: bool = False) -> bytes:
        """The authenticator's data."""
        flags = PRESENT | WITH_CREDENTIAL if is_new else PRESENT
        begin = hashlib.sha256(HOST.encode()).digest() + bytes([flags]) + self.uses.to_bytes(4, "big")
        if not is_new:
            return begin
        point = self.key.public_key().public_numbers()
        # As COSE has keys: EC2, ES256, P-256.
        public = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        return begin + bytes(16) + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)

    def sent(self, client: Client, place: str, said: bytes, **response: str | None) -> Any:
        body = {
            "id": spelled(self.id),
            "rawId": spelled(self.id),
            "type": "public-key",
            "response": {"clientDataJSON": spelled(said), **response},
            "clientExtensionResults": {},
        }
        return client.post(place, json.dumps(body), content_type="application/json")


def client_data(type: str, challenge: str) -> bytes:
    return json.dumps({"type": type, "challenge": challenge, "origin": ORIGIN}).encode()
