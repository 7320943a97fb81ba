"""What can happen to a request: it is made, approved and executed, declined, withdrawn, or it expires."""

from typing import Any, TypeVar
from uuid import UUID

import msgspec
from django.apps import apps
from django.db import transaction

from lib.backoffice.languages import _, english, format_lazy
from lib.clock import now
from lib.security.encryption import Unreadable, is_current, open_sealed, seal
from players.approvals.kinds import KINDS, Execution, Kind, NotExecutable, Preview
from players.approvals.rules import may_act_alone, waiting_time
from players.audit_trail.record import Origin, record_act
from players.models import Approval, ApprovalEvent, Operator

P = TypeVar("P", bound=msgspec.Struct)
State, What = Approval.State, ApprovalEvent.What
# Rows of one run of the sweep.
BATCH = 500


class ApprovalRefused(Exception):
    """What an operator wanted with a request is not possible, and nothing has changed. The text says why."""


class PreviewChanged(Exception):
    """The effect is not any more what the operator saw; nothing has changed. `now` is the effect."""

    def __init__(self, now: Preview) -> None:
        super().__init__(_("Something has changed since this page was opened: look at the effect again."))
        self.now = now


# --- Requesting -----------------------------------------------------------------------------------------


@english()
@transaction.atomic
def request_approval(
    kind: Kind[P],
    payload: P,
    *,
    id: UUID,
    origin: Origin,
    reason: str,
    digest: str | None,
    alone: bool = False,
    secret: str = "",
) -> Approval:
    """Requests an act; it is done at once if the operator saw that it would be, `alone`, and it may be.

    `digest` is that of the effect which the operator saw; None if it is just what they entered.
    The same `id` again is the same request.

    Raises `ApprovalRefused`, `PreviewChanged`, and `NotExecutable`.
    """
    # Locked: what is done alone is counted, and a form that is sent twice waits for itself.
    requester = Operator.objects.select_for_update(no_key=True).get(pk=operator_of(origin).pk)
    if known := Approval.objects.filter(pk=id).first():
        return same(known, kind, payload, requester)
    if not requester.has_perm(kind.permission):
        raise ApprovalRefused(format_lazy(_("{requester} may not request this."), requester=requester))
    preview = kind.preview(payload)
    if digest not in (None, preview.digest) or (alone and not may_act_alone(kind, requester, preview)):
        raise PreviewChanged(preview)
    wanted = Execution(id, requester, None, reason, secret)
    approval = keep(kind, payload, preview, wanted, alone=alone)
    if alone:
        done = format_lazy(_("Executed alone. {done}"), done=kind.execute(payload, wanted))
        end(approval, State.EXECUTED, None, result=done)
        record(approval, preview, origin)
    return approval


def keep(kind: Kind[P], payload: P, preview: Preview, wanted: Execution, *, alone: bool) -> Approval:
    """Writes a request down, with the effect that it has at this moment."""
    at = now()
    approval = Approval.objects.create(
        id=wanted.id,
        kind=kind.name,
        subject_type=preview.subject.type,
        subject_id=preview.subject.id,
        subject_name=preview.subject.name,
        player_id=preview.subject.player_id,
        payload=msgspec.to_builtins(payload),
        sealed=seal(wanted.secret, purpose=purpose_of(wanted.id)) if wanted.secret else "",
        title=str(kind.describe(payload))[:300],
        effect=[list(map(str, change)) for change in preview.changes],
        says=list(map(str, preview.says)),
        digest=preview.digest,
        amount=preview.amount,
        currency_code=preview.currency,
        requested_by=wanted.requester,
        requested_at=at,
        reason=wanted.reason,
        is_alone=alone,
        expires_at=at + waiting_time(kind, preview.currency),
    )
    note(approval, What.REQUESTED, wanted.requester, wanted.reason)
    return approval


def same(known: Approval, kind: Kind[P], payload: P, requester: Operator) -> Approval:
    """A request that is there already, if it is the same. Raises `ApprovalRefused`."""
    is_same = (known.kind, known.payload, known.requested_by_id) == (
        kind.name,
        msgspec.to_builtins(payload),
        requester.pk,
    )
    if not is_same:
        raise ApprovalRefused(_("This form was used before with other content. Open it again."))
    return known


