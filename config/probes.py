"""Answers the probes of load balancers, which send an address and a port as Host (contract 5)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from config.logs import PROBES
from players.access.gate import serve


class ProbeAnswers:
    """Middleware: a probe goes straight to its view, whatever its Host.

    Nothing in these answers depends on the name that was called; for every other page ALLOWED_HOSTS decides.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return serve(request) if request.path_info in PROBES else self.get_response(request)
