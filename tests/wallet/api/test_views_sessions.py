"""Sessions (contract 2.2).

Which calls need a live one, whose tokens are whose, and what the sessions of one player share.
"""

import hashlib
import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest

from players.models import GameSession
from tests.conftest import Clock
from tests.support.callers import Answer, House, Party, Seat, make_party, sit, unique

LIVE_ONLY = ("verifySession", "getBalance", "withdraw")
ANY_TOKEN = (
    "deposit",
    "confirmWithdrawal",
    "rollbackWithdrawal",
    "confirmDeposit",
    "rollbackDeposit",
    "queryTransaction",
)
ALL = LIVE_ONLY + ANY_TOKEN


def call(seat: Seat, endpoint: str, withdrawal: str, deposit: str) -> Answer:
    """Any call of the wallet API, about transactions that are pending."""
    if endpoint in ("verifySession", "getBalance"):
        return seat.call(endpoint)
    if endpoint in ("withdraw", "deposit"):
        return seat.call(endpoint, unique("mm"), "1.00")
    extra = {"type": "withdrawal"} if endpoint == "queryTransaction" else {}
    return seat.call(endpoint, deposit if "Deposit" in endpoint else withdrawal, **extra)


def test_session__tells_who_plays(house: House) -> None:
    player = house.player(nickname="Zoë ☃", country="DE", language="de")
    seat = sit(house.game, player)
    seat.adjust("credit", 51_80)
    assert seat.done("verifySession").body == {
        "playerId": player.uid,
        "nickname": "Zoë ☃",
        "country": "DE",
        "language": "de",
        "balance": {"amount": Decimal("51.80"), "currencyCode": "XAG"},
    }
    assert seat.done("getBalance").body == {"balance": {"amount": Decimal("51.80"), "currencyCode": "XAG"}}


@pytest.mark.parametrize("endpoint", ALL)
def test_token__that_never_was_is_unknown(seat: Seat, endpoint: str) -> None:
    withdrawal, deposit = seat.opened("withdraw", "5.00"), seat.opened("deposit", "5.00")
    before = seat.holding()
    for token in (str(uuid.uuid4()), str(uuid.UUID(int=0)), str(uuid.UUID(int=(1 << 128) - 1))):
        assert call(replace(seat, token=token), endpoint, withdrawal, deposit).error == 102
    assert seat.holding() == before


@pytest.mark.parametrize("endpoint", ALL)
def test_token__of_one_game_is_unknown_to_another(house: House, seat: Seat, endpoint: str) -> None:
    withdrawal, deposit = seat.opened("withdraw", "5.00"), seat.opened("deposit", "5.00")
    before = seat.holding()
    assert call(replace(seat, caller=house.other_game.caller), endpoint, withdrawal, deposit).error == 102
    assert seat.holding() == before
    assert call(seat, endpoint, withdrawal, deposit).error is None


@pytest.mark.parametrize("endpoint", ALL)
@pytest.mark.parametrize("dead", ["ended", "expired"])
def test_session__dead_one_can_settle_deposit_and_query_only(
    seat: Seat, clock: Clock, endpoint: str, dead: str
) -> None:
    withdrawal, deposit = seat.opened("withdraw", "5.00"), seat.opened("deposit", "5.00")
    if dead == "ended":
        seat.end()
    else:
        clock.go_ahead(timedelta(days=3))
    before = seat.holding()
    assert call(seat, endpoint, withdrawal, deposit).error == (102 if endpoint in LIVE_ONLY else None)
    if endpoint in LIVE_ONLY:
        assert seat.holding() == before


def test_session__expires_at_its_moment_and_not_before(seat: Seat, clock: Clock) -> None:
    expires_at = seat.session().expires_at
    clock.stand(expires_at - timedelta(microseconds=1))
    assert seat.call("getBalance").error is None
    assert seat.done("withdraw", unique("mm"), "1.00").balance == "99.00"
    clock.stand(expires_at)
    assert [seat.call(endpoint).error for endpoint in ("verifySession", "getBalance")] == [102, 102]
    assert seat.call("withdraw", unique("mm"), "1.00").error == 102
    assert seat.holding()[:2] == (99_00, 1_00)


def test_session__is_not_extended_by_verifying(seat: Seat) -> None:
    expires_at = seat.session().expires_at
    seat.done("verifySession")
    assert seat.session().expires_at == expires_at
    assert expires_at - seat.session().created_at == timedelta(hours=24)


