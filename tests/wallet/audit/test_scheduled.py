"""The ledger checks itself: what differs is frozen and told, what an operator accepted stays accepted, and no
news is left unread.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.conftest import Clock
from tests.support.callers import PlayerSession
from tests.support.own_database import AUDITED, OwnLedger, own_ledger
from wallet.alerts import resolve_alert
from wallet.audit import scheduled
from wallet.audit.report import Report
from wallet.audit.scheduled import audit_all, audit_recent
from wallet.job_runs import Run, recorded
from wallet.models import (
    Alert,
    ClosedDay,
    DailyTotal,
    Entry,
    JobRun,
)
from wallet.operations import freeze_wallet, unfreeze_wallet

Kind = Alert.Kind
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture(scope="module")
def ledger(database: None, database_name: str) -> Iterator[OwnLedger]:
    """A database in which tests may break what they like."""
    with own_ledger(f"{database_name}_checking") as ledger:
        ledger.keep()
        yield ledger


@pytest.fixture(autouse=True)
def fresh(ledger: OwnLedger) -> Iterator[None]:
    """Each test begins with an empty ledger that was never audited."""
    yield
    Clock(ledger.owner).restore()
    ledger.restore()
    ledger.clear(Alert, JobRun, DailyTotal, ClosedDay, *AUDITED)


@pytest.fixture
def player_session(ledger: OwnLedger) -> PlayerSession:
    """A wallet with 100.00, of which 10.00 are paid and 5.00 wait; entries 1 to 5."""
    player_session = ledger.callers.player_session(100_00)
    player_session.done("confirmWithdrawal", player_session.opened("withdraw", "10.00"))
    player_session.opened("withdraw", "5.00")
    return player_session


@pytest.fixture
def clock(ledger: OwnLedger) -> Clock:
    clock = Clock(ledger.owner)
    clock.stand(MONDAY)
    return clock


def full() -> Run:
    with recorded("audit_all") as run:
        audit_all(run)
    return run


def rolling() -> Run:
    with recorded("audit_recent") as run:
        audit_recent(run)
    return run


def change(
    ledger: OwnLedger, player_session: PlayerSession, table: str, assignment: str, where: str = "true"
) -> None:
    """What a superuser does to rows of the session's player."""
    statement = f"UPDATE wallet_{table} SET {assignment} WHERE player_id = %s AND {where}"
    assert ledger.owner.execute(statement.encode(), [player_session.player.pk]).rowcount > 0


def alert_about(player_session: PlayerSession) -> Alert:
    """The one open alert about the session's wallet."""
    return Alert.objects.get(
        kind=Kind.WALLET_DIFFERENCE, subject=str(player_session.wallet().pk), resolved_at=None
    )


def is_frozen(player_session: PlayerSession) -> bool:
    return player_session.wallet().frozen_at is not None


def accept(player_session: PlayerSession) -> None:
    """An operator looks at the difference, and lets the player play on."""
    assert resolve_alert(alert_about(player_session), actor="operator", reason="known")
    assert unfreeze_wallet(player_session.wallet(), actor="operator", reason="known")


# --- What follows from a difference -------------------------------------------------------------------


def test_audit__sound_ledger_freezes_nothing_and_raises_no_alert(player_session: PlayerSession) -> None:
    run = full()
    assert (run.looked_at, run.done, run.failed, run.note) == (
        1,
        1,
        0,
        "1 wallets, 5 entries: no difference. The sums are right in XAG.",
    )
    assert (rolling().looked_at, Alert.objects.count(), is_frozen(player_session)) == (1, 0, False)


