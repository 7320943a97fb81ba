"""Invented histories: whole, the same again, with something of everything, and only where they may be."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import Task
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet

from lib.clock import now
from lib.ids import new_id
from payments.history import visits
from payments.history.maker import Made
from payments.models import Callback, Delivery, Order, Payment, Refund, RefusedCallback
from payments.nudges import NUDGER
from players.models import Approval, GameSession, Player, PlayerEvent
from players.operations import put_player
from tests.support.history import (
    invent,
    new_database,
    own_demonstration,
    use_as_application,
    use_as_owner,
)
from wallet.audit.daily_totals import unclosed_days
from wallet.audit.ledger import audit_ledger
from wallet.models import Alert, ApiCall, Discrepancy, Entry, Inquiry, JobRun, Transaction, Wallet

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
# A moment that has long been: nothing of what is made then can come from the true time.
UNTIL = datetime(2026, 3, 6, 15, 30, 12, 345678, tzinfo=UTC)
JOURNAL = "SELECT * FROM wallet_entry ORDER BY player_id, wallet_id, seq"
SAME = (
    JOURNAL,
    "SELECT * FROM wallet_transaction ORDER BY id",
    "SELECT * FROM wallet_apicall ORDER BY id",
    "SELECT * FROM players_player ORDER BY id",
    "SELECT id, cp_order_id, state, price, credit, created_at, paid_at FROM payments_order ORDER BY id",
    "SELECT id, state, reference, amount, started_at, paid_at FROM payments_payment ORDER BY id",
    "SELECT id, kind, state, amount, reference, created_at FROM payments_refund ORDER BY id",
    "SELECT id, kind, text, raised_at, resolved_at FROM wallet_alert ORDER BY id",
)
CLOCKS = "SELECT proname, prosrc, proacl::text FROM pg_proc WHERE proname LIKE 'wallet_n%' ORDER BY proname"


def read(question: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


# --- One of five days --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def empty(database: None, database_name: str) -> Iterator[str]:
    """The name of a migrated database, to be copied."""
    with own_demonstration(f"{database_name}_start"):
        yield f"{database_name}_start"


@pytest.fixture(scope="module")
def history(empty: str) -> Iterator[Made]:
    with new_database(f"{empty}_history", empty):
        made = invent(days=5)
        use_as_application()
        yield made


def test_history__is_whole_by_the_audit(history: Made) -> None:
    report = audit_ledger()
    assert (report.problems, report.wallets, report.entries) == (
        [],
        Wallet.objects.count(),
        Entry.objects.count(),
    )
    assert history == (20, Transaction.objects.count(), report.entries, history.verdict)
    assert "no difference" in history.verdict
    assert JobRun.objects.get(task="audit_all").failed == 0


def test_history__has_all_its_days_summed_up(history: Made) -> None:
    assert unclosed_days(now()) == []
    days = {at.date() for at in Entry.objects.values_list("at", flat=True)}
    # Right after midnight, nothing has happened on the last one yet.
    assert len(days) in (5, 6)


def test_history__has_every_call_in_its_days_part(history: Made) -> None:
    parts = {part for (part,) in read("SELECT DISTINCT tableoid::regclass::text FROM wallet_apicall")}
    assert "wallet_apicall_default" not in parts
    assert len(parts) in (5, 6)
    assert ApiCall.objects.count() > 500


def test_history__ends_now_and_leaves_the_clocks_right(history: Made) -> None:
    assert abs(now() - datetime.now(UTC)) < 5 * SECOND
    assert abs((new_id().int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 5
    newest = Entry.objects.order_by("-at").values_list("at", flat=True)[0]
    assert timedelta() < now() - newest < DAY


@pytest.mark.parametrize(
    ("model", "least"),
    [(Player, 20), (GameSession, 30), (Order, 30), (Payment, 30), (Callback, 25), (Delivery, 5)],
)
def test_history__has_ids_of_its_own_time(history: Made, model: Any, least: int) -> None:
    ids = list(model.objects.values_list("pk", flat=True))
    assert len(ids) >= least
    moments = [datetime.fromtimestamp((id.int >> 80) / 1000, UTC) for id in ids]
    # Whatever there is was not made by the clock of this process.
    assert len({moment.date() for moment in moments}) > 2
    assert min(moments) > now() - 5 * DAY - 2 * 60 * SECOND


def test_history__lets_players_come_when_they_came(history: Made) -> None:
    for player in Player.objects.all():
        first = PlayerEvent.objects.filter(player=player).earliest("at")
        assert player.created_at == first.at
        assert not Transaction.objects.filter(player=player, opened_at__lt=first.at).exists()


STATE = Transaction.State
SOMETHING: dict[str, Callable[[], QuerySet[Any]]] = {
    "confirmed withdrawals": lambda: Transaction.objects.filter(type="withdrawal", state=STATE.CONFIRMED),
    "rolled back ones": lambda: Transaction.objects.filter(type="withdrawal", state=STATE.ROLLED_BACK),
    "wins": lambda: Transaction.objects.filter(type="deposit", state=STATE.CONFIRMED),
    "pending withdrawals": lambda: Transaction.objects.filter(type="withdrawal", state=STATE.PENDING),
    "pending deposits": lambda: Transaction.objects.filter(type="deposit", state=STATE.PENDING),
    "tombstones": lambda: Transaction.objects.filter(amount=None),
    "repeated calls": lambda: ApiCall.objects.filter(replayed=True),
    "credits for payments": lambda: Transaction.objects.filter(type="top_up"),
    "credits taken back": lambda: Transaction.objects.filter(type="clawback"),
    "delivered orders": lambda: Order.objects.filter(state="delivered"),
    "failed orders": lambda: Order.objects.filter(state="failed"),
    "expired orders": lambda: Order.objects.filter(state="expired"),
    "open orders": lambda: Order.objects.filter(state="created"),
    "duplicate payments": lambda: Payment.objects.filter(is_duplicate=True),
    "contradicting callbacks": lambda: Callback.objects.filter(outcome="contradicts"),
    "repeated callbacks": lambda: Callback.objects.filter(times_seen__gt=1),
    "refused callbacks": lambda: RefusedCallback.objects.all(),
    "chargebacks": lambda: Refund.objects.filter(kind="charge_back"),
    "refunds": lambda: Refund.objects.filter(kind="refund"),
    "deliveries given up": lambda: Delivery.objects.filter(state="gone"),
    "deliveries that fail": lambda: Delivery.objects.filter(state="pending", attempts__gt=0),
    "transactions in doubt": lambda: Inquiry.objects.filter(closed_at=None).exclude(doubt=""),
    "discrepancies": lambda: Discrepancy.objects.all(),
    "open alerts": lambda: Alert.objects.filter(resolved_at=None),
    "ended alerts": lambda: Alert.objects.filter(kind="callbacks_refused").exclude(resolved_at=None),
    "requests that wait": lambda: Approval.objects.filter(state="requested"),
    "frozen wallets": lambda: Wallet.objects.exclude(frozen_at=None),
    "blocked or excluded players": lambda: Player.objects.exclude(status="active"),
    "runs that failed": lambda: JobRun.objects.exclude(error=""),
}


@pytest.mark.parametrize("what", SOMETHING)
def test_history__has_something_of(history: Made, what: str) -> None:
    assert SOMETHING[what]().exists()


def test_history__leaves_nobody_to_be_asked(history: Made) -> None:
    assert not Inquiry.objects.filter(closed_at=None, next_attempt_at__isnull=False).exists()
    assert read("SELECT count(*) FROM players_game WHERE query_url <> ''") == [(0,)]
    assert read("SELECT count(*) FROM players_operator WHERE is_active") == [(0,)]


def test_history__is_not_made_twice(history: Made) -> None:
    use_as_owner()
    entries = Entry.objects.count()
    try:
        with pytest.raises(CommandError, match="There are players here already, the first is p-"):
            call_command("make_history", days=3, players=20)
    finally:
        use_as_application()
    assert Entry.objects.count() == entries


def test_once__does_nothing_where_somebody_plays(history: Made) -> None:
    use_as_owner()
    entries = Entry.objects.count()
    try:
        call_command("make_history", "--once", days=3, players=20)
    finally:
        use_as_application()
    assert Entry.objects.count() == entries


# --- Made anew ---------------------------------------------------------------------------------------------


@pytest.fixture
def start(empty: str) -> Iterator[None]:
    with new_database(f"{empty}_copy", empty):
        yield


def test_same_seed__makes_the_same_to_the_last_hash(empty: str) -> None:
    found = []
    for seed in (7, 7, 8):
        with new_database(f"{empty}_copy", empty):
            invent(days=4, players=8, seed=seed, until=UNTIL)
            found.append([read(question) for question in SAME])
    assert found[0] == found[1]
    assert all(len(rows) > 0 for rows in found[0])
    assert found[0][0] != found[2][0]


def test_clocks__are_those_of_before(start: None) -> None:
    before = read(CLOCKS)
    invent(days=1, players=2)
    assert read(CLOCKS) == before
    assert len(before) == 2


def test_interrupted__leaves_nothing_and_right_clocks(start: None, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read(CLOCKS)

    def fails(*args: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(visits, "win", fails)
        with pytest.raises(KeyboardInterrupt):
            invent(days=3, players=5)
    assert read(CLOCKS) == before
    assert abs((new_id().int >> 80) / 1000 - datetime.now(UTC).timestamp()) < 5
    assert (Player.objects.count(), Entry.objects.count()) == (0, 0)
    assert "no difference" in invent(days=3, players=5).verdict


def test_history__wakes_no_worker(start: None, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[str] = []
    monkeypatch.setattr(NUDGER, "paused_until", 0.0)
    monkeypatch.setattr(Task, "apply_async", lambda self, *args, **kwargs: woken.append(self.name))
    invent(days=2, players=10)
    assert Approval.objects.filter(kind="refund_order", state="executed").exists()
    assert (woken, NUDGER.paused_until) == ([], 0.0)


def test_history__is_refused_where_money_is_real(start: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEMO", False)
    with pytest.raises(CommandError, match="never where real money is"):
        call_command("make_history", days=3, players=20)
    assert Player.objects.count() == 0


def test_history__is_the_owners_work(start: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_OWNER_URL")
    use_as_application()
    with pytest.raises(CommandError, match="set DATABASE_OWNER_URL"):
        call_command("make_history", days=3, players=20)
    assert Player.objects.count() == 0


@pytest.mark.parametrize(("uid", "is_refused"), [("anna-4711", True), ("demo-anna", False)])
def test_players_of_others__refuse_a_history(start: None, uid: str, *, is_refused: bool) -> None:
    put_player(uid, attributes={}, status=None, actor="platform:lobby")
    if is_refused:
        with pytest.raises(CommandError, match="the first is anna-4711"):
            call_command("make_history", days=1, players=2)
        assert (Player.objects.count(), Entry.objects.count()) == (1, 0)
    else:
        call_command("make_history", "--once", days=1, players=2)
        assert Player.objects.count() == 3


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": 366}, {"players": 0}])
def test_impossible_figures__are_refused(start: None, wrong: dict[str, int]) -> None:
    wanted = {"days": 3, "players": 5} | wrong
    with pytest.raises(CommandError, match="1 to 365 days, and at least one player"):
        call_command("make_history", **wanted)
