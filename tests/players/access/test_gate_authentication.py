"""Who may speak.

HTTP Basic, rotation, kinds of callers, and the throttling of failures (contract 1.2, 1.4).
"""

from base64 import b64encode
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as RedisAway

from lib.security.tokens import password_hash
from players.access import throttling
from players.access.credentials import CREDENTIALS, parse_basic
from players.models import Credential, Game
from players.operations import create_credential, revoke_credential
from tests.support.callers import (
    Answer,
    Caller,
    Callers,
    PlayerSession,
    basic,
    fresh_address,
    make_party,
    open_session,
    unique,
)


def ask(player_session: PlayerSession, authorization: str | None, address: str | None = None) -> Answer:
    """Reads the session's balance with the given header."""
    return Caller(authorization, address or fresh_address()).post(
        "/wallet/getBalance", {"token": player_session.token}
    )


def is_unauthorized(answer: Answer, status: int = 401) -> bool:
    body = {"errorCode": 100, "errorDescription": "Authorization is missing or wrong."}
    return (answer.status, answer.body, answer.headers["www-authenticate"].split()[0]) == (
        status,
        body,
        "Basic",
    )


def with_password(game: Game, password: str) -> tuple[Credential, Caller]:
    """A further credential of a game whose password a test chooses."""
    credential = Credential.objects.create(
        kind="game", game=game, username=unique("chosen"), password_hash=password_hash(password)
    )
    return credential, Caller(basic(credential.username, password))


def test_authentication__reads_the_published_example() -> None:
    assert parse_basic("Basic Sm9obkRvZTpNeVBhc3M=") == ("JohnDoe", "MyPass")
    assert basic("JohnDoe", "MyPass") == "Basic Sm9obkRvZTpNeVBhc3M="


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc"])
def test_authentication__scheme_may_be_in_any_case(player_session: PlayerSession, scheme: str) -> None:
    assert (
        ask(player_session, str(player_session.caller.authorization).replace("Basic", scheme)).balance
        == "100.00"
    )


@pytest.mark.parametrize(
    "password", ["with:colons:in:it", ":", "::", "ends:", "Grüße ☃", "with space", "x" * 2000]
)
def test_authentication__password_may_have_colons_and_any_char(callers: Callers, password: str) -> None:
    party = make_party()
    credential, caller = with_password(party.game, password)
    player_session = open_session(type(party)(party.game, credential, caller), callers.player())
    assert player_session.done("getBalance").balance == "0.00"
    assert is_unauthorized(ask(player_session, basic(credential.username, password + "x")))


@pytest.mark.parametrize(
    "header",
    [None, "", "Basic", "Basic ", "Basic !!!", "Basic " + "A" * 4000, "Bearer abc", "Basic Zm9v",
     "basic Zm9v", "Basic Og==", "Basic OnB3", "Basic =",
     "Basic Zm9vOmJhcg", "Digest Zm9vOmJhcg==", "Zm9vOmJhcg==", "Basic\tZm9vOmJhcg==", "Basic /w==",
     "Basic \xff\xff",
     "Basic " + b64encode(b"\xff\xfe:x").decode(), "Basic " + b64encode(b"a\x00b:c\x00d").decode(),
     "Basic " + b64encode("ü:☃".encode()).decode()],
)  # fmt: skip
def test_authentication__missing_or_malformed_gets_401(
    player_session: PlayerSession, header: str | None
) -> None:
    assert is_unauthorized(ask(player_session, header))


def test_authentication__wrong_name_or_password_get_same_401(
    callers: Callers, player_session: PlayerSession
) -> None:
    name = callers.game.credential.username
    right = str(player_session.caller.authorization)
    for header in (
        basic(unique("nobody"), "nothing"),
        basic(name, "wrong"),
        basic(name, ""),
        basic(name.upper(), "x"),
        right[:-2],
    ):
        assert is_unauthorized(ask(player_session, header)), header


