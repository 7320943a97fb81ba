"""The id that every log line about one request carries."""

import os
import re

from django.http import HttpRequest
from structlog.contextvars import bind_contextvars

from lib.http.addresses import is_proxy

SANE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
HEADER = "HTTP_X_REQUEST_ID"


def bind_request_id(request: HttpRequest) -> None:
    """Gives the request its id: the one that a trusted proxy gave it, else a new one.

    Who comes after finds it in the same header.
    """
    given = request.META.get(HEADER)
    if not (given and SANE.match(given) and is_proxy(request.META)):
        given = request.META[HEADER] = os.urandom(16).hex()
    bind_contextvars(request_id=given)