@pytest.mark.parametrize("audit", [full, rolling])
@pytest.mark.parametrize(
    ("table", "assignment", "where", "text"),
    [
        (
            "wallet",
            "spendable = spendable + 100",
            "true",
            "Entry 6: spendable should be 85.00 XAG, is 86.00 XAG.",
        ),
        ("wallet", "head = decode(repeat('00', 32), 'hex')", "true", "Entry 6: the hash does not fit"),
        ("wallet", "withdrawal_limit = 1", "true", "The withdrawal limit should be none, is 0.01 XAG."),
        ("wallet", "frozen_at = opened_at", "true", "The wallet's freeze is not what its entries say."),
        ("entry", "note = 'forged'", "seq = 4", "Entry 4: the hash does not fit"),
        ("transaction", "state = 'confirmed'", "state = 'pending'", " is confirmed without the entry for it"),
    ],
)
def test_audit__freezes_differing_wallet_and_alert_says_why(
    ledger: OwnLedger,
    player_session: PlayerSession,
    audit: Callable[[], Run],
    table: str,
    assignment: str,
    where: str,
    text: str,
) -> None:
    sound = ledger.callers.player_session()
    change(ledger, player_session, table, assignment, where)
    run = audit()
    assert (run.looked_at, run.done, run.failed) == (2, 1, 1)
    alert = alert_about(player_session)
    assert text in alert.text
    assert (alert.wallet, alert.times_seen) == (player_session.wallet(), 1)
    refused = player_session.call("withdraw", "after-it", "1.00")
    assert (refused.error, refused.body["errorDescription"]) == (
        103,
        "Withdrawals from this wallet are frozen.",
    )
    assert (is_frozen(player_session), is_frozen(sound)) == (True, False)
    assert Alert.objects.filter(kind=Kind.WALLET_DIFFERENCE).count() == 1


