"""A player's limits on the player's page: read in words, set by one operator, loosened by two."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from lib.backoffice.formatting import NOTHING
from lib.clock import in_words, now
from players.models import Approval, AuditEvent, Operator, Player
from tests.conftest import Clock
from tests.support.admin_pages import (
    approved_by,
    by_two,
    get,
    hidden_in,
    operator,
    page,
    queries,
    requested,
    sent,
    signed_in,
)
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.limits import change, limit, make_limits, standing
from wallet.models import LimitChange, Wallet

DAY = timedelta(days=1)


@pytest.fixture
def seat(callers: Callers) -> PlayerSession:
    """A player with 1 000.00, in a game of its own."""
    session = open_session(make_party(), callers.player())
    session.adjust("credit", 1000_00)
    return session


def words_of(text: str) -> str:
    """A text without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


def place(seat: PlayerSession, act: str = "change") -> str:
    return page(Player, seat.player, act)


def set_limit(client: Client, seat: PlayerSession, what: str, bound: str, **given: str) -> Any:
    said = {"currency": "XAG", "limit": what, "bound": bound, "reason": "Ticket 7"}
    return sent(client, place(seat, "set_limit"), **(said | given))[0]


def amount_of(seat: PlayerSession, kind: str, period: str, set_by: str = "operator") -> int | None:
    found = standing(seat, kind, period, set_by)
    return found.amount if found else None


# --- Acts -----------------------------------------------------------------------------------------------


def test_set__counts_at_once(client: Client, boss: Operator, seat: PlayerSession) -> None:
    response = set_limit(client, seat, "spend.day", "50.00")
    assert response.status_code == 302
    assert "Spent per day, all games: at most 50.00 XAG from now on." in get(client, response["Location"])
    assert amount_of(seat, "spend", "day") == 50_00
    assert seat.call("withdraw", "w-1", "50.01").error == 111
    [written] = LimitChange.objects.filter(player=seat.player)
    assert (written.what, written.actor, written.reason) == ("set", f"operator:{boss.username}", "Ticket 7")
    event = AuditEvent.objects.get(action="set_player_limit", subject_id=str(seat.player.pk))
    assert event.before is not None
    assert event.after is not None
    assert (event.before["limits"], event.after["limits"]) == (
        [],
        ["operator: XAG: spent per day, all games: 50.00 XAG"],
    )


