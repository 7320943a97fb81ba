"""What never changes does not, not even for the database's owner: sessions, credentials, alerts, checkpoints,
orders, payments and deliveries.
"""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from lib.clock import now
from lib.ids import new_id
from payments.models import Delivery, Order
from players.operations import close_session, revoke_credential
from tests.support.callers import Callers, PlayerSession, make_party, unique
from tests.support.shop import ShopSetup
from wallet.alerts import raise_alert, resolve_alert
from wallet.models import Alert

Owner = psycopg.Connection[Any]
LATER = "now() + interval '1 day'"


def refused(owner: Owner, table: str, change: str, id: object, key: str = "id") -> None:
    """An UPDATE that sets so, or a DELETE where `change` is empty, is refused by a trigger."""
    action = f"UPDATE {table} SET {change}" if change else f"DELETE FROM {table}"
    with pytest.raises(psycopg.errors.RestrictViolation), owner.transaction():
        owner.execute(f"{action} WHERE {key} = %s", [id])


@pytest.fixture(scope="module")
def played(callers: Callers) -> PlayerSession:
    """A session that a transaction names, and that has ended."""
    session = callers.player_session()
    session.opened("withdraw", "1.00")
    assert session.session().is_kept
    close_session(session.session())
    return session


@pytest.mark.parametrize(
    "change",
    [
        "player_id = (SELECT id FROM players_player WHERE id <> player_id LIMIT 1)",
        "game_id = gen_random_uuid()",
        "token_hash = sha256('x')",
        "currency_code = 'EUR'",
        "id = gen_random_uuid()",
        "created_at = now()",
        "is_kept = false",
        "ended_at = NULL",
        f"ended_at = {LATER}",
        "expires_at = expires_at + interval '1 second'",
        "",
    ],
)
def test_session__stays_what_its_token_stands_for(owner: Owner, played: PlayerSession, change: str) -> None:
    refused(owner, "players_gamesession", change, played.session().pk)


def test_session__may_end_earlier(owner: Owner, player_session: PlayerSession) -> None:
    owner.execute(
        "UPDATE players_gamesession SET is_kept = true, ended_at = now(), expires_at = now() WHERE id = %s",
        [player_session.session().pk],
    )


@pytest.mark.parametrize(
    "change",
    [
        "game_id = (SELECT id FROM players_game WHERE id <> game_id LIMIT 1)",
        "kind = 'platform', game_id = NULL",
        "password_hash = sha256('x')",
        "created_at = now()",
        "revoked_at = NULL",
        "",
    ],
)
def test_credential__stays_its_owners(owner: Owner, change: str) -> None:
    credential = make_party().credential
    revoke_credential(credential)
    refused(owner, "players_credential", change, credential.pk)


def resolved_alert() -> UUID:
    subject = unique("subject")
    raise_alert(Alert.Kind.LEDGER_DIFFERENCE, subject, "1 minor unit is missing")
    alert = Alert.objects.get(subject=subject)
    resolve_alert(alert, actor="operator:test", reason="found")
    return alert.pk


@pytest.mark.parametrize(
    "change",
    [
        "kind = 'sweep_failed'",
        "subject = 'other'",
        "raised_at = now()",
        "text = 'other'",
        "finding = 'other'",
        "reason = 'other'",
        "resolved_by = 'other'",
        "resolved_at = NULL",
        "",
    ],
)
def test_alert__stays_as_it_was_resolved(owner: Owner, change: str) -> None:
    refused(owner, "wallet_alert", change, resolved_alert())


def test_alert__is_counted_after_it_was_resolved(owner: Owner) -> None:
    statement = "UPDATE wallet_alert SET last_seen_at = now(), times_seen = times_seen + 1 WHERE id = %s"
    owner.execute(statement, [resolved_alert()])


@pytest.mark.parametrize("change", ["number = number + 1", "file = 'other'", ""])
def test_checkpoint__stays(owner: Owner, change: str) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute(
            "INSERT INTO wallet_checkpoint (number, made_at, wallets, entries, root, previous, hash, key_id,"
            " file, note) VALUES (9, now(), 0, 0, '', '', '', 'test', 'test', '')"
        )
        refused(owner, "wallet_checkpoint", change, 9, "number")