def test_authentication__wrong_kind_of_caller_gets_401(
    callers: Callers, player_session: PlayerSession
) -> None:
    assert is_unauthorized(ask(player_session, callers.front.authorization))
    assert is_unauthorized(Caller(callers.front.authorization).post("/payments/initiate", {}))
    assert is_unauthorized(
        Caller(callers.game.caller.authorization).post(
            "/entry/balance", {"uid": player_session.player.uid, "currencyCode": "XAG"}
        )
    )
    assert (
        Caller(callers.front.authorization)
        .post("/entry/balance", {"uid": player_session.player.uid, "currencyCode": "XAG"})
        .balance
        == "100.00"
    )


def test_authentication__is_needed_for_known_and_unknown_paths() -> None:
    for path in (
        "/wallet/",
        "/wallet/nothing",
        "/payments/nothing",
        "/entry/",
        "/entry/players/x",
        "/wallet//withdraw",
    ):
        assert is_unauthorized(Caller(None).post(path, {})), path


def test_authentication__failure_is_400_if_set_so(player_session: PlayerSession, settings: Any) -> None:
    settings.WALLET_UNAUTHORIZED_STATUS = 400
    assert is_unauthorized(ask(player_session, None), status=400)
    assert is_unauthorized(ask(player_session, basic("nobody", "nothing")), status=400)


def test_credential__two_work_side_by_side_until_one_is_revoked(callers: Callers) -> None:
    party = make_party()
    player_session = open_session(party, callers.player())
    newer, password = create_credential(
        kind="game", game=party.game, username=unique("g"), allowed_networks=[], note="rotation"
    )
    new_header = basic(newer.username, password)
    assert ask(player_session, player_session.caller.authorization).status == 200
    assert ask(player_session, new_header).status == 200
    revoke_credential(party.credential)
    assert is_unauthorized(ask(player_session, player_session.caller.authorization))
    assert ask(player_session, new_header).status == 200


def test_credential__another_of_the_game_settles_a_transaction(callers: Callers) -> None:
    party = make_party()
    player_session = open_session(party, callers.player())
    player_session.adjust("credit", 10_00)
    mm = player_session.opened("withdraw", "4.00")
    newer, password = create_credential(
        kind="game", game=party.game, username=unique("g"), allowed_networks=[], note="rotation"
    )
    revoke_credential(party.credential)
    answer = Caller(basic(newer.username, password)).post(
        "/wallet/confirmWithdrawal", {"token": player_session.token, "mmTransactionId": mm}
    )
    assert answer.balance == "6.00"
    assert player_session.transaction(mm).settled_actor == f"game:{newer.username}"


def test_credential__cache_ends_after_its_time(
    callers: Callers, player_session: PlayerSession, settings: Any
) -> None:
    party = make_party()
    player = open_session(party, callers.player())
    assert player.call("getBalance").status == 200
    # Revoked elsewhere: this process still remembers it, until its memory is old.
    Credential.objects.filter(pk=party.credential.pk).update(revoked_at="2026-01-01T00:00:00Z")
    assert player.call("getBalance").status == 200
    settings.CREDENTIAL_CACHE_SECONDS = 0
    assert is_unauthorized(player.call("getBalance"))