def test_set__of_a_game_that_the_player_knows_however_many_there_are(
    client: Client, seat: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wallet.admin.statement.MOST_GAMES", 0)
    assert set_limit(client, seat, "single.", "20.00", game=make_party().game.slug).status_code == 200
    assert set_limit(client, seat, "single.", "20.00", game=seat.game.slug).status_code == 302


def test_set__of_one_game_and_of_time(client: Client, seat: PlayerSession) -> None:
    set_limit(client, seat, "single.", "20.00", game=seat.game.slug)
    set_limit(client, seat, "time.day", "90")
    assert seat.call("withdraw", "w-1", "20.01").error == 111
    assert open_session(make_party(), seat.player).call("withdraw", "w-1", "20.01").error is None
    assert amount_of(seat, "time", "day") == 90
    text = words_of(get(client, place(seat)))
    assert f"Largest single withdrawal, only in {seat.game.slug}" in text
    assert "90 minutes" in text


def test_set__before_the_first_launch(client: Client, callers: Callers) -> None:
    player = callers.player()
    given = {"currency": "EUR", "limit": "deposit.week", "bound": "10.00", "reason": "Ticket 7"}
    assert sent(client, page(Player, player, "set_limit"), **given)[0].status_code == 302
    assert Wallet.objects.get(player=player).limits.get().amount == 10_00


@pytest.mark.parametrize(
    ("what", "bound"),
    [
        *(("spend.day", bound) for bound in ("", "0", "-1", "1.005")),
        *(("time.day", bound) for bound in ("0", "1441", "1.5", "x")),
        ("spend.", "1.00"),
        ("", "1.00"),
    ],
)
def test_set__refuses_what_is_no_limit(client: Client, seat: PlayerSession, what: str, bound: str) -> None:
    assert set_limit(client, seat, what, bound).status_code == 200
    assert not LimitChange.objects.filter(player=seat.player).exists()


def test_set__a_balance_is_of_all_games(client: Client, seat: PlayerSession) -> None:
    response = set_limit(client, seat, "balance.", "5.00", game=seat.game.slug)
    assert "A balance is of all games." in response.content.decode()
    assert not LimitChange.objects.filter(player=seat.player).exists()


@pytest.mark.parametrize("what", ["spend.day", "single."])
def test_set__makes_stricter_and_never_looser(client: Client, seat: PlayerSession, what: str) -> None:
    kind, _, period = what.partition(".")
    set_limit(client, seat, what, "50.00")
    response = set_limit(client, seat, what, "50.01")
    assert "It takes two people: Loosen or remove a limit." in response.content.decode()
    assert amount_of(seat, kind, period) == 50_00
    assert set_limit(client, seat, what, "50.00").status_code == 302
    set_limit(client, seat, what, "49.99")
    assert amount_of(seat, kind, period) == 49_99


def test_wallets_own_limit__is_made_stricter_by_one_and_looser_by_two(
    client: Client, second: Client, seat: PlayerSession
) -> None:
    place_of_wallet = page(Wallet, seat.wallet(), "set_limit")
    sent(client, place_of_wallet, limit="30.00", reason="r")
    response = sent(client, place_of_wallet, limit="30.01", reason="r")[0]
    assert "To raise or remove a limit takes two people" in response.content.decode()
    assert seat.wallet().withdrawal_limit == 30_00
    by_two(client, second, place(seat, "loosen_limit"), limit="XAG.single..", bound="")
    assert seat.wallet().withdrawal_limit is None


@pytest.mark.parametrize(("bound", "amount", "title"), [("70.00", 70_00, "Raise"), ("", None, "Remove")])
def test_loosen__is_done_by_a_second_person(
    client: Client,
    second: Client,
    boss: Operator,
    seat: PlayerSession,
    bound: str,
    amount: int | None,
    title: str,
) -> None:
    limit(seat, "loss", "week", 50_00, set_by="operator")
    limit(seat, "loss", "week", 60_00)
    approval = requested(client, place(seat, "loosen_limit"), limit="XAG.loss.week.", bound=bound)
    assert amount_of(seat, "loss", "week") == 50_00
    assert approval.title.startswith(f"{title} a limit of {seat.player.uid} in XAG")
    assert approval.effect == [
        ["lost per week, all games", "50.00 XAG", (bound and "70.00 XAG") or "no limit"]
    ]
    assert approval.says == ["It counts at once.", "The player's own limit stays: 60.00 XAG."]
    decision = page(Approval, approval, "approve")
    assert client.post(decision, {"digest": approval.digest}).status_code == 403
    assert amount_of(seat, "loss", "week") == 50_00
    approved_by(second, approval)
    assert approval.state == Approval.State.EXECUTED
    assert amount_of(seat, "loss", "week") == amount
    assert amount_of(seat, "loss", "week", "player") == 60_00
    last = LimitChange.objects.filter(player=seat.player).latest("at")
    assert (last.old_amount, last.new_amount, last.actor) == (50_00, amount, f"operator:{boss.username}")
    assert approval.get_state_display() in get(client, place(seat))


def test_loosen__is_not_even_requested_of_what_is_no_looser(client: Client, seat: PlayerSession) -> None:
    limit(seat, "loss", "week", 50_00, set_by="operator")
    where = place(seat, "loosen_limit")
    given = hidden_in(get(client, where)) | {"limit": "XAG.loss.week.", "bound": "50.00", "reason": "r"}
    assert "what is not looser takes one person" in client.post(where, given).content.decode()
    assert not Approval.objects.filter(pk=given["approval_id"]).exists()


def test_loosen__of_a_limit_that_has_gone_meanwhile_is_not_done(
    client: Client, second: Client, seat: PlayerSession
) -> None:
    limit(seat, "loss", "week", 50_00, set_by="operator")
    approval = requested(client, place(seat, "loosen_limit"), limit="XAG.loss.week.", bound="70.00")
    change(seat, "loss", "week", "remove", set_by="operator", is_approved=True)
    text = second.get(page(Approval, approval, "approve"), follow=True).content.decode()
    assert "There is no such limit any more." in text
    assert amount_of(seat, "loss", "week") is None


def test_loosen__is_no_way_to_the_players_own_limits(client: Client, seat: PlayerSession) -> None:
    limit(seat, "loss", "week", 50_00)
    text = client.get(place(seat, "loosen_limit"), follow=True).content.decode()
    assert "No operator has set a limit for this player." in text
    limit(seat, "spend", "day", 50_00, set_by="operator")
    given = {"limit": "XAG.loss.week.", "bound": "", "reason": "r"}
    assert "Select a valid choice" in sent(client, place(seat, "loosen_limit"), **given)[0].content.decode()


def test_cancel__keeps_the_players_limit(client: Client, seat: PlayerSession, clock: Clock) -> None:
    clock.stand(at := now())
    limit(seat, "spend", "day", 50_00)
    change(seat, "spend", "day", "set", 80_00)
    where = place(seat, "cancel_limit_change")
    text = words_of(get(client, where))
    assert f"XAG: spent per day, all games: 50.00 XAG → 80.00 XAG from {in_words(at + DAY)} on" in text
    response = sent(client, where, limit="XAG.spend.day.", reason="The player called")[0]
    assert "still 50.00 XAG" in get(client, response["Location"])
    clock.stand(at + 9 * DAY)
    assert amount_of(seat, "spend", "day", "player") == 50_00
    clock.stand(at)
    assert "No change of this player" in client.get(where, follow=True).content.decode()


def test_acts__are_offered_where_they_make_sense(client: Client, seat: PlayerSession) -> None:
    def offered() -> set[str]:
        text = get(client, place(seat))
        return {act for act in ("set_limit", "loosen_limit", "cancel_limit_change") if f"/{act}" in text}

    assert offered() == {"set_limit"}
    limit(seat, "spend", "day", 50_00)
    assert offered() == {"set_limit"}
    change(seat, "spend", "day", "remove")
    assert offered() == {"set_limit", "cancel_limit_change"}
    limit(seat, "single", "", 50_00, set_by="operator")
    assert offered() == {"set_limit", "loosen_limit", "cancel_limit_change"}
    seller = signed_in(operator("players.view_player", "wallet.view_wallet"))
    assert "set_limit" not in get(seller, place(seat))


# --- What the page says ---------------------------------------------------------------------------------


def test_page__says_so_if_there_is_no_limit(client: Client, seat: PlayerSession) -> None:
    text = get(client, place(seat))
    assert "No limit: nobody bounds what this player pays in" in text
    assert "Changes of limits" not in text


def section_of(text: str, title: str) -> list[tuple[str, ...]]:
    """The table that follows a title: the words of each cell of each row."""
    _, _, after = text.partition(f">{title}</h2>")
    rows = after.partition("</table>")[0].split("<tr")[2:]
    return [tuple(words_of(f"<td{cell}") for cell in row.split("<td")[1:]) for row in rows]


def test_page__has_the_strictest_first(client: Client, seat: PlayerSession, clock: Clock) -> None:
    clock.stand(at := now())
    make_limits(seat)
    limit(seat, "spend", "week", 20_00, set_by="operator")
    seat.done("confirmWithdrawal", seat.opened("withdraw", "20.00"))
    rows = section_of(get(client, place(seat)), "Limits in XAG")
    ours, theirs, tomorrow = "the operators'", "the player's", in_words(at + DAY)
    rolling = f"Spent within 24 hours, only in {seat.game.slug}"
    assert [row[:5] for row in rows] == [
        ("Largest balance", ours, "900.00 XAG", "980.00 XAG", "used up"),
        ("Spent per week, all games", ours, "20.00 XAG", "20.00 XAG", "used up"),
        (rolling, theirs, "40.00 XAG", "20.00 XAG", "20.00 XAG"),
        ("Spent per day, all games", theirs, "50.00 XAG", "20.00 XAG", "30.00 XAG"),
        ("Largest single withdrawal, all games", ours, "30.00 XAG", NOTHING, NOTHING),
        ("Lost per week, all games", ours, "60.00 XAG", "20.00 XAG", "40.00 XAG"),
        ("Paid in per month, all games", theirs, "500.00 XAG", "0.00 XAG", "500.00 XAG"),
        ("Time played per day, all games", theirs, "90 minutes", "0 minutes", "90 minutes"),
    ]
    pending = {row[0]: row[5] for row in rows if row[5] != NOTHING}
    assert pending == {
        rolling: f"no limit from {tomorrow} on",
        "Spent per day, all games": f"80.00 XAG from {tomorrow} on",
    }


def test_page__says_that_the_player_has_to_confirm(
    client: Client, boss: Operator, seat: PlayerSession, clock: Clock, settings: Any
) -> None:
    clock.stand(at := now())
    settings.LIMIT_PROFILE = "period"
    limit(seat, "spend", "day", 50_00)
    change(seat, "spend", "day", "set", 80_00)
    wanted = f"80.00 XAG once the player confirms it, from {at + DAY:%Y-%m-%d} 00:00:00 UTC on"
    assert section_of(get(client, place(seat)), "Limits in XAG")[0][5] == wanted
    clock.go_ahead(2 * DAY)
    text = get(signed_in(boss), place(seat))
    assert section_of(text, "Limits in XAG")[0][5] == wanted
    assert "/cancel_limit_change" in text


def test_history__says_who_when_why_old_and_new(
    client: Client, boss: Operator, seat: PlayerSession, clock: Clock
) -> None:
    moments = [now() + number * timedelta(minutes=1) for number in range(3)]
    clock.stand(moments[0])
    limit(seat, "spend", "day", 50_00)
    clock.stand(moments[1])
    change(seat, "spend", "day", "set", 80_00)
    clock.stand(moments[2])
    set_limit(client, seat, "time.day", "90", reason="Asked by mail")
    first, second, third = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in moments)
    by = f"operator:{boss.username}"
    spent, time = "the player's, XAG: spent per day, all games", "the operators', XAG: time played per day"
    later = f"80.00 XAG from {in_words(moments[1] + DAY)} on"
    assert section_of(get(client, place(seat)), "Changes of limits") == [
        (third, f"{time}, all games", "set", "no limit", "90 minutes", by, "Asked by mail"),
        (second, spent, "requested", "50.00 XAG", later, "tests", NOTHING),
        (first, spent, "set", "no limit", "50.00 XAG", "tests", NOTHING),
    ]


