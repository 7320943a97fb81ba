"""The log-in of operators, which costs a stranger's guess as little as it can."""

import time
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from lib.http.addresses import client_address
from players.access.throttling import FAILURES, WINDOW_SECONDS

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm

# Tries of one address in a minute, right ones too: whether one is right costs a tenth of a second to tell.
MOST_TRIES = 30
# So many passwords are hashed at once in a process; the other threads serve games.
HASHING = BoundedSemaphore(2)
BUSY = "Too many log-ins at this moment. Try again in a minute."


class LoginForm(AuthenticationForm):
    """Refuses to hash passwords beyond a bound, for each address and at once."""

    def clean(self) -> dict[str, Any]:
        """What was entered, if it is right; as many tries as are allowed."""
        assert self.request is not None  # the admin gives it
        if tries_of(self.request) > MOST_TRIES or not HASHING.acquire(blocking=False):
            raise ValidationError(BUSY)
        try:
            cleaned: dict[str, Any] = super().clean()
        finally:
            HASHING.release()
        return cleaned


def tries_of(request: HttpRequest) -> int:
    """How often the caller's address has tried in this minute, this time included."""
    return FAILURES.count(f"login:{client_address(request.META)}", int(time.time() // WINDOW_SECONDS))
