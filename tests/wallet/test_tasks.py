"""What tasks do beside the work that they start."""

from typing import Any

import pytest
from django.conf import settings
from kombu.exceptions import OperationalError

from wallet.job_runs import Run
from wallet.tasks import settle_due_task


def never_finished(run: Run) -> bool:
    return False


@pytest.fixture(autouse=True)
def work(monkeypatch: pytest.MonkeyPatch, database: None) -> None:
    monkeypatch.setattr("wallet.tasks.settle_due", never_finished)


def test_settle_due__unfinished_run_is_followed_by_one_that_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(settle_due_task, "apply_async", lambda **options: sent.append(options))
    settle_due_task()
    assert sent == [{"expires": settings.SETTLE_SECONDS}]


def test_settle_due__run_without_a_broker_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**options: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(settle_due_task, "apply_async", away)
    settle_due_task()
