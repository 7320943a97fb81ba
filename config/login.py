"""The log-in of operators, which costs a stranger's guess as little as it can."""

import time
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest

from lib.backoffice.languages import _
from lib.http.addresses import client_address, counted_as
from players.access.throttling import FAILURES, WINDOW_SECONDS
from players.audit_trail.record import Outcome
from players.logins import attempts
from players.logins.events import LOCK_OUT, say, tell

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as AuthenticationForm
else:
    from unfold.forms import AuthenticationForm

# Tries of one address in a minute, right ones too: whether one is right costs a tenth of a second to tell.
MOST_TRIES = 30
# So many passwords are hashed at once in a process; the other threads serve games.
HASHING = BoundedSemaphore(2)
BUSY = _("Too many log-ins at this moment. Try again in a minute.")
WAIT = _("Too many failed log-ins. Try again in {}.")


class LoginForm(AuthenticationForm):
    """Refuses to hash passwords beyond a bound, and has whoever has failed wait."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("Username")

    def clean(self) -> dict[str, Any]:
        """What was entered, if it is right; as many tries as are allowed."""
        assert self.request is not None  # the admin gives it
        if not {"username", "password"} <= self.cleaned_data.keys():
            return self.cleaned_data
        if tries_of(self.request) > MOST_TRIES or not HASHING.acquire(blocking=False):
            raise ValidationError(BUSY)
        try:
            return self.clean_counted(self.request, self.cleaned_data["username"])
        finally:
            HASHING.release()

    def clean_counted(self, request: HttpRequest, username: str) -> dict[str, Any]:
        """The same, where a name or an address that has failed too often is not looked at.

        The words are the same for a name that nobody has.
        """
        tried = attempts.begin_login(username, counted_as(client_address(request.META)))
        if tried.wait:
            say(request, "log_in_has_to_wait", username)
            raise ValidationError(WAIT.format(attempts.in_time(tried.wait)))
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            tell(request, "log_in", None, username=username, outcome=Outcome.FAILED)
            if tried.is_last:
                tell(request, LOCK_OUT, None, username=username)
            raise
        attempts.succeed(tried)
        return cleaned


def tries_of(request: HttpRequest) -> int:
    """How often the caller's address has tried in this minute, this time included."""
    return FAILURES.count(
        f"login:{counted_as(client_address(request.META))}", int(time.time() // WINDOW_SECONDS)
    )
