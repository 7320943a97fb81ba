"""What operators do to credentials, games, currencies, players and sessions."""

import re
import uuid
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from lib.security.tokens import password_hash
from players.access.credentials import CREDENTIALS
from players.models import Approval, AuditEvent, Credential, Game, GameSession, Operator, Player, PlayerEvent
from tests.support.admin_pages import address, approved_by, get, page, saved, sent, with_reason
from tests.support.callers import Caller, Callers, PlayerSession, basic, make_party, open_session, unique
from tests.support.owned import owned
from wallet.models import Currency


def password_on(response: Any) -> str:
    found = re.search(r'id="password">([^<]+)<', response.content.decode())
    assert found
    return found[1]


def everything_said(client: Client, credential: Credential) -> str:
    """Every other page that could show a credential's password."""
    places = [
        page(Credential, credential),
        address(Credential),
        address(Credential, "history", credential.pk),
        "/admin/",
    ]
    return "".join(get(client, place) for place in places) + str(
        list(AuditEvent.objects.values_list("note", "before", "after"))
    )


def test_credential__new_one_shows_its_password_once_and_works_if_approved(
    client: Client, second: Client, callers: Callers
) -> None:
    name = unique("c")
    given = {
        "kind": "game",
        "game": str(callers.game.game.pk),
        "username": name,
        "allowed_networks": "10.0.0.0/8,2001:db8::1",
        "note": "by hand",
    }
    given = with_reason(given)
    response = client.post(address(Credential, "add"), given)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    password = password_on(response)
    assert not Credential.objects.filter(username=name).exists()
    assert (
        Caller(basic(name, password)).post("/wallet/getBalance", {"token": str(uuid.uuid4())}).status == 401
    )
    # Sent again, it shows no second password.
    assert password not in client.post(address(Credential, "add"), given, follow=True).content.decode()
    approval = Approval.objects.get(pk=given["approval_id"])
    assert "Who requests it is shown it, once." in get(second, page(Approval, approval, "approve"))
    approved_by(second, approval)
    CREDENTIALS.forget()
    credential = Credential.objects.get(username=name)
    assert password not in f"{approval.payload}{approval.effect}{approval.says}{approval.result}"
    assert bytes(credential.password_hash) == password_hash(password)
    assert credential.allowed_networks == ["10.0.0.0/8", "2001:db8::1"]
    assert password not in everything_said(client, credential)
    assert b"already exists" in client.post(address(Credential, "add"), given).content
    assert (
        Caller(basic(name, password), address="10.1.2.3")
        .post("/wallet/getBalance", {"token": str(uuid.uuid4())})
        .error
        == 102
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"game": ""}, "needs a game"),
        ({"kind": "platform"}, "belongs to no game"),
        ({"allowed_networks": "10.0.0.0/8,nowhere"}, "does not appear to be an IPv4 or IPv6 network"),
        ({"username": "with:colon"}, "Letters, digits"),
    ],
)
def test_credential__that_does_not_fit_is_not_made(
    client: Client, callers: Callers, change: dict[str, str], words: str
) -> None:
    given = {
        "kind": "game",
        "game": str(callers.game.game.pk),
        "username": unique("c"),
        "allowed_networks": "",
        "note": "",
    } | change
    before = Credential.objects.count()
    given = with_reason(given)
    assert words in client.post(address(Credential, "add"), given).content.decode()
    assert Credential.objects.count() == before


