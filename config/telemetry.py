"""Traces of a web worker, or of a worker's child: begun after the fork, ended before the process does.

Tasks go on in the trace of whoever sent them; those that beat sends begin their own.
"""

import importlib
from typing import Any

from celery import Task
from celery.signals import before_task_publish, task_failure, task_postrun, task_prerun
from django.conf import settings

from lib.telemetry.spans import Span, Telemetry, present_traceparent, resumed_span

# The message's header.
HEADER = "traceparent"
# The tasks that this process is at, by their ids.
RUNNING: dict[str, Span] = {}


def start_telemetry(**ignored: Any) -> None:
    """Records from now on, if that is wanted; only then OpenTelemetry is imported."""
    if settings.TELEMETRY:
        importlib.import_module("lib.telemetry.recorder").start()
        before_task_publish.connect(send_along)
        task_prerun.connect(begin_task)
        task_failure.connect(fail_task)
        task_postrun.connect(end_task)


def end_telemetry(**ignored: Any) -> None:
    """Sends what still waits, within a few seconds."""
    if Telemetry.recorder:
        Telemetry.recorder.end()


def send_along(headers: dict[str, Any], **ignored: Any) -> None:
    """Before a message goes to the broker."""
    if traceparent := present_traceparent():
        headers[HEADER] = traceparent


def begin_task(task_id: str, task: Task, **ignored: Any) -> None:
    span = resumed_span(task.name, getattr(task.request, HEADER, None))
    span.note("wallet.task_id", task_id)
    RUNNING[task_id] = span.__enter__()


def fail_task(task_id: str, exception: BaseException, **ignored: Any) -> None:
    if span := RUNNING.get(task_id):
        span.fail(type(exception).__name__)


def end_task(task_id: str, **ignored: Any) -> None:
    if span := RUNNING.pop(task_id, None):
        span.__exit__(None, None, None)
