"""The entry API, for the platform's own web front (contract 3)."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import psycopg
import pytest

from lib.clock import now
from lib.http.errors import ErrorCode
from players.models import Player, PlayerEvent
from players.operations import set_player_status
from tests.conftest import Clock
from tests.support.callers import Answer, Callers, PlayerSession, make_party, unique
from tests.support.names import NAMES
from wallet.models import Entry, Wallet


def put(callers: Callers, uid: str, **fields: object) -> Answer:
    return callers.front.put(f"/entry/players/{uid}", fields)


def launch(callers: Callers, uid: str, /, **fields: object) -> Answer:
    return callers.front.post(
        "/entry/launch", {"uid": uid, "game": callers.game.game.slug, "currencyCode": "XAG"} | fields
    )


def statement(callers: Callers, player_session: PlayerSession, **fields: object) -> dict[str, Any]:
    answer = callers.front.post(
        "/entry/statement",
        {"uid": player_session.player.uid, "currencyCode": player_session.currency} | fields,
    )
    assert (answer.status, answer.error) == (200, None), answer.raw
    return answer.body


def events(uid: str) -> list[tuple[str, str]]:
    return list(
        PlayerEvent.objects.filter(player__uid=uid).order_by("at").values_list("old_status", "new_status")
    )


# --- Players ----------------------------------------------------------------------------------------


def test_player__is_created_and_updated_keeping_absent_fields(callers: Callers) -> None:
    uid = unique("p")
    assert put(callers, uid).body == {
        "uid": uid,
        "nickname": "",
        "country": "",
        "language": "",
        "status": "active",
    }
    assert put(callers, uid, nickname="Zoë ☃", country="DE").body == {
        "uid": uid,
        "nickname": "Zoë ☃",
        "country": "DE",
        "language": "",
        "status": "active",
    }
    shown = {"uid": uid, "nickname": "", "country": "DE", "language": "pt-BR", "status": "active"}
    assert put(callers, uid, nickname="", language="pt-BR", country=None, unknown=[1]).body == shown
    assert put(callers, uid).body == shown
    assert events(uid) == [("", "active")]


@pytest.mark.parametrize("uid", ["x" * 64, "a", "A-z_0.9:@b", "user@example.com", "%41"])
def test_uid__every_one_of_the_right_form_is_taken(callers: Callers, uid: str) -> None:
    answer = put(callers, uid)
    assert (answer.status, answer.error) == (200, None)
    assert answer.body["uid"] == uid.replace("%41", "A")


@pytest.mark.parametrize(
    "uid", ["x" * 65, "a%20b", "%C3%BC", "a%00b", "a%0A", "%FF", "a+b", "a%2Fb", "-%E2%80%AE"]
)
def test_uid__of_the_wrong_form_is_refused(callers: Callers, uid: str) -> None:
    before = Player.objects.count()
    answer = put(callers, uid)
    assert answer.error == 101
    assert answer.status in (200, 404)  # a uid with a slash is a path that is not there
    assert Player.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("nickname", "x" * 65), ("nickname", 5), ("nickname", "nul\x00"), ("nickname", "new\nline"),
     ("nickname", "\ud800"), ("nickname", "\u202eevil"), ("nickname", "\u2067evil"), ("nickname", "\x85"),
     ("nickname", "\u0958" * 33), ("nickname", "e\u0308" * 65), ("nickname", "\u0308" * 10_000),
     ("country", "de"), ("country", "DEU"), ("country", ""), ("country", "D\n"), ("country", "1A"),
     ("language", ""), ("language", "x"), ("language", "de_DE"), ("language", "de-"), ("language", "x" * 36),
     ("language", "en\n"),
     ("language", "de-toolongsubtag"),
     ("status", ""), ("status", "Active"), ("status", "frozen"), ("status", "active\n"), ("status", 1),
     ("status", ["active"])],
)  # fmt: skip
def test_player__malformed_field_is_refused_and_changes_nothing(
    callers: Callers, field: str, value: object
) -> None:
    uid = unique("p")
    put(callers, uid, nickname="kept", country="AT", language="de")
    answer = put(callers, uid, **({"nickname": "changed", "country": "DE"} | {field: value}))
    assert (answer.status, answer.error) == (200, 101)
    assert put(callers, uid).body == {
        "uid": uid,
        "nickname": "kept",
        "country": "AT",
        "language": "de",
        "status": "active",
    }


@pytest.mark.parametrize("nickname", ["☃" * 64, "\U0001fa77" * 64, *NAMES.values()])
def test_nickname__has_64_characters_of_any_script(callers: Callers, nickname: str) -> None:
    uid = unique("p")
    assert put(callers, uid, nickname=nickname).body["nickname"] == nickname
    session = launch(callers, uid)
    verified = callers.game.caller.post("/wallet/verifySession", {"token": session.body["token"]})
    assert verified.body["nickname"] == nickname


@pytest.mark.parametrize(
    ("given", "stored"), [("Zoe\u0308", "Zoë"), ("\u1112\u1161\u11ab" * 64, "한" * 64), ("\u212b", "Å")]
)
def test_nickname__is_stored_as_nfc(callers: Callers, given: str, stored: str) -> None:
    uid = unique("p")
    assert put(callers, uid, nickname=given).body["nickname"] == stored
    assert put(callers, uid).body["nickname"] == stored


def test_block__front_blocks_and_lifts_its_own(callers: Callers) -> None:
    uid = unique("p")
    put(callers, uid)
    assert put(callers, uid, status="blocked").body["status"] == "blocked"
    assert put(callers, uid, status="blocked").body["status"] == "blocked"
    assert launch(callers, uid).error == 103
    assert put(callers, uid, status="active").body["status"] == "active"
    assert events(uid) == [("", "active"), ("active", "blocked"), ("blocked", "active")]
    assert PlayerEvent.objects.filter(player__uid=uid).latest("at").actor.startswith("platform:front-")


@pytest.mark.parametrize("first", ["blocked", "self_excluded", "closed"])
def test_block__player_can_be_made_barred_at_once(callers: Callers, first: str) -> None:
    uid = unique("p")
    assert put(callers, uid, status=first).body["status"] == first
    assert launch(callers, uid).error == 103


ORDER = ["active", "blocked", "self_excluded", "closed"]


@pytest.mark.parametrize("before", ORDER)
@pytest.mark.parametrize("after", ORDER)
@pytest.mark.parametrize("set_by", ["front", "operator"])
def test_block__front_only_tightens_or_lifts_its_own(
    callers: Callers, before: str, after: str, set_by: str
) -> None:
    uid = unique("p")
    put(callers, uid, nickname="kept")
    if set_by == "operator":
        set_player_status(Player.objects.get(uid=uid).pk, status=before, actor="operator:ann", reason="test")
    else:
        put(callers, uid, status=before)
    known = events(uid)
    allowed = ORDER.index(after) >= ORDER.index(before) or (before == "blocked" and set_by == "front")
    answer = put(callers, uid, status=after, nickname="changed")
    assert answer.error == (None if allowed else 103)
    stands = ("changed", after) if allowed else ("kept", before)
    assert Player.objects.values_list("nickname", "status").get(uid=uid) == stands
    assert len(events(uid)) == len(known) + (allowed and after != before)


def test_block__confirmed_by_an_operator_is_the_operators(callers: Callers) -> None:
    uid = unique("p")
    put(callers, uid, status="blocked")
    set_player_status(
        Player.objects.get(uid=uid).pk, status="blocked", actor="operator:ann", reason="Fraud, see 4711"
    )
    assert put(callers, uid, status="active").error == 103
    assert PlayerEvent.objects.filter(player__uid=uid).latest("at").reason == "Fraud, see 4711"
    # A stricter word of the front does not make the block its own either.
    put(callers, uid, status="self_excluded")
    assert put(callers, uid, status="blocked").error == 103


# --- Launching --------------------------------------------------------------------------------------


def test_launch__gives_a_token_a_url_and_an_end(callers: Callers, clock: Clock) -> None:
    party = make_party(launch_url="https://game.example/play")
    uid = callers.player(language="de").uid
    moment = datetime.fromisoformat("2026-03-01T12:00:00.250+00:00")
    clock.stand(moment)
    body = launch(callers, uid, game=party.game.slug).body
    assert body == {
        "token": body["token"],
        "launchUrl": f"https://game.example/play?token={body['token']}&lang=de&currency=XAG",
        "expiresAt": "2026-03-02T12:00:00.250Z",
    }
    wallet = Wallet.objects.get(player__uid=uid)
    assert (wallet.currency_id, wallet.spendable, wallet.entry_count) == ("XAG", 0, 1)
    assert Entry.objects.get(wallet=wallet).event == "wallet_opened"


def test_launch__url_keeps_the_games_query_and_fragment(callers: Callers) -> None:
    party = make_party(launch_url="https://game.example/play?mode=real&empty=&x=%C3%BC%26#lobby")
    body = launch(
        callers, callers.player().uid, game=party.game.slug, currencyCode="EUR", language="pt-BR"
    ).body
    url = urlsplit(body["launchUrl"])
    assert (url.scheme, url.netloc, url.path, url.fragment) == ("https", "game.example", "/play", "lobby")
    query = parse_qsl(url.query, keep_blank_values=True)
    assert query == [
        ("mode", "real"),
        ("empty", ""),
        ("x", "ü&"),
        ("token", body["token"]),
        ("lang", "pt-BR"),
        ("currency", "EUR"),
    ]


@pytest.mark.parametrize(
    ("players", "asked", "shown"),
    [("de", None, "de"), ("de", "fr", "fr"), ("", None, "en"), ("", "fr", "fr")],
)
def test_launch__language_is_the_requested_or_the_players(
    callers: Callers, players: str, asked: str | None, shown: str
) -> None:
    player = callers.player(**({"language": players} if players else {}))
    body = launch(callers, player.uid, language=asked).body
    assert ("lang", shown) in parse_qsl(urlsplit(body["launchUrl"]).query)
    player_session = PlayerSession(callers.game.caller, player, callers.game.game, body["token"], "XAG")
    assert player_session.done("verifySession").body["language"] == (asked or players)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (1, 1),
        (60, 60),
        (86399, 86399),
        (86400, 86400),
        (86401, 86400),
        (10**18, 86400),
        (Decimal("6e1"), 60),
        (Decimal("60.0"), 60),
    ],
)
def test_launch__session_lives_as_asked_up_to_platform_maximum(
    callers: Callers, asked: object, seconds: int
) -> None:
    before = now()
    body = launch(callers, callers.player().uid, ttlSeconds=asked).body
    lifetime = datetime.fromisoformat(body["expiresAt"]) - before
    assert (
        timedelta(seconds=seconds) - timedelta(milliseconds=1) <= lifetime <= timedelta(seconds=seconds + 30)
    )


@pytest.mark.parametrize(
    "asked",
    [
        0,
        -1,
        Decimal("1.5"),
        Decimal("0.1"),
        Decimal("1e999999999"),
        Decimal("1e-999999999"),
        Decimal("1e19"),
        "60",
        True,
        [60],
        {},
    ],
)
def test_launch__refuses_a_senseless_lifetime(callers: Callers, asked: object) -> None:
    answer = launch(callers, callers.player().uid, ttlSeconds=asked)
    assert (answer.status, answer.error) == (200, 101)


@pytest.mark.parametrize("field", ["uid", "game", "currencyCode"])
@pytest.mark.parametrize(
    "value", ["no-such-thing", "QQQ", "x" * 5000, "nul\x00", "\ud800", "☃", "", "'", None, 5]
)
def test_launch__refuses_the_unknown_with_101(callers: Callers, field: str, value: object) -> None:
    uid = callers.player().uid
    answer = launch(callers, uid, **{"uid": uid, field: value})
    assert (answer.status, answer.error) == (200, 101), answer.raw
    assert not Wallet.objects.filter(player__uid=uid).exists()


@pytest.mark.parametrize(
    ("field", "value"), [("uid", "nobody-there"), ("game", "no-such-game"), ("currencyCode", "QQQ")]
)
def test_launch__refusal_names_what_is_unknown(callers: Callers, field: str, value: str) -> None:
    uid = callers.player().uid
    assert value in launch(callers, uid, **{"uid": uid, field: value}).body["errorDescription"]


def test_launch__barred_player_is_refused_and_opens_no_wallet(callers: Callers) -> None:
    for status in ORDER[1:]:
        uid = unique("p")
        put(callers, uid, status=status)
        answer = launch(callers, uid)
        assert (answer.status, answer.error) == (200, ErrorCode.PLAYER_BARRED)
        assert not Wallet.objects.filter(player__uid=uid).exists()


def test_end_session__repeated_is_the_same(callers: Callers, player_session: PlayerSession) -> None:
    for _ in range(2):
        answer = callers.front.post("/entry/endSession", {"token": player_session.token})
        assert (answer.status, answer.raw) == (200, b"{}")
    ended_at = player_session.session().ended_at
    callers.front.post("/entry/endSession", {"token": player_session.token.upper()})
    assert player_session.session().ended_at == ended_at
    assert player_session.call("getBalance").error == 102


def test_end_session__refuses_an_unknown_session(callers: Callers) -> None:
    assert (
        callers.front.post("/entry/endSession", {"token": "0fabcdc4-fe07-44f2-b968-93da3b324898"}).error
        == 102
    )
    assert callers.front.post("/entry/endSession", {"token": "x"}).error == 101
    assert callers.front.post("/entry/endSession", {}).error == 101


# --- Balances and statements ------------------------------------------------------------------------


def test_balance__front_sees_spendable_reserved_and_owed(
    callers: Callers, player_session: PlayerSession
) -> None:
    player_session.opened("withdraw", "30.00")
    player_session.opened("deposit", "7.00")
    asked = {"uid": player_session.player.uid, "currencyCode": "XAG"}
    amounts = {
        name: Decimal(amount)
        for name, amount in (("balance", "70.00"), ("reserved", "30.00"), ("debt", "0.00"))
    }
    shown = {name: {"amount": amount, "currencyCode": "XAG"} for name, amount in amounts.items()}
    assert callers.front.post("/entry/balance", asked).body == shown
    player_session.adjust("debit", 75_00, into_debt=True)
    raw = callers.front.post("/entry/balance", asked).raw
    assert raw == (
        b'{"balance":{"amount":0.00,"currencyCode":"XAG"},"reserved":{"amount":30.00,"currencyCode":"XAG"},"debt":{"amount":5.00,"currencyCode":"XAG"}}'
    )


def test_balance__is_all_zero_if_no_wallet_was_opened(callers: Callers) -> None:
    uid = callers.player().uid
    body = callers.front.post("/entry/balance", {"uid": uid, "currencyCode": "BHD"}).body
    zero = {"amount": Decimal("0.000"), "currencyCode": "BHD"}
    assert body == {"balance": zero, "reserved": zero, "debt": zero}
    assert callers.front.post("/entry/statement", {"uid": uid, "currencyCode": "BHD"}).body == {
        "lines": [],
        "next": None,
    }
    assert not Wallet.objects.filter(player__uid=uid).exists()


@pytest.mark.parametrize("call", ["balance", "statement"])
def test_balance__and_statement_are_refused_for_the_unknown(
    callers: Callers, player_session: PlayerSession, call: str
) -> None:
    for field, value in (
        ("uid", "no-such-player"),
        ("uid", "a b"),
        ("currencyCode", "QQQ"),
        ("currencyCode", "\x00"),
        ("uid", None),
        ("currencyCode", 5),
    ):
        answer = callers.front.post(
            f"/entry/{call}", {"uid": player_session.player.uid, "currencyCode": "XAG"} | {field: value}
        )
        assert (answer.status, answer.error) == (200, 101), (field, value)


def test_statement__shows_spendable_balance_changes_newest_first(callers: Callers, clock: Clock) -> None:
    player_session = callers.player_session(0)
    clock.stand(datetime.fromisoformat("2026-03-01T12:00:00.5+00:00"))
    player_session.adjust("credit", 100_00)
    paid, returned, win = (
        player_session.opened("withdraw", "30.00"),
        player_session.opened("withdraw", "20.00"),
        player_session.opened("deposit", "5.00"),
    )
    player_session.done("confirmWithdrawal", paid)
    player_session.done("rollbackWithdrawal", returned)
    player_session.done("confirmDeposit", win)
    assert player_session.call("withdraw", unique("mm"), "1000.00").error == 104
    player_session.done("rollbackWithdrawal", unique("mm"))
    body = statement(callers, player_session)
    lines = [
        (
            line["what"],
            str(line["amount"]["amount"]),
            str(line["balanceAfter"]["amount"]),
            line["mmTransactionId"],
        )
        for line in body["lines"]
    ]
    assert lines == [
        ("deposit_confirmed", "5.00", "75.00", win),
        ("withdrawal_rolled_back", "20.00", "70.00", returned),
        ("withdrawal_opened", "-20.00", "50.00", returned),
        ("withdrawal_opened", "-30.00", "70.00", paid),
        ("credit_adjusted", "100.00", "100.00", None),
    ]
    first, last = body["lines"][0], body["lines"][-1]
    assert (first["game"], last["game"]) == (callers.game.game.slug, None)
    assert first["qwTransactionId"] == str(player_session.transaction(win, "deposit").pk)
    assert first["time"] == "2026-03-01T12:00:00.500Z"
    assert body["next"] is None


def test_statement__shows_repaid_debt(callers: Callers) -> None:
    player_session = callers.player_session(10_00)
    player_session.adjust("debit", 15_00, into_debt=True)
    player_session.done("confirmDeposit", player_session.opened("deposit", "8.00"))
    lines = [
        (line["what"], str(line["amount"]["amount"]), str(line["balanceAfter"]["amount"]))
        for line in statement(callers, player_session)["lines"]
    ]
    assert lines == [
        ("deposit_debt_repaid", "-5.00", "3.00"),
        ("deposit_confirmed", "8.00", "8.00"),
        ("debit_adjusted", "-10.00", "0.00"),
        ("credit_adjusted", "10.00", "10.00"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 200])
def test_statement__pages_together_are_the_statement(callers: Callers, limit: int) -> None:
    player_session = callers.player_session(100_00)
    for number in range(6):
        player_session.done("withdraw", f"s-{number}", "1.00")
        player_session.done("confirmWithdrawal", f"s-{number}")
    whole = statement(callers, player_session)["lines"]
    assert len(whole) == 7
    pages, cursor = [], None
    while True:
        page = statement(callers, player_session, limit=limit, before=cursor)
        assert 1 <= len(page["lines"]) <= limit
        pages += page["lines"]
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == whole


def test_statement__has_50_lines_unless_asked_otherwise(callers: Callers) -> None:
    player_session = callers.player_session(0)
    for _ in range(51):
        player_session.adjust("credit", 1)
    body = statement(callers, player_session)
    assert (len(body["lines"]), len(statement(callers, player_session, limit=200)["lines"])) == (50, 51)
    assert [
        str(line["balanceAfter"]["amount"])
        for line in statement(callers, player_session, before=body["next"])["lines"]
    ] == ["0.01"]
    # What comes meanwhile does not shift the next page.
    player_session.adjust("credit", 1)
    assert len(statement(callers, player_session, before=body["next"])["lines"]) == 1


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 201}, {"limit": -1}, {"limit": "5"},
                                    {"limit": True}, {"limit": Decimal("1.5")},
                                    {"limit": Decimal("1e999999999")},
                                    {"before": ""}, {"before": "x"}, {"before": "-1"}, {"before": "1.5"},
                                    {"before": 5}, {"before": "9" * 19}, {"before": "٣"},
                                     {"before": " 5"}])  # fmt: skip
def test_statement__refuses_a_senseless_page(
    callers: Callers, player_session: PlayerSession, fields: dict[str, object]
) -> None:
    answer = callers.front.post(
        "/entry/statement", {"uid": player_session.player.uid, "currencyCode": "XAG"} | fields
    )
    assert (answer.status, answer.error) == (200, 101)


def test_statement__is_of_one_currency_and_all_games(callers: Callers, player_session: PlayerSession) -> None:
    euro, elsewhere = player_session.elsewhere("EUR"), player_session.elsewhere(party=callers.other_game)
    euro.adjust("credit", 7_00)
    elsewhere.done("withdraw", unique("mm"), "1.00")
    assert [line["game"] for line in statement(callers, player_session)["lines"]] == [
        callers.other_game.game.slug,
        None,
    ]
    assert [str(line["amount"]["amount"]) for line in statement(callers, euro)["lines"]] == ["7.00"]


def test_entry_api__takes_put_for_players_and_post_for_the_rest(callers: Callers) -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        assert callers.front.send(method, "/entry/players/x", b"{}").status == 405
    for path in ("launch", "endSession", "balance", "statement"):
        assert callers.front.send("PUT", f"/entry/{path}", b"{}").status == 405
        assert callers.front.send("POST", f"/entry/{path}", b"[").error == 101
        assert (
            callers.front.send("POST", f"/entry/{path}", b"{}", {"Content-Type": "text/plain"}).error == 101
        )


def test_entry_api__front_may_not_play(callers: Callers, player_session: PlayerSession) -> None:
    assert replace(player_session, caller=callers.front).call("withdraw", unique("mm"), "1.00").status == 401
    assert player_session.holding()[:2] == (100_00, 0)


def test_player_history__is_never_changed(callers: Callers, owner: "psycopg.Connection[object]") -> None:
    player = callers.player()
    for statement in (
        "UPDATE players_playerevent SET new_status = 'closed' WHERE player_id = %s",
        "DELETE FROM players_playerevent WHERE player_id = %s",
        "DELETE FROM players_player WHERE id = %s",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement, [player.pk])
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("TRUNCATE players_playerevent")
