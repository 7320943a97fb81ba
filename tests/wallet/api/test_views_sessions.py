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
from tests.support.callers import Answer, Callers, PlayerSession, make_party, open_session, unique

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


def call(player_session: PlayerSession, endpoint: str, withdrawal: str, deposit: str) -> Answer:
    """Any call of the wallet API, about transactions that are pending."""
    if endpoint in ("verifySession", "getBalance"):
        return player_session.call(endpoint)
    if endpoint in ("withdraw", "deposit"):
        return player_session.call(endpoint, unique("mm"), "1.00")
    extra = {"type": "withdrawal"} if endpoint == "queryTransaction" else {}
    return player_session.call(endpoint, deposit if "Deposit" in endpoint else withdrawal, **extra)


def test_session__tells_who_plays(callers: Callers) -> None:
    player = callers.player(nickname="Zoë ☃", country="DE", language="de")
    player_session = open_session(callers.game, player)
    player_session.adjust("credit", 51_80)
    assert player_session.done("verifySession").body == {
        "playerId": player.uid,
        "nickname": "Zoë ☃",
        "country": "DE",
        "language": "de",
        "balance": {"amount": Decimal("51.80"), "currencyCode": "XAG"},
    }
    assert player_session.done("getBalance").body == {
        "balance": {"amount": Decimal("51.80"), "currencyCode": "XAG"}
    }


@pytest.mark.parametrize("endpoint", ALL)
def test_token__that_never_was_is_unknown(player_session: PlayerSession, endpoint: str) -> None:
    withdrawal, deposit = player_session.opened("withdraw", "5.00"), player_session.opened("deposit", "5.00")
    before = player_session.holding()
    for token in (str(uuid.uuid4()), str(uuid.UUID(int=0)), str(uuid.UUID(int=(1 << 128) - 1))):
        assert call(replace(player_session, token=token), endpoint, withdrawal, deposit).error == 102
    assert player_session.holding() == before


@pytest.mark.parametrize("endpoint", ALL)
def test_token__of_one_game_is_unknown_to_another(
    callers: Callers, player_session: PlayerSession, endpoint: str
) -> None:
    withdrawal, deposit = player_session.opened("withdraw", "5.00"), player_session.opened("deposit", "5.00")
    before = player_session.holding()
    assert (
        call(replace(player_session, caller=callers.other_game.caller), endpoint, withdrawal, deposit).error
        == 102
    )
    assert player_session.holding() == before
    assert call(player_session, endpoint, withdrawal, deposit).error is None


@pytest.mark.parametrize("endpoint", ALL)
@pytest.mark.parametrize("dead", ["ended", "expired"])
def test_session__dead_one_can_settle_deposit_and_query_only(
    player_session: PlayerSession, clock: Clock, endpoint: str, dead: str
) -> None:
    withdrawal, deposit = player_session.opened("withdraw", "5.00"), player_session.opened("deposit", "5.00")
    if dead == "ended":
        player_session.end()
    else:
        clock.go_ahead(timedelta(days=3))
    before = player_session.holding()
    assert call(player_session, endpoint, withdrawal, deposit).error == (
        102 if endpoint in LIVE_ONLY else None
    )
    if endpoint in LIVE_ONLY:
        assert player_session.holding() == before


def test_session__expires_at_its_moment_and_not_before(player_session: PlayerSession, clock: Clock) -> None:
    expires_at = player_session.session().expires_at
    clock.stand(expires_at - timedelta(microseconds=1))
    assert player_session.call("getBalance").error is None
    assert player_session.done("withdraw", unique("mm"), "1.00").balance == "99.00"
    clock.stand(expires_at)
    assert [player_session.call(endpoint).error for endpoint in ("verifySession", "getBalance")] == [102, 102]
    assert player_session.call("withdraw", unique("mm"), "1.00").error == 102
    assert player_session.holding()[:2] == (99_00, 1_00)


def test_session__is_not_extended_by_verifying(player_session: PlayerSession) -> None:
    expires_at = player_session.session().expires_at
    player_session.done("verifySession")
    assert player_session.session().expires_at == expires_at
    assert expires_at - player_session.session().created_at == timedelta(hours=24)


