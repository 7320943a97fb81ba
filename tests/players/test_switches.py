"""What is stopped for everybody: what is refused meanwhile, and what goes on (contract 2.5)."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest

from players.models import Game, PlatformSwitch
from tests.support.callers import Callers, PlayerSession, make_party, open_session, unique
from tests.support.shop import ShopSetup
from tests.support.switches import stopped
from wallet.models import ApiCall, Transaction

Name = PlatformSwitch.Name
# Of each switch; the hundred is `LONG=1`.
TOGGLES = 100 if os.environ.get("LONG") else 10


def launch(callers: Callers, player_session: PlayerSession) -> Any:
    game = player_session.session().game
    body = {"uid": player_session.player.uid, "game": game.slug, "currencyCode": "XAG"}
    return callers.front.post("/entry/launch", body)


def test_gaming_off__refuses_withdrawals_and_launches(
    callers: Callers, player_session: PlayerSession
) -> None:
    mm = unique("mm")
    with stopped(Name.GAMING):
        refused = player_session.call("withdraw", mm, "1.00")
        assert (refused.status, refused.error, refused.balance) == (200, 103, "100.00")
        assert launch(callers, player_session).error == 103
    assert player_session.holding()[:2] == (100_00, 0)
    # Not remembered: the same id can be opened afterwards.
    assert player_session.done("withdraw", mm, "1.00").balance == "99.00"
    assert launch(callers, player_session).error is None


def test_gaming_off__lets_winnings_in_and_settles(
    player_session: PlayerSession, shop_setup: ShopSetup
) -> None:
    kept, back = player_session.opened("withdraw", "1.00"), player_session.opened("withdraw", "2.00")
    buyer = shop_setup.player_session()
    with stopped(Name.GAMING):
        player_session.done("confirmWithdrawal", kept)
        player_session.done("rollbackWithdrawal", back)
        won = player_session.opened("deposit", "5.00")
        assert player_session.done("confirmDeposit", won).balance == "104.00"
        assert player_session.call("getBalance").balance == "104.00"
        assert shop_setup.initiate(buyer).error is None


def test_game_off__refuses_its_withdrawals_alone(callers: Callers) -> None:
    player_session = open_session(make_party(), callers.player())
    player_session.adjust("credit", 100_00)
    elsewhere = player_session.elsewhere(party=make_party())
    Game.objects.filter(pk=player_session.game.pk).update(is_active=False)
    assert player_session.call("withdraw", unique("mm"), "1.00").error == 103
    assert launch(callers, player_session).error == 103
    assert elsewhere.done("withdraw", unique("mm"), "1.00").balance == "99.00"


@pytest.mark.parametrize("endpoint", ["withdraw", "deposit"])
def test_maintenance__asks_openings_to_come_later(player_session: PlayerSession, endpoint: str) -> None:
    mm = unique("mm")
    with stopped(Name.OPENINGS):
        answer = player_session.call(endpoint, mm, "1.00")
        assert (answer.status, answer.headers["retry-after"], answer.error) == (503, "60", 100)
        assert "balance" not in answer.body
    assert player_session.holding()[:2] == (100_00, 0)
    assert not Transaction.objects.filter(mm_transaction_id=mm).exists()
    assert [*ApiCall.objects.filter(mm_transaction_id=mm).values_list("outcome", flat=True)] == [
        "maintenance"
    ]
    player_session.done(endpoint, mm, "1.00")


def test_maintenance__repeats_what_is_known_and_settles(player_session: PlayerSession) -> None:
    mm, other = unique("mm"), unique("mm")
    first = player_session.done("withdraw", mm, "1.00")
    with stopped(Name.OPENINGS):
        assert player_session.call("withdraw", mm, "1.00").raw == first.raw
        assert player_session.call("withdraw", mm, "2.00").error == 110
        player_session.done("confirmWithdrawal", mm)
        # A rollback that overtook its withdrawal is remembered, too.
        player_session.done("rollbackWithdrawal", other)
        assert player_session.call("queryTransaction", mm, type="withdrawal").body["state"] == "confirmed"
    assert player_session.call("withdraw", other, "1.00").error == 108


def test_maintenance__starts_no_session_and_no_order(
    callers: Callers, player_session: PlayerSession, shop_setup: ShopSetup
) -> None:
    buyer, order = shop_setup.player_session(), unique("o")
    started = shop_setup.initiate(buyer, cpOrderId=order)
    with stopped(Name.OPENINGS):
        for answer in (launch(callers, player_session), shop_setup.initiate(buyer)):
            assert (answer.status, answer.headers["retry-after"], answer.error) == (503, "60", 100)
        assert shop_setup.initiate(buyer, cpOrderId=order).raw == started.raw
        assert callers.front.put(f"/entry/players/{buyer.player.uid}", {"nickname": "N"}).error is None


def test_unknown_token__is_told_so_in_maintenance_too(player_session: PlayerSession) -> None:
    with stopped(Name.OPENINGS):
        answer = player_session.caller.post(
            "/wallet/withdraw",
            {
                "token": str(uuid4()),
                "mmTransactionId": unique("mm"),
                "amount": {"amount": 1, "currencyCode": "XAG"},
            },
        )
    assert (answer.status, answer.error) == (200, 102)


@pytest.mark.parametrize(("name", "refusal"), [(Name.GAMING, 103), (Name.OPENINGS, 503)])
def test_toggled_under_load__opens_nothing_while_off(
    player_session: PlayerSession, server: str, name: str, refusal: int
) -> None:
    """What is asked after it was switched off is refused; what was asked while on, and answered, is there."""
    there = replace(player_session, caller=player_session.caller.at(server))
    answers: list[tuple[float, float, int, str]] = []
    offs: list[tuple[float, float]] = []
    ends = threading.Event()

    def play() -> None:
        while not ends.is_set():
            mm, began = unique("mm"), monotonic()
            answer = there.call("withdraw", mm, "0.01")
            code = answer.status if answer.status != 200 else answer.error or 200
            answers.append((began, monotonic(), code, mm))

    with ThreadPoolExecutor(4) as pool:
        playing = [pool.submit(play) for _ in range(4)]
        for _ in range(TOGGLES):
            with stopped(name):
                since = monotonic()
                refused = there.call("withdraw", unique("mm"), "0.01")
                assert (refused.status if refused.status != 200 else refused.error) == refusal
                offs.append((since, monotonic()))
            there.done("withdraw", unique("mm"), "0.01")
        ends.set()
        for one in playing:
            one.result()
    assert {code for _, _, code, _ in answers} <= {200, refusal}
    for began, ended, code, _ in answers:
        if any(since <= began and ended <= until for since, until in offs):
            assert code == refusal
    accepted = {mm for _, _, code, mm in answers if code == 200}
    opened = Transaction.objects.filter(player=player_session.player, type="withdrawal")
    assert accepted <= set(opened.values_list("mm_transaction_id", flat=True))
    assert opened.count() == len(accepted) + TOGGLES
    assert player_session.holding()[1] == len(accepted) + TOGGLES
