"""A migrated instance of an earlier version keeps what Stripe has told of refunds in all."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import environ
import psycopg
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from lib.ids import new_id
from tests.conftest import in_database
from tests.support.own_database import remake, use

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD = ("payments", "0006_what_stays")
# Scheme, the provider's id of the payment, then each refund: reference, amount, state and kind.
REFUNDS = [
    ("stripe", "pi_1", [("", 1_00, "done", "refund"), ("", 2_00, "done", "refund")]),
    ("stripe", "pi_2", [("", 1_00, "remembered", "refund"), ("re_1", 50, "done", "refund")]),
    ("stripe", "pi_3", [("re_2", 1_00, "done", "refund")]),
    ("stripe", "pi_4", [("", 1_00, "refused", "refund"), ("dp_1", 1_00, "done", "charge_back")]),
    ("standard_webhooks", "pay_1", [("re_3", 1_00, "done", "refund")]),
]


def fill(apps: Any) -> None:
    """What the old version left behind."""

    def make(model: str, **fields: Any) -> Any:
        return apps.get_model(model).objects.create(id=new_id(), **fields)

    currency = apps.get_model("wallet.Currency").objects.create(code="EUR", decimals=2, name="Euro")
    game = make("players.Game", slug="g", name="g", created_at=NOON)
    player = make("players.Player", uid="p", created_at=NOON, updated_at=NOON)
    product = make("payments.Product", game=game, code="gold", name="Gold", is_delivered=True)
    for number, (scheme, payment, refunds) in enumerate(REFUNDS):
        provider = make("payments.Provider", slug=f"p{number}", name="p", scheme=scheme, created_at=NOON)
        order = make(
            "payments.Order",
            game=game,
            player=player,
            cp_order_id=f"{number}",
            page_key=f"{number}",
            product=product,
            product_code="gold",
            server_id=1,
            currency=currency,
            price=9_99,
            is_delivered_by_game=True,
            created_at=NOON,
            expires_at=NOON,
        )
        for reference, amount, state, kind in refunds:
            make(
                "payments.Refund",
                order_id=order.pk,
                provider_id=provider.pk,
                kind=kind,
                state=state,
                amount=amount,
                reference=reference,
                payment_reference=payment,
                actor="provider:p",
                created_at=NOON,
            )


@pytest.fixture(scope="module")
def upgraded(database: None, database_name: str) -> Iterator["psycopg.Connection[Any]"]:
    """A database of the old version with rows in it, after `migrate`."""
    server, before, name = (
        os.environ["DATABASE_OWNER_URL"],
        dict(connection.settings_dict),
        f"{database_name}_payments_old",
    )
    with psycopg.connect(server, autocommit=True) as server_connection:
        remake(server_connection, name)
        try:
            theirs = environ.Env.db_url_config(server)
            use(NAME=name, USER=theirs["USER"], PASSWORD=theirs["PASSWORD"])
            executor = MigrationExecutor(connection)
            fill(executor.migrate([OLD, ("players", "0006_what_stays")]).apps)
            call_command("migrate", verbosity=0)
            with psycopg.connect(in_database(server, name), autocommit=True) as owner:
                yield owner
        finally:
            use(**{key: before[key] for key in ("NAME", "USER", "PASSWORD")})
            remake(server_connection, name, again=False)


def test_upgrade__unnamed_refunds_of_stripe_are_its_totals(upgraded: "psycopg.Connection[Any]") -> None:
    rows = upgraded.execute(
        "SELECT payment_reference, amount, told_at FROM payments_refundtotal ORDER BY payment_reference"
    )
    assert rows.fetchall() == [("pi_1", 3_00, NOON), ("pi_2", 1_50, NOON)]


def test_upgrade__totals_are_never_deleted_and_stay_with_their_payment(
    upgraded: "psycopg.Connection[Any]",
) -> None:
    for statement in (
        "DELETE FROM payments_refundtotal",
        "UPDATE payments_refundtotal SET payment_reference = 'pi_3'",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            upgraded.execute(statement)
