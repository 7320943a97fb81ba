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
from tests.support.callers import Answer, House, Seat, make_party, unique
from wallet.models import Entry, Wallet


def put(house: House, uid: str, **fields: object) -> Answer:
    return house.front.put(f"/entry/players/{uid}", fields)


def launch(house: House, uid: str, /, **fields: object) -> Answer:
    return house.front.post(
        "/entry/launch", {"uid": uid, "game": house.game.game.slug, "currencyCode": "XAG"} | fields
    )


def statement(house: House, seat: Seat, **fields: object) -> dict[str, Any]:
    answer = house.front.post(
        "/entry/statement", {"uid": seat.player.uid, "currencyCode": seat.currency} | fields
    )
    assert (answer.status, answer.error) == (200, None), answer.raw
    return answer.body


def events(uid: str) -> list[tuple[str, str]]:
    return list(
        PlayerEvent.objects.filter(player__uid=uid).order_by("at").values_list("old_status", "new_status")
    )


# --- Players ----------------------------------------------------------------------------------------


def test_a_player_is_created_and_updated_and_absent_fields_keep_their_value(house: House) -> None:
    uid = unique("p")
    assert put(house, uid).body == {
        "uid": uid,
        "nickname": "",
        "country": "",
        "language": "",
        "status": "active",
    }
    assert put(house, uid, nickname="Zoë ☃", country="DE").body == {
        "uid": uid,
        "nickname": "Zoë ☃",
        "country": "DE",
        "language": "",
        "status": "active",
    }
    shown = {"uid": uid, "nickname": "", "country": "DE", "language": "pt-BR", "status": "active"}
    assert put(house, uid, nickname="", language="pt-BR", country=None, unknown=[1]).body == shown
    assert put(house, uid).body == shown
    assert events(uid) == [("", "active")]


@pytest.mark.parametrize("uid", ["x" * 64, "a", "A-z_0.9:@b", "user@example.com", "%41"])
def test_every_uid_of_the_right_form_is_taken(house: House, uid: str) -> None:
    answer = put(house, uid)
    assert (answer.status, answer.error) == (200, None)
    assert answer.body["uid"] == uid.replace("%41", "A")


@pytest.mark.parametrize(
    "uid", ["x" * 65, "a%20b", "%C3%BC", "a%00b", "a%0A", "%FF", "a+b", "a%2Fb", "-%E2%80%AE"]
)
def test_a_uid_of_the_wrong_form_is_refused(house: House, uid: str) -> None:
    before = Player.objects.count()
    answer = put(house, uid)
    assert answer.error == 101
    assert answer.status in (200, 404)  # a uid with a slash is a path that is not there
    assert Player.objects.count() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("nickname", "x" * 65), ("nickname", 5), ("nickname", "nul\x00"), ("nickname", "new\nline"),
     ("nickname", "\ud800"), ("nickname", "\u202eevil"),
     ("country", "de"), ("country", "DEU"), ("country", ""), ("country", "D\n"), ("country", "1A"),
     ("language", ""), ("language", "x"), ("language", "de_DE"), ("language", "de-"), ("language", "x" * 36),
     ("language", "en\n"),
     ("language", "de-toolongsubtag"),
     ("status", ""), ("status", "Active"), ("status", "frozen"), ("status", "active\n"), ("status", 1),
     ("status", ["active"])],
)  # fmt: skip
def test_a_field_of_the_wrong_form_is_refused_and_changes_nothing(
    house: House, field: str, value: object
) -> None:
    uid = unique("p")
    put(house, uid, nickname="kept", country="AT", language="de")
    answer = put(house, uid, **({"nickname": "changed", "country": "DE"} | {field: value}))
    assert (answer.status, answer.error) == (200, 101)
    assert put(house, uid).body == {
        "uid": uid,
        "nickname": "kept",
        "country": "AT",
        "language": "de",
        "status": "active",
    }


def test_a_nickname_has_64_characters(house: House) -> None:
    uid = unique("p")
    assert put(house, uid, nickname="☃" * 64).body["nickname"] == "☃" * 64


def test_the_front_blocks_and_lifts_its_own_block(house: House) -> None:
    uid = unique("p")
    put(house, uid)
    assert put(house, uid, status="blocked").body["status"] == "blocked"
    assert put(house, uid, status="blocked").body["status"] == "blocked"
    assert launch(house, uid).error == 103
    assert put(house, uid, status="active").body["status"] == "active"
    assert events(uid) == [("", "active"), ("active", "blocked"), ("blocked", "active")]
    assert PlayerEvent.objects.filter(player__uid=uid).latest("at").actor.startswith("platform:front-")


