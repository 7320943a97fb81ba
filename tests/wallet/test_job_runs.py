"""What each run of a sweep writes down, the lock that some of them take, and the alerts they raise."""

import threading

import pytest
from django.db import connection, transaction

from tests.support.callers import unique
from wallet.alerts import clear_alert, is_news, raise_alert, resolve_alert
from wallet.job_runs import alone, recorded, wait_for_turn
from wallet.models import Alert, JobRun


def test_job_run__records_what_it_did(database: None) -> None:
    task = unique("task")
    with recorded(task) as run:
        row = JobRun.objects.get(task=task)
        assert (row.ended_at, row.worker) == (None, run.worker)
        run.looked_at, run.done, run.failed, run.note = 3, 2, 1, "x" * 300
    row.refresh_from_db()
    assert row.ended_at is not None
    assert row.ended_at >= row.began_at
    assert (row.looked_at, row.done, row.failed, row.note, row.error) == (3, 2, 1, "x" * 255, "")


def test_job_run__failure_is_recorded_and_next_run_clears_alert(database: None) -> None:
    task = unique("task")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), recorded(task) as run:
            run.looked_at = 1 // 0
    assert set(JobRun.objects.filter(task=task).values_list("error", flat=True)) == {
        "ZeroDivisionError: integer division or modulo by zero"
    }
    alert = Alert.objects.get(kind="sweep_failed", subject=task)
    assert (alert.times_seen, alert.resolved_at) == (2, None)
    with recorded(task):
        pass
    alert.refresh_from_db()
    assert alert.resolved_at is not None
    assert (alert.resolved_by, alert.reason) == ("platform", "The job has run again.")


def test_job_run__exclusive_job_runs_once_at_a_time(database: None) -> None:
    task, seen = unique("task"), []

    def other(name: str) -> None:
        with alone(name) as is_ours:
            seen.append(is_ours)
        connection.close()

    def beside(name: str) -> None:
        thread = threading.Thread(target=other, args=(name,))
        thread.start()
        thread.join()

    with alone(task) as is_ours:
        assert is_ours
        beside(task)
        beside(unique("task"))
    beside(task)
    assert seen == [False, True, True]


def test_job_run__exclusive_job_does_not_wait_for_itself(database: None) -> None:
    task = unique("task")
    with alone(task) as is_ours, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        wait_for_turn(task)
    assert is_ours


def test_alert__is_open_once_and_resolved_with_a_reason(database: None) -> None:
    subject = unique("wallet")
    assert raise_alert("settlement_failed", subject, "first")
    assert not raise_alert("settlement_failed", subject, "second")
    alert = Alert.objects.get(kind="settlement_failed", subject=subject)
    assert (alert.times_seen, alert.text, alert.resolved_at) == (2, "second", None)
    assert resolve_alert(alert, actor="anna", reason="mended")
    assert not resolve_alert(alert, actor="ben", reason="me too")
    alert.refresh_from_db()
    assert (alert.resolved_by, alert.reason) == ("anna", "mended")
    assert raise_alert("settlement_failed", subject, "second")
    assert Alert.objects.filter(subject=subject, resolved_at=None).count() == 1
    assert clear_alert("settlement_failed", subject, reason="over")
    assert not clear_alert("settlement_failed", subject, reason="over")


def test_alert__accepted_difference_recurs_only_if_it_changes(database: None) -> None:
    subject = unique("wallet")
    assert raise_alert("wallet_difference", subject, "entry 3 is wrong")
    resolve_alert(Alert.objects.get(subject=subject), actor="anna", reason="known")
    assert not raise_alert("wallet_difference", subject, "entry 3 is wrong")
    assert Alert.objects.filter(subject=subject, resolved_at=None).count() == 0
    assert raise_alert("wallet_difference", subject, "entries 3 and 4 are wrong")


def test_job_run__failure_that_quotes_any_characters_is_recorded(database: None) -> None:
    task = unique("task")
    with pytest.raises(ValueError, match="half"), recorded(task):
        raise ValueError("a NUL \x00 and half a character \ud800")
    kept = "ValueError: a NUL \\x00 and half a character \\ud800"
    assert JobRun.objects.get(task=task).error == kept
    assert Alert.objects.get(kind="sweep_failed", subject=task).text == f"The last run was aborted: {kept}"


def test_alert__with_any_characters_is_the_same_one_again(database: None) -> None:
    subject = unique("s")
    assert raise_alert("sweep_failed", subject, "x\x00")
    assert not raise_alert("sweep_failed", subject, "x\x00")
    assert not is_news("sweep_failed", subject, "x\x00")
