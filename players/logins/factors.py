"""Second factors of operators: who needs one, what is asked for, and when it is asked for again."""

from typing import cast
from urllib.parse import urlencode

import django_otp
from django import forms
from django.conf import settings
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from lib.backoffice.confirmation import NOT_STORED
from lib.backoffice.forms import TextWidget
from lib.backoffice.languages import _
from lib.clock import WalletNow, now
from lib.security.tokens import new_code
from players.audit_trail.record import Origin, Outcome, record_act
from players.logins import attempts
from players.logins.events import LOCK_OUT, say, tell
from players.logins.sessions import End, end_others, mark_ended, session_of
from players.models import AuthenticatorApp, Operator, OperatorSession, RecoveryCodes
from players.models.logins import recovery_hash

# Whoever has no other role looks, and moves nothing.
VIEWER = "viewer"
CODES = 10
SHOW = "show_second_factor"
WRONG = _("This code is wrong, or was used before.")


class CodeForm(forms.Form):
    """A code of the authenticator app, or a recovery code."""

    factor_code = forms.CharField(
        label=_("Code"),
        max_length=20,
        widget=TextWidget(attrs={"autocomplete": "one-time-code", "autofocus": "", "spellcheck": "false"}),
        help_text=_("6 digits from your authenticator app, or one of your recovery codes."),
    )


# --- Who needs one --------------------------------------------------------------------------------------


def operator_of(request: HttpRequest) -> Operator:
    """The operator of a request in the admin."""
    return cast("Operator", request.user)


def is_required(operator: Operator) -> bool:
    """Whether the operator may do nothing without a second factor."""
    if not settings.SECOND_FACTOR_REQUIRED:
        return False
    return operator.is_superuser or set(operator.groups.values_list("name", flat=True)) != {VIEWER}


def is_passed(request: HttpRequest) -> bool:
    """Whether this session has shown what it must show."""
    operator = operator_of(request)
    if operator.is_verified():  # type: ignore[attr-defined]
        return True
    return not (session_of(request).is_factor_due or is_required(operator))


def may_change(request: HttpRequest) -> bool:
    """Whether this session may change second factors: as soon as there is one, only who has shown it now."""
    return is_recent(request) or not django_otp.user_has_device(operator_of(request))


# --- Showing one ----------------------------------------------------------------------------------------


def show_code(request: HttpRequest, code: str) -> str:
    """Takes a code for this session. Returns why it was not taken, empty if it was."""
    operator = operator_of(request)
    tried = attempts.begin_code(operator)
    if tried.wait:
        say(request, "second_factor_has_to_wait", operator.username)
        return _("Too many wrong codes. Try again in {time}.").format(time=attempts.in_time(tried.wait))
    device = right_device(operator, code.strip())
    if device is None:
        tell(request, SHOW, operator, outcome=Outcome.FAILED)
        if tried.is_last:
            tell(request, LOCK_OUT, operator, note="codes of the second factor")
        return WRONG
    attempts.succeed(tried)
    mark_passed(request, device)
    return ""


@transaction.atomic
def right_device(operator: Operator, code: str) -> Device | None:
    """The factor whose code this is, which is used up. Which one it can be is seen by its form."""
    model = AuthenticatorApp if code.isdecimal() else RecoveryCodes
    device = model.objects.select_for_update().filter(user=operator, confirmed=True).first()
    return device if device and device.verify_token(code) else None


@transaction.atomic
def mark_passed(request: HttpRequest, device: Device) -> None:
    """This session has shown the factor now."""
    session = session_of(request)
    request.session.cycle_key()
    django_otp.login(request, device)
    row = OperatorSession.objects.filter(pk=session.pk)
    row.update(is_factor_due=False, factor_at=WalletNow())
    session.refresh_from_db()
    tell(request, SHOW, operator_of(request), note=device.name)


def is_recent(request: HttpRequest) -> bool:
    """Whether this session has shown a factor in the last minutes."""
    shown_at = session_of(request).factor_at
    return shown_at is not None and now() - shown_at < settings.FACTOR_AGE


