"""A ledger with a month that can be archived, and the commands that do it, as the owner runs them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import environ
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import override_settings

from lib.clock import now
from tests.conftest import Clock
from tests.support.busy_wallets import Story, tell_story
from tests.support.callers import PlayerSession
from tests.support.checkpoints import checkpoints_in, make
from tests.support.own_database import OwnLedger, use
from wallet.audit.daily_totals import close_days
from wallet.audit.passes import begin, end, result
from wallet.audit.workers import work
from wallet.events.numbering import drop_old_events, number_all
from wallet.figures import fold_figures, unfinished_days
from wallet.job_runs import Run
from wallet.journal_parts import prepare_months
from wallet.models import Entry, Transaction

Call = tuple[str, str, str | None]
# So long after the first part's end it is now.
PRESENT = timedelta(days=110)


@dataclass(frozen=True)
class ArchivableLedger:
    """`before` is the month after the first part, which can be archived; `later` that after the next one;
    `calls` are a game's, made by then.
    """

    ledger: OwnLedger
    clock: Clock
    story: Story
    calls: list[Call]
    ended: datetime
    archive: Path

    @property
    def before(self) -> str:
        return f"{self.ended:%Y-%m}"

    @property
    def later(self) -> str:
        return f"{self.ended + timedelta(days=32):%Y-%m}"

    @property
    def entries(self) -> int:
        """How many entries there are to be archived."""
        return Entry.objects.filter(at__lt=self.ended).count()

    def answers(self) -> list[bytes]:
        """What the same calls are answered now."""
        return [self.story.other.call(*call).raw for call in self.calls]


@contextmanager
def archivable(ledger: OwnLedger, directory: Path) -> Iterator[ArchivableLedger]:
    """In the journal's first part everything happened; in the month after, what was left open ended, and more
    began; that ended in a third part. All but that one can be archived.
    """
    clock = Clock(ledger.owner)
    [(ended,)] = ledger.owner.execute("SELECT min(ended) FROM journal_parts()").fetchall()
    with (
        checkpoints_in(directory / "checkpoints"),
        override_settings(ARCHIVE_DIRECTORY=str(directory / "archive")),
    ):
        clock.stand(ended - timedelta(days=20))
        story = tell_story(ledger.callers)
        calls = calls_of(story.other)
        number_all(Run("test"))
        forget_answers(ledger)
        clock.stand(ended - timedelta(days=1))
        prepare_months()
        clock.stand(ended + timedelta(days=15))
        end_all()
        left_open = go_on(story.second)
        number_all(Run("test"))
        clock.stand(ended + timedelta(days=40))
        story.second.done("confirmDeposit", left_open)
        go_on(story.second)
        number_all(Run("test"))
        clock.stand(ended + PRESENT)
        drop_old_events(timedelta(days=settings.EVENTS_KEEP_DAYS))
        inspect()
        try:
            yield ArchivableLedger(ledger, clock, story, calls, ended, directory / "archive")
        finally:
            clock.restore()


def calls_of(player_session: PlayerSession) -> list[Call]:
    """Calls of each kind, which have been made."""
    confirmed, returned = (player_session.opened("withdraw", "1.00") for _ in range(2))
    deposit = player_session.opened("deposit", "2.00")
    calls: list[Call] = [
        ("withdraw", "declined-before", "9999.00"),
        ("confirmWithdrawal", confirmed, None),
        ("rollbackWithdrawal", returned, None),
        ("rollbackWithdrawal", "declined-before", None),
        ("confirmDeposit", deposit, None),
        ("rollbackDeposit", "tombstone-before", None),
    ]
    for call in calls:
        player_session.call(*call)
    return [*calls, ("withdraw", confirmed, "1.00"), ("deposit", deposit, "2.00")]


def forget_answers(ledger: OwnLedger) -> None:
    """Every other transaction is from before answers were kept."""
    ledger.owner.execute(
        "UPDATE wallet_transaction SET opened_balance = NULL, settled_balance = NULL WHERE opened_seq % 2 = 0"
    )


def end_all() -> None:
    """Ends what is pending, in the month that stays."""
    for transaction in Transaction.objects.filter(state="pending"):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT ledger_resolve(%s, 'rolled_back', 'operator', 'test', 'old')", [transaction.pk]
            )


def go_on(player_session: PlayerSession) -> str:
    """By a token that has expired since: deposits need no live one. Returns what is left open."""
    player_session.done("confirmDeposit", player_session.opened("deposit", "1.00"))
    return player_session.opened("deposit", "2.00")


def inspect() -> None:
    """Days are closed and summed up, every line is audited in parts, and a checkpoint is made."""
    close_days(Run("test"))
    while unfinished_days(now()):
        fold_figures(Run("test"))
    audited(full=True)
    make()


def audited(*, full: bool) -> list[str]:
    """What an audit in parts finds."""
    audit = begin(full=full)
    work(audit)
    report = result(audit)
    end(audit)
    return report.problems


@contextmanager
def as_owner() -> Iterator[None]:
    """Django connects as the tables' owner meanwhile, as for a migrate."""
    theirs = environ.Env.db_url_config(os.environ["DATABASE_OWNER_URL"])
    ours = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD")}
    use(USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
    try:
        yield
    finally:
        use(**ours)


def run(command: str, **options: str | bool) -> str:
    """What a command of the owner says."""
    said = StringIO()
    given = {f"--{name}": value for name, value in options.items() if value}
    words = [name if value is True else f"{name}={value}" for name, value in given.items()]
    with as_owner():
        call_command(command, *words, stdout=said, stderr=StringIO())
    return said.getvalue()
