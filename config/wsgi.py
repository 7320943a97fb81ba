"""The WSGI callable: Django, and the three things that must be decided outside of it."""

import errno
import io
import os
from collections.abc import Iterable
from typing import Any

# Some of what is imported below reads the settings at once.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse

from lib.event_loop import in_loop
from lib.http.addresses import is_proxy
from lib.http.responses import NoAnswer

django_application = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers a request; raises ConnectionResetError, on which the server closes,
    where no answer is due (contract 1.3).
    """
    if "CONTENT_LENGTH" not in environ and environ.get("HTTP_TRANSFER_ENCODING"):
        # Django reads as far as Content-Length says;
        # a chunked body says nothing, so it is read here, one byte past the limit.
        try:
            body = environ["wsgi.input"].read(settings.API_BODY_LIMIT + 1)
            length = len(body)
        except OSError:
            # Longer than the server reads (config.web_connection).
            body, length = b"", settings.API_BODY_LIMIT + 1
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(length)
    if "HTTP_X_FORWARDED_PROTO" in environ and not is_proxy(environ):
        # Django believes it of whoever connects.
        del environ["HTTP_X_FORWARDED_PROTO"]
    if in_loop():
        return answer_in_loop(environ, start_response)
    response: Iterable[bytes] = django_application(environ, start_response)
    if isinstance(response, NoAnswer):
        response.close()
        raise no_answer()
    return response


def answer_in_loop(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answers a call of the API without the signals at a request's two ends: they are for Django's database
    connections and uploaded files, and there are neither in a loop (lib.event_loop).
    """
    # Django has no other name for what comes after the signals.
    response: HttpResponse = django_application._middleware_chain(WSGIRequest(environ))  # type: ignore[attr-defined]  # noqa: SLF001
    if isinstance(response, NoAnswer):
        raise no_answer()
    start_response(f"{response.status_code} {response.reason_phrase}", list(response.items()))
    return [response.content]


def no_answer() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "a caller from a wrong address gets no answer")
