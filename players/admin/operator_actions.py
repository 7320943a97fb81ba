"""What operators do to each other: roles, log-in links, deactivation. Nobody acts on himself."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from lib.backoffice.confirmation import Act, Page, PageAction, ShownOnce
from lib.backoffice.formatting import moment
from lib.backoffice.forms import CheckboxesWidget, ReasonForm
from lib.backoffice.pages import PageAdmin
from lib.security.tokens import new_token, token_hash
from players.models import Operator
from players.operators import (
    OperatorRefused,
    deactivate_operator,
    may_act_on,
    reactivate_operator,
    reset_login,
    set_roles,
)

MANAGE, MANAGE_ROLES = "players.manage_operators", "players.manage_roles"
LINK_SAYS = (
    "You get a link that works once and for a limited time. Hand it to the operator, who chooses a password "
    "with it: nobody else ever sets or sees one."
)


class RolesForm(ReasonForm):
    """The roles that an operator is to have."""

    roles = forms.MultipleChoiceField(required=False, widget=CheckboxesWidget)
    field_order = ("roles", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Group.objects.order_by("name").values_list("name", flat=True)
        self.fields["roles"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]


def acting(request: HttpRequest) -> Operator:
    """Who acts."""
    assert isinstance(request.user, Operator)
    return request.user


def link_once(request: HttpRequest, operator: Operator, token: UUID, words: str = "") -> ShownOnce:
    """The page that shows a log-in link; `words` are for the history."""
    # Behind the #, so that no server and no log on the way ever has it.
    address = f"{request.build_absolute_uri(reverse('new_password'))}#{token}"
    expiry = operator.login_links.get(ended_at=None).expires_at
    return ShownOnce(
        words=words,
        title=f"Log-in link of {operator.username}",
        heading="Copy the link now: it is shown only once",
        before=f"With it {operator.username} chooses a password, once, until {moment(expiry)}.",
        values=[("Operator", operator.username, "username"), ("Link", address, "link")],
        after="If it is lost or expires, make a new one: the old one ends then.",
        back=operator,
    )


class OperatorAction(PageAction[Operator]):
    """An act on another operator; a superuser's page has none but for superusers."""

    permission = MANAGE
    refusals = (OperatorRefused,)

    def row_for(self, admin: PageAdmin, request: HttpRequest, object_id: str) -> Operator:
        row = super().row_for(admin, request, object_id)
        if not may_act_on(row, acting(request)):
            raise PermissionDenied
        return row


class ChangeRoles(OperatorAction):
    """Gives and takes roles."""

    title, permission = "Change roles", MANAGE_ROLES

    def form_for(self, row: Operator, data: QueryDict | None) -> RolesForm:
        return RolesForm(data, initial={"roles": list(row.groups.values_list("name", flat=True))})

    def page(self, row: Operator) -> Page:
        says = [
            "Which role may do what stands under Roles.",
            f"You can give {row.username} only roles that you have yourself; others can be taken.",
        ]
        return Page(f"Change the roles of {row.username}", says, "Change roles")

    def do(self, act: Act[Operator]) -> str:
        given, taken = set_roles(act.row.pk, roles=act.given["roles"], by=acting(act.request))
        changes = [f"given {', '.join(sorted(given))}"] if given else []
        changes += [f"taken {', '.join(sorted(taken))}"] if taken else []
        return f"Roles of {act.row.username}: {'; '.join(changes) or 'unchanged'}."


class ResetLogin(OperatorAction):
    """A new password for who has lost it, or whose password others may know."""

    title = "Reset log-in"

    def page(self, row: Operator) -> Page:
        says = [
            f"The password of {row.username} stops working at once, and all sessions end.",
            LINK_SAYS,
        ]
        return Page(f"Reset the log-in of {row.username}?", says, "Reset and show the link", danger=True)

    def do(self, act: Act[Operator]) -> ShownOnce:
        token = new_token()
        reset_login(act.row.pk, link_hash=token_hash(token), by=acting(act.request))
        return link_once(act.request, act.row, token, f"The log-in of {act.row.username} is reset.")


class Deactivate(OperatorAction):
    """An operator who works here no more, or whose password is in strange hands."""

    title = "Deactivate"

    def page(self, row: Operator) -> Page:
        says = [
            f"{row.username} is logged out at once, and cannot log in any more.",
            "Roles and history stay. Reactivating needs a new password.",
        ]
        return Page(f"Deactivate {row.username}?", says, "Deactivate", danger=True)

    def do(self, act: Act[Operator]) -> str:
        is_new = deactivate_operator(act.row.pk, by=acting(act.request))
        return f"{act.row.username} is deactivated." if is_new else "The operator was deactivated already."


class Reactivate(OperatorAction):
    """Lets a deactivated operator in again, with a new password."""

    title = "Reactivate"

    def page(self, row: Operator) -> Page:
        roles = ", ".join(sorted(row.groups.values_list("name", flat=True))) or "no role"
        says = [f"{row.username} gets back what he could do: {roles}.", LINK_SAYS]
        return Page(f"Reactivate {row.username}?", says, "Reactivate and show the link")

    def do(self, act: Act[Operator]) -> ShownOnce:
        token = new_token()
        reactivate_operator(act.row.pk, link_hash=token_hash(token), by=acting(act.request))
        return link_once(act.request, act.row, token, f"{act.row.username} is active again.")
