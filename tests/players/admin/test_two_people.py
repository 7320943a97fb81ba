"""What one person alone could do: who calls, and where we call, is decided by two."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client

from lib.security.tokens import password_hash
from players.approvals.operations import approve
from players.audit_trail.record import events_of
from players.exclusions import confirm_lifting
from players.models import Approval, Credential, Game, Player
from players.operations import set_player_status
from players.outcomes import PlayerRefused
from tests.conftest import Clock
from tests.support.admin_pages import (
    address,
    approved_by,
    get,
    operator,
    page,
    requested,
    sent,
    signed_in,
    with_reason,
)
from tests.support.approvals import origin_of
from tests.support.callers import Caller, Callers, PlayerSession, basic, make_party, open_session, unique

CREDENTIALS = ("players.view_credential", "players.manage_credentials", "players.view_approval")
ENDPOINTS = ("players.view_game", "players.change_endpoints", "players.view_approval")


def approve_alone(clerk: Client, approval: Approval) -> int:
    """The status of what the requester gets who tries to approve it."""
    return clerk.post(page(Approval, approval, "approve"), {"digest": approval.digest}).status_code


def test_own_credential__deposits_nothing_before_a_second_person_approved(callers: Callers) -> None:
    clerk, party = signed_in(operator(*CREDENTIALS)), make_party()
    player_session, first = open_session(party, callers.player()), party.credential
    response, fields = sent(clerk, page(Credential, first, "rotate"), username=unique("mine"), reason="r")
    found = re.search(r'id="password">([^<]+)<', response.content.decode())
    assert found
    thief = Caller(basic(fields["username"], found[1]))
    given = {
        "token": player_session.token,
        "mmTransactionId": "x",
        "amount": {"amount": 5, "currencyCode": "XAG"},
    }
    assert thief.post("/wallet/deposit", given).status == 401
    approval = Approval.objects.get(pk=fields["approval_id"])
    assert (approve_alone(clerk, approval), player_session.holding().spendable) == (403, 0)
    assert not Credential.objects.filter(username=fields["username"]).exists()


def test_allow_list__is_not_opened_by_one_person() -> None:
    clerk = signed_in(operator(*CREDENTIALS))
    row = Credential.objects.create(
        kind="game",
        game=make_party().game,
        username=unique("c"),
        password_hash=password_hash(unique("p")),
        allowed_networks=["192.0.2.1"],
    )
    given = with_reason({"allowed_networks": "", "note": "from anywhere"})
    assert clerk.post(page(Credential, row), given).status_code == 302
    row.refresh_from_db()
    assert (row.allowed_networks, row.note) == (["192.0.2.1"], "")
    approval = Approval.objects.get(pk=given["approval_id"])
    assert ["Allowed networks", "192.0.2.1", "any address"] in approval.effect
    # A note alone needs nobody.
    assert clerk.post(page(Credential, row), with_reason({"allowed_networks": "192.0.2.1", "note": "n"}))
    row.refresh_from_db()
    assert row.note == "n"
    # The note is not any more what the request says: nothing is overwritten unseen.
    other = signed_in(operator(*CREDENTIALS))
    text = other.get(page(Approval, approval, "approve"), follow=True).content.decode()
    assert "Note: changed since this was requested" in text


def test_query_url__is_not_pointed_elsewhere_by_one_person() -> None:
    clerk, other = signed_in(operator(*ENDPOINTS)), signed_in(operator(*ENDPOINTS))
    game = Game.objects.create(slug=unique("g"), name="G", launch_url="https://g.example/")
    given = with_reason(
        {
            "name": "G",
            "launch_url": "https://g.example/",
            "is_active": "on",
            "unanswered_policy": "expire",
            "query_url": "http://evil.example/",
        }
    )
    assert clerk.post(page(Game, game), given).status_code == 302
    game.refresh_from_db()
    approval = Approval.objects.get(pk=given["approval_id"])
    assert (game.query_url, approve_alone(clerk, approval)) == ("", 403)
    assert approval.effect == [["Query URL", "none", "http://evil.example/"]]
    text = other.get(page(Approval, approval, "approve")).content.decode()
    assert "Query URL is not encrypted (http)" in text
    other.post(page(Approval, approval, "decline"), {"reason": "Whose server is that?"})
    game.refresh_from_db()
    assert game.query_url == ""
    # A game is renamed by one; the form switches nothing.
    one = with_reason(
        {name: value for name, value in given.items() if name not in ("approval_id", "is_active")}
    )
    assert clerk.post(page(Game, game), {**one, "query_url": "", "name": "Renamed"}).status_code == 302
    game.refresh_from_db()
    assert (game.name, game.is_active) == ("Renamed", True)


def test_launch_url__is_not_pointed_elsewhere_by_one_person() -> None:
    clerk = signed_in(operator(*ENDPOINTS))
    game = Game.objects.create(slug=unique("g"), name="G", launch_url="https://g.example/")
    given = with_reason({"name": "G", "launch_url": "https://evil.example/", "unanswered_policy": "expire"})
    assert clerk.post(page(Game, game), given).status_code == 302
    game.refresh_from_db()
    approval = Approval.objects.get(pk=given["approval_id"])
    assert (game.launch_url, approve_alone(clerk, approval)) == ("https://g.example/", 403)
    [[label, before, after]] = approval.effect
    assert (label.lower(), before) == ("launch url", "https://g.example/")
    assert after.startswith("https://evil.example/")


def test_game__is_deactivated_by_one_and_reactivated_by_two() -> None:
    clerk, other = signed_in(operator(*ENDPOINTS)), signed_in(operator(*ENDPOINTS))
    game = Game.objects.create(slug=unique("g"), name="G", launch_url="https://g.example/")
    stop = page(Game, game, "deactivate")
    text = clerk.post(stop, {"reason": "It leaks", "typed_name": "another"}).content.decode()
    # Nothing is lost of what was entered.
    assert f"That is another name. Nothing was done: type {game.slug}" in text
    assert 'value="It leaks"' in text
    assert Game.objects.get(pk=game.pk).is_active
    assert clerk.post(stop, {"reason": "", "typed_name": game.slug}).status_code == 200
    assert clerk.post(stop, {"reason": "It leaks", "typed_name": game.slug}).status_code == 302
    assert not Game.objects.get(pk=game.pk).is_active
    event = events_of(game)[0]
    assert (event.action, event.reason) == ("deactivate", "It leaks")
    assert event.before
    assert event.after
    assert (event.before["is_active"], event.after["is_active"]) == (True, False)
    approval = requested(clerk, page(Game, game, "reactivate"))
    assert approval.effect == [["Is active", "no", "yes"]]
    assert (Game.objects.get(pk=game.pk).is_active, approve_alone(clerk, approval)) == (False, 403)
    approved_by(other, approval)
    assert Game.objects.get(pk=game.pk).is_active
    text = clerk.get(page(Game, game, "reactivate"), follow=True).content.decode()
    assert f"Nothing was done. {game.slug} is active." in text


def test_new_game__is_not_there_before_a_second_person_approved() -> None:
    clerk, other = signed_in(operator(*ENDPOINTS)), signed_in(operator(*ENDPOINTS))
    slug = unique("g")
    given = with_reason(
        {
            "slug": slug,
            "name": "G",
            "launch_url": "https://g.example/",
            "is_active": "on",
            "unanswered_policy": "expire",
        }
    )
    for _ in range(2):
        assert clerk.post(address(Game, "add"), given).status_code == 302
    assert not Game.objects.filter(slug=slug).exists()
    approval = Approval.objects.get(pk=given["approval_id"])
    assert approved_by(other, approval).state == Approval.State.EXECUTED
    assert Game.objects.get(slug=slug).launch_url == "https://g.example/"


@pytest.mark.parametrize(
    ("before", "after"), [("self_excluded", "active"), ("self_excluded", "blocked"), ("closed", "active")]
)
def test_self_exclusion__is_not_lifted_by_one_person(
    before: str, after: str, player_session: PlayerSession, clock: Clock
) -> None:
    rights = ("players.view_player", "players.change_player_status", "players.view_approval")
    clerk, other = signed_in(operator(*rights)), signed_in(operator(*rights))
    player = player_session.player
    place = page(Player, player, "change_status")
    sent(clerk, place, status=before, reason="The player wants it")
    assert Player.objects.get(pk=player.pk).status == before
    approval = requested(clerk, place, status=after, reason="Five minutes later")
    assert (Player.objects.get(pk=player.pk).status, approve_alone(clerk, approval)) == (before, 403)
    with pytest.raises(PlayerRefused):
        set_player_status(player.pk, status=after, actor="operator:x", reason="r")
    text = other.get(page(Approval, approval, "approve")).content.decode()
    assert "The player wants it" in text
    approved_by(other, approval)
    assert events_of(player)[0].action == "change_player_status"
    if before == "self_excluded":
        assert Player.objects.get(pk=player.pk).status == before
        clock.go_ahead(timedelta(days=1))
        confirm_lifting(player.pk, actor="platform:front")
    assert Player.objects.get(pk=player.pk).status == after


def test_self_exclusion__is_made_stricter_and_a_block_lifted_by_one(player_session: PlayerSession) -> None:
    clerk = signed_in(operator("players.view_player", "players.change_player_status"))
    player = player_session.player
    for status in ("blocked", "active", "blocked", "self_excluded", "closed"):
        sent(clerk, page(Player, player, "change_status"), status=status, reason="r")
        assert Player.objects.get(pk=player.pk).status == status
    assert not Approval.objects.filter(subject_id=player.pk).exists()


def test_self_exclusion__that_has_changed_meanwhile_is_not_lifted(player_session: PlayerSession) -> None:
    player, (asker, other) = player_session.player, (operator(is_superuser=True) for _ in range(2))
    set_player_status(player.pk, status="self_excluded", actor="test", reason="r")
    approval = requested(signed_in(asker), page(Player, player, "change_status"), status="active")
    set_player_status(player.pk, status="closed", actor="test", reason="r")
    ended = approve(approval.pk, origin=origin_of(other), digest=approval.digest)
    assert (ended.state, Player.objects.get(pk=player.pk).status) == ("not_executable", "closed")


def test_guarded_form__leads_to_its_request_which_shows_what_the_second_person_will_see() -> None:
    clerk, other = signed_in(operator(*ENDPOINTS)), signed_in(operator(*ENDPOINTS))
    game = Game.objects.create(slug=unique("g"), name="G", launch_url="https://g.example/")
    new = {"slug": unique("g"), "name": "N", "is_active": "on"}
    known = {"name": "G"}
    for place, own in ((address(Game, "add"), new), (page(Game, game), known)):
        assert "Save and" not in clerk.get(place).content.decode()
        given = with_reason(
            {"launch_url": "https://other.example/", "unanswered_policy": "expire", "query_url": "", **own}
        )
        response = clerk.post(place, given)
        approval = Approval.objects.get(pk=given["approval_id"])
        assert response["Location"] == page(Approval, approval)
        text = unescape(get(clerk, page(Approval, approval)))
        assert "Requested, not done yet" in text
        assert page(Approval, approval, "withdraw") in text
        seen = unescape(get(other, page(Approval, approval, "approve")))
        for words in ("https://other.example/", *approval.says):
            assert words in text
            assert words in seen
        assert cells(text, "Effect, as it was requested") == cells(seen, "Effect")


def cells(text: str, title: str) -> list[str]:
    """What stands in the table of this title."""
    table = text[text.index(f">{title}<") :]
    return re.findall(r"<td[^>]*>\s*(.*?)\s*</td>", table[: table.index("</table>")], re.DOTALL)
