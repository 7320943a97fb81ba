"""What a game was asked about a due transaction, and what it answered."""

from datetime import datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from lib.backoffice.formatting import NOTHING, badge, clock, mono
from lib.backoffice.pages import Section
from wallet.models import Inquiry, Question
from wallet.settlement.inquiries import LEASE

PAGE = 25
# What is longer is folded away.
SHORT_BODY = 32
HEADERS = ("Asked (UTC)", "Answer", "HTTP", "Took", "Why not usable", "What it sent", "Asked by")
ANSWER_COLOURS = {
    "confirmed": "success",
    "rolled_back": "success",
    "unknown": "warning",
    "pending": "info",
    "unusable": "danger",
}
TITLE = "Questions and answers"
PLACE = "#questions-and-answers"


def show_answer(answer: str, *, short: bool = False) -> SafeString:
    """A game's word as a badge; `short` where there is little room."""
    if not answer:
        return SafeString(NOTHING)
    words = "unusable" if short and answer == Inquiry.Answer.UNUSABLE else str(Inquiry.Answer(answer).label)
    return badge(words, ANSWER_COLOURS[answer])


def section(inquiry: Inquiry, number: int, at: datetime) -> Section:
    """Page `number` of the questions, the newest first, as it stands at the moment `at`."""
    first = (number - 1) * PAGE
    found = list(
        Question.objects.filter(inquiry=inquiry).order_by("-asked_at", "-pk")[first : first + PAGE + 1]
    )
    older = ("Older questions", f"?questions={number + 1}{PLACE}") if len(found) > PAGE else None
    newest = ("Newest questions", f"?{PLACE}") if number > 1 else None
    return Section(
        TITLE,
        HEADERS,
        [row(question, at) for question in found[:PAGE]],
        empty(inquiry, number),
        older,
        newest,
    )


def empty(inquiry: Inquiry, number: int) -> str:
    if number > 1:
        return "There are no older questions."
    if inquiry.questions_asked:
        return "The questions about what is settled are cleared after a time."
    return (
        "The game was never asked."
        if inquiry.game.query_url
        else "The game was never asked: it has no query URL."
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
        show_problem(question.problem),
        show_body(question.body),
        question.asked_by,
    )


def show_word(question: Question, at: datetime) -> SafeString:
    """The answer; without one, the question is under way, or its worker was lost and nobody knows whether it was sent."""
    if question.answer:
        return show_answer(question.answer, short=True)
    return badge("worker lost", "warning") if at - question.asked_at > LEASE else badge("under way", "info")


def show_problem(problem: str) -> SafeString:
    return format_html('<span class="wallet-wrapped">{}</span>', problem) if problem else SafeString(NOTHING)


def show_body(body: str) -> SafeString:
    """The beginning of what a game sent, whatever it is: folded away where it is long."""
    if not body:
        return SafeString(NOTHING)
    if len(body) <= SHORT_BODY and "\n" not in body:
        return format_html('<bdi class="wallet-id">{}</bdi>', body)
    return format_html(
        '<details class="wallet-body"><summary><bdi>{}…</bdi></summary><bdi>{}</bdi></details>',
        body[:SHORT_BODY],
        body,
    )


def read_page(text: str) -> int:
    """The number of a page in an address; the first where it is none."""
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) <= 4 else 1
