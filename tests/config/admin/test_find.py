"""The search that stands on every page: what it finds, for whom, at what cost, and what it never tells."""

import logging
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.find.pages import OWN, SYNONYMS
from config.sidebar import GROUPS
from lib.backoffice.finders import MOST_FOUND, read_asked
from lib.http.errors import ErrorCode
from lib.ids import new_id
from payments.models import Callback, Delivery, Order, Payment, Provider, Refund, Secret
from payments.providers.signing_secrets import shown_fingerprint
from players.models import Approval, AuditEvent, GameSession, Player
from players.operations import put_player
from tests.support.admin_pages import REGISTERED, address, get, operator, page, rows_of, signed_in
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.shop import ShopSetup
from wallet.models import Inquiry, Transaction, Wallet

FIND = "/admin/find/"
# Lists and tables show the ends of their ids.
SHORTENED = (Player, GameSession, Wallet, Transaction, Order, Refund, Delivery, Callback, Approval)


def found(client: Client, text: str) -> Any:
    """The answer to a search."""
    return client.post(FIND, {"q": text})


def goes_to(client: Client, text: str) -> str:
    """Where a search leads that finds one thing."""
    response = found(client, text)
    assert response.status_code == 302, response.content.decode()
    place: str = response["Location"]
    return place


def listed(client: Client, text: str) -> str:
    """The page of a search that finds several things, or none."""
    response = found(client, text)
    assert response.status_code == 200, response.headers
    words: str = response.content.decode()
    return words


def test_find__goes_from_every_whole_id_to_its_page(client: Client, story: PlayerSession) -> None:
    for model in (
        Player,
        GameSession,
        Wallet,
        Transaction,
        Order,
        Refund,
        Delivery,
        Callback,
        Approval,
        Inquiry,
    ):
        row = rows_of(story)[model][0]
        for text in (str(row.pk), str(row.pk).upper(), row.pk.hex, f" “{row.pk}” "):
            assert goes_to(client, text) == page(model, row), (model, text)


def test_find__goes_from_the_short_form_of_a_list_to_the_row(client: Client, story: PlayerSession) -> None:
    for model in SHORTENED:
        row = rows_of(story)[model][0]
        for text in (f"…{str(row.pk)[-12:]}", str(row.pk)[-8:], str(row.pk)[-17:], str(row.pk)[:-1]):
            assert goes_to(client, text) == page(model, row), (model, text)
        assert "Nothing found" in listed(client, str(row.pk)[-7:])


def test_find__lists_what_begins_alike_up_to_a_bound(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    ids = [player_session.transaction(player_session.opened("withdraw", "0.01")).pk for _ in range(12)]
    begin = str(ids[-1])[:8]
    text = listed(client, begin)
    assert text.count('class="wallet-hit"') >= MOST_FOUND
    assert "There may be more" in text
    assert page(Transaction, Transaction(pk=ids[-1])) in text


def test_find__knows_the_names_that_games_and_providers_give(
    client: Client, story: PlayerSession, shop_setup: ShopSetup
) -> None:
    mm = story.opened("deposit", "0.01")
    transaction = story.transaction(mm, "deposit")
    assert goes_to(client, mm) == goes_to(client, mm[:12]) == page(Transaction, transaction)
    payment = Payment.objects.exclude(reference="").latest("pk")
    order = payment.order
    for text in (order.cp_order_id, order.cp_order_id[:-1], payment.reference, payment.reference[:-1]):
        assert goes_to(client, text) == page(Order, order), text
    refund = Refund.objects.exclude(reference="").latest("pk")
    assert goes_to(client, refund.reference) == page(Refund, refund)
    callback = Callback.objects.latest("pk")
    assert goes_to(client, callback.message_id) == page(Callback, callback)
    secret = Secret.objects.filter(provider__isnull=False).latest("pk")
    assert goes_to(client, shown_fingerprint(secret.fingerprint)) == page(Provider, secret.provider)


def test_find__takes_a_nickname_in_any_case_and_its_beginning(client: Client) -> None:
    uid, name = unique("p"), f"Zoë 森 {uuid.uuid4().hex[:12]}"
    player = put_player(uid, attributes={"nickname": name}, status=None, actor="test")
    for text in (uid, name, name.upper(), name[:-2], uid[:-2]):
        assert goes_to(client, text) == page(Player, player), text


def test_find__prefers_the_exact_name_to_longer_ones(client: Client) -> None:
    uid = unique("p")
    player = put_player(uid, attributes={}, status=None, actor="test")
    put_player(f"{uid}0", attributes={}, status=None, actor="test")
    assert goes_to(client, uid) == page(Player, player)
    assert listed(client, uid[:-1]).count('class="wallet-hit"') == 2


def test_find__goes_from_a_token_to_its_session_and_keeps_it_secret(
    client: Client, story: PlayerSession, caplog: pytest.LogCaptureFixture
) -> None:
    token, acts = story.token, AuditEvent.objects.count()
    with caplog.at_level(logging.DEBUG), CaptureQueriesContext(connection) as caught:
        assert goes_to(client, token) == page(GameSession, story.session())
    assert token not in caplog.text
    assert not [query for query in caught.captured_queries if token in query["sql"]]
    assert AuditEvent.objects.count() == acts
    # One that nobody has is not repeated either.
    stranger = str(uuid.uuid4())
    assert stranger not in listed(client, stranger)


def test_find__says_what_every_error_number_means(client: Client) -> None:
    for code in ErrorCode:
        assert goes_to(client, str(code.value)) == f"/admin/error-codes/#code-{code.value}"
    text = get(client, "/admin/error-codes/")
    assert "The transaction has expired and was settled as rolled back." in text
    assert text.count('<div id="code-') == len(ErrorCode)


def test_find__knows_pages_by_name_and_by_other_words(client: Client) -> None:
    for text, place in {
        "orders": "/admin/payments/order/",
        "Order": "/admin/payments/order/",
        "chargebacks": "/admin/payments/refund/",
        "in doubt": "/admin/wallet/inquiry/",
        "2fa": "/admin/account/factors/",
        "dashboard": "/admin/",
        "purch": "/admin/payments/order/",
    }.items():
        assert goes_to(client, text) == place, text
    webhooks = listed(client, "webhooks")
    assert "/admin/payments/callback/" in webhooks
    assert "/admin/payments/delivery/" in webhooks


def test_find__has_other_words_for_every_page(client: Client) -> None:
    assert set(SYNONYMS) == {title for pages in GROUPS.values() for title in pages.values()}
    assert OWN.keys() == {"index", "password_change", "factors", "own_sessions"}


def test_find__finds_nothing_that_an_operator_may_not_see(story: PlayerSession) -> None:
    viewer = operator()
    viewer.groups.set(Group.objects.filter(name="viewer"))
    credential, boss = story.game.credentials.get(), operator(is_superuser=True)
    for text in (credential.username, boss.username, "approval rules"):
        words = listed(signed_in(viewer), text)
        assert "Nothing found" in words
        assert "operators by name" not in words.lower()
    nobody = signed_in(operator())
    for text in (story.player.uid, str(story.wallet().pk), story.token, "orders"):
        words = listed(nobody, text)
        assert "Nothing found" in words
        assert "/admin/wallet/" not in words


def test_find__says_what_was_searched_if_nothing_is_found(client: Client) -> None:
    words = listed(client, "no-such-thing")
    for by in ("Transactions by mmTransactionId", "Players by uid", "Error codes by number", "Pages by name"):
        assert by in words, by


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Enter what you have"),
        ("   ", "Enter what you have"),
        ("…", "Enter what you have"),
        ("a\x00b", "cannot be seen"),
        ("a\u202eb", "cannot be seen"),
        ("x" * 256, "longer than any name"),
        ("x" * 100_000, "longer than any name"),
        ("%%%%%%%%%%", "Nothing found"),
        ("__________", "Nothing found"),
        (".*.*.*.*.*.*", "Nothing found"),
        ("' OR 1=1 --", "Nothing found"),
        ("<script>alert('nobody')</script>", "Nothing found"),
        ("\\\\\\\\\\\\\\\\", "Nothing found"),
        ("--------", "Nothing found"),
        ("\ud83d\ude00" * 8, "Nothing found"),
    ],
)
def test_find__answers_every_text(client: Client, text: str, says: str) -> None:
    words = listed(client, text.encode("utf-16", "surrogatepass").decode("utf-16"))
    assert says in words
    assert "<script>alert" not in words