def test_session__launching_again_ends_no_other(player_session: PlayerSession) -> None:
    again = player_session.elsewhere()
    player_session.done("withdraw", unique("mm"), "1.00")
    again.done("withdraw", unique("mm"), "1.00")
    again.end()
    assert player_session.done("getBalance").balance == "98.00"


def test_session__all_of_a_player_and_game_share_wallets_and_ids(player_session: PlayerSession) -> None:
    again, mm = player_session.elsewhere(), unique("mm")
    first = player_session.done("withdraw", mm, "10.00")
    assert again.done("withdraw", mm, "10.00").raw == first.raw
    assert again.done("confirmWithdrawal", mm).balance == "90.00"
    assert player_session.call("rollbackWithdrawal", mm).error == 107


def test_wallet__is_shared_by_two_games_transaction_ids_are_not(
    callers: Callers, player_session: PlayerSession
) -> None:
    elsewhere, mm = player_session.elsewhere(party=callers.other_game), unique("mm")
    player_session.done("withdraw", mm, "10.00")
    assert elsewhere.done("withdraw", mm, "20.00").balance == "70.00"
    assert elsewhere.done("rollbackWithdrawal", mm).balance == "90.00"
    assert player_session.done("confirmWithdrawal", mm, "10.00").balance == "90.00"


def test_wallet__two_players_share_nothing(callers: Callers) -> None:
    one, other, mm = callers.player_session(), callers.player_session(50_00), unique("mm")
    one.done("withdraw", mm, "10.00")
    assert other.done("withdraw", mm, "10.00").balance == "40.00"
    other.done("rollbackWithdrawal", mm)
    assert one.done("confirmWithdrawal", mm).balance == "90.00"


def test_wallet__is_apart_by_currency_transaction_ids_are_not(player_session: PlayerSession) -> None:
    euro, mm = player_session.elsewhere("EUR"), unique("mm")
    euro.adjust("credit", 100_00)
    assert player_session.done("withdraw", mm, "10.00").body["balance"]["currencyCode"] == "XAG"
    assert euro.call("withdraw", mm, "10.00").error == 110
    assert euro.call("confirmWithdrawal", mm, "10.00").error == 110
    assert euro.holding()[:2] == (100_00, 0)
    # Settled through the other currency's session, the answer is about the transaction's wallet.
    answer = euro.done("confirmWithdrawal", mm)
    assert answer.body["balance"] == {"amount": Decimal("90.00"), "currencyCode": "XAG"}
    assert (player_session.holding()[:2], euro.holding()[:2]) == ((90_00, 0), (100_00, 0))
    assert euro.done("queryTransaction", mm, type="withdrawal").body["amount"] == {
        "amount": Decimal("10.00"),
        "currencyCode": "XAG",
    }


def test_repeat__opening_via_other_currency_has_same_content(player_session: PlayerSession) -> None:
    euro, mm = player_session.elsewhere("EUR"), unique("mm")
    first = player_session.done("withdraw", mm, "10.00")
    assert euro.call("withdraw", mm, "10.00", currency="XAG").raw == first.raw


def test_tombstone__of_one_currency_refuses_opening_in_another(player_session: PlayerSession) -> None:
    euro, mm = player_session.elsewhere("EUR"), unique("mm")
    assert euro.done("rollbackWithdrawal", mm).body["balance"] == {
        "amount": Decimal("0.00"),
        "currencyCode": "EUR",
    }
    assert player_session.call("withdraw", mm, "10.00").error == 108
    assert player_session.holding()[:2] == (100_00, 0)


def test_token__is_random_of_version_4_and_stored_only_as_a_hash(
    player_session: PlayerSession, owner: "psycopg.Connection[tuple[object, ...]]"
) -> None:
    token = uuid.UUID(player_session.token)
    assert (token.version, token.variant) == (4, uuid.RFC_4122)
    row = owner.execute(
        "SELECT s.*::text, token_hash FROM players_gamesession s WHERE id = %s", [player_session.session().pk]
    ).fetchone()
    assert row is not None
    assert row[-1] == hashlib.sha256(token.bytes).digest()
    assert player_session.token not in str(row[0])


