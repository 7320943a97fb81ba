"""What the numbers mean with which the API refuses: a page, and what a search finds of it."""

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext

from lib.backoffice.finders import Asked, Finder, Hit
from lib.backoffice.languages import _
from lib.http.error_documents import DOCUMENTS
from lib.http.errors import ErrorCode

if TYPE_CHECKING:
    from config.admin_site import OperatorsSite


def show_codes(site: "OperatorsSite", request: HttpRequest) -> HttpResponse:
    """The page of all numbers, each with an anchor of its own."""
    codes = [
        (code.value, words_of(code), gettext(DOCUMENTS[code].meaning), DOCUMENTS[code].address)
        for code in ErrorCode
    ]
    context = {**site.each_context(request), "title": _("Error codes"), "codes": codes}
    return TemplateResponse(request, "admin/error_codes.html", context)


def words_of(code: ErrorCode) -> str:
    """The name of a code as one reads it."""
    return code.name.replace("_", " ").capitalize()


class CodeFinder(Finder):
    """The numbers of the contract; it asks no database."""

    by = _("error codes by number or name")

    @property
    def is_allowed(self) -> bool:
        return True

    def exactly(self, asked: Asked) -> list[ErrorCode]:
        wanted = asked.text.lower().replace("_", " ").removeprefix("error ")
        return [code for code in ErrorCode if wanted in (str(code.value), words_of(code).lower())]

    def partly(self, asked: Asked) -> list[ErrorCode]:
        wanted = asked.text.lower()
        return [code for code in ErrorCode if wanted in words_of(code).lower()] if asked.is_name else []

    def hit(self, row: ErrorCode) -> Hit:
        address = f"{reverse('admin:error_codes')}#code-{row.value}"
        return Hit(
            gettext("Error code"), f"{row.value}: {words_of(row)}", address, gettext(DOCUMENTS[row].meaning)
        )