@pytest.mark.parametrize("first", ["blocked", "self_excluded", "closed"])
def test_a_player_can_be_made_barred_at_once(house: House, first: str) -> None:
    uid = unique("p")
    assert put(house, uid, status=first).body["status"] == first
    assert launch(house, uid).error == 103


ORDER = ["active", "blocked", "self_excluded", "closed"]


@pytest.mark.parametrize("before", ORDER)
@pytest.mark.parametrize("after", ORDER)
@pytest.mark.parametrize("set_by", ["front", "operator"])
def test_the_front_only_bars_more_strictly_or_lifts_its_own_block(
    house: House, before: str, after: str, set_by: str
) -> None:
    uid = unique("p")
    put(house, uid, nickname="kept")
    if set_by == "operator":
        set_player_status(Player.objects.get(uid=uid).pk, status=before, actor="operator:ann", reason="test")
    else:
        put(house, uid, status=before)
    known = events(uid)
    allowed = ORDER.index(after) >= ORDER.index(before) or (before == "blocked" and set_by == "front")
    answer = put(house, uid, status=after, nickname="changed")
    assert answer.error == (None if allowed else 103)
    stands = ("changed", after) if allowed else ("kept", before)
    assert Player.objects.values_list("nickname", "status").get(uid=uid) == stands
    assert len(events(uid)) == len(known) + (allowed and after != before)


def test_a_block_that_an_operator_confirmed_is_the_operators(house: House) -> None:
    uid = unique("p")
    put(house, uid, status="blocked")
    set_player_status(
        Player.objects.get(uid=uid).pk, status="blocked", actor="operator:ann", reason="Fraud, see 4711"
    )
    assert put(house, uid, status="active").error == 103
    assert PlayerEvent.objects.filter(player__uid=uid).latest("at").reason == "Fraud, see 4711"
    # A stricter word of the front does not make the block its own either.
    put(house, uid, status="self_excluded")
    assert put(house, uid, status="blocked").error == 103


# --- Launching --------------------------------------------------------------------------------------


def test_launching_gives_a_token_a_url_and_an_end(house: House, clock: Clock) -> None:
    party = make_party(launch_url="https://game.example/play")
    uid = house.player(language="de").uid
    moment = datetime.fromisoformat("2026-03-01T12:00:00.250+00:00")
    clock.stand(moment)
    body = launch(house, uid, game=party.game.slug).body
    assert body == {
        "token": body["token"],
        "launchUrl": f"https://game.example/play?token={body['token']}&lang=de&currency=XAG",
        "expiresAt": "2026-03-02T12:00:00.250Z",
    }
    wallet = Wallet.objects.get(player__uid=uid)
    assert (wallet.currency_id, wallet.spendable, wallet.entry_count) == ("XAG", 0, 1)
    assert Entry.objects.get(wallet=wallet).event == "wallet_opened"


def test_the_launch_url_keeps_the_query_and_fragment_that_the_game_has(house: House) -> None:
    party = make_party(launch_url="https://game.example/play?mode=real&empty=&x=%C3%BC%26#lobby")
    body = launch(house, house.player().uid, game=party.game.slug, currencyCode="EUR", language="pt-BR").body
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
def test_the_language_is_the_asked_one_or_the_players(
    house: House, players: str, asked: str | None, shown: str
) -> None:
    player = house.player(**({"language": players} if players else {}))
    body = launch(house, player.uid, language=asked).body
    assert ("lang", shown) in parse_qsl(urlsplit(body["launchUrl"]).query)
    seat = Seat(house.game.caller, player, house.game.game, body["token"], "XAG")
    assert seat.done("verifySession").body["language"] == (asked or players)


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
def test_a_session_lives_as_long_as_asked_but_never_longer_than_the_platforms_time(
    house: House, asked: object, seconds: int
) -> None:
    before = now()
    body = launch(house, house.player().uid, ttlSeconds=asked).body
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
def test_a_senseless_lifetime_is_refused(house: House, asked: object) -> None:
    answer = launch(house, house.player().uid, ttlSeconds=asked)
    assert (answer.status, answer.error) == (200, 101)


@pytest.mark.parametrize("field", ["uid", "game", "currencyCode"])
@pytest.mark.parametrize(
    "value", ["no-such-thing", "QQQ", "x" * 5000, "nul\x00", "\ud800", "☃", "", "'", None, 5]
)
def test_launching_the_unknown_is_refused_with_101(house: House, field: str, value: object) -> None:
    uid = house.player().uid
    answer = launch(house, uid, **{"uid": uid, field: value})
    assert (answer.status, answer.error) == (200, 101), answer.raw
    assert not Wallet.objects.filter(player__uid=uid).exists()