def test_credential__made_elsewhere_is_found_if_name_missing(
    callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    party = make_party()
    player_session = open_session(party, callers.player())
    assert player_session.call("getBalance").status == 200
    username = unique("g")
    Credential.objects.create(
        kind="game", game=party.game, username=username, password_hash=password_hash("made elsewhere")
    )
    monkeypatch.setattr("players.access.credentials.MISS_RELOAD_SECONDS", 0.0)
    assert ask(player_session, basic(username, "made elsewhere")).status == 200


def test_credential__old_ones_serve_while_one_call_reloads(
    player_session: PlayerSession, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(player_session, player_session.caller.authorization).status == 200
    settings.CREDENTIAL_CACHE_SECONDS = 0
    monkeypatch.setattr(CREDENTIALS, "is_reloading", True)
    with CREDENTIALS.reloading:
        assert ask(player_session, player_session.caller.authorization).status == 200


def test_password__has_256_random_bits_stored_only_as_keyed_hash(callers: Callers, settings: Any) -> None:
    credential, password = create_credential(
        kind="platform", game=None, username=unique("front"), allowed_networks=[], note=""
    )
    assert len(password) == 43
    stored = bytes(Credential.objects.get(pk=credential.pk).password_hash)
    assert stored == password_hash(password)
    assert password.encode() not in stored
    settings.CREDENTIAL_KEY = "x" * 32
    assert password_hash(password) != stored


# --- Throttling -------------------------------------------------------------------------------------


def test_throttling__past_100_a_minute_429_but_right_password_ok(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("players.access.throttling.time.time", lambda: 1_700_000_010.0)
    address, other = fresh_address(), fresh_address()
    cache.delete_many([f"authentication-failures:{a}:{1_700_000_010 // 60}" for a in (address, other)])
    for _ in range(100):
        assert is_unauthorized(ask(player_session, basic("nobody", "nothing"), address))
    answer = ask(player_session, basic("nobody", "nothing"), address)
    assert (answer.status, answer.error) == (429, 100)
    # 1 700 000 010 is 30 seconds into its minute.
    assert answer.headers["retry-after"] == "30"
    assert ask(player_session, None, address).status == 429
    assert ask(player_session, player_session.caller.authorization, address).balance == "100.00"
    assert is_unauthorized(ask(player_session, None, other))
    monkeypatch.setattr("players.access.throttling.time.time", lambda: 1_700_000_040.0)
    assert is_unauthorized(ask(player_session, None, address))


def test_throttling__never_locks_a_credential(
    callers: Callers, player_session: PlayerSession, settings: Any
) -> None:
    settings.AUTH_FAILURES_PER_MINUTE = 3
    address = fresh_address()
    statuses = [
        ask(player_session, basic(callers.game.credential.username, "wrong"), address).status
        for _ in range(6)
    ]
    assert statuses == [401, 401, 401, 429, 429, 429]
    assert ask(player_session, player_session.caller.authorization, address).status == 200


def test_throttling__counts_failures_over_all_processes(player_session: PlayerSession, settings: Any) -> None:
    settings.AUTH_FAILURES_PER_MINUTE = 2
    address = fresh_address()
    one, other = throttling.FailureCounter(), throttling.FailureCounter()
    assert [counter.record(address) is None for counter in (one, other, one, other)] == [
        True,
        True,
        False,
        False,
    ]


def test_throttling__counts_in_the_process_without_redis(
    player_session: PlayerSession,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.AUTH_FAILURES_PER_MINUTE = 2
    asked = []

    def away(self: RedisCache, *args: object, **kwargs: object) -> None:
        asked.append(args)
        raise RedisAway("secret-host:6379 refused")

    monkeypatch.setattr(RedisCache, "add", away)
    address = fresh_address()
    assert [ask(player_session, None, address).status for _ in range(5)] == [401, 401, 429, 429, 429]
    assert ask(player_session, player_session.caller.authorization, address).balance == "100.00"
    # Not asked again within its pause, and told once.
    assert len(asked) == 1
    assert [
        record.getMessage() for record in caplog.records if record.name == "players.access.throttling"
    ] == ["failed authentications are counted in this process alone: ConnectionError"]


def test_throttling__process_counts_anew_a_minute_later(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.AUTH_FAILURES_PER_MINUTE = 1
    counter = throttling.FailureCounter()
    counter.paused_until = float("inf")
    monkeypatch.setattr("players.access.throttling.time.time", lambda: 120.5)
    assert [counter.record("192.0.2.1"), counter.record("192.0.2.1")] == [None, 59]
    monkeypatch.setattr("players.access.throttling.time.time", lambda: 180.0)
    assert counter.record("192.0.2.1") is None
    assert counter.local == {"192.0.2.1": 1}


def test_throttling__counter_gone_from_redis_is_no_failure(
    player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisCache, "add", lambda *args, **kwargs: True)
    assert is_unauthorized(ask(player_session, None))
