"""Sends what is due: one attempt after another, outside of every atomic block."""

import time
from collections import Counter

from lib.clock import now
from wallet.alert_messages.channels import send
from wallet.alert_messages.contents import Told
from wallet.alert_messages.operations import lease, record_failure, record_sent
from wallet.alert_messages.recipients import Recipient, recipients
from wallet.job_runs import Run
from wallet.models import AlertMessage

# Taken at once: all of them end within a lease.
BATCH = 5
RUN_SECONDS = 60.0
# A channel that failed so often in a run is left alone until the next one.
MOST_FAILURES = 3


def tell_alerts(run: Run) -> None:
    """Tells people what is due to be told."""
    began, failures = time.monotonic(), Counter[str]()
    while time.monotonic() < began + RUN_SECONDS:
        given_up = [channel for channel, count in failures.items() if count >= MOST_FAILURES]
        messages = lease(now(), left_out=given_up, limit=BATCH)
        if not messages:
            break
        for message in messages:
            is_sent = attempt(message)
            run.looked_at += 1
            run.done += is_sent
            run.failed += not is_sent
            failures[message.channel] += not is_sent


def attempt(message: AlertMessage) -> bool:
    """Sends one message and writes down what came of it. Returns whether it was sent."""
    problem, is_final = "", False
    if Recipient(message.channel, message.address) in recipients():
        problem = send(message.channel, message.address, Told.next_of(message))
    else:
        problem, is_final = "no longer among those who hear of alerts", True
    if problem:
        record_failure(message, problem, is_final=is_final)
    else:
        record_sent(message)
    return not problem
