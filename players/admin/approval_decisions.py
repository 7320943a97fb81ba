"""What the operator who has opened a request does with it: approve, decline, or withdraw."""

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from lib.backoffice.confirmation import Act, Page, ShownOnce
from lib.backoffice.forms import ReasonForm
from lib.backoffice.languages import _, format_lazy
from lib.backoffice.pages import PageAdmin, view_permission
from lib.backoffice.stored_texts import reworded, reworded_later
from players.admin.approved_action import DigestForm, EffectAction, EffectPage, effect_sections, operator_of
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
from players.models import Approval

State = Approval.State


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
        asked = _("Requested by {operator}: {reason}").format(operator=row.requested_by, reason=row.reason)
        says, sections = [*preview.says, asked], effect_sections(preview.changes)
        if preview.digest != row.digest:
            says.append(
                _("Something has changed since it was requested. This is the effect that it has now:")
            )
            sections += effect_sections(effect_of(row), _("As it was requested"))
        return EffectPage(f"{reworded(row.title)}?", says, _("Approve"), sections=sections, effect=preview)

    def do(self, act: Act[Approval]) -> str | ShownOnce:
        # Its secret is gone from the request as soon as that ends.
        act.row.refresh_from_db(fields=["sealed"])
        try:
            done = approve(act.row.pk, origin=Origin.of(act.request), digest=act.given["digest"])
        except PreviewChanged as problem:
            raise ValidationError(problem.args[0]) from problem
        if done.state != State.EXECUTED:
            return said(done)
        return code_once(done, secret_of(act.row)) if self.hands_over(done) else reworded_later(done.result)

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
            _("Decline: {title}?").format(title=reworded(row.title)),
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
            _("Withdraw: {title}?").format(title=reworded(row.title)),
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
        before=reworded_later(approval.result),
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
    return format_lazy(words, state=State(approval.state).label, result=reworded_later(approval.result))


def effect_of(approval: Approval) -> list[Change]:
    """The effect that a request showed; values stay as they are, for they may be names."""
    return [Change(reworded(label), before, after) for label, before, after in approval.effect]
