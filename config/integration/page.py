"""The pages: all games at a glance, and one game's health."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from config.home.verdict import State as VerdictState
from config.home.verdict import Verdict
from config.integration.calls import EndpointCalls, calls_by_game, calls_section, read_calls, read_up_to
from config.integration.checklist import Check, Facts, State, checklist_section, checks, read_facts
from config.integration.errors import ErrorLine, errors_section, faults, read_errors, recent_by_game
from lib.backoffice.formatting import NOTHING, badge, link, mono, name
from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.pages import view_permission
from lib.backoffice.sections import Section
from lib.clock import now
from players.models import Game

if TYPE_CHECKING:
    from config.admin_site import OperatorsSite

TITLE = _("Integration health")
HEADERS = (_("Game"), _("State"), _("Failed since yesterday"), _("Most of them"), _("Calls in 24 h"))
MOST_GAMES = 500
# The job that sums calls up runs every minute.
BEHIND_AFTER = timedelta(minutes=30)
BEHIND = _("The call log is still being summed up: look again in some minutes.")


def refuse_others(request: HttpRequest) -> None:
    """The pages are for whoever may see games. Raises `PermissionDenied`."""
    if not request.user.has_perm(view_permission(Game)):
        raise PermissionDenied


def show_games(site: "OperatorsSite", request: HttpRequest) -> HttpResponse:
    """All games, those with the most failures first."""
    refuse_others(request)
    at = now()
    failed = {game_id: faults(lines) for game_id, lines in recent_by_game(at).items()}
    called = calls_by_game(at)
    games = sorted(
        Game.objects.all()[:MOST_GAMES],
        key=lambda game: (-sum(line.recent for line in failed.get(game.pk, [])), game.slug),
    )
    rows = [game_row(game, failed.get(game.pk, []), called.get(game.pk, 0)) for game in games]
    empty = _("Add a game first, then a credential for its backend.")
    context = {
        **site.each_context(request),
        "title": TITLE,
        "sections": [Section(Game, _("Games"), HEADERS, rows, empty)],
    }
    return TemplateResponse(request, "admin/integration.html", context)


def game_row(game: Game, failed: Sequence[ErrorLine], called: int) -> tuple[Any, ...]:
    number = sum(line.recent for line in failed)
    state = badge(_("failures"), "danger") if failed else badge(_("nothing is wrong"), "success")
    if not failed and not called:
        state = badge(_("no calls"))
    return (
        link(name(game.name), "integration", game.slug),
        state,
        f"{number:,}",
        mono(failed[0].label) if failed else NOTHING,
        f"{called:,}",
    )


def show_game(site: "OperatorsSite", request: HttpRequest, slug: str) -> HttpResponse:
    """One game: whether something is wrong, what is still to be tried, its errors, its calls."""
    refuse_others(request)
    game, at = get_object_or_404(Game, slug=slug), now()
    errors, calls = read_errors(game, at), read_calls(game, at)
    facts, up_to = read_facts(game, errors, at), read_up_to()
    found = checks(facts)
    verdict = judge(facts, found, calls)
    context = {
        **site.each_context(request),
        "title": _("Integration health of {game}").format(game=game.name),
        "game": game,
        "verdict": verdict if is_fresh(up_to, at) else replace(verdict, facts=[BEHIND, *verdict.facts]),
        "sections": [errors_section(errors), checklist_section(found), calls_section(calls, up_to)],
    }
    return TemplateResponse(request, "admin/integration.html", context)


def is_fresh(up_to: datetime | None, at: datetime) -> bool:
    """Whether calls are summed up as far as they usually are; after an upgrade that takes a while."""
    return up_to is not None and at - up_to < BEHIND_AFTER


def judge(facts: Facts, found: Sequence[Check], calls: dict[str, EndpointCalls]) -> Verdict:
    """The first sentence, and what it rests on."""
    if not facts.has_called:
        return Verdict(VerdictState.UNKNOWN, _("This game has not called yet"), [first_words(facts)], [])
    state, title = told(facts, found)
    return Verdict(state, title, [*facts_of(facts.errors, calls)], [])


def told(facts: Facts, found: Sequence[Check]) -> tuple[VerdictState, str]:
    failed = faults(facts.errors)
    if failed:
        number = sum(line.recent for line in failed)
        words = ngettext_lazy(
            "{number} call failed since yesterday; most: {most} ({times})",
            "{number} calls failed since yesterday; most: {most} ({times})",
            number,
        )
        most = failed[0]
        return VerdictState.WRONG, words.format(
            number=f"{number:,}", most=most.label, times=f"{most.recent:,}"
        )
    if any(one.state is State.LOOK for one in found):
        return VerdictState.WRONG, _("No call failed since yesterday, but the game has done something wrong")
    if any(one.state is State.OPEN for one in found):
        return VerdictState.UNKNOWN, _("Nothing is wrong, but not everything has been tried")
    return VerdictState.RIGHT, _("Nothing is wrong, and everything has been tried")


def first_words(facts: Facts) -> str:
    """What comes first for a game that never called."""
    if not any(one.revoked_at is None for one in facts.credentials):
        return _("Its backend has no credential: add one on the page of credentials, and hand it over.")
    return _("Its backend has a credential. Launch a test session, and have the game verify the token.")


def facts_of(errors: Sequence[ErrorLine], calls: dict[str, EndpointCalls]) -> list[str]:
    number = sum(one.day.total() for one in calls.values())
    found = [
        ngettext_lazy(
            "{number} call that names a transaction in the last 24 hours.",
            "{number} calls that name a transaction in the last 24 hours.",
            number,
        ).format(number=f"{number:,}")
    ]
    usual = [line for line in errors if line.recent and not line.is_fault]
    if usual:
        words = _("Refusals that belong to play, since yesterday: {list}.")
        found.append(words.format(list=", ".join(f"{line.label} ({line.recent:,})" for line in usual)))
    return found
