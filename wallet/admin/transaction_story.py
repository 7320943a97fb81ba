"""What happened to a transaction, as one table in the order of time.

The game's calls and our answers, what the ledger wrote, questions to the game, what operators requested and
decided, and where game and platform contradict each other.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clipped, clock, link, sentence, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import Section, view_permission
from lib.backoffice.stored_texts import reworded, reworded_failure
from players.models import Approval
from wallet.admin import journal
from wallet.admin.amounts import bare_cell
from wallet.admin.calls import calls_of_transaction, show_answer
from wallet.admin.discrepancy_words import answered, ending
from wallet.admin.status_queries import show_answer as show_game_answer
from wallet.currencies import show_amount
from wallet.models import ApiCall, Discrepancy, Entry, Inquiry, Question, Transaction

HEADERS = (_("When (UTC)"), _("What happened"), _("Answer or outcome"), _("Spendable after"), _("By"))
MOST_QUESTIONS, MOST_APPROVALS = 50, 25
CALLS = {
    "withdraw": _("{game} asked to withdraw {amount}"),
    "deposit": _("{game} announced a deposit of {amount}"),
    "confirmWithdrawal": _("{game} confirmed the withdrawal"),
    "confirmDeposit": _("{game} confirmed the deposit"),
    "rollbackWithdrawal": _("{game} rolled the withdrawal back"),
    "rollbackDeposit": _("{game} rolled the deposit back"),
    "queryTransaction": _("{game} asked for the state"),
}
CALLED = _("{game} called {endpoint}")
# What an entry did, by the event; with the type if that makes a difference.
ENTRIES = {
    "withdrawal opened": _("{amount} were reserved"),
    "withdrawal confirmed": _("{amount} were paid to {game}"),
    "withdrawal rolled_back": _("{amount} went back to the player"),
    "withdrawal expired": _("It expired: {amount} went back to the player"),
    "deposit opened": _("{amount} were announced: not spendable yet"),
    "deposit confirmed": _("{amount} were credited to the player"),
    "deposit rolled_back": _("The announced {amount} were cancelled"),
    "deposit expired": _("It expired: the announced {amount} were cancelled"),
    "set_aside opened": _("{amount} of credit were set aside for a refund"),
    "set_aside confirmed": _("The refund was done: {amount} of credit are gone"),
    "set_aside rolled_back": _("The refund was not done: {amount} of credit are the player's again"),
    "declined": _("It was declined and remembered: nothing moved"),
    "tombstone": _("The rollback was remembered: nothing moved"),
    "rollback_noted": _("The rollback of what was declined was noted: nothing moved"),
    "debt_repaid": _("{amount} of it paid the player's debt"),
}
POSTED = _("{amount} were booked from {debit} to {credit}")


class Line(NamedTuple):
    """One thing that happened. Of one moment, a call stands before what it caused (`rank`)."""

    at: datetime
    rank: int
    said: Any
    answer: Any = NOTHING
    balance: Any = NOTHING
    by: str = ""


def section(request: HttpRequest, transaction: Transaction, contradictions: list[Discrepancy]) -> Section:
    """The whole story, the oldest first; of what an operator may not see there is nothing in it."""
    entries = list(journal.entries_of_transaction(transaction))
    lines = [*entry_lines(transaction, entries), *discrepancy_lines(contradictions)]
    if may_see(request, ApiCall):
        lines += call_lines(transaction, entries)
    if may_see(request, Inquiry):
        lines += question_lines(transaction)
    if may_see(request, Approval):
        lines += approval_lines(transaction, contradictions)
    rows = [
        (clock(line.at), wrapped(line.said), wrapped(line.answer), line.balance, clipped(line.by))
        for line in sorted(lines, key=lambda line: line[:2])
    ]
    return Section(Transaction, _("Story"), HEADERS, rows, _("No entry: the audit reports why."))


def may_see(request: HttpRequest, model: Any) -> bool:
    return bool(request.user.has_perm(view_permission(model)))


def names_of(transaction: Transaction) -> dict[str, str]:
    return {
        "game": transaction.game.slug if transaction.game else _("the game"),
        "amount": show_amount(transaction.amount, transaction.wallet.currency_id),
    }


def call_lines(transaction: Transaction, entries: list[Entry]) -> Iterator[Line]:
    """The latest calls, each with what it asked and what it was answered; repeats are marked."""
    code, names = transaction.wallet.currency_id, names_of(transaction)
    stored = {
        entry.seq: entry.spendable
        for entry in entries
        if entry.seq in (transaction.opened_seq, transaction.settled_seq)
    }
    for call in calls_of_transaction(transaction):
        asked = (
            names if call.amount is None else names | {"amount": show_amount(call.amount, call.currency_code)}
        )
        words = CALLS.get(call.endpoint, CALLED).format(endpoint=call.endpoint, **asked)
        again = badge(_("again"), "info") if call.replayed else ""
        said = format_html("{} {}", link(words, "wallet_apicall_change", call.pk), again)
        is_opening = call.outcome in ("opened", "insufficient_funds", "limit_reached")
        is_ending = call.outcome in ("confirmed", "rolled_back")
        seq = transaction.opened_seq if is_opening else transaction.settled_seq if is_ending else None
        balance = bare_cell(stored[seq], code) if seq in stored else NOTHING
        yield Line(call.at, 0, said, show_answer(call), balance, call.address)


def entry_lines(transaction: Transaction, entries: list[Entry]) -> Iterator[Line]:
    """What the ledger wrote, as plain sentences."""
    code, names = transaction.wallet.currency_id, names_of(transaction)
    for entry in entries:
        words = ENTRIES.get(f"{transaction.type} {entry.event}") or ENTRIES.get(entry.event) or POSTED
        legs = {"debit": entry.get_debit_display(), "credit": entry.get_credit_display()}
        amount = {"amount": show_amount(entry.amount, code)}
        said = sentence(words.format(**(names | amount | legs)))
        yield Line(
            entry.at,
            1,
            said,
            journal.show_event(entry.event),
            bare_cell(entry.spendable, code),
            entry.actor,
        )


def question_lines(transaction: Transaction) -> Iterator[Line]:
    """The questions to the game, with what it answered."""
    asked = Question.objects.filter(inquiry__transaction=transaction).order_by("-asked_at")
    for one in asked[:MOST_QUESTIONS]:
        said = _("The platform asked {game} what became of it").format(**names_of(transaction))
        problem = f" {reworded_failure(one.problem)}" if one.problem else ""
        answer: Any = format_html("{}{}", show_game_answer(one.answer), problem)
        yield Line(
            one.asked_at, 0, said, answer if one.answered_at else _("no answer yet"), NOTHING, one.asked_by
        )


def approval_lines(transaction: Transaction, contradictions: list[Discrepancy]) -> Iterator[Line]:
    """What operators requested about it, and how that ended."""
    about = Q(subject_type="wallet.transaction", subject_id=str(transaction.pk))
    inquiry = getattr(transaction, "inquiry", None)
    if inquiry:
        about |= Q(subject_type="wallet.inquiry", subject_id=str(inquiry.pk))
    if contradictions:
        ids = [str(row.pk) for row in contradictions]
        about |= Q(subject_type="wallet.discrepancy", subject_id__in=ids)
    rows = Approval.objects.filter(about).select_related("requested_by", "decided_by").defer("sealed")
    for row in rows.order_by("-pk")[:MOST_APPROVALS]:
        words = _("Requested: {title}").format(title=reworded(row.title))
        asked = link(words, "players_approval_change", row.pk)
        yield Line(row.requested_at, 2, asked, row.reason, NOTHING, row.requested_by.username)
        if row.ended_at:
            said = _("The request was {state}").format(state=row.get_state_display())
            by = row.decided_by or row.requested_by
            ended = reworded(row.result) or row.decision_reason or NOTHING
            yield Line(row.ended_at, 3, said, ended, NOTHING, str(by))


def discrepancy_lines(contradictions: list[Discrepancy]) -> Iterator[Line]:
    """Where the game contradicts, and what was done about it."""
    for row in contradictions:
        about = _("Discrepancy: {kind}").format(kind=row.get_kind_display())
        words = link(about, "wallet_discrepancy_change", row.pk)
        said = format_html("{} {}", words, times(row))
        yield Line(row.first_seen_at, 2, said, answered(row))
        if row.closed_at:
            yield Line(row.closed_at, 4, closed(row), ending(row), NOTHING, row.closed_by)


def times(row: Discrepancy) -> str:
    return _("({number} times)").format(number=row.times_seen) if row.times_seen > 1 else ""


def closed(row: Discrepancy) -> str | SafeString:
    if row.correction_id is None:
        return _("The discrepancy was closed")
    return link(_("It was booked as the game says"), "wallet_transaction_change", row.correction_id)
