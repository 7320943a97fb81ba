"""What dividing the database over several machines would do, told on one that has no Citus."""

import re
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from config.distribution import plan
from config.distribution.tables import BY_PLAYER, EVERYWHERE, PLAYER, RUN_BY_PLAYER, SHARED
from config.launcher.supervisor import ROOT
from config.rights import FUNCTIONS

pytestmark = pytest.mark.usefixtures("database")
LOCKING = re.compile(r"FOR (NO KEY )?UPDATE|^\s*UPDATE", re.MULTILINE)


def test_distribute__refuses_a_database_without_citus() -> None:
    with pytest.raises(CommandError, match="This database has no Citus"):
        call_command("distribute", "--yes")


@override_settings(DEMO=True)
def test_distribute__refuses_a_demonstration() -> None:
    with pytest.raises(CommandError, match="DEMO is on"):
        call_command("distribute")


def test_plan__puts_each_table_once() -> None:
    names = [*BY_PLAYER, *EVERYWHERE, *SHARED]
    assert len(set(names)) == len(names)
    assert [name for name in names if plan.rows("SELECT to_regclass(%s)", name) == [(None,)]] == []


def test_plan__widens_every_key_that_does_not_name_the_player() -> None:
    keys = {table: columns for table, _, columns in plan.rows(plan.KEYS, list(BY_PLAYER), PLAYER)}
    assert keys == {
        "players_playerevent": ["id"],
        "wallet_apicall": ["id", "at"],
        "wallet_limitchange": ["id"],
        "wallet_playerlimit": ["id"],
        "wallet_transaction": ["id"],
        "wallet_wallet": ["id"],
    }


def test_plan__keeps_foreign_keys_to_what_every_machine_has() -> None:
    placed = [*BY_PLAYER, *EVERYWHERE, *SHARED]
    links = [plan.Link(*row) for row in plan.rows(plan.LINKS, placed, placed)]
    assert {(link.table, link.column) for link in links if link.is_kept} == {
        ("players_gamesession", "game_id"),
        ("players_gamesession", "player_id"),
        ("players_playerevent", "player_id"),
        ("wallet_discrepancy", "player_id"),
        ("wallet_inquiry", "game_id"),
        ("wallet_inquiry", "player_id"),
        ("wallet_wallet", "currency_id"),
        ("wallet_wallet", "player_id"),
    }
    told = plan.unlink(links)
    assert "payments_order.player_id" in told.words
    assert "wallet_wallet.player_id" not in told.words
    assert len(told.statements) == len(links)


def test_plan__makes_functions_of_rows_again() -> None:
    steps = list(plan.placing([*BY_PLAYER, *EVERYWHERE, *SHARED]))
    dropped = [one for step in steps for one in step.statements if one.startswith("DROP FUNCTION")]
    made = [one for step in steps for one in step.statements if one.startswith("CREATE OR REPLACE FUNCTION")]
    assert len(dropped) == len(made) > 5
    assert any("ledger_append(wallet_wallet" in one for one in dropped)


def test_plan__of_tables_that_a_release_has_added_leaves_the_others_alone() -> None:
    new = ["wallet_playerlimit", "wallet_limitusage", "players_platformswitch"]
    said = [statement for step in plan.placing(new) for statement in step.statements]
    assert [statement for statement in said if "_table" in statement and "truncate" not in statement] == [
        "SELECT create_reference_table('players_platformswitch')",
        *(
            f"SELECT create_distributed_table('{name}', 'player_id', colocate_with => 'wallet_wallet')"
            for name in new[:2]
        ),
    ]
    others = {*BY_PLAYER, *EVERYWHERE, *SHARED} - {*new, "wallet_wallet"}
    assert [one for one in said if any(re.search(rf"\b{name}\b", one) for name in others)] == []


def test_functions__that_run_by_player_are_doors_of_the_ledger() -> None:
    assert set(RUN_BY_PLAYER) <= set(FUNCTIONS)
    for name, argument in RUN_BY_PLAYER.items():
        [(arguments,)] = plan.rows("SELECT proargnames FROM pg_proc WHERE proname = %s", name)
        assert argument in arguments


@pytest.mark.parametrize("file", sorted((ROOT / "wallet/sql").glob("*.sql")), ids=lambda file: file.name)
def test_statement__that_locks_or_changes_names_the_player(file: Path) -> None:
    """A statement that may lie on any machine cannot lock."""
    body = "\n".join(line.partition("--")[0] for line in file.read_text().splitlines())
    told = [
        statement
        for statement in re.split(r";|\bLOOP\b|\bBEGIN\b", body)
        if LOCKING.search(statement) and any(re.search(rf"\b{name}\b", statement) for name in BY_PLAYER)
    ]
    assert [statement for statement in told if PLAYER not in statement] == []
