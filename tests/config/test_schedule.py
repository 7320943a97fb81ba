"""What beat sends: what the workers know, and nothing else."""

from celery.beat import Scheduler

from config.celery import app
from config.schedule import BEAT
from wallet.admin.job_runs import JOBS


def test_beat__sends_our_tasks_and_none_of_celerys_own() -> None:
    scheduler = Scheduler(app=app, lazy=True)
    scheduler.setup_schedule()
    sent = {entry.task for entry in scheduler.schedule.values()}
    assert sent == {task for task, _, _ in BEAT}
    assert sent <= set(app.tasks)


def test_jobs__have_words_for_each_that_beat_sends() -> None:
    """On the first page and in the list of runs."""
    assert set(JOBS) == {task.partition(".")[2] for task, _, _ in BEAT} - {"pulse"}
