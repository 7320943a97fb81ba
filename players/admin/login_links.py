"""The page of a log-in link: whoever has it chooses the operator's password, once."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters

from lib.backoffice.confirmation import NOT_STORED
from lib.backoffice.forms import PasswordWidget, TextWidget
from lib.backoffice.languages import _
from lib.backoffice.pages import read_uuid
from players.audit_trail.record import Origin, record_act, roles_of
from players.models import Operator
from players.operators import LinkEnded, LoginKey, operator_of_link, use_login_link

ENDED = _(
    "The code is not the one of this link, or the link is not good any more: it was used, replaced, or it "
    "has expired. Ask for a new one."
)
NEW_PASSWORD = {"autocomplete": "new-password"}


class NewPasswordForm(forms.Form):
    """What stands behind the link's #, which the page's script fills in, its code, and the password twice."""

    token = forms.CharField(
        label=_("Link"),
        max_length=36,
        widget=TextWidget(attrs={"autocomplete": "off"}),
        help_text=_("The part of the link after #."),
    )
    code = forms.CharField(
        label=_("One-time code"),
        max_length=20,
        widget=TextWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=_("The code of whoever approved your account, who is not the one that gave you the link."),
    )
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=4096,
        widget=PasswordWidget(attrs=NEW_PASSWORD),
        help_text=password_validators_help_text_html(),
    )
    again = forms.CharField(
        label=_("The same password again"),
        strip=False,
        max_length=4096,
        widget=PasswordWidget(attrs=NEW_PASSWORD),
    )

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not {"token", "code", "password", "again"} <= given.keys():
            return given
        given["key"] = LoginKey(read_uuid(given["token"]) or UUID(int=0), given["code"])
        try:
            operator = operator_of_link(given["key"])
        except LinkEnded:
            self.add_error("code", ENDED)
            return given
        if given["password"] != given["again"]:
            self.add_error("again", _("The two passwords are not the same."))
        try:
            validate_password(given["password"], operator)
        except ValidationError as problem:
            self.add_error("password", problem)
        return given


@sensitive_post_parameters()
def new_password(request: HttpRequest) -> HttpResponse:
    """Asks for a new password; sets it if link and code are good, and leads to the log-in."""
    form = NewPasswordForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            operator = set_password(request, form.cleaned_data)
        except LinkEnded:
            form.add_error("code", ENDED)
        else:
            logout(request)
            messages.success(
                request,
                _("The password of {username} is set. Log in with it.").format(username=operator.username),
            )
            return HttpResponseRedirect(reverse("admin:login"))
    context = {**admin.site.each_context(request), "title": _("Choose your password"), "form": form}
    return TemplateResponse(request, "admin/new_password.html", context, headers=NOT_STORED)


@transaction.atomic
def set_password(request: HttpRequest, given: dict[str, Any]) -> Operator:
    """Uses the link, and records it as an act of the operator whose link it is. Raises `LinkEnded`."""
    operator = use_login_link(given["key"], password=given["password"])
    # Whoever is logged in here has nothing to do with it.
    origin = replace(Origin.of(request), operator=operator, username=operator.username)
    origin = replace(origin, roles=roles_of(operator), session="")
    record_act(origin, action="use_login_link", subject=operator, note="The password was set.")
    return operator