def require_recent_factor(request: HttpRequest, *, carries: bool = True) -> HttpResponse | None:
    """Asks for the second factor if it was shown too long ago, by whoever has one.

    Returns None if the request may go on, else the page that asks. Its form is sent to the same address, and
    brings along what was posted, but for files; so a view calls this before anything else, in each step. If
    it `carries` nothing, since that may be a secret, the operator has to enter it again.
    """
    if may_change(request):
        return None
    if request.method != "POST" or not carries:
        return HttpResponseRedirect(
            f"{reverse('admin:factor')}?{urlencode({'next': request.get_full_path()})}"
        )
    form = CodeForm(request.POST if "factor_code" in request.POST else None)
    if form.is_valid():
        problem = show_code(request, form.cleaned_data["factor_code"])
        if not problem:
            return None
        form.add_error("factor_code", problem)
    return ask(request, form, _("Confirm that it is you"))


def ask(request: HttpRequest, form: forms.Form, title: str) -> HttpResponse:
    """The page that asks for a factor; what else was posted goes along."""
    left_out = {"csrfmiddlewaretoken", *form.fields}
    posted = request.POST.lists() if request.method == "POST" else ()
    context = {
        **admin.site.each_context(request),
        "title": title,
        "form": form,
        "carried": [(name, value) for name, values in posted for value in values if name not in left_out],
        "has_passkey": WebAuthnCredential.objects.filter(user=request.user, confirmed=True).exists(),
    }
    return TemplateResponse(request, "admin/account/factor.html", context, headers=NOT_STORED)


# --- Changing them --------------------------------------------------------------------------------------


def add_app(request: HttpRequest, secret: bytes, code: str) -> str:
    """Takes the app that shows this code, in place of an earlier one. Returns why not, empty if it was."""
    operator = operator_of(request)
    known = {
        "name": "Authenticator app",
        "sealed_secret": AuthenticatorApp.seal(operator, secret),
        "last_step": -1,
        "made_at": now(),
    }
    with transaction.atomic():
        app, _ = AuthenticatorApp.objects.update_or_create(user=operator, defaults=known)
        if not app.verify_token(code):
            transaction.set_rollback(True)
            return WRONG
        changed(request, "add_second_factor", app.name)
        mark_passed(request, app)
    return ""


@transaction.atomic
def make_recovery_codes(request: HttpRequest) -> list[str]:
    """New recovery codes, which are shown once; earlier ones are good no more."""
    codes = [new_code() for _ in range(CODES)]
    known = {"name": "Recovery codes", "hashes": [recovery_hash(code) for code in codes], "made_at": now()}
    RecoveryCodes.objects.update_or_create(user=operator_of(request), defaults=known)
    changed(request, "make_recovery_codes")
    return codes


@transaction.atomic
def remove(request: HttpRequest, device: Device) -> None:
    """Removes a factor; with the last one, the recovery codes as well."""
    operator = operator_of(request)
    device.delete()
    if not main_factors(operator):
        RecoveryCodes.objects.filter(user=operator).delete()
    changed(request, "remove_second_factor", device.name)


def main_factors(operator: Operator) -> list[Device]:
    """The operator's factors but for recovery codes."""
    apps = AuthenticatorApp.objects.filter(user=operator, confirmed=True)
    return [*apps, *WebAuthnCredential.objects.filter(user=operator, confirmed=True).order_by("pk")]


@transaction.atomic
def remove_all(operator: Operator, origin: Origin) -> int:
    """Removes all factors of somebody who has lost them, and ends his sessions. Returns how many."""
    devices = list(django_otp.devices_for_user(operator, confirmed=None))
    for device in devices:
        device.delete()
    mark_ended(OperatorSession.objects.filter(operator=operator), End.FACTOR)
    names = ", ".join(device.name for device in devices)
    record_act(origin, action="remove_second_factors", subject=operator, note=names)
    return len(devices)


def changed(request: HttpRequest, action: str, name: str = "") -> None:
    """Whoever had got in elsewhere is out."""
    end_others(request, End.FACTOR)
    tell(request, action, operator_of(request), note=name)
