"""Where an alert leads: to what it is about, and to what mends it; each only for who may go there."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lib.backoffice.languages import _
from lib.backoffice.pages import read_uuid, view_permission
from players.models import AuditEvent, Game, Operator
from wallet.admin.wallet_actions import GATE
from wallet.models import (
    Alert,
    ApiCall,
    Checkpoint,
    ClosedDay,
    Currency,
    JobRun,
    PayoutLimit,
    Transaction,
    Wallet,
)

Kind = Alert.Kind
Subjects = Iterable[str]


@dataclass(frozen=True, slots=True)
class Place:
    """A page of `of`'s admin, or one of its actions, which needs `permission`; or a list, narrowed."""

    words: str
    of: type[Model]
    view: str = "changelist"
    key: Any = None
    permission: str = ""
    query: Mapping[str, str] = field(default_factory=dict)

    def is_for(self, user: AbstractBaseUser | AnonymousUser) -> bool:
        needed = [view_permission(self.of), *([self.permission] if self.permission else [])]
        return bool(user.has_perms(needed))  # type: ignore[union-attr]

    @property
    def link(self) -> SafeString:
        name = f"admin:{self.of._meta.app_label}_{self.of._meta.model_name}_{self.view}"  # noqa: SLF001 (documented)
        address = reverse(name, args=[] if self.key is None else [self.key], query=self.query or None)
        return format_html('<a href="{}" class="wallet-link">{}</a>', address, self.words)


# By the subject: the first place is what the alert is about, the others mend it.
Places = dict[str, list[Place]]


def end_of(id: object) -> str:
    """An id as lists show it."""
    return f"…{str(id)[-12:]}"


def ids_in(subjects: Subjects) -> dict[str, UUID]:
    """The subjects that are ids."""
    return {subject: id for subject in subjects if (id := read_uuid(subject))}


# --- By what an alert is about ----------------------------------------------------------------------------


def of_wallets(subjects: Subjects) -> Places:
    ids = ids_in(subjects)
    found = Wallet.objects.filter(pk__in=ids.values()).select_related("player").defer("head")
    return {str(row.pk): wallet_places(row) for row in found}


def wallet_places(row: Wallet) -> list[Place]:
    whose = {"currency": row.currency_id, "uid": row.player.uid}
    if not row.frozen_at:
        name = _("{currency} wallet of {uid} (not frozen)").format(**whose)
        return [Place(name, Wallet, "change", row.pk)]
    return [
        Place(_("{currency} wallet of {uid} (frozen)").format(**whose), Wallet, "change", row.pk),
        Place(_("Unfreeze"), Wallet, "unfreeze", row.pk, GATE),
    ]


def of_ledger(subjects: Subjects) -> Places:
    runs = Place(_("Runs of the audit"), JobRun, query={"task": "audit_all"})
    known = set(Currency.objects.values_list("code", flat=True))
    places = {}
    for subject in subjects:
        code = subject.removeprefix("currency ")
        is_currency = code != subject and code in known
        words = _("currency {code}").format(code=code)
        about = [Place(words, Currency, "change", code)] if is_currency else []
        about += [Place(_("daily totals"), ClosedDay)] if subject == "daily totals" else []
        places[subject] = [*about, runs]
    return places


def of_checkpoints(subjects: Subjects) -> Places:
    numbers = {subject: subject.removeprefix("checkpoint ") for subject in subjects}
    return {
        subject: [Place(_("checkpoint {number}").format(number=number), Checkpoint, "change", number)]
        for subject, number in numbers.items()
        if number.isdecimal()
    }


def of_games(subjects: Subjects) -> Places:
    """Subjects are slugs, some with a currency."""
    slugs = {subject: subject.partition(" ")[0] for subject in subjects}
    games = dict(Game.objects.filter(slug__in=slugs.values()).values_list("slug", "pk"))
    return {
        subject: [Place(_("game {slug}").format(slug=slug), Game, "change", games[slug])]
        for subject, slug in slugs.items()
        if slug in games
    }