def test_history__has_pages(client: Client, seat: PlayerSession) -> None:
    for amount in range(60, 0, -1):
        limit(seat, "spend", "day", amount)
    sizes = []
    for number in (1, 2, 3):
        text = get(client, f"{place(seat)}?limit_changes={number}")
        sizes.append(len(section_of(text, "Changes of limits")))
        assert (f"?limit_changes={number + 1}#changes-of-limits" in text) == (number < 3)
        assert ('href="?#changes-of-limits"' in text) == (number > 1)
    assert sizes == [25, 25, 10]
    assert "There are no older changes." in get(client, f"{place(seat)}?limit_changes=9")


def test_page__costs_as_many_queries_for_many_limits(client: Client, seat: PlayerSession) -> None:
    for kind, period in (("spend", "day"), ("deposit", "day"), ("balance", "")):
        limit(seat, kind, period, 900_00, game=None)
    limit(seat, "deposit", "day", 900_00, game=seat.game)
    limit(seat, "loss", "day", 900_00, set_by="operator")
    before = len(queries(client, place(seat)))
    make_limits(seat.elsewhere())
    for number in range(5):
        game = make_party().game
        limit(seat, "deposit", "week", 100_00 + number, game=game)
        limit(seat, "loss", "month", 100_00 + number, game=game, set_by="operator")
    assert len(queries(client, place(seat))) == before