# --- Deciding -------------------------------------------------------------------------------------------


@english()
@transaction.atomic
def approve(approval_id: UUID, *, origin: Origin, digest: str) -> Approval:
    """A second person approves, and the act is done, whose effect has the `digest` that they saw.

    Returns the approval as it ended: executed, not executable, or expired already.

    Raises `ApprovalRefused` and `PreviewChanged`; then it waits as before.
    """
    approval = locked(approval_id)
    if end_if_expired(approval):
        return approval
    approver = require_decider(approval, operator_of(origin))
    try:
        # Of its own: what was begun before it proved impossible is taken back, and the refusal stays.
        with transaction.atomic():
            preview, done = execute(approval, approver, digest)
    except NotExecutable as problem:
        note(approval, What.APPROVED, approver)
        end(approval, State.NOT_EXECUTABLE, approver, result=str(problem))
        return approval
    note(approval, What.APPROVED, approver)
    end(approval, State.EXECUTED, approver, result=done)
    record(approval, preview, origin)
    return approval


def execute(approval: Approval, approver: Operator, digest: str) -> tuple[Preview, str]:
    """Does what was requested, if its effect is what the approver saw. Returns the effect, and what was done.

    Raises `NotExecutable` and `PreviewChanged`.
    """
    kind, payload = kind_of(approval), payload_of(approval)
    requester = Operator.objects.get(pk=approval.requested_by_id)
    if not requester.has_perm(kind.permission):
        raise NotExecutable(
            format_lazy(_("{requester}, who requested it, may not do so any more."), requester=requester)
        )
    preview = kind.preview(payload)
    if preview.digest != digest:
        raise PreviewChanged(preview)
    execution = Execution(approval.pk, requester, approver, approval.reason, secret_of(approval))
    return preview, kind.execute(payload, execution)


@english()
@transaction.atomic
def decline(approval_id: UUID, *, by: Operator, reason: str) -> Approval:
    """A second person refuses it. Returns it as it ended: declined, or expired already.

    Raises `ApprovalRefused`.
    """
    approval = locked(approval_id)
    if not end_if_expired(approval):
        end(approval, State.DECLINED, require_decider(approval, by), reason=reason)
    return approval


@english()
@transaction.atomic
def withdraw(approval_id: UUID, *, by: Operator, reason: str) -> Approval:
    """Whoever requested it takes it back. Returns it as it ended: withdrawn, or expired already.

    Raises `ApprovalRefused`.
    """
    approval = locked(approval_id)
    if end_if_expired(approval):
        return approval
    if approval.requested_by_id != by.pk:
        raise ApprovalRefused(_("Only who has requested it can withdraw it."))
    end(approval, State.WITHDRAWN, by, reason=reason)
    return approval


def expire_due(limit: int = BATCH) -> int:
    """Ends the requests that nobody decided in time. Returns how many."""
    ended = 0
    with transaction.atomic():
        due = Approval.objects.filter(state=State.REQUESTED, expires_at__lte=now()).order_by("expires_at")
        for approval in due.select_for_update(skip_locked=True)[:limit]:
            end(approval, State.EXPIRED, None)
            ended += 1
    return ended


# --- Of all of these ------------------------------------------------------------------------------------


def locked(approval_id: UUID) -> Approval:
    """A request that waits, locked; `ended_at` is when it ends, if it ends now.

    Raises `ApprovalRefused` if it has ended.
    """
    approval = Approval.objects.select_for_update(of=("self",)).get(pk=approval_id)
    if approval.state != State.REQUESTED:
        raise ApprovalRefused(
            format_lazy(
                _("This request has ended already: it is {state}."), state=State(approval.state).label
            )
        )
    approval.ended_at = now()
    return approval


def end_if_expired(approval: Approval) -> bool:
    """Ends a locked request whose time is over. Returns whether it is."""
    if is_late := approval.ended_at is not None and approval.expires_at <= approval.ended_at:
        end(approval, State.EXPIRED, None)
    return is_late