def test_session__launching_again_ends_no_other(seat: Seat) -> None:
    again = seat.elsewhere()
    seat.done("withdraw", unique("mm"), "1.00")
    again.done("withdraw", unique("mm"), "1.00")
    again.end()
    assert seat.done("getBalance").balance == "98.00"


def test_session__all_of_a_player_and_game_share_wallets_and_ids(seat: Seat) -> None:
    again, mm = seat.elsewhere(), unique("mm")
    first = seat.done("withdraw", mm, "10.00")
    assert again.done("withdraw", mm, "10.00").raw == first.raw
    assert again.done("confirmWithdrawal", mm).balance == "90.00"
    assert seat.call("rollbackWithdrawal", mm).error == 107


def test_wallet__is_shared_by_two_games_transaction_ids_are_not(house: House, seat: Seat) -> None:
    elsewhere, mm = seat.elsewhere(party=house.other_game), unique("mm")
    seat.done("withdraw", mm, "10.00")
    assert elsewhere.done("withdraw", mm, "20.00").balance == "70.00"
    assert elsewhere.done("rollbackWithdrawal", mm).balance == "90.00"
    assert seat.done("confirmWithdrawal", mm, "10.00").balance == "90.00"


def test_wallet__two_players_share_nothing(house: House) -> None:
    one, other, mm = house.seat(), house.seat(50_00), unique("mm")
    one.done("withdraw", mm, "10.00")
    assert other.done("withdraw", mm, "10.00").balance == "40.00"
    other.done("rollbackWithdrawal", mm)
    assert one.done("confirmWithdrawal", mm).balance == "90.00"


def test_wallet__is_apart_by_currency_transaction_ids_are_not(seat: Seat) -> None:
    euro, mm = seat.elsewhere("EUR"), unique("mm")
    euro.adjust("credit", 100_00)
    assert seat.done("withdraw", mm, "10.00").body["balance"]["currencyCode"] == "XAG"
    assert euro.call("withdraw", mm, "10.00").error == 110
    assert euro.call("confirmWithdrawal", mm, "10.00").error == 110
    assert euro.holding()[:2] == (100_00, 0)
    # Settled through the other currency's session, the answer is about the transaction's wallet.
    answer = euro.done("confirmWithdrawal", mm)
    assert answer.body["balance"] == {"amount": Decimal("90.00"), "currencyCode": "XAG"}
    assert (seat.holding()[:2], euro.holding()[:2]) == ((90_00, 0), (100_00, 0))
    assert euro.done("queryTransaction", mm, type="withdrawal").body["amount"] == {
        "amount": Decimal("10.00"),
        "currencyCode": "XAG",
    }


def test_repeat__opening_via_other_currency_has_same_content(seat: Seat) -> None:
    euro, mm = seat.elsewhere("EUR"), unique("mm")
    first = seat.done("withdraw", mm, "10.00")
    assert euro.call("withdraw", mm, "10.00", currency="XAG").raw == first.raw


def test_tombstone__of_one_currency_refuses_opening_in_another(seat: Seat) -> None:
    euro, mm = seat.elsewhere("EUR"), unique("mm")
    assert euro.done("rollbackWithdrawal", mm).body["balance"] == {
        "amount": Decimal("0.00"),
        "currencyCode": "EUR",
    }
    assert seat.call("withdraw", mm, "10.00").error == 108
    assert seat.holding()[:2] == (100_00, 0)


