"""Requests that wait for a second person, how all others ended, and the rules of who may act alone."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from lib.backoffice import columns
from lib.backoffice.conditions import Condition, Given, Rows, choice, since, until, word
from lib.backoffice.confirmation import Act, Page, ShownOnce
from lib.backoffice.filters import SelectingAdmin, Selection, Selections
from lib.backoffice.formatting import MOST_COUNTED, NOTHING, badge, clock, link, moment, sentence, wrapped
from lib.backoffice.forms import ReasonForm
from lib.backoffice.heads import HeadColumns
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin, Section, read_uuid, view_permission
from lib.clock import WalletNow
from players.admin.approved_action import (
    DigestForm,
    EffectAction,
    EffectPage,
    effect_sections,
    operator_of,
)
from players.approvals.kinds import KINDS, Change, NotExecutable
from players.approvals.operations import (
    ApprovalRefused,
    PreviewChanged,
    approve,
    decline,
    present_preview,
    secret_of,
    withdraw,
)
from players.audit_trail.record import Origin
from players.models import Approval, Operator

State = Approval.State
COLOURS = {
    State.REQUESTED: "warning",
    State.EXECUTED: "success",
    State.NOT_EXECUTABLE: "danger",
    State.DECLINED: "danger",
}


# --- Whose they are -------------------------------------------------------------------------------------


def decidable_kinds(operator: Any) -> list[str]:
    """The names of the kinds that an operator can be the second person of."""
    return [kind.name for kind in KINDS.values() if operator.has_perm(kind.permission)]


def waiting_for(operator: Any) -> QuerySet[Approval]:
    """The requests that this operator can decide."""
    return Approval.objects.filter(
        state=State.REQUESTED, expires_at__gt=WalletNow(), kind__in=decidable_kinds(operator)
    ).exclude(requested_by=operator)


def count_waiting(request: HttpRequest) -> int:
    """How many of them, up to one more than `MOST_COUNTED`; looked up once for each page."""
    known: int | None = getattr(request, "approvals_waiting", None)
    if known is None:
        known = len(waiting_for(request.user).values_list("pk", flat=True)[: MOST_COUNTED + 1])
        request.approvals_waiting = known  # type: ignore[attr-defined]
    return known


def seen_by(operator: Any) -> Q:
    """Those that an operator may read: their own, those they can decide, and all about rows they may see."""
    if operator.has_perm("players.read_audit"):
        return Q()
    kinds = decidable_kinds(operator)
    kinds += [kind.name for kind in KINDS.values() if operator.has_perm(view_of(kind.about))]
    return Q(requested_by=operator) | Q(kind__in=kinds)


def view_of(label: str) -> str:
    """The permission to see the rows of a model, by its label."""
    app, name = label.split(".")
    return f"{app}.view_{name}"


# --- Decisions ------------------------------------------------------------------------------------------


class Decision(EffectAction[Approval]):
    """Something that the operator who has opened a request does with it."""

    permission = view_permission(Approval)
    refusals = (ApprovalRefused, NotExecutable)

    def row_for(self, admin: PageAdmin, request: HttpRequest, object_id: str) -> Approval:
        approval = super().row_for(admin, request, object_id)
        if self.title not in {one.title for one in decisions_of(request, approval)}:
            raise PermissionDenied
        return approval


class Approve(Decision):
    """The second person agrees, and it is done."""

    title = _("Approve")
    asks_factor = True
    form = DigestForm

    def page(self, row: Approval) -> Page:
        require_waiting(row)
        preview = present_preview(row)
        asked = f"Requested by {row.requested_by}: {row.reason}"
        says, sections = [*preview.says, asked], effect_sections(preview.changes)
        if preview.digest != row.digest:
            says.append(
                _("Something has changed since it was requested. This is the effect that it has now:")
            )
            sections += effect_sections([Change(*change) for change in row.effect], _("As it was requested"))
        return EffectPage(f"{row.title}?", says, _("Approve"), sections=sections, effect=preview)

    def do(self, act: Act[Approval]) -> str | ShownOnce:
        # Its secret is gone from the request as soon as that ends.
        act.row.refresh_from_db(fields=["sealed"])
        try:
            done = approve(act.row.pk, origin=Origin.of(act.request), digest=act.given["digest"])
        except PreviewChanged as problem:
            raise ValidationError(problem.args[0]) from problem
        if done.state != State.EXECUTED:
            return said(done)
        return code_once(done, secret_of(act.row)) if self.hands_over(done) else done.result

    def hands_over(self, row: Approval) -> bool:
        """Whether who approves it gets the secret of the request."""
        return KINDS[row.kind].is_secret_the_approvers


class Decline(Decision):
    """The second person does not agree."""

    title = _("Decline")
    form = ReasonForm

    def page(self, row: Approval) -> Page:
        require_waiting(row)
        return Page(
            _("Decline: {title}?").format(title=row.title),
            [_("Nothing is done. The request ends.")],
            _("Decline"),
            danger=True,
        )

    def do(self, act: Act[Approval]) -> str:
        return said(decline(act.row.pk, by=operator_of(act.request), reason=act.reason))


class Withdraw(Decision):
    """Whoever has requested it wants it no more."""

    title = _("Withdraw")
    form = ReasonForm

    def page(self, row: Approval) -> Page:
        require_waiting(row)
        return Page(
            _("Withdraw: {title}?").format(title=row.title),
            [_("Nothing is done. The request ends.")],
            _("Withdraw"),
        )

    def do(self, act: Act[Approval]) -> str:
        return said(withdraw(act.row.pk, by=operator_of(act.request), reason=act.reason))


APPROVE, DECLINE, WITHDRAW = Approve(), Decline(), Withdraw()


def decisions_of(request: HttpRequest, approval: Approval) -> list[Decision]:
    """What an operator can do with a request: withdraw their own, decide others', or nothing."""
    if approval.requested_by_id == request.user.pk:
        return [WITHDRAW]
    kind = KINDS.get(approval.kind)
    return [APPROVE, DECLINE] if kind and request.user.has_perm(kind.permission) else []


