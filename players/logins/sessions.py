"""The log-ins of operators: when each began, was used, showed a second factor, and ended."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django_otp import user_has_device

from lib.backoffice.languages import _
from lib.clock import WalletNow, now
from lib.http.addresses import client_address
from lib.texts import storable
from players.logins.events import tell
from players.models import Operator, OperatorSession

End = OperatorSession.End
ADMIN = "/admin/"
# How exactly it is known when a session was used last.
SEEN = timedelta(seconds=30)
SAYS = {
    End.IDLE: _("Your session ended because it was not used for {idle} minutes."),
    End.TOO_LONG: _("Your session ended after {hours} hours."),
    End.BY_HAND: _("Your session was ended from another session of yours."),
    End.PASSWORD: _("Your session ended because your password was changed."),
    End.FACTOR: _("Your session ended because your second factors were changed."),
}


@transaction.atomic
def begin(*, request: HttpRequest, user: Operator, **ignored: Any) -> None:
    """Begins a session, with whatever way of logging in (`user_logged_in`)."""
    at = now()
    session = OperatorSession.objects.create(
        operator=user,
        began_at=at,
        last_seen_at=at,
        address=str(client_address(request.META)),
        browser=storable(request.META.get("HTTP_USER_AGENT", ""), 200),
        is_factor_due=user_has_device(user),
    )
    request.session[OperatorSession.KEY] = str(session.pk)
    tell(request, "log_in", user)


@transaction.atomic
def log_out(*, request: HttpRequest, user: Operator | None, **ignored: Any) -> None:
    """Ends the session of whoever logs out (`user_logged_out`)."""
    if user and mark_ended(known_to(request), End.LOGGED_OUT):
        tell(request, "log_out", user)


def known_to(request: HttpRequest) -> QuerySet[OperatorSession]:
    """The session whose id the cookie's session knows, if there is one."""
    id: str = request.session.get(OperatorSession.KEY, "")
    return OperatorSession.objects.filter(pk=id) if id else OperatorSession.objects.none()


def mark_ended(sessions: QuerySet[OperatorSession], how: str) -> int:
    """Ends those that have not ended. Returns how many."""
    return sessions.filter(ended_at=None).update(ended_at=WalletNow(), ended_by=how)


def open_sessions(operator: Operator) -> QuerySet[OperatorSession]:
    """The operator's log-ins that can still be used, the newest first."""
    at = now()
    return OperatorSession.objects.filter(
        operator=operator,
        ended_at=None,
        last_seen_at__gt=at - settings.OPERATOR_IDLE,
        began_at__gt=at - settings.OPERATOR_SESSION,
    ).order_by("-began_at")


def session_of(request: HttpRequest) -> OperatorSession:
    """The session of a request that `OperatorSessions` has let through as an operator's."""
    session: OperatorSession = request.operator_session  # type: ignore[attr-defined]
    return session


def end_others(request: HttpRequest, how: str) -> int:
    """Ends all other sessions of the operator. Returns how many."""
    ours = session_of(request)
    return mark_ended(OperatorSession.objects.filter(operator=ours.operator_id).exclude(pk=ours.pk), how)


class OperatorSessions:
    """Middleware: ends what was not used for too long or lasts too long, and notes that it is used."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(ADMIN) and request.user.is_authenticated:
            look_at(request, request.user)
        return self.get_response(request)


def look_at(request: HttpRequest, user: Operator) -> None:
    """Lets the request go on with its session, or as a stranger's."""
    found = known_to(request).filter(operator=user)
    # One from before there were any has none.
    session = found.annotate(at=WalletNow()).first()
    end = end_of(session, session.at) if session else End.TOO_LONG
    if session and not end:
        if session.at - session.last_seen_at > SEEN:
            found.update(last_seen_at=session.at)
        request.operator_session = session  # type: ignore[attr-defined]
        return
    with transaction.atomic():
        if mark_ended(found, end):
            tell(request, "end_session", user, note=End(end).label)
    logout(request)
    if end in SAYS:
        idle, whole = settings.OPERATOR_IDLE, settings.OPERATOR_SESSION
        words = SAYS[End(end)].format(
            idle=int(idle.total_seconds() // 60), hours=int(whole.total_seconds() // 3600)
        )
        messages.warning(request, _("{words} Log in again.").format(words=words))


def end_of(session: OperatorSession, at: Any) -> str:
    """How the session has ended or ends now; empty if it goes on."""
    if session.ended_at:
        return session.ended_by
    if at - session.began_at >= settings.OPERATOR_SESSION:
        return End.TOO_LONG
    return End.IDLE if at - session.last_seen_at >= settings.OPERATOR_IDLE else ""
