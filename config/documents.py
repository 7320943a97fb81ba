"""`/docs/`: the platform's documents, as they stand in `docs/`; `/llms.txt` lists them for programs."""

from functools import cache
from typing import NamedTuple

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from config.environment import BASE_DIR
from payments.checkout.pages import page, show

# What a stranger reads first; the others follow by name.
FIRST = ("integrate-a-game", "api", "contract", "payments", "web-front", "production")


class Document(NamedTuple):
    """A page of Markdown; its title is its first line."""

    name: str
    title: str
    text: str


@cache
def documents() -> dict[str, Document]:
    """All of them, in the order of the list."""
    files = sorted((BASE_DIR / "docs").glob("*.md"), key=lambda path: path.stem)
    read = {path.stem: path.read_text() for path in files}
    order = [*(name for name in FIRST if name in read), *(name for name in read if name not in FIRST)]
    return {name: Document(name, read[name].partition("\n")[0].lstrip("# "), read[name]) for name in order}


@page
def index(request: HttpRequest) -> HttpResponse:
    """The list of them."""
    return show(request, "documents.html", {"documents": documents().values()}, language="en")


@require_safe
def list_for_programs(request: HttpRequest) -> HttpResponse:
    """The list with a sentence about each, as language models read it."""
    return as_text((BASE_DIR / "llms.txt").read_text())


@require_safe
def document(request: HttpRequest, name: str) -> HttpResponse:
    """One of them, as it is written."""
    found = documents().get(name)
    if found is None:
        raise Http404
    return as_text(found.text)


def as_text(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/plain; charset=utf-8")