def code_once(approval: Approval, code: str) -> ShownOnce:
    """The page that shows the approver the other half of what the requester was shown."""
    return ShownOnce(
        words=approval.result,
        title=format_lazy(_("Code for {name}"), name=approval.subject_name),
        heading=_("Copy the code now: it is shown only once"),
        before=approval.result,
        values=[(_("For"), approval.subject_name, ""), (_("Code"), code, "code")],
        after=format_lazy(
            _(
                "It goes with the link that {requester} has. Give it to {name} yourself, "
                "not through {requester}: you make sure that there is such a person."
            ),
            requester=approval.requested_by,
            name=approval.subject_name,
        ),
        back=approval,
    )


def require_waiting(approval: Approval) -> None:
    """Raises `ApprovalRefused` if a request has ended."""
    if approval.state != State.REQUESTED:
        raise ApprovalRefused(
            format_lazy(
                _("This request has ended already: it is {state}."), state=State(approval.state).label
            )
        )


def said(approval: Approval) -> str:
    """How a request ended, for who wanted to decide it."""
    words = _("The request is {state}: {result}") if approval.result else _("The request is {state}.")
    return format_lazy(words, state=State(approval.state).label, result=approval.result)


# --- Pages ----------------------------------------------------------------------------------------------


def show_approval_state(approval: Approval) -> SafeString:
    words = State(approval.state).label
    if approval.is_alone:
        words = _("{state} alone").format(state=words)
    return badge(words, COLOURS.get(State(approval.state), ""))


def standing(approval: Approval) -> str:
    """What a request waits for, or what came of it."""
    if approval.state == State.REQUESTED:
        return _("It waits for a second person, until {moment}.").format(moment=moment(approval.expires_at))
    return (
        sentence(approval.result)
        if approval.result
        else _("It was {state}.").format(state=approval.get_state_display())
    )


def title_of(kind: str) -> str:
    """What operators call a kind."""
    return capfirst(KINDS[kind].title) if kind in KINDS else kind


class Which(Selections):
    """What waits for whoever looks comes first."""

    title = _("requests")
    parameter_name = "requests"
    offered: ClassVar[dict[str, Selection]] = {
        "for_me": Selection(
            _("Waiting for me"), order=("expires_at", "pk"), empty=_("Nothing waits for your approval.")
        ),
        "waiting": Selection(
            _("All waiting"),
            lambda rows: rows.filter(state=State.REQUESTED, expires_at__gt=WalletNow()),
            ("expires_at", "pk"),
            _("No request is waiting."),
        ),
        "mine": Selection(
            _("My requests"), order=("-requested_at", "-pk"), empty=_("You have requested nothing.")
        ),
        "all": Selection(_("All"), order=("-pk",), empty=_("Nothing has been requested yet.")),
    }

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        of_operator: dict[str, Callable[[], Any]] = {
            "for_me": lambda: queryset.filter(pk__in=waiting_for(request.user).values("pk")),
            "mine": lambda: queryset.filter(requested_by=request.user),
        }
        name = self.name_in(request)
        return of_operator[name]() if name in of_operator else super().queryset(request, queryset)