def require_decider(approval: Approval, by: Operator) -> Operator:
    """The operator, as the database has them now, if they may decide it. Raises `ApprovalRefused`."""
    operator = Operator.objects.get(pk=by.pk)
    if operator.pk == approval.requested_by_id:
        raise ApprovalRefused(_("You have requested it yourself: a second person must decide."))
    if not operator.has_perm(kind_of(approval).permission):
        raise ApprovalRefused(format_lazy(_("{operator} may not decide this."), operator=operator))
    return operator


def end(approval: Approval, state: str, by: Operator | None, *, result: str = "", reason: str = "") -> None:
    """Writes how a locked request ended. Its secret is gone from then on."""
    approval.state, approval.decided_by, approval.ended_at = state, by, approval.ended_at or now()
    approval.result, approval.decision_reason, approval.sealed = str(result)[:500], reason, ""
    approval.save(update_fields=["state", "decided_by", "ended_at", "result", "decision_reason", "sealed"])
    note(approval, state, approval.requested_by if approval.is_alone else by, result or reason)


def note(approval: Approval, what: str, operator: Operator | None, text: str = "") -> None:
    """Writes an event of a request."""
    ApprovalEvent.objects.create(approval=approval, what=what, operator=operator, note=text[:500], at=now())


def record(approval: Approval, preview: Preview, origin: Origin) -> None:
    """Writes an executed act into the audit trail of the row that it is about."""
    kind, rows = kind_of(approval), apps.get_model(preview.subject.type)._base_manager  # noqa: SLF001 (documented)
    record_act(
        origin,
        action=approval.kind,
        subject=kind.made(payload_of(approval)) or rows.get(pk=preview.subject.id),
        before={str(change.label): str(change.before) for change in preview.changes},
        after={str(change.label): str(change.after) for change in preview.changes},
        reason=approval.reason,
        note=approval.result,
        approval_id=approval.pk,
    )


def operator_of(origin: Origin) -> Operator:
    """Who acts: never a command, which has nobody beside it."""
    if origin.operator is None:
        raise ApprovalRefused(_("Only operators request and decide."))
    return origin.operator


def kind_of(approval: Approval) -> Kind[Any]:
    """The kind of a request. Raises `ApprovalRefused` if this release does not know it."""
    if approval.kind not in KINDS:
        raise ApprovalRefused(
            format_lazy(_("This platform does not know requests of the kind {kind}."), kind=approval.kind)
        )
    return KINDS[approval.kind]


def payload_of(approval: Approval) -> msgspec.Struct:
    """What was requested. Raises `NotExecutable` if this release cannot read it."""
    try:
        return msgspec.convert(approval.payload, kind_of(approval).payload)
    except msgspec.ValidationError as problem:
        raise NotExecutable(
            _("It was requested with another release, and cannot be read by this one.")
        ) from problem


def secret_of(approval: Approval) -> str:
    """The secret of what was requested, if it has one. Raises `NotExecutable` if its key is gone."""
    try:
        return open_sealed(approval.sealed, purpose=purpose_of(approval.pk)) if approval.sealed else ""
    except Unreadable as problem:
        raise NotExecutable(_("Its secret cannot be opened any more: request it again.")) from problem


@transaction.atomic
def reseal_secret(approval_id: UUID) -> bool:
    """Seals the secret of a request that waits with the newest key. Returns whether it is so sealed now."""
    approval = Approval.objects.select_for_update(of=("self",)).get(pk=approval_id)
    if not approval.sealed or is_current(approval.sealed):
        return True
    try:
        secret = secret_of(approval)
    except NotExecutable:
        return False
    sealed = seal(secret, purpose=purpose_of(approval.pk))
    Approval.objects.filter(pk=approval.pk).update(sealed=sealed)
    return True


def present_preview(approval: Approval) -> Preview:
    """The effect that a request would have now. Raises `NotExecutable`."""
    with english(), transaction.atomic():
        return kind_of(approval).preview(payload_of(approval))


def purpose_of(id: UUID) -> str:
    """What the secret of a request is sealed for."""
    return f"secret of approval {id}"
