"""Payout limits: entered in major units by who may, and "unlimited" wherever there is none."""

import pytest
from django.test import Client

from players.models import AuditEvent, Game
from tests.support.admin_pages import address, get, operator, page, saved, signed_in, with_reason
from tests.support.callers import make_party
from tests.support.payout import bounded
from wallet.models import PayoutLimit

MAY = ("wallet.view_payoutlimit", "wallet.change_game_limits", "players.view_game")


def sent(client: Client, place: str, **values: str) -> str:
    """What comes back where a form is sent; nothing if it was taken."""
    response = client.post(place, with_reason(values))
    return "" if response.status_code == 302 else response.content.decode()


def test_limit__is_entered_in_major_units_and_counts_once_approved(
    client: Client, second: Client, callers: object
) -> None:
    game = make_party().game
    given = {"game": str(game.pk), "currency": "XAG", "largest_deposit": "50.00", "daily_payout": ""}
    saved(client, second, address(PayoutLimit, "add"), given)
    row = PayoutLimit.objects.get(game=game)
    assert (row.largest_deposit, row.daily_payout, row.counting_since) == (50_00, None, None)
    assert sent(client, page(PayoutLimit, row), largest_deposit="", daily_payout="1000.5") == ""
    row.refresh_from_db()
    assert (row.largest_deposit, row.daily_payout) == (50_00, None)
    saved(client, second, page(PayoutLimit, row), {"largest_deposit": "", "daily_payout": "1000.5"})
    row.refresh_from_db()
    assert (row.largest_deposit, row.daily_payout) == (None, 1000_50)
    assert row.counting_since is not None
    act = AuditEvent.objects.filter(subject_id=str(row.pk), approval_id__isnull=False).latest("pk")
    assert (act.before, act.after) == (
        {"Largest deposit": "50.00 XAG", "Net payout per day": "unlimited"},
        {"Largest deposit": "unlimited", "Net payout per day": "1,000.50 XAG"},
    )


@pytest.mark.parametrize("text", ["-1", "0", "1.001", "1e3", "10000000000000000000"])
def test_limit__that_is_no_amount_is_refused(client: Client, text: str) -> None:
    row = bounded()
    assert "Enter an amount of XAG" in sent(client, page(PayoutLimit, row), largest_deposit=text)
    row.refresh_from_db()
    assert row.largest_deposit == 50_00


def test_limit__second_one_for_a_game_and_currency_is_refused(client: Client) -> None:
    row = bounded()
    add = address(PayoutLimit, "add")
    assert "already exists" in sent(
        client, add, game=str(row.game_id), currency="XAG", largest_deposit="1.00"
    )
    row.refresh_from_db()
    assert row.largest_deposit == 50_00


def test_pages__say_unlimited_where_there_is_no_limit(client: Client) -> None:
    row, free = bounded(), make_party().game
    PayoutLimit.objects.filter(pk=row.pk).update(largest_deposit=None)
    assert "What this game may pay out is unlimited in every currency." in get(client, page(Game, free))
    text = get(client, page(Game, row.game))
    assert "unlimited" in text
    assert "1,000.00 XAG" in text
    assert "unlimited" in get(client, f"{address(PayoutLimit)}?q={row.game.slug}")
    viewer = signed_in(operator("wallet.view_payoutlimit"))
    assert "unlimited" in get(viewer, page(PayoutLimit, row))
    assert viewer.post(page(PayoutLimit, row), {"largest_deposit": "1"}).status_code == 403


def test_page__says_what_was_paid_out_today(client: Client) -> None:
    row = bounded()
    assert "Net payout today" in get(client, page(PayoutLimit, row))
    PayoutLimit.objects.filter(pk=row.pk).update(daily_payout=None)
    assert "not counted" in get(client, f"{address(PayoutLimit)}?q={row.game.slug}")