def test_credential__second_works_beside_first_until_revoked(
    client: Client, second: Client, player_session: PlayerSession, callers: Callers
) -> None:
    first = Credential.objects.create(
        kind="game",
        game=player_session.game,
        username=unique("first"),
        password_hash=password_hash("old"),
        note="n",
    )
    assert first.username + "-2" in get(client, page(Credential, first, "rotate"))
    response, fields = sent(
        client, page(Credential, first, "rotate"), username=first.username + "-2", reason="Rotation"
    )
    assert "no-store" in response["Cache-Control"]
    approved_by(second, Approval.objects.get(pk=fields["approval_id"]))
    new = Credential.objects.get(username=first.username + "-2")
    password = password_on(response)
    assert password not in everything_said(client, new) + everything_said(client, first)
    (made,) = AuditEvent.objects.filter(subject_type="players.credential", subject_id=new.pk)
    assert (made.action, made.approval_id) == ("make_credential", UUID(fields["approval_id"]))
    (event,) = AuditEvent.objects.filter(subject_id=first.pk)
    assert (event.action, event.reason) == ("request_make_credential", "Rotation")
    again, _ = sent(client, page(Credential, first, "rotate"), username=first.username + "-2", reason="r")
    assert b"This username is in use" in again.content
    both = [Caller(basic(first.username, "old")), Caller(basic(new.username, password))]
    assert [caller.post("/wallet/getBalance", {"token": player_session.token}).status for caller in both] == [
        200,
        200,
    ]

    assert client.get(page(Credential, first, "revoke")).status_code == 200
    assert Credential.objects.get(pk=first.pk).revoked_at is None
    # There is another one: no name has to be typed.
    assert client.post(page(Credential, first, "revoke"), {"reason": "It leaked"}).status_code == 302
    assert [caller.post("/wallet/getBalance", {"token": player_session.token}).status for caller in both] == [
        401,
        200,
    ]
    (event,) = AuditEvent.objects.filter(subject_id=first.pk, action="revoke")
    assert event.reason == "It leaked"


def test_credential__only_one_of_a_game_is_revoked_by_its_name(client: Client) -> None:
    party = make_party()
    only = Credential.objects.get(game=party.game)
    place = page(Credential, only, "revoke")
    assert f"To confirm, type {only.username}" in get(client, place)
    for typed in ("", only.username.upper()):
        assert client.post(place, {"reason": "It leaked", "typed_name": typed}).status_code == 200
    assert Credential.objects.get(pk=only.pk).revoked_at is None
    assert client.post(place, {"reason": "It leaked", "typed_name": only.username}).status_code == 302
    assert Credential.objects.get(pk=only.pk).revoked_at


def test_credential__edit_keeps_password_name_and_game(
    client: Client, second: Client, callers: Callers
) -> None:
    credential = Credential.objects.create(
        kind="game", game=callers.game.game, username=unique("c"), password_hash=password_hash("p")
    )
    given = {
        "username": "other",
        "kind": "platform",
        "game": "",
        "password_hash": "x",
        "allowed_networks": "192.0.2.1",
        "note": "new note",
    }
    saved(client, second, page(Credential, credential), given)
    now = Credential.objects.get(pk=credential.pk)
    assert (now.username, now.kind, now.game_id, bytes(now.password_hash)) == (
        credential.username,
        "game",
        credential.game_id,
        password_hash("p"),
    )
    assert (now.allowed_networks, now.note) == (["192.0.2.1"], "new note")


def test_game__is_made_and_switched_off(client: Client, second: Client) -> None:
    given = {
        "slug": unique("g"),
        "name": "New",
        "launch_url": "https://new.example/",
        "is_active": "on",
        "pending_hours": "",
        "unanswered_policy": "hold",
    }
    saved(client, second, address(Game, "add"), given)
    game = Game.objects.get(slug=given["slug"])
    assert (
        b"greater than or equal to 50"
        in client.post(page(Game, game), with_reason(given | {"pending_hours": "49"})).content
    )
    saved(client, second, page(Game, game), given | {"is_active": "", "pending_hours": "60", "slug": "other"})
    client.post(page(Game, game, "deactivate"), {"reason": "r", "typed_name": given["slug"]})
    game.refresh_from_db()
    assert (game.is_active, game.pending_hours, game.slug) == (False, 60, given["slug"])


