"""What is asked of a server before the checks begin."""

import hashlib
import json

from clients.kit.calls import NOWHERE, Calls
from clients.kit.expectations import Unmet, Unusable
from clients.kit.parties import Login, Target
from clients.kit.redaction import Redactor
from clients.kit.wire import Answer, Record

NO_SCHEMA = "none"
SCHEMA = "/api/schema/?format=json"


class CredentialRefused(Unusable):
    """The server does not know a credential."""


def look_at(target: Target, redactor: Redactor) -> str:
    """Makes sure that the server can be reached with these credentials; returns the hash of its schema.

    Raises `Unusable`.
    """
    calls = Calls(target, target.wire(), Record(redactor))
    try:
        require_credential(calls, "game", target.game, "/wallet/getBalance")
        require_credential(calls, "other-game", target.other_game, "/wallet/getBalance")
        require_credential(calls, "platform", target.platform, "/entry/endSession")
        return schema_hash(calls)
    except Unmet as unmet:
        raise Unusable(f"{target.url} cannot be reached: {unmet.got}") from unmet
    finally:
        calls.wire.close()


def require_credential(calls: Calls, option: str, login: Login, path: str) -> None:
    """Raises `Unusable` if the server does not know the caller."""
    answer = calls.post(path, {"token": NOWHERE}, caller=login)
    if answer.status in (400, 401, 429):
        raise CredentialRefused(
            f"The server refuses the credential of --{option}: HTTP {answer.status} for {login.username}."
        )
    if answer.status == 404:
        raise Unusable(f"{calls.target.url} has no {path}: is this the address of a wallet platform?")


def schema_hash(calls: Calls) -> str:
    """SHA-256 of the server's description of its API, or `none`."""
    for caller in (None, calls.target.platform):
        answer = calls.send(caller, "GET", SCHEMA)
        if answer.status == 200:
            return canonical_hash(answer)
    return NO_SCHEMA


def canonical_hash(answer: Answer) -> str:
    """The hash of a JSON document, however its members are ordered and spaced."""
    try:
        document = json.loads(answer.raw.decode())
    except ValueError:
        return NO_SCHEMA
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()
