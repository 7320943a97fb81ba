"""The hash that chains the acts of the audit trail. It needs no Django: a third party computes it too.

SHA-256 over the hash of the link before it (32 zero bytes for the first), the place in the chain (8 bytes,
big-endian), and the act's canonical form: its columns as JSON in ASCII, names sorted, without spaces.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from typing import Any

START = bytes(32)
SEQ = struct.Struct(">q")
# Ids as texts, `at` in microseconds since 1970; what is absent is None. Before and after are texts too, each
# the canonical JSON of its value: so a column that is empty differs from one that holds JSON's null.
COLUMNS = (
    *("id", "at", "operator", "username", "roles", "address", "request_id", "session", "action"),
    *("subject_type", "subject_id", "subject_name", "before", "after", "reason", "note", "approval"),
    "outcome",
)
Act = Mapping[str, Any]


def canonical(act: Act) -> bytes:
    """The bytes of an act that are hashed; `act` has exactly `COLUMNS`."""
    if act.keys() != set(COLUMNS):
        raise ValueError("an act has other columns")
    return as_json(dict(act)).encode("ascii")


def as_json(value: Any) -> str:
    """Canonical JSON: ASCII, names sorted, without spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def link_hash(previous: bytes, seq: int, act: Act) -> bytes:
    """The hash of the link at `seq`."""
    return hashlib.sha256(previous + SEQ.pack(seq) + canonical(act)).digest()