def test_find__takes_nothing_from_an_address(client: Client, story: PlayerSession) -> None:
    assert "Enter what you have" in get(client, f"{FIND}?q={story.player.uid}")


def test_find__costs_the_same_whatever_there_is(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    texts = ("no-such-thing-1", str(new_id())[-12:], str(new_id()), "deadbeef")

    def costs() -> list[int]:
        numbers = []
        for text in texts:
            with CaptureQueriesContext(connection) as caught:
                found(client, text)
            numbers.append(len(caught))
        return numbers

    before = costs()
    for _ in range(20):
        player_session.opened("withdraw", "0.01")
        callers.player_session()
    assert costs() == before
    assert max(before) <= 70, before


def test_find__reads_no_table_from_end_to_end(client: Client, story: PlayerSession) -> None:
    big = {"wallet_transaction", "wallet_wallet", "players_player", "players_gamesession", "payments_order"}
    big |= {"payments_callback", "payments_delivery", "payments_refund", "payments_payment"}
    for text in ("no-such-thing-1", "deadbeef", str(new_id()), str(uuid.uuid4())):
        with CaptureQueriesContext(connection) as caught:
            found(client, text)
        for query in caught.captured_queries:
            if not query["sql"].startswith("SELECT") or "FROM" not in query["sql"]:
                continue
            with connection.cursor() as cursor:
                cursor.execute("SET enable_seqscan = off")
                cursor.execute("EXPLAIN " + query["sql"])
                plan = "\n".join(row[0] for row in cursor.fetchall())
                cursor.execute("RESET enable_seqscan")
            assert not [name for name in big if f"Seq Scan on {name}" in plan], (query["sql"], plan)


def test_find__stands_on_every_page(client: Client, story: PlayerSession) -> None:
    places = ["/admin/", *(address(model) for model in REGISTERED), page(Wallet, story.wallet())]
    for place in [*places, page(Wallet, story.wallet(), "freeze"), "/admin/account/factors/"]:
        text = get(client, place)
        assert text.count(f'action="{FIND}"') == 1, place
        assert "players/find.js" in text, place
        assert "hx-get" not in text, place


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("…9f3a1b2c4d5e", "9f3a1b2c4d5e"),
        ("9f3a-1b2c", "9f3a1b2c"),
        ("9f3a1b2", ""),
        ("9f3a1b2z", ""),
        ("0" * 32, ""),
    ],
)
def test_asked__knows_parts_of_ids(text: str, part: str) -> None:
    assert read_asked(text).part == part
