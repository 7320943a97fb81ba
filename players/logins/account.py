"""The pages of one's own account: second factors, and sessions."""

import base64
import secrets
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import django_otp
import segno
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST
from django_otp.models import Device
from django_otp_webauthn.models import WebAuthnCredential

from lib.backoffice.confirmation import NOT_STORED
from lib.backoffice.forms import TextWidget
from lib.backoffice.languages import _, ngettext_lazy
from lib.security.encryption import Unreadable
from players.logins import factors, sessions
from players.logins.events import tell
from players.models import AuthenticatorApp, OperatorSession, RecoveryCodes

ISSUER = "Quantum Wallet"
SECRET_BYTES = 20
# Where the session keeps the sealed secret of an app that has not shown a code yet.
PENDING = "pending_authenticator_app"
# So many of one's own sessions are listed, and of those that have ended.
MOST_SESSIONS, MOST_ENDED = 25, 10
REMOVABLE = {"app": AuthenticatorApp, "passkey": WebAuthnCredential}


class NewAppForm(forms.Form):
    """The first code of a new authenticator app."""

    code = forms.CharField(
        label=_("Code"),
        max_length=6,
        widget=TextWidget(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        help_text=_("The 6 digits that the app shows now."),
    )


def page(request: HttpRequest, name: str, title: str, **context: Any) -> HttpResponse:
    """A page of the account; whoever has not come in yet sees nothing around it."""
    is_in = admin.site.has_permission(request)
    known = {
        **admin.site.each_context(request),
        "title": title,
        "layout": "admin/base_site.html" if is_in else "unfold/layouts/unauthenticated.html",
        "is_in": is_in,
    }
    template = f"admin/account/{name}.html"
    return TemplateResponse(request, template, {**known, **context}, headers=NOT_STORED)


def next_page(request: HttpRequest, otherwise: str) -> str:
    """Where the operator wanted to go, if that is on this site."""
    wanted = request.GET.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else reverse(f"admin:{otherwise}")


def place(name: str, request: HttpRequest) -> str:
    """The address of a page of the account, which leads on to where the operator wanted to go."""
    return reverse(f"admin:{name}") + onward(request)


def onward(request: HttpRequest) -> str:
    """The part of an address that keeps where the operator wanted to go."""
    wanted = request.GET.get("next", "")
    return f"?{urlencode({'next': wanted})}" if wanted else ""


# --- Showing a second factor ----------------------------------------------------------------------------


@sensitive_post_parameters("factor_code")
def show_factor(request: HttpRequest) -> HttpResponse:
    """Asks for the second factor after the password, or again; leads on to `next`."""
    if not django_otp.user_has_device(factors.operator_of(request)):
        return HttpResponseRedirect(place("factors", request))
    if factors.is_recent(request):
        return HttpResponseRedirect(next_page(request, "index"))
    form = factors.CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        problem = factors.show_code(request, form.cleaned_data["factor_code"])
        if not problem:
            return HttpResponseRedirect(next_page(request, "index"))
        form.add_error("factor_code", problem)
    return factors.ask(request, form, _("Second factor"))


# --- One's own second factors ---------------------------------------------------------------------------


def factors_page(request: HttpRequest) -> HttpResponse:
    """Which factors the operator has, and what to do about them."""
    operator = factors.operator_of(request)
    if not admin.site.has_permission(request) and django_otp.user_has_device(operator):
        return HttpResponseRedirect(place("factor", request))
    codes = RecoveryCodes.objects.filter(user=operator).first()
    return page(
        request,
        "factors",
        _("Second factors"),
        app=AuthenticatorApp.objects.filter(user=operator).first(),
        passkeys=WebAuthnCredential.objects.filter(user=operator).order_by("pk"),
        codes=codes,
        codes_left=len(codes.hashes) if codes else 0,
        is_required=factors.is_required(operator),
        onward=onward(request),
    )


@sensitive_post_parameters("code", "factor_code")
@sensitive_variables("secret", "text", "uri")
def add_app(request: HttpRequest) -> HttpResponse:
    """Shows a new secret, until the app has shown that it knows it."""
    if answer := factors.require_recent_factor(request):
        return answer
    operator = factors.operator_of(request)
    secret = pending_secret(request)
    form = NewAppForm(request.POST if "code" in request.POST else None)
    if form.is_valid():
        problem = factors.add_app(request, secret, form.cleaned_data["code"].strip())
        if not problem:
            request.session.pop(PENDING, None)
            messages.success(request, _("Your authenticator app is set up."))
            return HttpResponseRedirect(place("recovery_codes", request))
        form.add_error("code", problem)
    text = base64.b32encode(secret).decode()
    label = quote(f"{ISSUER}:{operator.username}")
    uri = f"otpauth://totp/{label}?{urlencode({'secret': text, 'issuer': ISSUER}, quote_via=quote)}"
    picture = segno.make_qr(uri).svg_data_uri(scale=5, border=3, light="white")
    spaced = " ".join(text[start : start + 4] for start in range(0, len(text), 4))
    return page(request, "app", _("Set up an authenticator app"), form=form, picture=picture, secret=spaced)


def pending_secret(request: HttpRequest) -> bytes:
    """The secret of the app that is being set up, the same until it is."""
    operator = factors.operator_of(request)
    try:
        return AuthenticatorApp.open(operator, request.session.get(PENDING, ""))
    except Unreadable:
        secret = secrets.token_bytes(SECRET_BYTES)
        request.session[PENDING] = AuthenticatorApp.seal(operator, secret)
        return secret


@sensitive_post_parameters("factor_code")
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Makes recovery codes and shows them, once."""
    operator = factors.operator_of(request)
    if not factors.main_factors(operator):
        return HttpResponseRedirect(place("factors", request))
    if answer := factors.require_recent_factor(request):
        return answer
    codes = factors.make_recovery_codes(request) if request.method == "POST" else []
    had = RecoveryCodes.objects.filter(user=operator).exists()
    return page(
        request, "recovery", _("Recovery codes"), codes=codes, had=had, back=next_page(request, "factors")
    )


@sensitive_post_parameters("factor_code")
def remove_factor(request: HttpRequest, kind: str, id: int) -> HttpResponse:
    """Removes a factor after a question, but not the last one of somebody who needs one."""
    if kind not in REMOVABLE:
        raise Http404
    operator = factors.operator_of(request)
    device: Device = get_object_or_404(REMOVABLE[kind], pk=id, user=operator)
    if answer := factors.require_recent_factor(request):
        return answer
    if factors.is_required(operator) and len(factors.main_factors(operator)) == 1:
        messages.warning(request, _("Nothing was removed: you need a second factor. Add another one first."))
    elif request.method != "POST":
        return page(request, "remove", _("Remove: {name}").format(name=device.name), device=device)
    else:
        factors.remove(request, device)
        messages.success(
            request, _("Removed: {name}. Your other sessions have ended.").format(name=device.name)
        )
    return HttpResponseRedirect(reverse("admin:factors"))


# --- One's own sessions ---------------------------------------------------------------------------------


def sessions_page(request: HttpRequest) -> HttpResponse:
    """Where the operator is logged in, and the last log-ins that have ended."""
    operator = factors.operator_of(request)
    ended = OperatorSession.objects.filter(operator=operator).order_by("-began_at")
    is_open, ours = sessions.open_sessions(operator), sessions.session_of(request)
    others = list(is_open.exclude(pk=ours.pk)[: MOST_SESSIONS + 1])
    return page(
        request,
        "sessions",
        _("Your sessions"),
        open=[ours, *others[:MOST_SESSIONS]],
        has_more=len(others) > MOST_SESSIONS,
        ended=ended.exclude(pk__in=is_open.values("pk"))[:MOST_ENDED],
        ours=ours.pk,
    )


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Ends one of the operator's sessions, or all but this one."""
    operator = factors.operator_of(request)
    wanted = OperatorSession.objects.filter(operator=operator).exclude(pk=sessions.session_of(request).pk)
    if given := request.POST.get("session"):
        try:
            wanted = wanted.filter(pk=UUID(given))
        except ValueError:
            raise PermissionDenied from None
    with transaction.atomic():
        ended = sessions.mark_ended(wanted, sessions.End.BY_HAND)
        if ended:
            tell(request, "end_sessions", operator, note=f"{ended} of his own")
    words = ngettext_lazy("One session has ended.", "{number} sessions have ended.", ended)
    messages.success(request, words.format(number=ended))
    return HttpResponseRedirect(reverse("admin:own_sessions"))
