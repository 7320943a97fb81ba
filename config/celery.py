"""The Celery application: workers and beat are started with `celery -A config.celery`."""

import logging.config
import os
from typing import Any

import django
from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_init,
    setup_logging,
    worker_process_init,
    worker_process_shutdown,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string
from django_structlog.celery.steps import DjangoStructLogInitStep

from config import broker_transport
from config.telemetry import end_telemetry, start_telemetry
from lib.background import give_way

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

broker_transport.install()
app = Celery("quantum_wallet")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["wallet", "payments"])
# Every line that a task causes carries its id.
app.steps["worker"].add(DjangoStructLogInitStep)


def keep_our_logs(**ignored: Any) -> None:
    """Workers and beat log like everything else;
    where nobody listens here, Celery brings handlers of its own.
    """
    logging.config.dictConfig(settings.LOGGING)


def end_refused_start(**ignored: Any) -> None:
    """Celery goes on after any other exception of a listener, whatever it was."""
    try:
        django.setup()
        import_string("config.refusals.refuse_start")()
    except ImproperlyConfigured as problem:
        raise SystemExit(str(problem)) from None
    except Exception as problem:
        raise SystemExit(f"Whether it may start could not be told: {problem!r}") from problem


def give_way_to_calls(**ignored: Any) -> None:
    """Tasks come after calls."""
    give_way()


# In each process that runs tasks.
worker_process_init.connect(give_way_to_calls)
worker_process_init.connect(start_telemetry)
worker_process_shutdown.connect(end_telemetry)
setup_logging.connect(keep_our_logs)
celeryd_init.connect(end_refused_start)
beat_init.connect(end_refused_start)