@pytest.mark.parametrize("endpoint", ["withdraw", "deposit", "rollbackWithdrawal", "rollbackDeposit"])
def test_session__named_by_a_transaction_is_never_deleted(
    callers: Callers, owner: "psycopg.Connection[object]", endpoint: str
) -> None:
    player_session = callers.player_session(0)
    unused = player_session.elsewhere()
    player_session.call(endpoint, unique("mm"), "1.00")
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("DELETE FROM players_gamesession WHERE id = %s", [player_session.session().pk])
    assert player_session.session().is_kept
    assert GameSession.objects.filter(pk=unused.session().pk).delete()[0] == 1


def test_blocked_player__can_verify_settle_receive_not_withdraw(player_session: PlayerSession) -> None:
    paid, returned, win = (
        player_session.opened("withdraw", "30.00"),
        player_session.opened("withdraw", "20.00"),
        unique("mm"),
    )
    player_session.block()
    refused = player_session.call("withdraw", unique("mm"), "1.00")
    assert (refused.error, refused.balance) == (103, "50.00")
    assert player_session.done("verifySession").balance == "50.00"
    player_session.done("confirmWithdrawal", paid)
    assert player_session.done("rollbackWithdrawal", returned).balance == "70.00"
    player_session.done("deposit", win, "5.00")
    assert player_session.done("confirmDeposit", win).balance == "75.00"
    player_session.block("active")
    assert player_session.done("withdraw", unique("mm"), "1.00").balance == "74.00"


@pytest.mark.parametrize("status", ["blocked", "self_excluded", "closed"])
def test_player_status__any_but_active_refuses_withdrawals(
    player_session: PlayerSession, status: str
) -> None:
    player_session.block(status)
    assert player_session.call("withdraw", unique("mm"), "1.00").error == 103
    assert player_session.holding()[:2] == (100_00, 0)


@pytest.mark.parametrize("type", ["withdrawal", "deposit"])
def test_query__tells_a_game_what_became_of_its_transaction(
    player_session: PlayerSession, clock: Clock, type: str
) -> None:
    open, confirm = (
        ("withdraw", "confirmWithdrawal") if type == "withdrawal" else ("deposit", "confirmDeposit")
    )
    mm, began = unique("mm"), player_session.session().created_at
    assert player_session.call("queryTransaction", mm, type=type).error == 106
    clock.stand(began.replace(microsecond=123456))
    opened = player_session.done(open, mm, "10.00")
    expected = {
        "mmTransactionId": mm,
        "qwTransactionId": opened.body["qwTransactionId"],
        "type": type,
        "state": "pending",
        "amount": {"amount": Decimal("10.00"), "currencyCode": "XAG"},
        "openedAt": began.strftime("%Y-%m-%dT%H:%M:%S.123Z"),
        "settledAt": None,
    }
    assert player_session.done("queryTransaction", mm, type=type).body == expected
    clock.stand((began + timedelta(hours=5)).replace(microsecond=999999))
    player_session.done(confirm, mm)
    settled = {
        "state": "confirmed",
        "settledAt": (began + timedelta(hours=5)).strftime("%Y-%m-%dT%H:%M:%S.999Z"),
    }
    assert player_session.done("queryTransaction", mm, type=type).body == expected | settled
    assert (
        player_session.call(
            "queryTransaction", mm, type="deposit" if type == "withdrawal" else "withdrawal"
        ).error
        == 106
    )


def test_query__names_these_states(player_session: PlayerSession) -> None:
    rolled, expired, declined, buried = (
        player_session.opened("withdraw", "1.00"),
        player_session.opened("withdraw", "1.00"),
        unique("mm"),
        unique("mm"),
    )
    player_session.done("rollbackWithdrawal", rolled)
    player_session.resolve(expired, "expired")
    assert player_session.call("withdraw", declined, "1000.00").error == 104
    player_session.done("rollbackWithdrawal", buried)
    bodies = [
        player_session.done("queryTransaction", mm, type="withdrawal").body
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


def test_transaction__is_due_after_the_games_or_platforms_time(callers: Callers) -> None:
    default, own = callers.player_session(), open_session(make_party(pending_hours=50), callers.player())
    own.adjust("credit", 10_00)
    for player_session, hours in ((default, 72), (own, 50)):
        for endpoint, type in (("withdraw", "withdrawal"), ("deposit", "deposit")):
            opened = player_session.transaction(player_session.opened(endpoint, "1.00"), type)
            assert opened.due_at == opened.opened_at + timedelta(hours=hours)