def test_audit__freeze_is_an_entry_that_names_the_audit(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    full()
    frozen = Entry.objects.get(wallet=player_session.wallet(), seq=6)
    assert (frozen.event, frozen.actor, frozen.note) == (
        "frozen",
        "audit",
        "The audit found a difference in this wallet; see its alert.",
    )


def test_audit__difference_found_again_is_one_alert_that_counts(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    assert [run.failed for run in (full(), rolling(), full())] == [1, 1, 1]
    assert (alert_about(player_session).times_seen, player_session.wallet().entry_count) == (3, 6)


def test_audit__run_after_one_killed_after_freeze_alerts(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    freeze_wallet(player_session.wallet(), actor="audit", reason="killed right after this")
    full()
    assert "Entry 4: " in alert_about(player_session).text


@pytest.mark.parametrize(
    "tampering",
    ["entry_count = entry_count - 1", "spendable = -1"],
    ids=["its entries are refused", "its row is refused"],
)
def test_audit__unfreezable_wallet_stops_no_other_and_is_told(
    ledger: OwnLedger, player_session: PlayerSession, tampering: str
) -> None:
    other = ledger.callers.player_session()
    change(ledger, other, "entry", "note = 'forged'", "seq = 2")
    with past_the_check(ledger):
        change(ledger, player_session, "wallet", tampering)
    assert [full().failed, full().failed] == [2, 2]
    assert alert_about(player_session).text.startswith("Its withdrawals could not be frozen. ")
    assert alert_about(player_session).times_seen == 2
    assert (is_frozen(player_session), is_frozen(other)) == (False, True)


@contextmanager
def past_the_check(ledger: OwnLedger) -> Iterator[None]:
    """Rows that are written inside may break the CHECK, which applies again afterwards."""
    ledger.owner.execute("ALTER TABLE wallet_wallet DROP CONSTRAINT wallet_is_sound")
    yield
    ledger.owner.execute(
        "ALTER TABLE wallet_wallet ADD CONSTRAINT wallet_is_sound CHECK (wallet_is_sound(wallet_wallet)) "
        "NOT VALID"
    )


# --- What an operator accepts -------------------------------------------------------------------------

DIFFERENCES = [
    ("wallet", "spendable = spendable + 100", "true"),
    ("wallet", "reserved = reserved + 1, entry_count = entry_count + 3", "true"),
    ("wallet", "head = decode(repeat('00', 32), 'hex')", "true"),
    ("wallet", "frozen_at = opened_at", "true"),
    ("entry", "amount = amount + 1", "seq = 3"),
    ("transaction", "state = 'confirmed'", "state = 'pending'"),
]


@pytest.mark.parametrize(("table", "assignment", "where"), DIFFERENCES)
def test_audit__lifted_freeze_stays_lifted_if_nothing_new_found(
    ledger: OwnLedger, player_session: PlayerSession, table: str, assignment: str, where: str
) -> None:
    change(ledger, player_session, table, assignment, where)
    full()
    accept(player_session)
    player_session.done("withdraw", "again", "1.00")
    for audit in (rolling, full, rolling, full):
        audit()
        assert not is_frozen(player_session)
    assert Alert.objects.filter(resolved_at=None, kind=Kind.WALLET_DIFFERENCE).count() == 0


# As alerts of before their texts were for people have it: the words that an operator has accepted.
FORMERLY = [
    (
        "spendable = spendable + 100",
        (
            "entry 6: the balances after it are "
            "{'spendable': 8600, 'reserved': 500, 'announced': 0, 'debt': 0}, "
            "replayed they are {'spendable': 8500, 'reserved': 500, 'announced': 0, 'debt': 0}"
        ),
        "what wallets hold spendable is +100 minor units off what the journal moved",
    ),
    ("withdrawal_limit = 1", "the wallet's limit is not what its entries say", ""),
]


@pytest.mark.parametrize("is_accepted", [True, False])
@pytest.mark.parametrize(("assignment", "of_wallet", "of_ledger"), FORMERLY)
def test_audit__difference_of_before_its_words_were_changed_is_known(
    ledger: OwnLedger,
    player_session: PlayerSession,
    assignment: str,
    of_wallet: str,
    of_ledger: str,
    is_accepted: bool,
) -> None:
    change(ledger, player_session, "wallet", assignment)
    full()
    for kind, text in ((Kind.WALLET_DIFFERENCE, of_wallet), (Kind.LEDGER_DIFFERENCE, of_ledger)):
        assert Alert.objects.filter(kind=kind).update(text=text, finding="") == bool(text)
    told = list(Alert.objects.order_by("pk"))
    for alert in told if is_accepted else ():
        resolve_alert(alert, actor="operator", reason="known")
    unfreeze_wallet(player_session.wallet(), actor="operator", reason="known")
    full()
    rolling()
    assert not is_frozen(player_session)
    later = list(Alert.objects.order_by("pk"))
    assert [(row.pk, row.resolved_at is None) for row in later] == [(row.pk, not is_accepted) for row in told]
    assert later[0].times_seen == 3
    assert (later[0].text == told[0].text) == is_accepted


def test_audit__freeze_lifted_before_alert_resolved_stays_lifted(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    full()
    unfreeze_wallet(player_session.wallet(), actor="operator", reason="known")
    full()
    assert (is_frozen(player_session), alert_about(player_session).times_seen) == (False, 2)


@pytest.mark.parametrize("is_resolved", [True, False])
def test_audit__new_difference_in_accepted_wallet_freezes_again(
    ledger: OwnLedger, player_session: PlayerSession, is_resolved: bool
) -> None:
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    full()
    if is_resolved:
        resolve_alert(alert_about(player_session), actor="operator", reason="known")
    unfreeze_wallet(player_session.wallet(), actor="operator", reason="known")
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 2")
    full()
    assert is_frozen(player_session)
    wrong = "the hash does not fit the entry, its transaction and the entry before"
    assert alert_about(player_session).text == f"Entry 2: {wrong}; entry 4: {wrong}."


def test_audit__difference_put_right_and_there_again_is_news(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    full()
    accept(player_session)
    change(ledger, player_session, "entry", "note = ''", "seq = 4")
    assert [full().failed, full().failed] == [0, 0]
    change(ledger, player_session, "entry", "note = 'forged'", "seq = 4")
    rolling()
    assert is_frozen(player_session)
    assert Alert.objects.filter(kind=Kind.WALLET_DIFFERENCE).count() == 2


def test_audit__accepted_ledger_difference_is_not_raised_again(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    change(ledger, player_session, "wallet", "reserved = reserved + 7")
    full()
    alert = Alert.objects.get(kind=Kind.LEDGER_DIFFERENCE)
    assert (alert.subject, alert.text) == (
        "currency XAG",
        "Reserved of all wallets together is 0.07 XAG more than the journal moved.",
    )
    resolve_alert(alert, actor="operator", reason="known")
    accept(player_session)
    ledger.callers.player_session().opened("withdraw", "3.00")
    full()
    alert.refresh_from_db()
    assert (Alert.objects.filter(resolved_at=None).count(), alert.times_seen) == (0, 2)


# --- What is not of one wallet ------------------------------------------------------------------------


def test_audit__names_what_belongs_to_nothing_by_what_it_is(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    lost, gone, other, loose = (ledger.callers.player_session() for _ in range(4))
    transaction = other.transaction(other.opened("withdraw", "1.00"))
    wallet_id = lost.wallet().pk
    ledger.owner.execute("DELETE FROM wallet_wallet WHERE id = %s", [wallet_id])
    ledger.owner.execute("DELETE FROM players_gamesession WHERE id = %s", [player_session.session().pk])
    loose.opened("withdraw", "1.00")
    ledger.owner.execute("UPDATE players_gamesession SET is_kept = false WHERE id = %s", [loose.session().pk])
    ledger.owner.execute("DELETE FROM players_player WHERE id = %s", [gone.player.pk])
    ledger.owner.execute("UPDATE wallet_transaction SET game_id = player_id WHERE id = %s", [transaction.pk])
    full()
    told = dict(Alert.objects.filter(kind=Kind.LEDGER_DIFFERENCE).values_list("subject", "text"))
    assert told.keys() == {
        f"missing wallet {wallet_id}",
        "wallets of no player",
        "transactions of no wallet",
        "transactions of no session",
        "transactions of no game",
    }
    of_lost = [f"entry {seq} of player {lost.player.pk} is of a wallet that is not there" for seq in (1, 2)]
    assert told[f"missing wallet {wallet_id}"].lower() == f"{'; '.join(of_lost)}."
    # Two of a session that is gone, one of a session that may be cleared, and the one of another game than
    # its session's.
    assert told["transactions of no session"].count("; ") == 3
    assert told["transactions of no game"] == f"Transactions of no game: {transaction.pk}."


def test_audit__transaction_without_entry_is_a_wallet_difference(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    forged = uuid4()
    columns = [
        column.name
        for column in ledger.owner.execute("SELECT * FROM wallet_transaction LIMIT 0").description or []
    ]
    copied = ", ".join(
        {"id": f"'{forged}'", "mm_transaction_id": "'forged'"}.get(name, name) for name in columns
    )
    ledger.owner.execute(
        f"INSERT INTO wallet_transaction SELECT {copied} "
        "FROM wallet_transaction WHERE state = 'pending'".encode()
    )
    for audit in (rolling, full):
        audit()
        assert alert_about(player_session).text == f"Transaction {forged} has no entry that opens it."
    assert is_frozen(player_session)


# --- What happened lately -----------------------------------------------------------------------------


def forge(ledger: OwnLedger, *player_sessions: PlayerSession) -> None:
    """Something wrong in each wallet that no entry tells of.

    They are frozen already, so that finding it is no news of theirs.
    """
    for player_session in player_sessions:
        freeze_wallet(player_session.wallet(), actor="test", reason="test")
        change(ledger, player_session, "entry", "note = 'forged'", "seq = 2")


def told(*player_sessions: PlayerSession) -> list[bool]:
    """About which of them there is an alert."""
    return [
        Alert.objects.filter(subject=str(player_session.wallet().pk)).exists()
        for player_session in player_sessions
    ]


def test_rolling_audit__first_reads_what_happened_within_a_day(ledger: OwnLedger, clock: Clock) -> None:
    early = ledger.callers.player_session()
    forge(ledger, early)
    clock.stand(MONDAY + 2 * HOUR)
    late = ledger.callers.player_session()
    forge(ledger, late)
    clock.stand(MONDAY + DAY + HOUR)
    assert rolling().looked_at == 1
    assert told(early, late) == [False, True]


def test_rolling_audit__reads_what_happened_since_the_last_one(ledger: OwnLedger, clock: Clock) -> None:
    quiet, busy = ledger.callers.player_session(), ledger.callers.player_session()
    clock.stand(MONDAY + HOUR)
    assert rolling().looked_at == 2
    change(ledger, quiet, "entry", "note = 'forged'")
    change(ledger, busy, "entry", "note = 'forged'")
    clock.stand(MONDAY + 2 * HOUR)
    assert rolling().looked_at == 0
    busy.opened("withdraw", "1.00")
    assert rolling().looked_at == 1
    assert told(quiet, busy) == [False, True]
    assert rolling().note.startswith("Read the journal up to 2026-03-02T13:58:00+00:00. 1 wallets, ")


def test_rolling_audit__goes_on_after_the_last_successful_audit(
    ledger: OwnLedger, clock: Clock, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.stand(MONDAY + HOUR)
    rolling()
    late = ledger.callers.player_session()
    forge(ledger, late)
    clock.stand(MONDAY + 2 * HOUR)
    with monkeypatch.context() as broken:
        broken.setattr(scheduled, "verdict", lambda report: 1 // 0)
        for audit in (rolling, full):
            with pytest.raises(ZeroDivisionError):
                audit()
    for task in ("audit_recent", "audit_all"):
        JobRun.objects.create(task=task, worker="lost", began_at=MONDAY + 2 * HOUR)
    clock.stand(MONDAY + 3 * HOUR)
    assert rolling().looked_at == 1
    assert told(player_session, late) == [False, True]


def test_rolling_audit__skips_what_the_full_one_has_read(
    ledger: OwnLedger, clock: Clock, player_session: PlayerSession
) -> None:
    clock.stand(MONDAY + HOUR)
    full()
    late = ledger.callers.player_session()
    clock.stand(MONDAY + 2 * HOUR)
    assert rolling().looked_at == 1
    assert told(player_session, late) == [False, False]


def test_rolling_audit__ignores_times_a_wrong_clock_wrote(
    ledger: OwnLedger, clock: Clock, player_session: PlayerSession
) -> None:
    clock.stand(MONDAY + 300 * DAY)
    assert (rolling().looked_at, full().looked_at) == (0, 1)
    clock.stand(MONDAY + HOUR)
    forge(ledger, player_session)
    rolling()
    assert told(player_session) == [True]


def test_rolling_audit__next_run_reads_an_entry_committed_late(
    ledger: OwnLedger, player_session: PlayerSession
) -> None:
    late = ledger.callers.player_session()
    rolling()
    ledger.clear(JobRun)
    with ledger.owner.transaction():
        ledger.owner.execute(
            "SELECT ledger_open_wallet(p_player => %s, p_currency => 'EUR', p_actor => 'late')",
            [late.player.pk],
        )
        rolling()
        ledger.owner.execute(
            "UPDATE wallet_entry SET note = 'forged' WHERE player_id = %s AND actor = 'late'",
            [late.player.pk],
        )
    assert rolling().failed == 1


def test_rolling_audit__is_bounded_and_next_ones_skip_nothing(
    ledger: OwnLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "MOST_PLAYERS", 2)
    player_sessions = []
    for minutes in range(7):
        clock.stand(MONDAY + minutes * MINUTE)
        player_sessions.append(ledger.callers.player_session())
        forge(ledger, player_sessions[-1])
    clock.stand(MONDAY + HOUR)
    read = []
    for _ in range(4):
        read.append(rolling().looked_at)
        # While the rest waits, those that were read go on playing.
        player_sessions[0].opened("deposit", "1.00")
    assert read == [2, 2, 2, 2]
    assert told(*player_sessions) == [True] * 7


def test_rolling_audit__reads_a_wallet_longer_than_a_run_may_be(
    ledger: OwnLedger, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduled, "MOST_ENTRIES", 4)
    long, short = ledger.callers.player_session(), ledger.callers.player_session()
    for _ in range(3):
        long.opened("withdraw", "1.00")
    forge(ledger, long, short)
    clock.stand(MONDAY + MINUTE)
    other = ledger.callers.player_session()
    forge(ledger, other)
    clock.stand(MONDAY + HOUR)
    # The first two began at the same moment, and stay together.
    assert [rolling().looked_at, rolling().looked_at, rolling().looked_at] == [2, 1, 0]
    assert told(long, short, other) == [True] * 3


def test_audit__names_the_currencies_whose_sums_are_right() -> None:
    codes = [f"C{number:02}" for number in range(11)]
    report = Report(moved={(20_000, code, "adjustments", "spendable"): [5, 1] for code in codes})
    assert scheduled.sums(report) == (
        "The sums are right in C00, C01, C02, C03, C04, C05, C06, C07 and 3 more."
    )
    for code in codes[1:]:
        report.add_ledger(f"currency {code}", ["the accounts sum to 5 minor units, not to zero"])
    assert scheduled.sums(report) == "The sums are right in C00."
    assert scheduled.sums(Report()) == ""
