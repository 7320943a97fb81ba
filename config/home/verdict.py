"""Whether money is right, as the platform's own checks say it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from lib.backoffice.formatting import MOST_COUNTED, counted, moment
from lib.backoffice.languages import _, ngettext_lazy
from lib.backoffice.stored_texts import reworded
from lib.clock import now
from wallet.audit.scheduled import read_by_rolling_audit, successful
from wallet.models import Alert, Checkpoint, JobRun, Wallet

# The night's checks run once a day; with two hours for a long one they are late.
LATE = timedelta(hours=26)


class State(StrEnum):
    """RIGHT: the last checks found nothing, and nothing has been found since. UNKNOWN: nobody has looked."""

    RIGHT = "right"
    UNKNOWN = "unknown"
    WRONG = "wrong"


class Reason(NamedTuple):
    """Why money is not simply right, and the address where that is seen."""

    sentence: str
    address: str


@dataclass(frozen=True, slots=True)
class Checks:
    """What the platform knows about its money at the moment `at`.

    `differences` are the open alerts of audits and checkpoints by kind; they and `frozen` wallets are counted
    up to `MOST_COUNTED` + 1. `audit` is the last whole audit that came to its end, `last_audit` the last that
    began; every change before `replayed_up_to` was audited as well.
    """

    at: datetime
    differences: dict[str, list[UUID]]
    frozen: int
    audit: JobRun | None
    last_audit: JobRun | None
    replayed_up_to: datetime | None
    checkpoint: Checkpoint | None
    makes_checkpoints: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    title: str
    facts: list[str]
    reasons: list[Reason]


TITLES = {
    State.RIGHT: _("Money is right"),
    State.UNKNOWN: _("Nobody has checked the money lately"),
    State.WRONG: _("Money is not right"),
}


def read_checks() -> Checks:
    """By indexes of what is open and what is newest, however much there is."""
    alerts = Alert.objects.filter(resolved_at=None, kind__in=Alert.CRITICAL).order_by("kind")
    found = list(alerts.values_list("kind", "pk")[: MOST_COUNTED + 1])
    frozen = Wallet.objects.filter(frozen_at__isnull=False).values_list("pk", flat=True)
    return Checks(
        at=now(),
        differences={kind: [id for of, id in found if of == kind] for kind, _ in found},
        frozen=len(frozen[: MOST_COUNTED + 1]),
        audit=successful("audit_all").first(),
        last_audit=JobRun.objects.filter(task="audit_all").order_by("-began_at").first(),
        replayed_up_to=read_by_rolling_audit(),
        checkpoint=Checkpoint.objects.order_by("-number").first(),
        makes_checkpoints=bool(settings.CHECKPOINT_KEY),
    )


def judge(checks: Checks) -> Verdict:
    """The verdict, by what is known alone."""
    wrong, unknown = list(differences(checks)), list(lacking(checks))
    state = State.WRONG if wrong else State.UNKNOWN if unknown else State.RIGHT
    return Verdict(state, TITLES[state], facts(checks), [*wrong, *unknown, *notices(checks)])


def differences(checks: Checks) -> list[Reason]:
    """What an audit or a checkpoint found, and nobody has resolved."""
    return [difference(kind, alerts) for kind, alerts in checks.differences.items()]


def difference(kind: str, alerts: list[UUID]) -> Reason:
    """One alert is shown on its own page, several in their list."""
    if len(alerts) == 1:
        return Reason(f"{sentence(kind)}.", reverse("admin:wallet_alert_change", args=alerts))
    times = _("{sentence} ({number} times).").format(sentence=sentence(kind), number=counted(len(alerts)))
    return Reason(times, reverse("admin:wallet_alert_changelist", query={"state": "open"}))


def sentence(kind: str) -> str:
    label = str(Alert.Kind(kind).label)
    return label[:1].upper() + label[1:]


def lacking(checks: Checks) -> list[Reason]:
    """Which of the checks that the verdict rests on was not done, or not lately."""
    runs = reverse("admin:wallet_jobrun_changelist", query={"outcome": "all", "task": "audit_all"})
    if checks.audit is None or checks.audit.ended_at is None:
        return [Reason(_("The whole ledger has never been audited; that is done every night."), runs)]
    found = []
    if is_late(checks.audit.ended_at, checks):
        found.append(
            Reason(
                _("The last whole audit ended {moment}.").format(moment=moment(checks.audit.ended_at)), runs
            )
        )
    if checks.last_audit and checks.last_audit.error:
        found.append(
            Reason(_("The last whole audit was aborted: {error}").format(error=checks.last_audit.error), runs)
        )
    return found


def notices(checks: Checks) -> list[Reason]:
    """What does not make money wrong, and should be known."""
    found = []
    if checks.frozen:
        words = ngettext_lazy(
            "{number} wallet is frozen: nothing can be withdrawn there.",
            "{number} wallets are frozen: nothing can be withdrawn there.",
            checks.frozen,
        )
        frozen = reverse("admin:wallet_wallet_changelist", query={"withdrawals": "frozen"})
        found.append(Reason(words.format(number=counted(checks.frozen)), frozen))
    checkpoints = reverse("admin:wallet_checkpoint_changelist")
    if not checks.makes_checkpoints:
        found.append(Reason(_("No checkpoints are made: CHECKPOINT_KEY is not set."), checkpoints))
    elif checks.checkpoint and is_late(checks.checkpoint.made_at, checks):
        words = _("The last checkpoint was made {moment}.").format(moment=moment(checks.checkpoint.made_at))
        found.append(Reason(words, checkpoints))
    return found


def facts(checks: Checks) -> list[str]:
    """What the verdict rests on."""
    found = []
    if checks.audit and checks.audit.ended_at:
        words = _("Last whole audit {moment}: {note}")
        found.append(words.format(moment=moment(checks.audit.ended_at), note=reworded(checks.audit.note)))
        if checks.replayed_up_to and checks.replayed_up_to > checks.audit.ended_at:
            words = _("All changes since then are audited up to {moment}.")
            found.append(words.format(moment=moment(checks.replayed_up_to)))
    if checks.checkpoint:
        one = checks.checkpoint
        words = _("Last checkpoint {moment}: number {number}, {wallets} wallets, {entries} entries.")
        counts = {"wallets": f"{one.wallets:,}", "entries": f"{one.entries:,}"}
        found.append(words.format(moment=moment(one.made_at), number=one.number, **counts))
    if not checks.frozen:
        found.append(_("No wallet is frozen."))
    return found


def is_late(at: datetime, checks: Checks) -> bool:
    return checks.at - at > LATE
