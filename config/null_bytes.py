"""Addresses with a NUL byte, which no text of the database holds."""

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse

from config.error_pages import not_found

# Players' pages take any nonsense for nothing said, and have a page of their own for what is not there.
CHECKOUT = "/checkout/"


class NullBytes:
    """Middleware: a page whose address or cookies hold a NUL byte is not there.

    PostgreSQL refuses to compare a text with one, which would be a failure of ours. The API's calls never
    come here; what they hold is checked by the shapes of their requests.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if holds_null(request) and not request.path_info.startswith(CHECKOUT):
            return not_found(request, Http404())
        return self.get_response(request)


def holds_null(request: HttpRequest) -> bool:
    """Whether the path, the query or a cookie, decoded, holds a NUL byte."""
    query = request.META.get("QUERY_STRING", "")
    # A cookie in quotation marks can spell any byte in octal digits.
    texts = (request.path_info, query, *request.COOKIES.values())
    return "%00" in query or any("\x00" in text for text in texts)
