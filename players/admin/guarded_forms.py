"""Forms of which some fields need a second person: saving makes one request of the whole change."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from lib.backoffice.confirmation import page_of
from lib.backoffice.forms import OurIdField, TextWidget
from lib.backoffice.languages import _
from lib.backoffice.pages import PageAdmin
from lib.backoffice.recorded_acts import RECORDING, RecordedAct
from players.admin.approved_action import told, who_approves
from players.approvals.configuration import ConfigurationChange, Values
from players.approvals.kinds import NotExecutable
from players.approvals.operations import ApprovalRefused, request_approval
from players.audit_trail.record import Origin
from players.models import Approval

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
else:
    AnyModelForm = forms.ModelForm

REQUEST_FIELDS = ("reason", "approval_id")


class GuardedForm(AnyModelForm):
    """The form of a row whose `kind` guards some fields."""

    kind: ClassVar[ConfigurationChange]

    reason = forms.CharField(
        label=_("Reason"),
        max_length=255,
        widget=TextWidget,
        help_text=_("Kept permanently beside your name. Do not enter personal data."),
    )
    approval_id = OurIdField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Before the form's values are written into the row.
        self.is_new = self.instance._state.adding  # noqa: SLF001 (documented)
        self.before = None if self.is_new else self.kind.values(self.instance)

    @property
    def changed_data(self) -> list[str]:
        """The fields of the row that the form changes."""
        return [name for name in super().changed_data if name not in REQUEST_FIELDS]

    def wanted(self, formsets: Any) -> Values:
        """The row's fields as the form wants them. After validation."""
        return self.kind.values(self.instance)

    def secret(self) -> str:
        """What the change needs and nobody may read."""
        return ""

    def unguarded_changes(self) -> list[str]:
        """The fields that differ and that one person may change."""
        changed = set(self.changed_data) - set(self.kind.guarded)
        return [name for name in self.kind.fields if name in changed]

    def needs_two(self, after: Values) -> bool:
        """Whether this is more than one person may do."""
        before = self.before
        return before is None or any(before[name] != after[name] for name in self.kind.guarded)


class GuardedAdmin(PageAdmin):
    """The admin of such a form. Nothing that needs two people is saved by it."""

    form: type[GuardedForm]
    form_refusals = (ApprovalRefused, NotExecutable)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        may_edit = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if not may_edit:
            return fieldsets
        about = {"fields": REQUEST_FIELDS, "description": who_approves(self.form.kind)}
        return [*fieldsets, (_("Approval"), about)]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        # One button: what is requested is looked at next.
        only_save = {"show_save_and_add_another": False, "show_save_and_continue": False}
        context = {**(extra_context or {}), **only_save}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except self.form_refusals as problem:
            messages.warning(request, _("Nothing was requested. {problem}").format(problem=problem))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """`save_related` decides, which knows the inlines, too."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        after = form.wanted(formsets)
        if form.needs_two(after):
            request.approval = self.requested(request, form, after)  # type: ignore[attr-defined]
        elif names := form.unguarded_changes():
            form.instance.save(update_fields=names)
            self.forget()

    def forget(self) -> None:
        """After an unguarded change: what processes remember of the row is read anew."""

    def requested(self, request: HttpRequest, form: Any, after: Values) -> Approval:
        """One request of all that the form changes."""
        return request_approval(
            form.kind,
            form.kind.payload_of(form.instance, form.before, after),
            id=form.cleaned_data["approval_id"],
            origin=Origin.of(request),
            reason=form.cleaned_data["reason"],
            digest=None,
            secret=form.secret(),
        )

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        # Inlines are never saved here: what they change is requested.
        return super().construct_change_message(request, form, [], add)

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        record_request(request, None)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        if hasattr(request, "approval"):
            record_request(request, obj)
        else:
            super().log_change(request, obj, message)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        return show_request(request, request.approval)  # type: ignore[attr-defined]

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if hasattr(request, "approval"):
            return show_request(request, request.approval)
        response: HttpResponse = super().response_change(request, obj)
        return response


def show_request(request: HttpRequest, approval: Approval) -> HttpResponse:
    """To the page of what was requested: its effect, as whoever approves sees it, and how to withdraw it."""
    messages.success(request, told(approval))
    return HttpResponseRedirect(page_of(approval))


def record_request(request: HttpRequest, row: Model | None) -> None:
    """A request is an act on the row, or if that is still to be made, on the request itself."""
    approval: Approval = request.approval  # type: ignore[attr-defined]
    act = RecordedAct(
        action=f"request_{approval.kind}",
        subject=row or approval,
        reason=approval.reason,
        note=told(approval),
    )
    RECORDING.there.record(request, act)