@pytest.mark.parametrize("table", ["wallet_alert", "wallet_checkpoint"])
def test_alerts_and_checkpoints__are_never_truncated(owner: Owner, table: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute(f"TRUNCATE {table} CASCADE")


# --- Orders ---------------------------------------------------------------------------------------------

PAID = ("paid", "delivered", "refunded", "charged_back")
UNPAID = ("created", "failed", "expired")
STATES = [*PAID, *UNPAID]
# From the rules in payments/settlement and payments/orders: what an order can become. Money that comes and
# goes moves it between the states of what was paid.
BECOMES = {
    "created": {*PAID, "failed", "expired"},
    "failed": {*PAID},
    "expired": {*PAID},
    **{state: {*PAID} - {state} for state in PAID},
}


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_order__goes_on_and_never_back(shop_setup: ShopSetup, owner: Owner, before: str, after: str) -> None:
    order = Order.objects.filter(state="created").first() or shop_setup.order()
    with owner.transaction(force_rollback=True):
        owner.execute("SET LOCAL session_replication_role = replica")
        owner.execute("UPDATE payments_order SET state = %s WHERE id = %s", [before, order.pk])
        owner.execute("SET LOCAL session_replication_role = origin")
        if after == before or after in BECOMES[before]:
            owner.execute("UPDATE payments_order SET state = %s WHERE id = %s", [after, order.pk])
        else:
            refused(owner, "payments_order", f"state = '{after}'", order.pk)


@pytest.fixture(scope="module")
def paid(shop_setup: ShopSetup) -> Order:
    """A credit that was paid and delivered."""
    return Order.objects.get(pk=shop_setup.paid().pk)


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "player_id = (SELECT id FROM players_player WHERE id <> player_id LIMIT 1)",
        "game_id = (SELECT id FROM players_game WHERE id <> game_id LIMIT 1)",
        "price = 1",
        "credit = 1",
        "paid_at = NULL",
        f"paid_at = {LATER}",
        "delivered_at = NULL",
        "credit_transaction = NULL",
        "credit_transaction = gen_random_uuid()",
        "",
    ],
)
def test_order__what_happened_once_has_happened(owner: Owner, paid: Order, change: str) -> None:
    refused(owner, "payments_order", change, paid.pk)


def test_order__credit_left_to_an_operator_stays_theirs(owner: Owner, paid: Order) -> None:
    with owner.transaction(force_rollback=True):
        owner.execute("UPDATE payments_order SET is_credit_held = true WHERE id = %s", [paid.pk])
        refused(owner, "payments_order", "is_credit_held = false", paid.pk)


@pytest.mark.parametrize(
    "change",
    [
        "id = gen_random_uuid()",
        "amount = 1",
        "order_id = (SELECT id FROM payments_order WHERE id <> order_id LIMIT 1)",
        "state = 'failed'",
        "state = 'started'",
        "paid_at = NULL",
        "transaction = NULL",
        "started_at = now()",
        "",
    ],
)
def test_payment__once_paid_stays_paid(owner: Owner, paid: Order, change: str) -> None:
    refused(owner, "payments_payment", change, paid.pk, "order_id")


@pytest.mark.parametrize(
    "change",
    [
        "order_id = (SELECT id FROM payments_order WHERE id <> order_id LIMIT 1)",
        "game_id = gen_random_uuid()",
        "created_at = now()",
        "delivered_at = NULL",
        "",
    ],
)
def test_delivery__stays_its_orders(shop_setup: ShopSetup, owner: Owner, change: str) -> None:
    order = shop_setup.order()
    row = Delivery.objects.create(
        id=new_id(),
        order=order,
        game_id=order.game_id,
        created_at=now(),
        state="delivered",
        delivered_at=now(),
    )
    refused(owner, "payments_delivery", change, row.pk)
