"""Counts what is tried at the doors, and says how long the next try has to wait.

A log-in is counted as failed before its password is looked at, so that many at once are counted as well, and
taken back if it was right. What waits is always a name at an address, or an address: whoever fails with a
name elsewhere makes guesses dearer everywhere, and keeps nobody out who has made no mistake himself.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from lib.backoffice.languages import ngettext_lazy
from lib.clock import now
from players.models import LoginCounter, Operator

LOCK_SECONDS = 15 * 60
# So many failures of a name at an address are free; then the wait doubles from a second; then it is locked.
FREE, LOCKS = 3, 10
# So many failures of a name, wherever, count as one more at each address that has failed with it; at most so
# many.
NAME_STEP, MOST_NAME_STEPS = 10, 5
# The same for an address, whatever the names, which never waits longer than this.
ADDRESS_FREE, ADDRESS_SECONDS = 10, 30
# A thief of the password has so many wrong codes of a second factor, or one of a session so many passwords.
CODES_FREE, CODES_LOCK = 5, 10
# A counter begins anew after so long without a failure.
FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Try:
    """What was found: the seconds to wait if it may not go on; whether a lock follows if it fails."""

    keys: Sequence[str]
    wait: int = 0
    is_last: bool = False


def begin_login(username: str, address: str) -> Try:
    """Counts a log-in, unless it has to wait."""
    keys = [key("pair", username, address), key("name", username), key("address", address)]

    def wait(pair: int, name: int, by_address: int) -> list[int]:
        pressure = min(name // NAME_STEP, MOST_NAME_STEPS) if pair else 0
        return [
            doubled(pair + pressure, FREE, LOCKS),
            0,
            min(doubled(by_address, ADDRESS_FREE, None), ADDRESS_SECONDS),
        ]

    return begin(keys, wait)


def begin_code(operator: Operator) -> Try:
    """Counts a code of a second factor, or a present password, which only who has a session can try."""
    return begin(
        [key("code", str(operator.pk))], lambda failures: [doubled(failures, CODES_FREE, CODES_LOCK)]
    )


def doubled(failures: int, free: int, locks: int | None) -> int:
    """Seconds to wait after so many failures."""
    if failures < free:
        return 0
    if locks is not None and failures >= locks:
        return LOCK_SECONDS
    return 1 << min(failures - free, 10)


@transaction.atomic
def begin(keys: Sequence[str], waits: Callable[..., list[int]]) -> Try:
    """Counts one more for each key, unless one of them has to wait.

    `waits` says the seconds of each from the failures of all, in the order of the keys.
    """
    rows = locked(keys)
    at = now()
    failures = [rows[key].failures if at - rows[key].last_at < FORGOTTEN else 0 for key in keys]
    ready = [
        rows[key].last_at + timedelta(seconds=seconds)
        for key, seconds in zip(keys, waits(*failures), strict=True)
    ]
    if max(ready) > at:
        return Try(keys, wait=math.ceil((max(ready) - at).total_seconds()))
    for key, count in zip(keys, failures, strict=True):
        LoginCounter.objects.filter(pk=key).update(failures=count + 1, last_at=at)
    return Try(keys, is_last=max(waits(*(count + 1 for count in failures))) >= LOCK_SECONDS)


def locked(keys: Sequence[str]) -> dict[str, LoginCounter]:
    """The counters, made if they are new, locked in one order."""
    at = now()
    LoginCounter.objects.bulk_create(
        [LoginCounter(key=key, last_at=at) for key in sorted(keys)], ignore_conflicts=True
    )
    rows = LoginCounter.objects.select_for_update().filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


@transaction.atomic
def succeed(tried: Try) -> None:
    """Takes a right one back. Its first key begins anew; of the others only this one is no failure."""
    locked(tried.keys)
    first, *others = tried.keys
    LoginCounter.objects.filter(pk=first).update(failures=0)
    LoginCounter.objects.filter(pk__in=others, failures__gt=0).update(failures=F("failures") - 1)


def forget_old() -> int:
    """Clears counters that count no more."""
    return LoginCounter.objects.filter(last_at__lt=now() - FORGOTTEN).delete()[0]


def key(kind: str, *words: str) -> str:
    """What a counter is found by: no name and no address stands in the table."""
    text = "\0".join((kind, *words))
    return salted_hmac("players.logins.attempts", text, algorithm="sha256").hexdigest()


def in_time(seconds: int) -> str:
    """Seconds as people say them."""
    if seconds > 90:
        minutes = -(-seconds // 60)
        return ngettext_lazy("{number} minute", "{number} minutes", minutes).format(number=minutes)
    return ngettext_lazy("{number} second", "{number} seconds", seconds).format(number=seconds)