def of_requester(rows: Rows, value: str, given: Given) -> Rows:
    """By the exact name, which an index has."""
    return rows.filter(requested_by__in=Operator.objects.filter(username=value).values("pk"))


@admin.register(Approval)
class ApprovalAdmin(SelectingAdmin):
    """An act that needs a second person. Nothing of it is ever edited."""

    list_filter = (Which,)
    conditions = (
        since("requested_at"),
        until("requested_at"),
        choice("kind", _("Kind"), "kind", lambda: sorted((name, title_of(name)) for name in KINDS)),
        choice("state", _("State"), "state", lambda: State.choices),
        Condition("requester", _("Requested by"), of_requester),
        word("currency", _("Currency"), "currency_code"),
    )
    empty_text = _("Acts that need a second person wait here.")
    list_display = ("what", "kind_shown", "state_shown", "by", "requested", "ends")
    head_columns = HeadColumns(["state_shown"], ["reason_shown", "standing"], ["subject_link", "by"])
    fields = (
        *("kind_shown", "requested_moment", "expires", "decided", "ended", "decision_reason", "full_id"),
    )
    actions_detail = ("approve", "decline", "withdraw")
    approve, decline, withdraw = APPROVE, DECLINE, WITHDRAW

    what = columns.excerpt(_("request"), "title")
    kind_shown = columns.text(_("kind"), lambda row: title_of(row.kind))
    state_shown = columns.text(_("state"), show_approval_state)
    by = columns.clipped(_("requested by"), "requested_by.username")
    requested = columns.clock(_("requested (UTC)"), "requested_at")
    requested_moment = columns.moment(_("requested"), "requested_at")
    ends = columns.text(_("ends or ended (UTC)"), lambda row: clock(row.ended_at or row.expires_at))
    expires = columns.moment(_("expires"), "expires_at")
    ended = columns.moment(_("ended"), "ended_at")
    reason_shown = columns.text(_("reason"), lambda row: f"{row.requested_by.username}: {row.reason}")
    standing = columns.text(_("what came of it"), standing)
    full_id = columns.mono(_("id"), "pk")

    @admin.display(description=_("about"))
    def subject_link(self, obj: Approval) -> Any:
        if not obj.subject_id and obj.state == State.EXECUTED:
            # It was made, and had no key yet when that was requested.
            return obj.subject_name
        rows = apps.get_model(obj.subject_type)._base_manager  # noqa: SLF001 (documented)
        if not obj.subject_id or not rows.filter(pk=obj.subject_id).exists():
            absent = {State.EXECUTED: _("removed"), State.REQUESTED: _("not there yet")}
            return f"{obj.subject_name} ({absent.get(State(obj.state), _('not there'))})"
        return link(obj.subject_name, f"{obj.subject_type.replace('.', '_')}_change", obj.subject_id)

    @admin.display(description=_("decided by"))
    def decided(self, obj: Approval) -> str:
        if obj.is_alone:
            return _("nobody: the approval rules let one person act alone")
        return str(obj.decided_by or NOTHING)

    def get_fields(self, request: HttpRequest, obj: Approval | None = None) -> Any:
        if obj is None or obj.state == State.REQUESTED:
            absent = {"decided", "ended", "decision_reason"}
        else:
            absent = {"expires"} | ({"decision_reason"} if not obj.decision_reason else set())
        return [name for name in self.fields if name not in absent]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        rows: QuerySet[Approval] = super().get_queryset(request)
        rows = rows.select_related("requested_by", "decided_by").defer("sealed")
        return rows.filter(seen_by(request.user))

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        id = read_uuid(str(object_id))
        approval = self.get_queryset(request).filter(pk=id, state=State.REQUESTED).first() if id else None
        possible = {one.title for one in decisions_of(request, approval)} if approval else set()
        offered = super().get_actions_detail(request, object_id)
        return [action for action in offered if str(action.description) in possible]

    def sections(self, request: HttpRequest, obj: Approval) -> list[Section]:
        effect = effect_sections([Change(*change) for change in obj.effect], _("Effect, as it was requested"))
        words = [Section(Approval, _("In words"), (), [(line,) for line in obj.says], "")] if obj.says else []
        return [*effect, *words, history(obj)]


def history(approval: Approval) -> Section:
    """What has happened to a request."""
    rows = [
        (clock(event.at), event.get_what_display(), who(event.operator), wrapped(event.note))
        for event in approval.events.select_related("operator").order_by("pk")
    ]
    return Section(
        Approval,
        _("What happened"),
        (_("When (UTC)"), _("What"), _("Who"), _("Words")),
        rows,
        _("Nothing yet."),
    )


def who(operator: Operator | None) -> str:
    return operator.username if operator else _("the platform")