def test_token__is_random_of_version_4_and_stored_only_as_a_hash(
    seat: Seat, owner: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    token = uuid.UUID(seat.token)
    assert (token.version, token.variant) == (4, uuid.RFC_4122)
    row = owner.execute(
        "SELECT s.*::text, token_hash FROM players_gamesession s WHERE id = %s", [seat.session().pk]
    ).fetchone()
    assert row is not None
    assert row[-1] == hashlib.sha256(token.bytes).digest()
    assert seat.token not in str(row[0])


@pytest.mark.parametrize("endpoint", ["withdraw", "deposit", "rollbackWithdrawal", "rollbackDeposit"])
def test_session__named_by_a_transaction_is_never_deleted(
    house: House, owner: "psycopg.Connection[object]", endpoint: str
) -> None:
    seat = house.seat(0)
    unused = seat.elsewhere()
    seat.call(endpoint, unique("mm"), "1.00")
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM players_gamesession WHERE id = %s", [seat.session().pk])
    assert seat.session().is_kept
    assert GameSession.objects.filter(pk=unused.session().pk).delete()[0] == 1


def test_blocked_player__can_verify_settle_receive_not_withdraw(seat: Seat) -> None:
    paid, returned, win = seat.opened("withdraw", "30.00"), seat.opened("withdraw", "20.00"), unique("mm")
    seat.block()
    refused = seat.call("withdraw", unique("mm"), "1.00")
    assert (refused.error, refused.balance) == (103, "50.00")
    assert seat.done("verifySession").balance == "50.00"
    seat.done("confirmWithdrawal", paid)
    assert seat.done("rollbackWithdrawal", returned).balance == "70.00"
    seat.done("deposit", win, "5.00")
    assert seat.done("confirmDeposit", win).balance == "75.00"
    seat.block("active")
    assert seat.done("withdraw", unique("mm"), "1.00").balance == "74.00"


@pytest.mark.parametrize("status", ["blocked", "self_excluded", "closed"])
def test_player_status__any_but_active_refuses_withdrawals(seat: Seat, status: str) -> None:
    seat.block(status)
    assert seat.call("withdraw", unique("mm"), "1.00").error == 103
    assert seat.holding()[:2] == (100_00, 0)


def test_game__switched_off_starts_no_session_and_others_go_on(house: House) -> None:
    party: Party = make_party()
    seat = sit(party, house.player())
    seat.adjust("credit", 10_00)
    type(party.game).objects.filter(pk=party.game.pk).update(is_active=False)
    assert (
        house.front.post(
            "/entry/launch", {"uid": seat.player.uid, "game": party.game.slug, "currencyCode": "XAG"}
        ).error
        == 101
    )
    assert seat.done("withdraw", unique("mm"), "1.00").balance == "9.00"


@pytest.mark.parametrize("type", ["withdrawal", "deposit"])
def test_query__tells_a_game_what_became_of_its_transaction(seat: Seat, clock: Clock, type: str) -> None:
    open, confirm = (
        ("withdraw", "confirmWithdrawal") if type == "withdrawal" else ("deposit", "confirmDeposit")
    )
    mm, began = unique("mm"), seat.session().created_at
    assert seat.call("queryTransaction", mm, type=type).error == 106
    clock.stand(began.replace(microsecond=123456))
    opened = seat.done(open, mm, "10.00")
    expected = {
        "mmTransactionId": mm,
        "qwTransactionId": opened.body["qwTransactionId"],
        "type": type,
        "state": "pending",
        "amount": {"amount": Decimal("10.00"), "currencyCode": "XAG"},
        "openedAt": began.strftime("%Y-%m-%dT%H:%M:%S.123Z"),
        "settledAt": None,
    }
    assert seat.done("queryTransaction", mm, type=type).body == expected
    clock.stand((began + timedelta(hours=5)).replace(microsecond=999999))
    seat.done(confirm, mm)
    settled = {
        "state": "confirmed",
        "settledAt": (began + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S.999Z"),
    }
    assert seat.done("queryTransaction", mm, type=type).body == expected | settled
    assert (
        seat.call("queryTransaction", mm, type="deposit" if type == "withdrawal" else "withdrawal").error
        == 106
    )


def test_query__names_these_states(seat: Seat) -> None:
    rolled, expired, declined, buried = (
        seat.opened("withdraw", "1.00"),
        seat.opened("withdraw", "1.00"),
        unique("mm"),
        unique("mm"),
    )
    seat.done("rollbackWithdrawal", rolled)
    seat.resolve(expired, "expired")
    assert seat.call("withdraw", declined, "1000.00").error == 104
    seat.done("rollbackWithdrawal", buried)
    bodies = [
        seat.done("queryTransaction", mm, type="withdrawal").body
        for mm in (rolled, expired, declined, buried)
    ]
    assert [body["state"] for body in bodies] == ["rolled_back", "expired", "declined", "rolled_back"]
    assert [body["amount"] and body["amount"]["amount"] for body in bodies] == [
        Decimal("1.00"),
        Decimal("1.00"),
        Decimal("1000.00"),
        None,
    ]
    assert all(body["settledAt"] for body in bodies)


def test_transaction__is_due_after_the_games_or_platforms_time(house: House) -> None:
    default, own = house.seat(), sit(make_party(pending_hours=50), house.player())
    own.adjust("credit", 10_00)
    for seat, hours in ((default, 72), (own, 50)):
        for endpoint, type in (("withdraw", "withdrawal"), ("deposit", "deposit")):
            opened = seat.transaction(seat.opened(endpoint, "1.00"), type)
            assert opened.due_at == opened.opened_at + timedelta(hours=hours)
