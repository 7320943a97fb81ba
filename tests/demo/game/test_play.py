"""Players at the game, and the platform that answers it, late, or not at all."""

import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from demo.game import mischief
from demo.game.moves import State
from demo.game.play import AGAIN, ASKED, WHY, Game, NotPlayed
from demo.game.repeater import Repeater
from demo.game.store import Visit
from quantum_wallet import FinalState, Step
from tests.demo.game.fake_platform import GAME, TOKEN, FakePlatform, game_of

WITHDRAW, CONFIRM, ROLL_BACK = "/wallet/withdraw", "/wallet/confirmWithdrawal", "/wallet/rollbackWithdrawal"


def test_enter__knows_the_player_and_the_money(game: Game, platform: FakePlatform) -> None:
    visit = game.enter(TOKEN)
    assert (visit.uid, visit.currency, visit.places) == ("anna", "XAG", 2)
    assert game.enter(TOKEN).id == visit.id
    assert platform.heard[0]["authorization"] == GAME.header


@pytest.mark.parametrize("token", ["", "x", TOKEN + "0", "'; --"])
def test_enter__refuses_what_is_no_token_without_a_call(
    game: Game, platform: FakePlatform, token: str
) -> None:
    with pytest.raises(NotPlayed):
        game.enter(token)
    assert platform.calls == []


def test_enter__says_that_a_session_has_ended(game: Game, platform: FakePlatform) -> None:
    platform.is_live = False
    with pytest.raises(NotPlayed, match="Launch the game again"):
        game.enter(TOKEN)


def test_buy__withdraws_hands_out_and_confirms(game: Game, platform: FakePlatform, visit: Visit) -> None:
    assert game.buy(visit, "Lantern") == "Lantern: it is yours."
    assert platform.paths() == [WITHDRAW, CONFIRM]
    assert platform.calls[0][1]["amount"] == {"amount": Decimal("15.00"), "currencyCode": "XAG"}
    assert (platform.balance, game.balance(visit)) == (Decimal("85.00"), Decimal("85.00"))
    assert game.store.goods("anna") == {"Lantern": 1}


def test_change_mind__gives_everything_back(game: Game, platform: FakePlatform, visit: Visit) -> None:
    game.change_mind(visit, "Comet")
    assert platform.paths() == [WITHDRAW, ROLL_BACK]
    assert (platform.balance, game.store.goods("anna")) == (Decimal("100.00"), {})


def test_buy__what_is_too_dear_is_refused_and_not_handed_out(
    game: Game, platform: FakePlatform, visit: Visit
) -> None:
    with pytest.raises(NotPlayed, match="not enough money"):
        game.buy(visit, "Telescope")
    assert (platform.paths(), platform.balance, game.store.goods("anna")) == (
        [WITHDRAW],
        Decimal("100.00"),
        {},
    )


def test_star__is_announced_and_confirmed(game: Game, platform: FakePlatform, visit: Visit) -> None:
    assert game.catch_star(visit, 2) == "+25.00 XAG"
    assert platform.paths() == ["/wallet/deposit", "/wallet/confirmDeposit"]
    assert game.balance(visit) == Decimal("125.00")


