"""What operators find, and what a page costs."""

import re
import uuid
from urllib.parse import unquote

from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory

from lib.ids import new_id
from players.admin.players import PlayerAdmin
from players.models import GameSession, Player
from players.operations import put_player
from tests.support.admin_pages import address, find, get, page, queries, rows_of, shown
from tests.support.callers import Callers, PlayerSession, unique
from wallet.models import Alert, ApiCall, Discrepancy, Inquiry, Transaction, Wallet

# How many rows the lists of the query counts have more than before.
MORE_ROWS = 30


def test_search__finds_transactions_by_every_exact_name(
    client: Client, story: PlayerSession, callers: Callers
) -> None:
    other = callers.player_session()
    foreign = other.transaction(other.opened("withdraw", "1.00"))
    transaction = Transaction.objects.filter(player=story.player, type="withdrawal", state="confirmed").get()
    for text in (
        story.player.uid,
        str(transaction.mm_transaction_id),
        str(transaction.pk),
        str(transaction.pk).upper(),
        story.token,
        f"  {story.token} ",
    ):
        found = find(client, Transaction, text)
        assert shown(str(transaction.pk)) in found, text
        assert shown(str(foreign.pk)) not in found, text
    assert shown(str(transaction.pk)) not in find(
        client, Transaction, str(transaction.mm_transaction_id)[:-1]
    )


def test_search__finds_a_game_id_that_looks_like_a_token(
    client: Client, player_session: PlayerSession
) -> None:
    mm = str(uuid.uuid4())
    player_session.done("withdraw", mm, "1.00")
    assert shown(str(player_session.transaction(mm).pk)) in find(client, Transaction, mm)


def test_search__pasted_token_finds_its_session_and_is_not_shown(
    client: Client, story: PlayerSession
) -> None:
    rows = rows_of(story) | {
        Transaction: list(Transaction.objects.filter(player=story.player, session=story.session()))
    }
    for model in (Transaction, Player, GameSession, Wallet, Discrepancy):
        response = client.post(address(model, "find"), {"q": story.token})
        place = unquote(response["Location"])
        assert story.token not in place
        text = get(client, place)
        assert story.token not in text
        assert str(rows[model][0].pk) in text, model
    for place in (address(Transaction), address(ApiCall)):
        # Written into the address by hand, it is taken out again.
        response = client.get(place, {"q": story.token})
        assert (response.status_code, story.token in unquote(response["Location"])) == (302, False)


def test_search__token_finds_only_its_own_sessions_transactions(
    client: Client, player_session: PlayerSession, callers: Callers
) -> None:
    second = player_session.elsewhere()
    one, two = (
        player_session.transaction(player_session.opened("withdraw", "1.00")),
        player_session.transaction(second.opened("withdraw", "1.00")),
    )
    found = find(client, Transaction, second.token)
    assert (shown(str(two.pk)) in found, shown(str(one.pk)) in found) == (True, False)


def test_search__finds_players_wallets_sessions_and_calls(client: Client, story: PlayerSession) -> None:
    assert story.player.uid in find(client, Player, story.player.uid)
    assert str(story.wallet().pk) in find(client, Wallet, story.player.uid)
    assert str(story.wallet().pk) in find(client, Wallet, str(story.wallet().pk))
    assert str(story.session().pk) in find(client, GameSession, str(story.session().pk))
    assert str(story.session().pk) in find(client, GameSession, story.player.uid)
    transaction = Transaction.objects.filter(player=story.player, state="expired").get()
    for text in (str(transaction.mm_transaction_id), str(transaction.pk)):
        assert "confirmWithdrawal" in find(client, ApiCall, text)
    assert str(transaction.pk) in find(client, Discrepancy, str(transaction.pk))


def test_search__finds_a_nickname_of_any_script_in_any_case(client: Client) -> None:
    uid, name = unique("p"), f"Zoë 森\u3000{uuid.uuid4()} \u0645\u06cc\u200c\u0644"
    put_player(uid, attributes={"nickname": name}, status=None, actor="test")
    for text in (name, name.upper(), name.replace("ë", "e\u0308"), name.replace("\u3000", " ")):
        assert uid in find(client, Player, text), text
    assert uid not in find(client, Player, name[:-1])
    put_player(uid, attributes={"nickname": "other"}, status=None, actor="test")
    assert uid not in find(client, Player, name)


def test_search__of_a_nickname_reads_an_index(client: Client) -> None:
    searched = PlayerAdmin(Player, admin.site).named(Player.objects.all(), "Zoë")
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        plan = searched.explain()
        cursor.execute("RESET enable_seqscan")
    assert "player_by_nickname" in plan
    assert "Seq Scan" not in plan


def test_player_pages__isolate_a_name_and_keep_its_spaces(client: Client) -> None:
    uid = unique("p")
    name = "<b>\u05d0\u200f\u3000b"
    player = put_player(uid, attributes={"nickname": name}, status=None, actor="test")
    shown_name = '<bdi class="wallet-name">&lt;b&gt;\u05d0\u200f\u3000b</bdi>'
    for text in (find(client, Player, uid), get(client, page(Player, player))):
        assert shown_name in text
        assert "<b>\u05d0" not in text


