"""Operators: made with a one-time log-in link, and never with a password that somebody else knows."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice import columns
from lib.backoffice.confirmation import show_once
from lib.backoffice.formatting import NOTHING, badge
from lib.backoffice.forms import CheckboxesWidget, OurIdField, TextWidget
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _
from lib.backoffice.pages import PageAdmin
from lib.clock import WalletNow
from players.admin.approved_action import told
from players.admin.guarded_forms import REQUEST_FIELDS, GuardedAdmin
from players.admin.operator_actions import (
    MANAGE,
    MANAGE_ROLES,
    ChangeRoles,
    Deactivate,
    Reactivate,
    ResetLogin,
    acting,
    link_once,
)
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.approvals.operators import ACCOUNT_OPENING, AccountPayload
from players.audit_trail.record import Origin
from players.models import Approval, LoginLink, Operator
from players.operators import OperatorRefused, may_act_on, new_login_key, require_own_roles, roles_of

if TYPE_CHECKING:
    NewOperatorModelForm = forms.ModelForm[Operator]
else:
    NewOperatorModelForm = forms.ModelForm


def show_name(operator: Operator) -> SafeString:
    """A username; a superuser's is marked."""
    mark = badge(_("superuser"), "danger") if operator.is_superuser else ""
    return format_html("{} {}", operator.username, mark) if mark else format_html("{}", operator.username)


def show_state(operator: Any) -> SafeString:
    """Whether an operator can log in; `link_expires_at` comes from the list's query."""
    if not operator.is_active:
        return badge(_("deactivated"), "danger")
    if operator.has_usable_password():
        return badge(_("active"), "success")
    return badge(_("link sent"), "info") if operator.link_expires_at else badge(_("link expired"), "warning")


def show_roles(operator: Operator) -> str:
    return ", ".join(sorted(group.name for group in operator.groups.all())) or NOTHING


class NewOperatorForm(NewOperatorModelForm):
    """A new operator is requested, with a reason."""

    reason = forms.CharField(label=_("Reason"), max_length=255, widget=TextWidget)
    approval_id = OurIdField()


@admin.register(Operator)
class OperatorAdmin(PageAdmin):
    """An operator is deactivated, not deleted: histories name them."""

    form_refusals = (ApprovalRefused, NotExecutable, OperatorRefused)
    add_permission = change_permission = MANAGE
    shows_person = True
    list_display = ("name", "full_name", "roles_short", "state", "seen_clock")
    list_filter = ("is_active", "is_superuser", "groups")
    search_fields = ("username", "first_name", "last_name", "email")
    search_help_text = _("Username, name or e-mail address")
    ordering = ("username",)
    empty_text = _("The first operator is made on the machine: manage.py createsuperuser")
    fields = ("username", "first_name", "last_name", "email", "groups")
    head_columns = HeadColumns(["state"], [], ["roles", "last_seen"])
    shown: ClassVar[tuple[str, ...]] = ("name", "link_until", "joined")
    actions_detail = ("change_roles", "reset_login", "deactivate", "reactivate")
    change_roles, reset_login = ChangeRoles(), ResetLogin()
    deactivate, reactivate = Deactivate(), Reactivate()

    name = columns.text(_("username"), show_name)
    full_name = columns.text(_("name"), lambda row: row.get_full_name())
    roles_short = columns.wrapped(_("roles"), show_roles)
    roles = columns.text(_("roles"), show_roles)
    state = columns.text(_("state"), show_state)
    seen_clock = columns.clock(_("last log-in (UTC)"), "last_login")
    last_seen = columns.moment(_("last log-in"), "last_login")
    joined = columns.moment(_("made"), "date_joined")
    link_until = columns.moment(_("log-in link expires"), "link_expires_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Operator]:
        operators: QuerySet[Operator] = super().get_queryset(request)
        live = LoginLink.objects.filter(operator=OuterRef("pk"), ended_at=None, expires_at__gt=WalletNow())
        expiry = Subquery(live.values("expires_at")[:1])
        return operators.annotate(link_expires_at=expiry).prefetch_related("groups")

    def get_fields(self, request: HttpRequest, obj: Operator | None = None) -> Any:
        if obj:
            return (*self.shown, "first_name", "last_name", "email")
        own = self.fields if request.user.has_perm(MANAGE_ROLES) else self.fields[:-1]
        return (*own, *REQUEST_FIELDS)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewOperatorForm
        return super().get_form(request, obj, change, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Operator | None = None) -> tuple[str, ...]:
        return self.shown if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_change = super().has_change_permission(request, obj)
        return may_change and (obj is None or may_act_on(obj, acting(request)))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        row = Operator.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if row is None or not may_act_on(row, acting(request)):
            return []
        pointless = {"reactivate"} if row.is_active else {"deactivate", "reset_login"}
        return [
            action
            for action in super().get_actions_detail(request, object_id)
            if action.path not in pointless
        ]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The roles of a new operator: of those that the one who makes him has."""
        roles = Group.objects.filter(name__in=roles_of(acting(request))).order_by("name")
        help_text = _("You can give only roles that you have yourself.")
        return db_field.formfield(
            queryset=roles, widget=CheckboxesWidget, label=_("Roles"), help_text=help_text
        )

    def save_model(self, request: HttpRequest, obj: Operator, form: Any, change: bool) -> None:
        if change:
            obj.save(update_fields=form.changed_data)
            return
        key, given, by = new_login_key(), form.cleaned_data, acting(request)
        roles = sorted(role.name for role in given.get("groups", ()))
        require_own_roles(by, roles)
        payload = AccountPayload(
            "make",
            obj.username,
            key.hash.hex(),
            obj.first_name,
            obj.last_name,
            obj.email,
            roles,
        )
        request.login_token = key.token  # type: ignore[attr-defined]
        request.approval = request_approval(  # type: ignore[attr-defined]
            ACCOUNT_OPENING,
            payload,
            id=given["approval_id"],
            origin=Origin.of(request),
            reason=given["reason"],
            digest=None,
            secret=key.code,
        )

    # A new operator is requested as a guarded form's row is.
    log_addition = GuardedAdmin.log_addition  # type: ignore[assignment]

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Roles are given by the operation."""

    def response_add(
        self, request: HttpRequest, obj: Operator, post_url_continue: str | None = None
    ) -> HttpResponse:
        approval: Approval = request.approval  # type: ignore[attr-defined]
        shown = link_once(request, obj.username, request.login_token, told(approval), approval)  # type: ignore[attr-defined]
        return show_once(self, request, shown)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # One button: the others would go to a page that cannot show the link.
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": bool(object_id)}
        context = {**(extra_context or {}), **only_save}
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        except self.form_refusals as problem:
            messages.warning(request, _("Nothing was requested. {problem}").format(problem=problem))
            return HttpResponseRedirect(request.get_full_path())
        return response
