"""The live credentials, remembered in the process so that a call needs no extra query for them."""

import binascii
import hmac
import threading
import time
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from lib.database import read_off_loop
from lib.http.addresses import Network, parse_networks
from lib.security.tokens import password_hash
from players.models import Credential

# A username that is not known looks for newer credentials, at most this often, in seconds.
MISS_RELOAD_SECONDS = 1.0
NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a credential speaks for."""

    credential_id: UUID
    username: str
    kind: str
    actor: str
    game_id: UUID | None
    pending: timedelta


@dataclass(frozen=True, slots=True)
class Known:
    """A live credential as it is remembered."""

    caller: Caller
    password_hash: bytes
    networks: tuple[Network, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All live credentials by username, at one moment of the monotonic clock."""

    taken_at: float
    by_username: dict[str, Known]


def take_snapshot() -> Snapshot:
    """Reads the live credentials."""
    taken_at = time.monotonic()
    rows = Credential.objects.filter(revoked_at=None).select_related("game")
    return Snapshot(taken_at, {row.username: remember(row) for row in rows})


def remember(row: Credential) -> Known:
    """What a call needs to know of a credential."""
    pending = (
        timedelta(hours=row.game.pending_hours)
        if row.game and row.game.pending_hours
        else settings.PENDING_TTL
    )
    caller = Caller(row.pk, row.username, row.kind, f"{row.kind}:{row.username}", row.game_id, pending)
    return Known(caller, bytes(row.password_hash), parse_networks(tuple(row.allowed_networks)))


class Credentials:
    """The process's memory of credentials; a change elsewhere is seen within `CREDENTIAL_CACHE_SECONDS`."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self.reloading = threading.Lock()
        # Somebody has begun to replace the snapshot: the lock may not be held yet.
        self.is_reloading = False

    def forget(self) -> None:
        """Makes the next look-up read anew."""
        self.snapshot = None

    def find(self, username: str) -> Known | None:
        """The live credential of that name, or None."""
        known = self.fresh(settings.CREDENTIAL_CACHE_SECONDS).by_username.get(username)
        if known is None:
            known = self.fresh(MISS_RELOAD_SECONDS, waits=True).by_username.get(username)
        return known

    def fresh(self, seconds: float, *, waits: bool = False) -> Snapshot:
        """A snapshot not older than `seconds`.

        One call reads it; the others go on with the old one, or wait for the new one.
        """
        snapshot = self.snapshot
        if snapshot is not None and time.monotonic() - snapshot.taken_at < seconds:
            return snapshot
        if snapshot is not None and not waits and self.is_reloading:
            return snapshot
        self.is_reloading = True
        try:
            return read_off_loop(self.replace, snapshot)
        finally:
            self.is_reloading = False

    def replace(self, old: Snapshot | None) -> Snapshot:
        """Reads anew, unless somebody else has since. It waits for the lock, so never in a loop's thread."""
        with self.reloading:
            if self.snapshot is not None and self.snapshot is not old:
                return self.snapshot
            self.snapshot = take_snapshot()
            return self.snapshot


CREDENTIALS = Credentials()


def parse_basic(header: str) -> tuple[str, str] | None:
    """Username and password of an `Authorization` header, or None where it is malformed (contract 1.2)."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    return (username, password) if colon else None


def password_fits(known: Known | None, password: str) -> bool:
    """Compares in constant time, also where there is nothing to compare with."""
    expected = known.password_hash if known else NO_HASH
    return hmac.compare_digest(password_hash(password), expected) and known is not None
