"""The pages of requests: whom they wait for, what they show, and who can do what with them."""

import re
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory

from config.sidebar import badge
from players.models import Approval, Operator
from tests.conftest import Clock
from tests.support.admin_pages import (
    address,
    approved_by,
    get,
    hidden_in,
    operator,
    page,
    signed_in,
)
from tests.support.approvals import request_credit
from tests.support.callers import PlayerSession

State = Approval.State
FINANCE = ("players.view_approval", "wallet.view_wallet", "wallet.adjust_balance")


@pytest.fixture
def asker(database: None) -> Operator:
    return operator(*FINANCE)


@pytest.fixture
def other(database: None) -> Operator:
    return operator(*FINANCE)


def actions_on(client: Client, approval: Approval) -> set[str]:
    """The decisions that a request's page offers."""
    text = get(client, page(Approval, approval))
    return set(re.findall(rf"/admin/players/approval/{approval.pk}/(approve|decline|withdraw)/", text))


def test_approval__is_decided_by_another_and_withdrawn_by_whoever_asked(
    asker: Operator, other: Operator, player_session: PlayerSession, viewer: Client
) -> None:
    approval = request_credit(asker, player_session, 5_00)
    first, second = signed_in(asker), signed_in(other)
    assert actions_on(first, approval) == {"withdraw"}
    assert actions_on(second, approval) == {"approve", "decline"}
    assert actions_on(viewer, approval) == set()
    for client, names in ((first, ("approve", "decline")), (second, ("withdraw",)), (viewer, ("approve",))):
        for name in names:
            place = page(Approval, approval, name)
            assert client.get(place).status_code == 403
            assert client.post(place, {"reason": "r", "digest": approval.digest}).status_code == 403
    assert approved_by(second, approval).state == State.EXECUTED
    assert actions_on(second, approval) == set()
    assert player_session.holding().spendable == 105_00


def test_approval__shows_effect_reason_and_history(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    approval = request_credit(asker, player_session, 5_00)
    place, second = page(Approval, approval, "decline"), signed_in(other)
    assert b"This field is required" in second.post(place, {"reason": " "}).content
    second.post(place, {"reason": "No ticket"})
    text = get(second, page(Approval, approval))
    for words in ("100.00 XAG", "105.00 XAG", "Goodwill", "No ticket", asker.username, other.username):
        assert words in text
    assert player_session.holding().spendable == 100_00


def test_approval__new_effect_is_shown_beside_the_old(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    approval, second = request_credit(asker, player_session, 5_00), signed_in(other)
    place = page(Approval, approval, "approve")
    seen = hidden_in(get(second, place))
    player_session.opened("withdraw", "30.00")
    text = second.post(place, seen).content.decode()
    assert "Something has changed since" in text
    assert "As it was requested" in text
    assert "105.00 XAG" in text
    assert "75.00 XAG" in text
    assert player_session.holding().spendable == 70_00
    assert second.post(place, hidden_in(text)).status_code == 302
    assert player_session.holding().spendable == 75_00


def test_approvals_list__says_what_waits_for_whom(
    asker: Operator, other: Operator, player_session: PlayerSession, clock: Clock
) -> None:
    approval = request_credit(asker, player_session)
    clock.go_ahead(timedelta(hours=71))
    first, second, nobody = signed_in(asker), signed_in(other), signed_in(operator("players.view_approval"))
    places = {name: f"{address(Approval)}?requests={name}" for name in ("for_me", "waiting", "mine", "all")}

    def lists(client: Client) -> set[str]:
        return {name for name, place in places.items() if approval.title in get(client, place)}

    assert lists(first) == {"waiting", "mine", "all"}
    assert lists(second) == {"for_me", "waiting", "all"}
    assert lists(nobody) == set()
    assert nobody.get(page(Approval, approval)).status_code == 302
    clock.go_ahead(timedelta(hours=73))
    assert lists(signed_in(other)) == {"all"}


def test_sidebar__counts_what_waits_for_whoever_looks(
    asker: Operator, other: Operator, player_session: PlayerSession
) -> None:
    def counted(who: Operator) -> int:
        request = RequestFactory().get("/admin/")
        request.user = who
        return int(badge(request, "players.approval").get("badge", 0))

    before = {who: counted(who) for who in (asker, other)}
    request_credit(asker, player_session)
    assert {who: counted(who) - before[who] for who in (asker, other)} == {asker: 0, other: 1}