@pytest.mark.parametrize(
    ("field", "value"), [("uid", "nobody-there"), ("game", "no-such-game"), ("currencyCode", "QQQ")]
)
def test_the_description_names_what_is_unknown(house: House, field: str, value: str) -> None:
    uid = house.player().uid
    assert value in launch(house, uid, **{"uid": uid, field: value}).body["errorDescription"]


def test_a_barred_player_cannot_launch_and_no_wallet_is_opened(house: House) -> None:
    for status in ORDER[1:]:
        uid = unique("p")
        put(house, uid, status=status)
        answer = launch(house, uid)
        assert (answer.status, answer.error) == (200, ErrorCode.PLAYER_BARRED)
        assert not Wallet.objects.filter(player__uid=uid).exists()


def test_ending_a_session_repeatedly_is_the_same(house: House, seat: Seat) -> None:
    for _ in range(2):
        answer = house.front.post("/entry/endSession", {"token": seat.token})
        assert (answer.status, answer.raw) == (200, b"{}")
    ended_at = seat.session().ended_at
    house.front.post("/entry/endSession", {"token": seat.token.upper()})
    assert seat.session().ended_at == ended_at
    assert seat.call("getBalance").error == 102


def test_ending_a_session_that_never_was_is_refused(house: House) -> None:
    assert (
        house.front.post("/entry/endSession", {"token": "0fabcdc4-fe07-44f2-b968-93da3b324898"}).error == 102
    )
    assert house.front.post("/entry/endSession", {"token": "x"}).error == 101
    assert house.front.post("/entry/endSession", {}).error == 101


# --- Balances and statements ------------------------------------------------------------------------


def test_the_front_sees_what_is_spendable_reserved_and_owed(house: House, seat: Seat) -> None:
    seat.opened("withdraw", "30.00")
    seat.opened("deposit", "7.00")
    asked = {"uid": seat.player.uid, "currencyCode": "XAG"}
    amounts = {
        name: Decimal(amount)
        for name, amount in (("balance", "70.00"), ("reserved", "30.00"), ("debt", "0.00"))
    }
    shown = {name: {"amount": amount, "currencyCode": "XAG"} for name, amount in amounts.items()}
    assert house.front.post("/entry/balance", asked).body == shown
    seat.adjust("debit", 75_00, into_debt=True)
    raw = house.front.post("/entry/balance", asked).raw
    assert raw == (
        b'{"balance":{"amount":0.00,"currencyCode":"XAG"},"reserved":{"amount":30.00,"currencyCode":"XAG"},"debt":{"amount":5.00,"currencyCode":"XAG"}}'
    )


def test_where_no_wallet_was_opened_everything_is_zero(house: House) -> None:
    uid = house.player().uid
    body = house.front.post("/entry/balance", {"uid": uid, "currencyCode": "BHD"}).body
    zero = {"amount": Decimal("0.000"), "currencyCode": "BHD"}
    assert body == {"balance": zero, "reserved": zero, "debt": zero}
    assert house.front.post("/entry/statement", {"uid": uid, "currencyCode": "BHD"}).body == {
        "lines": [],
        "next": None,
    }
    assert not Wallet.objects.filter(player__uid=uid).exists()


@pytest.mark.parametrize("call", ["balance", "statement"])
def test_the_unknown_has_no_balance_and_no_statement(house: House, seat: Seat, call: str) -> None:
    for field, value in (
        ("uid", "no-such-player"),
        ("uid", "a b"),
        ("currencyCode", "QQQ"),
        ("currencyCode", "\x00"),
        ("uid", None),
        ("currencyCode", 5),
    ):
        answer = house.front.post(
            f"/entry/{call}", {"uid": seat.player.uid, "currencyCode": "XAG"} | {field: value}
        )
        assert (answer.status, answer.error) == (200, 101), (field, value)


def test_a_statement_tells_what_changed_the_spendable_balance_newest_first(
    house: House, clock: Clock
) -> None:
    seat = house.seat(0)
    clock.stand(datetime.fromisoformat("2026-03-01T12:00:00.5+00:00"))
    seat.adjust("credit", 100_00)
    paid, returned, win = (
        seat.opened("withdraw", "30.00"),
        seat.opened("withdraw", "20.00"),
        seat.opened("deposit", "5.00"),
    )
    seat.done("confirmWithdrawal", paid)
    seat.done("rollbackWithdrawal", returned)
    seat.done("confirmDeposit", win)
    assert seat.call("withdraw", unique("mm"), "1000.00").error == 104
    seat.done("rollbackWithdrawal", unique("mm"))
    body = statement(house, seat)
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
    assert (first["game"], last["game"]) == (house.game.game.slug, None)
    assert first["qwTransactionId"] == str(seat.transaction(win, "deposit").pk)
    assert first["time"] == "2026-03-01T12:00:00.500Z"
    assert body["next"] is None