def test_currency__keeps_its_decimals(client: Client) -> None:
    code = "T" + uuid.uuid4().hex[:8].upper()
    assert (
        client.post(address(Currency, "add"), {"code": code, "name": "Test", "decimals": "3"}).status_code
        == 302
    )
    currency = Currency.objects.get(code=code)
    assert (
        client.post(page(Currency, currency), {"code": "ZZZ", "name": "Renamed", "decimals": "2"}).status_code
        == 302
    )
    currency.refresh_from_db()
    assert (currency.name, currency.decimals) == ("Renamed", 3)


def test_player_status__changes_with_a_confirmation_and_a_reason(
    client: Client, boss: Operator, player_session: PlayerSession
) -> None:
    place, events = (
        page(Player, player_session.player, "change_status"),
        PlayerEvent.objects.filter(player=player_session.player),
    )
    before = events.count()
    assert "Only active players can launch" in get(client, place)
    for reason in ("", "   "):
        assert (
            b"This field is required"
            in client.post(place, with_reason({"status": "blocked", "reason": reason})).content
        )
    assert b"Select a valid choice" in client.post(place, with_reason({"status": "happy"})).content
    assert events.count() == before
    given = with_reason({"status": "blocked", "reason": "Charge-backs"})
    assert client.post(place, given).status_code == 302
    event = events.latest("at")
    assert (event.old_status, event.new_status, event.actor, event.reason) == (
        "active",
        "blocked",
        f"operator:{boss.username}",
        "Charge-backs",
    )
    text = get(client, page(Player, player_session.player))
    assert "Charge-backs" in text
    assert f"operator:{boss.username}" in text


def test_player_form__changes_only_the_test_mark(client: Client, player_session: PlayerSession) -> None:
    stale = Player.objects.get(pk=player_session.player.pk)
    player_session.block()
    client.post(
        page(Player, stale), {"is_test": "on", "status": "active", "uid": "other", "nickname": "other"}
    )
    now = Player.objects.get(pk=stale.pk)
    assert (now.is_test, now.status, now.uid, now.nickname) == (True, "blocked", stale.uid, stale.nickname)


def test_player_page__shows_money_sessions_and_statement(client: Client, story: PlayerSession) -> None:
    text = get(client, page(Player, story.player))
    for words in (
        "Statement",
        "It is reserved until the game confirms it.",
        "paid off debt",
        "XAG wallet",
        "Latest sessions",
        "Status history",
    ):
        assert words in text, words


def test_session__ends_after_a_confirmation(client: Client, player_session: PlayerSession) -> None:
    place = page(GameSession, player_session.session(), "end")
    get(client, place)
    assert player_session.session().ended_at is None
    assert client.post(place, {"reason": ""}).status_code == 200
    assert player_session.session().ended_at is None
    assert client.post(place, {"reason": "Stolen token"}).status_code == 302
    assert player_session.call("getBalance").error == 102
    assert "ended" in get(client, page(GameSession, player_session.session()))
    assert client.post(place, {"reason": "Stolen token"}).status_code == 302


def test_session__is_live_ended_or_expired_by_the_database_clock(client: Client, callers: Callers) -> None:
    player = callers.player()
    live, ended, brief = (
        open_session(callers.game, player),
        open_session(callers.game, player),
        open_session(callers.game, player, ttl_seconds=1),
    )
    ended.end()
    owned(GameSession).filter(pk=brief.session().pk).update(expires_at=brief.session().created_at)
    for player_session, state in ((live, "live"), (ended, "ended"), (brief, "expired")):
        assert re.search(rf">\s*{state}\s*<", get(client, page(GameSession, player_session.session()))), state


def test_credential__opened_to_everybody_in_pieces_says_so(
    client: Client, second: Client, callers: Callers
) -> None:
    credential = make_party(("192.0.2.1",)).credential
    networks = "192.0.2.1,0.0.0.0/1,198.51.100.0/24,128.0.0.0/1,203.0.113.7"
    given = with_reason({"allowed_networks": networks, "note": ""})
    assert client.post(page(Credential, credential), given).status_code == 302
    approval = Approval.objects.get(pk=given["approval_id"])
    assert "any address: 192.0.2.1, 0.0.0.0/1" in get(second, page(Approval, approval, "approve"))
