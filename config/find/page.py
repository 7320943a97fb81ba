"""The search that stands on every page: from any name of a thing to its page."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from config.find.codes import CodeFinder
from config.find.pages import NamedPageFinder
from lib.backoffice.finders import MOST_FOUND, MOST_TEXT, Asked, Finder, Hit, read_asked, search
from lib.backoffice.languages import _
from lib.texts import UNSEEN
from payments.admin.finders import FINDERS as OF_PAYMENTS
from players.admin.finders import FINDERS as OF_PLAYERS
from wallet.admin.finders import FINDERS as OF_WALLETS

if TYPE_CHECKING:
    from config.admin_site import OperatorsSite

FINDERS: tuple[type[Finder], ...] = (
    *OF_PLAYERS,
    *OF_PAYMENTS,
    *OF_WALLETS,
    CodeFinder,
    NamedPageFinder,
)
NOT_STORED = {"Cache-Control": "no-store"}
TOO_LONG = _("That is longer than any name or id: at most {number} characters are searched for.")
UNSEEN_IN_IT = _("It holds characters that cannot be seen. Copy it again, or type it.")


def find(site: "OperatorsSite", request: HttpRequest) -> HttpResponse:
    """Goes to the one thing that the text names, lists several, or says what was searched.

    The text is sent in the body and never gets into an address: it may be a player's session token.
    """
    text = request.POST.get("q", "") if request.method == "POST" else ""
    asked = read_asked(text[: MOST_TEXT + 100])
    problem = problem_of(asked)
    finders = [finder(request) for finder in FINDERS]
    hits = search(finders, asked) if asked.text and not problem else []
    if len(hits) == 1:
        return HttpResponseRedirect(hits[0].address)
    context = {
        **site.each_context(request),
        "title": _("Search"),
        "problem": problem,
        # A token is not written into a page either.
        "searched": "" if asked.may_be_token or problem else asked.text,
        "is_asked": bool(asked.text) and not problem,
        **shown(hits),
        "by": [finder.by for finder in finders if finder.is_allowed],
    }
    return TemplateResponse(request, "admin/find.html", context, headers=NOT_STORED)


def shown(hits: list[Hit]) -> dict[str, Any]:
    """The hits, and whether there may be more of a kind."""
    kinds = [hit.kind for hit in hits]
    return {"hits": hits, "is_cut": any(kinds.count(kind) >= MOST_FOUND for kind in kinds)}


def problem_of(asked: Asked) -> str:
    """The reason for which a text is not searched for; empty if it is."""
    if len(asked.text) > MOST_TEXT:
        return TOO_LONG.format(number=MOST_TEXT)
    return UNSEEN_IN_IT if UNSEEN.search(asked.text) else ""