def test_free_round__has_no_stake_and_the_last_is_played_once(
    game: Game, platform: FakePlatform, visit: Visit
) -> None:
    played: list[str] = []

    def play() -> None:
        try:
            played.append(game.free_round(visit))
        except NotPlayed:
            played.append("none left")

    threads = [threading.Thread(target=play) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(played) == ["+12.00 XAG"] * 3 + ["none left"] * 3
    assert (platform.balance, WITHDRAW in platform.paths()) == (Decimal("136.00"), False)


def test_free_rounds__come_with_a_delivery_once(game: Game, visit: Visit) -> None:
    before = game.free_rounds("anna")
    for _ in range(2):
        game.store.add_delivery("msg-1", uid="anna", product="wm.spin.1", order_id="o")
    assert game.free_rounds("anna") == before + 10


@pytest.mark.parametrize("is_late", [True, False])
@pytest.mark.parametrize("path", [WITHDRAW, CONFIRM])
@pytest.mark.parametrize("failure", [0, 503])
def test_buy__repeats_the_same_call_if_there_is_no_answer(
    game: Game, platform: FakePlatform, visit: Visit, path: str, failure: int, is_late: bool
) -> None:
    platform.is_late = is_late
    platform.failures[path].append(failure)
    assert game.buy(visit, "Lantern") == "Lantern: it is yours."
    assert platform.paths().count(path) == 2
    assert len(platform.ids()) == 1
    assert (platform.balance, game.store.goods("anna")) == (Decimal("85.00"), {"Lantern": 1})


def test_repeater__goes_on_after_a_restart_under_the_same_id(
    game: Game, platform: FakePlatform, visit: Visit, tmp_path: Path
) -> None:
    platform.failures[CONFIRM].extend([503, 503])
    assert "No answer yet" in game.buy(visit, "Lantern")
    [unsettled] = game.store.open_moves("anna")
    assert unsettled.state == State.CONFIRMING
    assert unsettled.next_try_at is not None
    assert unsettled.next_try_at > time.time()
    game.store.rows("update moves set next_try_at = 0")
    game.store.close()
    again = game_of(platform, tmp_path)
    try:
        for due in again.store.due_moves(time.time()):
            Repeater(again).repeat(due)
        assert again.store.open_moves("anna") == []
        assert (platform.balance, again.store.goods("anna")) == (Decimal("85.00"), {"Lantern": 1})
        assert len(platform.ids()) == 1
        [told] = [one for one in again.platform.wire.after("anna", 0) if one.path == CONFIRM]
        assert told.why.startswith(AGAIN)
    finally:
        again.store.close()


def test_move__that_a_thread_works_on_is_left_alone(game: Game, platform: FakePlatform, visit: Visit) -> None:
    mischief.leave_pending(game, visit)
    [left] = game.store.open_moves("anna")
    game.store.rows("update moves set next_try_at = 0, state = 'confirming'")
    platform.calls.clear()
    with game.working_on(left.id):
        game.drive(left)
        assert platform.calls == []
    game.drive(left)
    assert platform.paths() == [CONFIRM]


def test_lost_answer__is_repeated_and_paid_once(game: Game, platform: FakePlatform, visit: Visit) -> None:
    mischief.lose_answer(game, visit)
    assert platform.paths() == [WITHDRAW, WITHDRAW, CONFIRM, "/wallet/getBalance"]
    first, second = game.platform.wire.after("anna", 0)[:2]
    assert (first.answer, first.request) == (second.answer, second.request)
    assert (platform.balance, len(platform.ids())) == (Decimal("85.00"), 1)


def test_confirm_twice__is_answered_twice_and_paid_once(
    game: Game, platform: FakePlatform, visit: Visit
) -> None:
    mischief.confirm_twice(game, visit)
    assert platform.paths() == [WITHDRAW, CONFIRM, CONFIRM, "/wallet/getBalance"]
    assert (platform.balance, game.store.goods("anna")) == (Decimal("85.00"), {"Lantern": 1})


def test_roll_back_first__makes_the_withdrawal_come_too_late(
    game: Game, platform: FakePlatform, visit: Visit
) -> None:
    mischief.roll_back_first(game, visit)
    assert platform.paths() == [ROLL_BACK, WITHDRAW, "/wallet/getBalance"]
    assert '"errorCode": 108' in game.platform.wire.after("anna", 0)[1].answer
    assert (platform.balance, game.store.goods("anna")) == (Decimal("100.00"), {})


def test_forged_callback__is_sent_without_our_credential(
    game: Game, platform: FakePlatform, visit: Visit
) -> None:
    mischief.forge_callback(game, visit)
    [index] = [number for number, path in enumerate(platform.paths()) if path == "/pay/webhooks"]
    assert "authorization" not in platform.heard[index + 1]  # the first was about coming in
    assert platform.calls[index][1]["data"]["amount"] == Decimal("4.99")
    # Nobody pays it: the game does not follow it.
    assert game.store.watched_orders(0) == []


def test_clock__that_cannot_be_moved_is_said(game: Game, platform: FakePlatform, visit: Visit) -> None:
    mischief.leave_pending(game, visit)
    [left] = game.store.open_moves("anna")
    with pytest.raises(NotPlayed, match="cannot be moved here"):
        mischief.move_clock(game, visit, left.id, FinalState.ROLLED_BACK)
    assert game.answer_query(left.id)[0] == "ROLLED_BACK"


def test_pending__can_be_settled_only_by_its_player(game: Game, platform: FakePlatform, visit: Visit) -> None:
    mischief.leave_pending(game, visit)
    [left] = game.store.open_moves("anna")
    stranger = Visit("v2", "t2", "ben", "Ben", "XAG", 2)
    with pytest.raises(NotPlayed):
        mischief.settle_now(game, stranger, left.id, State.CONFIRMING)
    assert game.store.find_move(left.id) == left
    assert mischief.settle_now(game, visit, left.id, State.ROLLING_BACK) == "Comet: rolled back."
    assert platform.balance == Decimal("100.00")


@pytest.mark.parametrize("is_asked", [True, False])
def test_pending__repeated_word_is_told_as_such_after_a_query(
    game: Game, visit: Visit, is_asked: bool
) -> None:
    mischief.leave_pending(game, visit)
    [left] = game.store.open_moves("anna")
    if is_asked:
        game.answer_query(left.id)
        game.store.rows("update moves set next_try_at = 0")
        Repeater(game).repeat(left)
    else:
        mischief.settle_now(game, visit, left.id, State.CONFIRMING)
    [told] = [one for one in game.platform.wire.after("anna", 0) if one.path == CONFIRM]
    assert told.why == (ASKED if is_asked else WHY["withdrawal", Step.CONFIRM])


def test_login__does_not_show_its_password(game: Game) -> None:
    assert "pa55" not in repr(game.platform.settings)


def test_wire__shows_no_token_and_no_key_of_a_page(game: Game, visit: Visit) -> None:
    game.greet(visit)
    game.top_up(visit, "coins-500")
    told = "".join(one.request + one.answer for one in game.platform.wire.after("anna", 0))
    assert (TOKEN in told, "page-key-of-the-order" in told, '"token": "…"' in told) == (False, False, True)
    assert game.store.latest_orders("anna", 1)[0].page.endswith("page-key-of-the-order")
