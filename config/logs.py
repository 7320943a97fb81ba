"""Logs: a line of JSON for each thing that is said,
with the id of the request or of the task that it was said for.
"""

import logging
import re
import sys
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.encoding import escape_uri_path
from django_structlog.middlewares import RequestMiddleware
from structlog.contextvars import clear_contextvars, merge_contextvars
from structlog.typing import EventDict, Processor

from lib.texts import storable

# Of what a line brings along (`extra`), only these are shown:
# Django brings whole requests along, and statements with their values.
SHOWN = {"endpoint", "status", "caller"}
# Whether the platform is well; load balancers ask by address, not by name.
PROBES = frozenset({"/healthz", "/healthz/workers", "/readyz"})
# Asked every few seconds; only what goes wrong is worth a line.
QUIET = PROBES | {"/metrics"}

# Whoever knows the address of an order's page may pay it, and see it.
CAPABILITY = re.compile(r"^/+checkout/+[^/]+", re.IGNORECASE)

# Every line, whoever says it.
SHARED: list[Processor] = [
    merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logs(*, level: str, as_json: bool) -> dict[str, Any]:
    """Sets structlog up, and returns Django's LOGGING. Tracebacks never show the values of variables;
    a warning is a line too.
    """
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    shown: list[Processor] = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if not as_json:
        shown = [
            structlog.processors.format_exc_info,
            spell_out,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": [*SHARED, structlog.stdlib.ExtraAdder(allow=SHOWN)],
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shown],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": LOGGERS if as_json or level == "DEBUG" else LOGGERS | FOR_A_TERMINAL,
    }


def spell_out(_logger: object, _method: str, line: EventDict) -> EventDict:
    """A line without control characters, on which a terminal would act; JSON spells them out itself."""
    return {name: storable(value) if isinstance(value, str) else value for name, value in line.items()}


LOGGERS: dict[str, dict[str, Any]] = {
    # A refused request is an answer, and stands in the call log;
    # a failure is told once, by config.exceptions or by RequestLog.
    "django.request": {"level": "CRITICAL"},
    # What each task does and how it fails is told by django_structlog, with the task's id.
    "celery.worker.strategy": {"level": "WARNING"},
    # A line for every message that it sends.
    "celery.beat": {"level": "WARNING"},
    "celery.app.trace": {"level": "CRITICAL"},
    # Would show statements with their values, and headers, at DEBUG.
    "django.db.backends": {"level": "INFO"},
    "httpcore": {"level": "INFO"},
    # Each repetition; what a collector did not get in the end is an error, and counted.
    "opentelemetry": {"level": "ERROR"},
    # In the web server's workers, gunicorn's own lines look like all others.
    "gunicorn.error": {"handlers": [], "propagate": True},
}
# Where somebody watches, pages that were answered, and their files, hide what matters.
FOR_A_TERMINAL = {"django_structlog.middlewares.request": {"level": "WARNING"}}


class RequestLog(RequestMiddleware):
    """Middleware: a line for each page of the browser's that was asked for,
    without what stands behind the question mark.
    """

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        if request.path_info in QUIET and response.status_code < 500:
            clear_contextvars()
        else:
            super().handle_response(request, response)

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        # Percent-encoded again: a line break in it begins no line of its own.
        return f"{request.method} {CAPABILITY.sub('/checkout/…', escape_uri_path(request.path))}"
