"""How the platform does: who shows life, what each job last did, and how much room there is."""

import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.utils.safestring import SafeString
from redis import RedisError

from config.broker import broker, key_of
from config.health import BROKER, QUEUE_SILENCE
from config.queues import QUEUES
from lib.backoffice.formatting import NOTHING, badge, clock, excerpt, link, moment
from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.standby_words import tell
from lib.backoffice.stored_texts import reworded
from lib.clock import now
from lib.standby import STANDBY
from wallet.admin.job_runs import JOBS, TASKS, show_outcome
from wallet.models import JobRun, Outage, Pulse
from wallet.outages import SILENCE

LATEST_RUNS = """
    SELECT run.* FROM unnest(%s::text[]) WITH ORDINALITY AS known (task, place)
    CROSS JOIN LATERAL (
        SELECT * FROM wallet_jobrun WHERE task = known.task ORDER BY began_at DESC LIMIT 1) run
    ORDER BY known.place
"""
ROOM = """
    SELECT pg_database_size(current_database()), (SELECT sum(numbackends) FROM pg_stat_database),
        current_setting('max_connections')::integer
"""
REPLICAS = "SELECT count(*), max(replay_lag) FROM pg_stat_replication"
MOST_LAG = timedelta(seconds=60)
# More messages than workers take in some minutes.
MANY_MESSAGES = 1_000
# An outage of the last days is shown.
RECENT = timedelta(days=7)
# Part of a disk, or of the connections, that is used: from here on it is a warning.
NEARLY_FULL = 0.85
SIGN_HEADERS = (_("Part"), _("State"), _("In words"))
JOB_HEADERS = (_("Job"), _("Last run (UTC)"), _("Outcome"), _("In words"))


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that is well or not, in words."""

    part: str
    is_well: bool
    words: str

    @property
    def row(self) -> tuple[str, SafeString, str]:
        """As a table has it."""
        state = badge(_("well"), "success") if self.is_well else badge(_("look here"), "danger")
        return self.part, state, self.words


def signs() -> list[Sign]:
    """A line for each part of the platform."""
    at = now()
    pulses = dict(Pulse.objects.values_list("part", "at"))
    return [
        heartbeat(_("Web processes"), pulses.get(Pulse.Part.WEB), SILENCE, at),
        heartbeat(_("Beat, broker and worker"), pulses.get(Pulse.Part.QUEUE), QUEUE_SILENCE, at),
        queue_sign(),
        last_outage(at),
        *room(),
        *replicas(),
        *standby_sign(),
    ]


def heartbeat(part: str, seen: datetime | None, silence: timedelta, at: datetime) -> Sign:
    if seen is None:
        return Sign(part, False, _("No sign of life yet."))
    seconds = max(0, round((at - seen).total_seconds()))
    return Sign(part, at - seen <= silence, _("Last sign of life {seconds} s ago.").format(seconds=seconds))


def queue_sign() -> Sign:
    """How many messages no worker has taken yet; a broker that is away is waited for by one look alone."""
    if BROKER.state() != "ok":
        return Sign(_("Queue"), False, _("The broker does not answer; sweeps find what is due without it."))
    try:
        with broker() as client:
            waiting = sum(client.llen(key_of(queue)) for queue in QUEUES)
    except RedisError:
        return Sign(_("Queue"), False, _("The broker has stopped answering."))
    return Sign(
        _("Queue"),
        waiting < MANY_MESSAGES,
        _("{number} messages wait for a worker.").format(number=f"{waiting:,}"),
    )


def last_outage(at: datetime) -> Sign:
    """Whether all web processes were silent for a while lately."""
    outage = Outage.objects.order_by("-ended_at").first()
    if outage is None or at - outage.ended_at > RECENT:
        return Sign(_("Outages"), True, _("None in the last {days} days.").format(days=RECENT.days))
    words = _("From {begin} to {end}.").format(begin=moment(outage.began_at), end=moment(outage.ended_at))
    return Sign(_("Outages"), False, words)


def room() -> list[Sign]:
    with connection.cursor() as cursor:
        cursor.execute(ROOM)
        size, used, most = cursor.fetchone()
    disk = shutil.disk_usage(settings.BASE_DIR)
    return [
        Sign(_("Database"), True, _("{size} on its disk.").format(size=filesizeformat(size))),
        Sign(
            _("Connections"),
            used < NEARLY_FULL * most,
            _("{used} of {most} are in use.").format(used=used, most=most),
        ),
        Sign(
            _("Disk of this web process"),
            disk.used < NEARLY_FULL * disk.total,
            _("{free} of {total} are free.").format(
                free=filesizeformat(disk.free), total=filesizeformat(disk.total)
            ),
        ),
    ]


def replicas() -> list[Sign]:
    """The databases that follow this one, if there are any."""
    with connection.cursor() as cursor:
        cursor.execute(REPLICAS)
        number, lag = cursor.fetchone()
    if not number:
        return []
    if lag is None:
        # Nothing to replay, or a role without `pg_monitor`.
        words = ngettext_lazy(
            "{number} replica follows; no lag is told.", "{number} replicas follow; no lag is told.", number
        )
        return [Sign(_("Replicas"), True, words.format(number=number))]
    words = ngettext_lazy(
        "{number} replica follows, by {lag} s.", "{number} replicas follow, the last one by {lag} s.", number
    )
    known = words.format(number=number, lag=f"{lag.total_seconds():,.1f}")
    return [Sign(_("Replicas"), lag < MOST_LAG, known)]


def standby_sign() -> list[Sign]:
    """Whether the standby of lists and reports serves, if there is one."""
    if not STANDBY.is_configured:
        return []
    with STANDBY.reading() as reading:
        return [Sign(_("Standby of lists and reports"), reading.is_open, tell(reading))]


def latest_runs() -> list[JobRun]:
    """The last run of each job, by one query."""
    return list(JobRun.objects.raw(LATEST_RUNS, [list(TASKS)]))


def job_rows(runs: list[JobRun], at: datetime) -> list[tuple[object, ...]]:
    """Each job's last run; of a job that has none, that it has none."""
    by_task = {run.task: run for run in runs}
    return [job_row(task, by_task.get(task), at) for task in TASKS]


def job_row(task: str, run: JobRun | None, at: datetime) -> tuple[object, ...]:
    if run is None:
        return JOBS[task], NOTHING, badge(_("no run yet"), "warning"), NOTHING
    run.seen_at = at  # type: ignore[attr-defined]
    counts = (
        _("{done} of {all} done.").format(done=f"{run.done:,}", all=f"{run.looked_at:,}")
        if run.looked_at
        else _("Nothing to do.")
    )
    words = run.error or reworded(run.note) or counts
    return (
        link(JOBS[task], "wallet_jobrun_change", run.pk),
        clock(run.began_at),
        show_outcome(run),
        excerpt(words),
    )
