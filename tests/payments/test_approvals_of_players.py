"""Requests from before they named the player get theirs."""

from pathlib import Path
from typing import Any

import psycopg

from payments.migrations import __file__ as migrations
from tests.support.admin_pages import alert, doubted, operator
from tests.support.approvals import request_credit
from tests.support.shop import ShopSetup

BACKFILL = Path(migrations).with_name("0016_approvals_of_players.sql").read_text()


def test_upgrade__each_request_gets_the_player_of_its_row(
    owner: "psycopg.Connection[Any]", shop_setup: ShopSetup
) -> None:
    player_session = shop_setup.player_session()
    player_session.adjust("credit", 100_00)
    player = player_session.player
    expired = player_session.opened("withdraw", "1.50")
    player_session.resolve(expired, "expired")
    player_session.call("confirmWithdrawal", expired)
    mm, asker = player_session.opened("withdraw", "2.00"), operator(is_superuser=True)
    rows = {
        "players.player": player,
        "wallet.wallet": player_session.wallet(),
        "wallet.transaction": player_session.transaction(mm),
        "wallet.inquiry": doubted(player_session, mm),
        "wallet.discrepancy": player.discrepancies.get(),
        "wallet.alert": alert(wallet=player_session.wallet()),
        "payments.order": shop_setup.order(player_session),
        "players.game": player_session.game,
    }
    asked = {request_credit(asker, player_session).pk: type for type in rows}
    with owner.transaction(force_rollback=True):
        owner.execute("ALTER TABLE players_approval DISABLE TRIGGER approval_goes_its_way")
        for id, type in asked.items():
            owner.execute(
                "UPDATE players_approval SET subject_type = %s, subject_id = %s, player_id = NULL "
                "WHERE id = %s",
                [type, str(rows[type].pk), id],
            )
        owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
        owner.execute(BACKFILL)
        found = owner.execute("SELECT id, player_id FROM players_approval WHERE id = ANY(%s)", [list(asked)])
        theirs = {asked[id]: player_id for id, player_id in found.fetchall()}
    assert theirs == {type: None if type == "players.game" else player.pk for type in rows}
