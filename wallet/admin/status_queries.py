"""The status queries about a due transaction, with the game's answers."""

from datetime import datetime
from typing import Any

from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock, mono, wrapped
from lib.backoffice.languages import _
from lib.backoffice.pages import Section
from lib.backoffice.pagination import one_page
from lib.backoffice.raw_messages import show_excerpt
from lib.backoffice.stored_texts import reworded_failure
from wallet.models import Inquiry, Question
from wallet.settlement.inquiries import LEASE

PAGE = 25
HEADERS = (
    _("Sent (UTC)"),
    _("Answer"),
    "HTTP",
    _("Duration"),
    _("Problem"),
    _("Response"),
    _("Sent by"),
)
ANSWER_COLOURS = {
    "confirmed": "success",
    "rolled_back": "success",
    "unknown": "warning",
    "pending": "info",
    "unusable": "danger",
}
TITLE = _("Status queries")
PLACE = "#status-queries"


def show_answer(answer: str, *, short: bool = False) -> SafeString:
    """A game's answer as a badge; `short` for lists."""
    if not answer:
        return SafeString(NOTHING)
    is_short = short and answer == Inquiry.Answer.UNUSABLE
    words = _("unusable") if is_short else str(Inquiry.Answer(answer).label)
    return badge(words, ANSWER_COLOURS[answer])


def section(inquiry: Inquiry, number: int, at: datetime) -> Section:
    """Page `number` of the questions, the newest first, as it stands at the moment `at`."""
    found, has_more = one_page(
        Question.objects.filter(inquiry=inquiry).order_by("-asked_at", "-pk"), number, PAGE
    )
    older = (_("Older queries"), f"?questions={number + 1}{PLACE}") if has_more else None
    newest = (_("Newest queries"), f"?{PLACE}") if number > 1 else None
    return Section(
        Inquiry,
        TITLE,
        HEADERS,
        [row(question, at) for question in found],
        empty(inquiry, number),
        older,
        newest,
    )


def empty(inquiry: Inquiry, number: int) -> str:
    if number > 1:
        return _("There are no older status queries.")
    if inquiry.questions_asked:
        return _("Status queries about settled transactions are purged after a time.")
    return (
        _("The game has not been queried.")
        if inquiry.game.query_url
        else _("The game has not been queried: it has no query URL.")
    )


def row(question: Question, at: datetime) -> tuple[Any, ...]:
    """A question by `HEADERS`."""
    took = f"{question.took_ms:,} ms" if question.took_ms is not None else NOTHING
    status = mono(question.status)
    return (
        clock(question.asked_at),
        show_word(question, at),
        status,
        took,
        wrapped(reworded_failure(question.problem)),
        show_excerpt(question.body),
        question.asked_by,
    )


def show_word(question: Question, at: datetime) -> SafeString:
    """The answer. Without one the query is under way, or its worker was lost."""
    if question.answer:
        return show_answer(question.answer, short=True)
    return (
        badge(_("worker lost"), "warning")
        if at - question.asked_at > LEASE
        else badge(_("under way"), "info")
    )
