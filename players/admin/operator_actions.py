"""What operators do to each other: roles, log-in links, deactivation. Nobody acts on himself."""

from dataclasses import replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from lib.backoffice.confirmation import Act, Page, PageAction, Result, ShownOnce
from lib.backoffice.forms import CheckboxesWidget
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin
from players.admin.approved_action import ApprovedAction, EffectPage, RequestForm, told
from players.admin.guarded_forms import show_request
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.approvals.operators import (
    ACCOUNT_OPENING,
    ROLE_GRANT,
    AccountPayload,
    RolesPayload,
    listed,
    roles_of,
)
from players.approvals.rules import lost_with
from players.audit_trail.record import Origin
from players.models import Approval, Operator
from players.operators import (
    OperatorRefused,
    deactivate_operator,
    may_act_on,
    new_login_key,
    require_own_roles,
    require_roles_of,
    set_roles,
)

MANAGE, MANAGE_ROLES = "players.manage_operators", "players.manage_roles"
LINK_SAYS = _(
    "You get a link that works once and for a limited time, and who approves it a code that goes with it. "
    "With both the operator chooses a password: nobody else ever sets or sees one."
)


class RolesForm(RequestForm):
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


def link_once(request: HttpRequest, username: str, token: UUID, told: str, back: Model) -> ShownOnce:
    """The page that shows a log-in link, which is requested only."""
    # Behind the #, so that no server and no log on the way ever has it.
    address = f"{request.build_absolute_uri(reverse('new_password'))}#{token}"
    return ShownOnce(
        words=told,
        title=format_lazy(_("Log-in link of {username}"), username=username),
        heading=_("Copy the link now: it is shown only once"),
        before=told,
        values=[(_("Operator"), username, "username"), (_("Link"), address, "link")],
        after=format_lazy(
            _(
                "With it {username} chooses a password, once, and for a limited time, after a second "
                "person has approved it, who gets a code that goes with it. If it is lost, withdraw "
                "the request."
            ),
            username=username,
        ),
        back=back,
    )


class OperatorAction(PageAction[Operator]):
    """An act on another operator; a superuser's page has none but for superusers."""

    permission = MANAGE
    refusals: ClassVar[tuple[type[Exception], ...]] = (OperatorRefused, ApprovalRefused, NotExecutable)

    def row_for(self, admin: PageAdmin, request: HttpRequest, object_id: str) -> Operator:
        row = super().row_for(admin, request, object_id)
        if not may_act_on(row, acting(request)):
            raise PermissionDenied
        return row


class ChangeRoles(OperatorAction):
    """Gives and takes roles."""

    title, permission = _("Change roles"), MANAGE_ROLES

    def form_for(self, row: Operator, data: QueryDict | None) -> RolesForm:
        return RolesForm(data, initial={"roles": list(row.groups.values_list("name", flat=True))})

    def page(self, row: Operator) -> Page:
        says = [
            _("Which role may do what stands under Roles."),
            _("You can give {username} only roles that you have yourself; others can be taken.").format(
                username=row.username
            ),
        ]
        return Page(
            _("Change the roles of {username}").format(username=row.username), says, _("Change roles")
        )

    def do(self, act: Act[Operator]) -> str:
        by, wanted = acting(act.request), sorted(act.given["roles"])
        before = roles_of(act.row)
        if set(wanted) <= set(before):
            set_roles(act.row.pk, roles=wanted, by=by)
            return format_lazy(
                _("Roles of {username}: {roles}."), username=act.row.username, roles=listed(wanted)
            )
        require_own_roles(by, set(wanted) - set(before))
        approval = request_approval(
            ROLE_GRANT,
            RolesPayload(act.row.username, before, wanted),
            id=act.given["approval_id"],
            origin=Origin.of(act.request),
            reason=act.reason,
            digest=None,
        )
        return told(approval)

    def tell(self, admin: PageAdmin, act: Act[Operator], result: Result) -> HttpResponse:
        """To the request, if roles are given: the form did not show its effect."""
        approval = Approval.objects.filter(pk=act.given["approval_id"]).first()
        return show_request(act.request, approval) if approval else super().tell(admin, act, result)


class OpenAccount(OperatorAction, ApprovedAction[Operator]):
    """Requests a log-in link, which is shown once, now, and works once it is approved."""

    kind = ACCOUNT_OPENING
    refusals = (OperatorRefused, *ApprovedAction.refusals)
    act: ClassVar[Literal["reactivate", "reset"]]

    def payload(self, row: Operator, given: dict[str, Any]) -> AccountPayload:
        return AccountPayload(self.act, row.username, given.get("link_hash", ""))

    def effect_page(self, row: Operator, given: dict[str, Any]) -> EffectPage:
        page = super().effect_page(row, given)
        return replace(page, says=[*page.says, LINK_SAYS])

    def do(self, act: Act[Operator]) -> ShownOnce:
        require_roles_of(act.row, acting(act.request))
        key = new_login_key()
        given = {**act.given, "link_hash": key.hash.hex()}
        approval = self.requested(replace(act, given=given), key.code)
        return link_once(act.request, act.row.username, key.token, told(approval), act.row)


class ResetLogin(OpenAccount):
    """A new password for who has lost it, or whose password others may know."""

    title, act, danger = _("Reset log-in"), "reset", True


class Deactivate(OperatorAction):
    """An operator who works here no more, or whose password is in strange hands."""

    title = _("Deactivate")

    def page(self, row: Operator) -> Page:
        says = [
            _("{username} is logged out at once, and cannot log in any more.").format(username=row.username),
            _("Roles and history stay. Reactivating needs a new password."),
        ]
        if lost := lost_with(row):
            says.append(
                _("Nobody can approve any more, for want of a second person: {names}.").format(
                    names=", ".join(map(str, lost))
                )
            )
        return Page(
            _("Deactivate {username}?").format(username=row.username), says, _("Deactivate"), danger=True
        )

    def do(self, act: Act[Operator]) -> str:
        is_new = deactivate_operator(act.row.pk, by=acting(act.request))
        return (
            format_lazy(_("{username} is deactivated."), username=act.row.username)
            if is_new
            else _("The operator was deactivated already.")
        )


class Reactivate(OpenAccount):
    """Lets a deactivated operator in again, with a new password."""

    title, act = _("Reactivate"), "reactivate"