def test_debt_that_is_repaid_stands_in_the_statement(house: House) -> None:
    seat = house.seat(10_00)
    seat.adjust("debit", 15_00, into_debt=True)
    seat.done("confirmDeposit", seat.opened("deposit", "8.00"))
    lines = [
        (line["what"], str(line["amount"]["amount"]), str(line["balanceAfter"]["amount"]))
        for line in statement(house, seat)["lines"]
    ]
    assert lines == [
        ("deposit_debt_repaid", "-5.00", "3.00"),
        ("deposit_confirmed", "8.00", "8.00"),
        ("debit_adjusted", "-10.00", "0.00"),
        ("credit_adjusted", "10.00", "10.00"),
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 200])
def test_the_pages_of_a_statement_are_the_statement(house: House, limit: int) -> None:
    seat = house.seat(100_00)
    for number in range(6):
        seat.done("withdraw", f"s-{number}", "1.00")
        seat.done("confirmWithdrawal", f"s-{number}")
    whole = statement(house, seat)["lines"]
    assert len(whole) == 7
    pages, cursor = [], None
    while True:
        page = statement(house, seat, limit=limit, before=cursor)
        assert 1 <= len(page["lines"]) <= limit
        pages += page["lines"]
        cursor = page["next"]
        if cursor is None:
            break
    assert pages == whole


def test_a_statement_has_50_lines_unless_asked_otherwise(house: House) -> None:
    seat = house.seat(0)
    for _ in range(51):
        seat.adjust("credit", 1)
    body = statement(house, seat)
    assert (len(body["lines"]), len(statement(house, seat, limit=200)["lines"])) == (50, 51)
    assert [
        str(line["balanceAfter"]["amount"]) for line in statement(house, seat, before=body["next"])["lines"]
    ] == ["0.01"]
    # What comes meanwhile does not shift the next page.
    seat.adjust("credit", 1)
    assert len(statement(house, seat, before=body["next"])["lines"]) == 1


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 201}, {"limit": -1}, {"limit": "5"},
                                    {"limit": True}, {"limit": Decimal("1.5")},
                                    {"limit": Decimal("1e999999999")},
                                    {"before": ""}, {"before": "x"}, {"before": "-1"}, {"before": "1.5"},
                                    {"before": 5}, {"before": "9" * 19}, {"before": "٣"},
                                    {"before": " 5"}])  # fmt: skip
def test_a_senseless_page_is_refused(house: House, seat: Seat, fields: dict[str, object]) -> None:
    answer = house.front.post("/entry/statement", {"uid": seat.player.uid, "currencyCode": "XAG"} | fields)
    assert (answer.status, answer.error) == (200, 101)


def test_a_statement_is_of_one_currency_and_all_games(house: House, seat: Seat) -> None:
    euro, elsewhere = seat.elsewhere("EUR"), seat.elsewhere(party=house.other_game)
    euro.adjust("credit", 7_00)
    elsewhere.done("withdraw", unique("mm"), "1.00")
    assert [line["game"] for line in statement(house, seat)["lines"]] == [house.other_game.game.slug, None]
    assert [str(line["amount"]["amount"]) for line in statement(house, euro)["lines"]] == ["7.00"]


def test_the_entry_api_takes_put_for_players_and_post_for_the_rest(house: House) -> None:
    for method in ("GET", "POST", "PATCH", "DELETE"):
        assert house.front.send(method, "/entry/players/x", b"{}").status == 405
    for path in ("launch", "endSession", "balance", "statement"):
        assert house.front.send("PUT", f"/entry/{path}", b"{}").status == 405
        assert house.front.send("POST", f"/entry/{path}", b"[").error == 101
        assert house.front.send("POST", f"/entry/{path}", b"{}", {"Content-Type": "text/plain"}).error == 101


def test_the_front_may_not_play(house: House, seat: Seat) -> None:
    assert replace(seat, caller=house.front).call("withdraw", unique("mm"), "1.00").status == 401
    assert seat.holding()[:2] == (100_00, 0)


def test_a_players_history_is_never_changed(house: House, owner: "psycopg.Connection[object]") -> None:
    player = house.player()
    for statement in (
        "UPDATE players_playerevent SET new_status = 'closed' WHERE player_id = %s",
        "DELETE FROM players_playerevent WHERE player_id = %s",
        "DELETE FROM players_player WHERE id = %s",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation):
            owner.execute(statement, [player.pk])
    with pytest.raises(psycopg.errors.RestrictViolation):
        owner.execute("TRUNCATE players_playerevent")