def test_search__ignores_filters_until_one_is_set_after_it(client: Client, story: PlayerSession) -> None:
    response = client.post(address(Transaction, "find"), {"q": story.player.uid, "unfinished": "pending"})
    assert response["Location"] == f"{address(Transaction)}?q={story.player.uid}"
    number = Transaction.objects.filter(player=story.player).count()
    assert number > 1
    assert get(client, response["Location"]).count('class="field-short') == number
    narrowed = get(client, f"{response['Location']}&unfinished=pending")
    assert shown(str(Transaction.objects.get(player=story.player, state="pending").pk)) in narrowed
    assert narrowed.count('class="field-short') == 1


def test_search__refuses_conditions_that_are_not_offered(client: Client) -> None:
    assert client.get(address(Transaction), {"source": "game"}).status_code == 400
    assert client.get(address(Transaction), {"description__contains": "x"}).status_code == 400


def test_search__answers_texts_of_every_kind(client: Client, story: PlayerSession) -> None:
    for model in (Transaction, Player, GameSession, Wallet, ApiCall, Discrepancy, Inquiry, Alert):
        for text in (
            "'",
            "%",
            "session:",
            "session:nonsense",
            f"session:{new_id()}",
            "ü" * 500,
            "{}",
            "0" * 32,
        ):
            assert "Nothing found" in find(client, model, text), (model, text)


def test_transaction_page__has_own_journal_calls_discrepancies(client: Client, story: PlayerSession) -> None:
    transaction = Transaction.objects.get(player=story.player, state="expired")
    text = get(client, page(Transaction, transaction))
    for words in (
        "1.50 XAG",
        "spendable → <wbr>reserved",
        "reserved → <wbr>spendable",
        "confirmWithdrawal",
        "already expired",
        "rolled back or expired",
    ):
        assert words in text, words
    assert "30.25 XAG" not in text


def test_transaction_page__repaid_debt_is_in_its_credits_journal(
    client: Client, story: PlayerSession
) -> None:
    credit = Transaction.objects.filter(player=story.player, type="credit").latest("opened_at")
    text = get(client, page(Transaction, credit))
    assert "adjustments → <wbr>spendable" in text
    assert "spendable → <wbr>debt" in text


def test_journal__is_paginated(client: Client, player_session: PlayerSession) -> None:
    for _ in range(30):
        player_session.opened("deposit", "0.01")
    place = page(Wallet, player_session.wallet())
    first = get(client, place)
    number = re.search(r"\?before=(\d+)#", first)
    assert number
    assert int(number[1]) == player_session.wallet().entry_count - 24
    second = get(client, f"{place}?before={number[1]}")
    assert "wallet opened" in second
    assert "wallet opened" not in first
    for nonsense in ("x", "-1", "9" * 30, "0", "1"):
        get(client, f"{place}?before={nonsense}")


def test_admin_list__is_newest_first_and_bounded_for_any_request(client: Client, callers: Callers) -> None:
    player_session = callers.player_session(0)
    ids = [
        player_session.transaction(player_session.opened("deposit", "0.01"), "deposit").pk for _ in range(27)
    ]
    text = get(client, f"{address(Transaction)}?q={player_session.player.uid}&o=5")
    assert re.findall(r'class="wallet-id" title="([0-9a-f-]{36})"', text) == [
        str(id) for id in sorted(ids, reverse=True)[:25]
    ]
    assert "Older" in text
    assert (
        get(client, f"{address(Transaction)}?q={player_session.player.uid}&p=2").count('class="field-short')
        == 2
    )
    assert client.get(f"{address(Transaction)}?p=100000").status_code == 302


def test_admin_pages__cost_a_constant_number_of_queries(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    player_session.opened("withdraw", "0.01")
    places = [address(model) for model in (Transaction, Wallet, ApiCall, Player, GameSession, Discrepancy)]
    places += [
        page(Player, player_session.player),
        page(Wallet, player_session.wallet()),
        f"{address(Transaction)}?q={player_session.player.uid}",
    ]
    before = {place: len(queries(client, place)) for place in places}
    for _ in range(MORE_ROWS):
        callers.player_session().opened("withdraw", "0.01")
        player_session.elsewhere().opened("withdraw", "0.01")
    assert {place: len(queries(client, place)) for place in places} == before
    assert max(before.values()) <= 34, before


def test_admin_pages__never_count_a_big_table(client: Client, story: PlayerSession) -> None:
    for model in (Transaction, Wallet, ApiCall, Player, GameSession, Discrepancy):
        for place in (address(model), f"{address(model)}?_facets=True", f"{address(model)}?all="):
            assert not [sql for sql in queries(client, place) if "COUNT(" in sql.upper()], place


def test_search__for_a_transaction_uses_its_indexes(client: Client, story: PlayerSession) -> None:
    transaction = Transaction.objects.get(player=story.player, state="expired")
    pages, request = admin.site._registry[Transaction], RequestFactory().get("/")
    for text in (str(transaction.pk), str(transaction.mm_transaction_id)):
        found, _ = pages.get_search_results(request, pages.get_queryset(request), text)
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off")
            plan = found.order_by("-pk")[:26].explain()
            cursor.execute("RESET enable_seqscan")
        assert "transaction_by_day_and_mm_id" in plan, plan
