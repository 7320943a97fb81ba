"""What operators do about a difference: by acts that are there already, with approvals, or by a word."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict

from lib.backoffice.bulk_reports import Came, Outcomes, Report, RowOutcome, in_batches
from lib.backoffice.confirmation import Act, ListAction, Page, PageAction, Refused
from lib.backoffice.languages import _, format_lazy, ngettext_lazy
from lib.backoffice.pages import PageAdmin
from payments.models import Difference
from payments.nudges import nudge
from payments.reconciliation import decision_files
from payments.reconciliation.corrections import correction_of, settlement_of
from payments.reconciliation.decision_files import DECISIONS, NotReadable, read_decisions
from payments.reconciliation.decisions import (
    NotDecidable,
    accept,
    await_approval,
    explain,
    reopen,
    resolve,
)
from players.admin.approved_action import ApprovedAction, told
from players.approvals.rules import able
from wallet.admin.owners import MOST_OWNERS, Assign, OwnerForm
from wallet.approvals.adjustment import ADJUSTMENT, AdjustmentPayload
from wallet.approvals.settlement import SETTLEMENT, SettlementPayload
from wallet.models import Transaction
from wallet.settlement.decisions import NotPossible, ask_now
from wallet.tasks import settle_due_task

DECIDE = "payments.decide_difference"
State, Kind = Difference.State, Difference.Kind
MOST_BYTES = 200_000
NOT_OPEN = _("It is decided already, or waits for an approval.")


class Resolving(ApprovedAction[Difference]):
    """An act that makes the ledger what the file says; approved, it resolves the difference."""

    def do(self, act: Act[Difference]) -> str:
        row = Difference.objects.select_for_update(no_key=True, of=("self",)).get(pk=act.row.pk)
        if row.state not in (State.OPEN, State.EXPLAINED):
            raise Refused(NOT_OPEN)
        approval = self.requested(act)
        await_approval(row.pk, approval, actor=act.actor)
        return told(approval)


class SettleAsTheFileSays(Resolving):
    """Ends what is pending here."""

    title, permission, kind = _("Settle as the file says"), SETTLEMENT.permission, SETTLEMENT

    def payload(self, row: Difference, given: dict[str, Any]) -> SettlementPayload:
        event = settlement_of(row)
        if event is None:
            raise Refused(_("The file does not say how it ended."))
        return SettlementPayload(None, event, row.match)


class CorrectTheWallet(Resolving):
    """Adjusts the wallet by what the file says otherwise."""

    title, permission, kind = _("Correct the wallet"), ADJUSTMENT.permission, ADJUSTMENT

    def payload(self, row: Difference, given: dict[str, Any]) -> AdjustmentPayload:
        correction = correction_of(row)
        if correction is None or row.player_id is None:
            raise Refused(_("What the wallet would have to be cannot be said from this row."))
        code = row.theirs.get("currency") or row.ours.get("currency") or ""
        return AdjustmentPayload(row.player_id, code, correction.type, correction.amount)


class AskAgain(PageAction[Difference]):
    """Has the game asked what became of what is pending here."""

    title, permission = _("Ask the game now"), SETTLEMENT.permission
    refusals = (NotPossible,)

    def page(self, row: Difference) -> Page:
        says = [
            _("The game is asked at once, and its answer is handled by the usual rules."),
            _("The difference is closed when the file, or a later one, is compared again and agrees."),
        ]
        return Page(_("Ask the game now?"), says, _("Ask the game now"))

    def do(self, act: Act[Difference]) -> str:
        match = act.row.match
        pending = Transaction.objects.filter(pk=match, settled_at=None).first() if match else None
        if pending is None:
            raise Refused(_("It is settled already."))
        ask_now(pending, actor=act.actor, reason=act.reason)
        return _("The game is asked what became of it.")

    def afterwards(self, act: Act[Difference], done: str) -> str:
        nudge(settle_due_task)
        return done


class Word(PageAction[Difference]):
    """A decision that moves no money."""

    permission = DECIDE
    refusals = (NotDecidable,)
    decide: ClassVar[Callable[..., None]]
    says: ClassVar[str]
    done: ClassVar[str]

    def page(self, row: Difference) -> Page:
        return Page(f"{self.title}?", [self.says], self.title)

    def do(self, act: Act[Difference]) -> str:
        type(self).decide(act.row.pk, actor=act.actor, reason=act.reason)
        return self.done


class Explain(Word):
    title, decide = _("Explain"), staticmethod(explain)
    says = _("The cause is known. The difference stays on the list, with your reason, until it is gone.")
    done = _("The reason stands beside the difference.")


class Accept(Word):
    title, decide = _("Accept"), staticmethod(accept)
    says = _("It stays as it is. No money moves, and later files do not bring it back.")
    done = _("The difference is accepted.")


class Resolve(Word):
    title, decide = _("Resolved elsewhere"), staticmethod(resolve)
    says = _("It was put right by something else, which your reason names. No money moves.")
    done = _("The difference is resolved.")


class Reopen(Word):
    title, decide = _("Open again"), staticmethod(reopen)
    says = _("The difference has to be decided again.")
    done = _("The difference is open again.")


class AssignDifference(Assign):
    """Says who sees to it."""

    permission = DECIDE

    def form_for(self, row: Any, data: QueryDict | None) -> OwnerForm:
        who = {one.pk: one for one in (row.proposed, *able(DECIDE)[:MOST_OWNERS])}
        return OwnerForm(data, list(who.values()), row.proposed)


class DecisionsForm(forms.Form):
    """The file that was exported, with decisions in it."""

    # What is read of the upload goes to the second reading as text: nothing is kept in between.
    file = forms.FileField(
        label=_("File"),
        widget=forms.FileInput,
        help_text=_("The exported CSV with decisions (accept, explain, resolve, reopen) and reasons."),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            words = _("At most {most} KB: leave out the rows without a decision.")
            raise ValidationError(words.format(most=MOST_BYTES // 1000))
        try:
            self.decisions = read_decisions(file.read())
        except NotReadable as problem:
            raise ValidationError(problem.args[0]) from problem
        if not self.decisions:
            raise ValidationError(_("No row has a decision."))
        return file.name


class UploadDecisions(ListAction):
    """Does what a file of decisions says, row by row, and tells what came of each."""

    title, permission = _("Upload decisions"), DECIDE

    # The row of a list's action is nothing; here it is the request, which has the file.
    def row_for(self, admin: PageAdmin, request: HttpRequest, object_id: str) -> Any:
        super().row_for(admin, request, object_id)
        return request

    def form_for(self, row: Any, data: QueryDict | None) -> DecisionsForm:
        return DecisionsForm(data, row.FILES if data is not None else None)

    def page(self, row: Any) -> Page:
        says = [
            _("Export the differences of a file, fill in decisions and reasons, and upload it here."),
            _("Rows without a decision are left alone. At most 1,000 decisions at once."),
        ]
        return Page(_("Upload decisions"), says, _("Upload"))

    def go_on(self, admin: PageAdmin, request: HttpRequest, row: Any, form: Any) -> HttpResponse | None:
        form.cleaned_data["decisions"] = form.decisions
        return super().go_on(admin, request, row, form)

    def ask(
        self, admin: PageAdmin, request: HttpRequest, row: Any, page: Page, form: forms.Form
    ) -> HttpResponse:
        return super().ask(admin, request, None, page, form)

    def record(self, admin: PageAdmin, act: Act[Any], before: Any, result: Any) -> None:
        given = act.given | {"decisions": len(act.given.get("decisions", ()))}
        super().record(admin, Act(act.request, act.row, given), before, result)

    def do(self, act: Act[Any]) -> Report:
        wanted = {one.difference: one for one in act.given["decisions"]}

        def decide(ids: Sequence[UUID]) -> Outcomes:
            return {id: outcome(wanted[id], act.actor) for id in ids}

        outcomes = in_batches(list(wanted), decide)
        done = sum(one.came == Came.DONE for one in outcomes.values())
        words = ngettext_lazy("{number} difference is decided.", "{number} differences are decided.", done)
        return Report(format_lazy(words, number=f"{done:,}"), Difference, outcomes)


def outcome(one: decision_files.Decision, actor: str) -> RowOutcome:
    """What came of a decision about one difference."""
    try:
        DECISIONS[one.word](one.difference, actor=actor, reason=one.reason)
    except NotDecidable as problem:
        return RowOutcome(Came.REFUSED, problem.args[0])
    return RowOutcome(Came.DONE, one.reason)


class DifferenceActions(PageAdmin):
    """The actions of a difference's page, and the one above the list."""

    actions_list = ("upload_decisions",)
    actions_detail = (*("settle", "correct", "ask", "explain", "accept", "resolve", "reopen", "assign"),)
    upload_decisions = UploadDecisions()
    settle, correct, ask = SettleAsTheFileSays(), CorrectTheWallet(), AskAgain()
    explain, accept, resolve, reopen = Explain(), Accept(), Resolve(), Reopen()
    assign = AssignDifference()

    def pointless_actions(self, id: UUID) -> set[str]:
        row = Difference.objects.select_related("source__game").filter(pk=id).first()
        if row is None or row.state == State.RESOLVING:
            return set(self.actions_detail) - {"assign"}
        if row.state not in (State.OPEN, State.EXPLAINED):
            return set(self.actions_detail) - {"reopen"}
        pointless = {"reopen"} if row.state == State.OPEN else {"explain"}
        if settlement_of(row) is None:
            pointless.add("settle")
        if correction_of(row) is None:
            pointless.add("correct")
        game = row.source.game
        if row.ours.get("state") != "pending" or game is None or not game.query_url:
            pointless.add("ask")
        return pointless