def of_paying_games(subjects: Subjects) -> Places:
    limits = Place(_("Payout limits"), PayoutLimit)
    return {subject: [*places, limits] for subject, places in of_games(subjects).items()}


def of_jobs(subjects: Subjects) -> Places:
    return {
        job: [Place(_("runs of {job}").format(job=job), JobRun, query={"task": job, "outcome": "failed"})]
        for job in subjects
    }


def of_chain(subjects: Subjects) -> Places:
    """The subject is the audit trail."""
    runs = Place(_("Runs of link_acts"), JobRun, query={"task": "link_acts"})
    return {subject: [Place(_("audit trail"), AuditEvent), runs] for subject in subjects}


def of_standbys(subjects: Subjects) -> Places:
    """The job that looks at them."""
    runs = Place(_("runs of {job}").format(job="watch"), JobRun, query={"task": "watch"})
    return {subject: [runs] for subject in subjects}


def of_lost_answers(subjects: Subjects) -> Places:
    """What they were about is not here; what games say since is in the call log."""
    return {subject: [Place(_("API calls"), ApiCall)] for subject in subjects}


def of_transactions(subjects: Subjects) -> Places:
    """Transactions are decided on their page."""
    return {
        subject: [Place(_("transaction {id}").format(id=end_of(id)), Transaction, "change", id)]
        for subject, id in ids_in(subjects).items()
    }


def of_money_by_hand(subjects: Subjects) -> Places:
    """A transaction, or a currency and a day."""
    days = {subject: subject.partition(" ") for subject in subjects if " " in subject}
    of_days = {
        subject: [
            Place(
                _("credits of {day}").format(day=day),
                Transaction,
                query={"type": "credit", "currency": code, "since": day, "until": f"{day}T23:59:59"},
            )
        ]
        for subject, (code, space, day) in days.items()
    }
    return of_transactions(subjects) | of_days


def of_acts(subjects: Subjects) -> Places:
    return {
        subject: [Place(_("act in the audit trail"), AuditEvent, "change", id)]
        for subject, id in ids_in(subjects).items()
    }


def of_operators(subjects: Subjects) -> Places:
    operators = Operator.objects.filter(username__in=list(subjects)).values_list("username", "pk")
    return {
        name: [Place(_("operator {name}").format(name=name), Operator, "change", key)]
        for name, key in operators
    }


# Other apps add their kinds.
PLACES: dict[str, Callable[[Subjects], Places]] = {
    Kind.WALLET_DIFFERENCE: of_wallets,
    Kind.LEDGER_DIFFERENCE: of_ledger,
    Kind.CHECKPOINT_DIFFERENCE: of_checkpoints,
    Kind.GAME_FORGETS: of_games,
    Kind.SWEEP_FAILED: of_jobs,
    Kind.SETTLEMENT_FAILED: of_transactions,
    Kind.ACTS_NOT_LINKED: of_chain,
    Kind.MONEY_BY_HAND: of_money_by_hand,
    Kind.DEPOSITS_UNUSUAL: of_paying_games,
    Kind.ACCESS_CHANGED: of_acts,
    Kind.LOCK_OUT: of_operators,
    Kind.ANSWERS_LOST: of_lost_answers,
    Kind.STANDBY_BEHIND: of_standbys,
}


# --- On pages ---------------------------------------------------------------------------------------------


def find_places(alerts: Iterable[Alert]) -> dict[UUID, list[Place]]:
    """The places of each alert, by one or two queries for each kind that is among them."""
    subjects: dict[str, set[str]] = {}
    rows = list(alerts)
    for row in rows:
        subjects.setdefault(row.kind, set()).add(row.subject)
    known = {kind: PLACES[kind](of_kind) for kind, of_kind in subjects.items() if kind in PLACES}
    return {row.pk: known.get(row.kind, {}).get(row.subject, []) for row in rows}


def show_places(places: Iterable[Place]) -> SafeString:
    """Links, below each other."""
    links = format_html_join(SafeString("<br>"), "{}", ((one.link,) for one in places))
    return format_html("<span>{}</span>", links)
