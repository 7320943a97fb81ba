"""What a migration makes of rows that an earlier version wrote."""

from uuid import UUID, uuid4

from django.core.management import call_command

from tests.support.own_database import empty_database
from wallet.models import Transaction

EARLIER = """
    INSERT INTO wallet_transaction (id, player_id, wallet_id, type, state, refusal, description, source,
        actor, opened_at,
        opened_seq, settled_source, settled_actor, reason)
    VALUES (%s, gen_random_uuid(), gen_random_uuid(), %s, 'confirmed', '', %s, 'provider', 'test', now(), 1,
        '', '', '')
"""


def test_migration__reads_an_earlier_order_from_its_description(database: None, database_name: str) -> None:
    order = uuid4()
    rows: list[tuple[str, str, UUID | None]] = [
        *(
            (type, f"order {order}", order)
            for type in ("payment", "top_up", "clawback", "set_aside", "sale_return")
        ),
        ("top_up", "order of a test", None),
        ("top_up", f"my order {order}", None),
        # A game's own words name no order of ours.
        ("withdrawal", f"order {order}", None),
    ]
    ids = [uuid4() for _ in rows]
    with empty_database(f"{database_name}_earlier") as owner:
        call_command("migrate", "wallet", "0006", verbosity=0)
        for id, (type, description, _) in zip(ids, rows, strict=True):
            owner.execute(EARLIER, [id, type, description])
        call_command("migrate", verbosity=0)
        found = dict(Transaction.objects.values_list("id", "reference"))
    assert [found[id] for id in ids] == [reference for *_, reference in rows]
