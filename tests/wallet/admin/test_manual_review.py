"""What waits for a person.

The list of inquiries, an inquiry's page, and what a transaction's page says will happen.
"""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory

from lib.backoffice.formatting import NOTHING
from lib.backoffice.pagination import read_page
from lib.backoffice.raw_messages import show_excerpt
from lib.clock import now
from players.models import Operator
from tests.conftest import Clock
from tests.support.admin_pages import address, doubted, find, get, page, queries, question, signed_in, waiting
from tests.support.callers import Callers, PlayerSession, make_party, open_session
from tests.support.owned import owned
from wallet.models import Inquiry, Outage, Pulse, Transaction

HOUR = timedelta(hours=1)
BODY = "<script>alert(1)</script>" + "x" * 400


def listed(text: str) -> list[str]:
    """The inquiries on a list, in its order."""
    return list(dict.fromkeys(re.findall(r"/admin/wallet/inquiry/([0-9a-f-]{36})/change/", text)))


@pytest.fixture
def four(player_session: PlayerSession) -> dict[str, Inquiry]:
    """One inquiry in each state, and one in doubt whose transaction the game has just settled."""
    at, mms = now(), [player_session.opened("withdraw", "1.00") for _ in range(5)]
    found = {
        "young": doubted(player_session, mms[0], doubt_since=at - HOUR),
        "old": doubted(
            player_session,
            mms[1],
            doubt_since=at - 9 * HOUR,
            doubt="unreachable",
            next_attempt_at=at + HOUR,
            last_answer="unusable",
            questions_asked=31,
        ),
        "waiting": waiting(player_session, mms[2], last_answer="pending"),
        "closed": doubted(player_session, mms[3], closed_at=at),
        "settled": doubted(player_session, mms[4]),
    }
    for mm in mms[3:]:
        player_session.done("confirmWithdrawal", mm)
    return found


SHOWN = {
    "": ["old", "young"],
    "?state=doubt": ["old", "young"],
    "?state=nonsense": ["old", "young"],
    "?state=waiting": ["waiting"],
    "?state=open": ["young", "old", "waiting", "settled"],
}


@pytest.mark.parametrize("view", SHOWN)
def test_review_list__shows_what_is_to_be_decided_oldest_first(
    client: Client, four: dict[str, Inquiry], view: str
) -> None:
    assert listed(get(client, address(Inquiry) + view)) == [str(four[name].pk) for name in SHOWN[view]]


def test_review_list__closed_are_newest_first_search_finds_all(
    client: Client, four: dict[str, Inquiry], player_session: PlayerSession
) -> None:
    assert listed(get(client, f"{address(Inquiry)}?state=closed"))[0] == str(four["closed"].pk)
    newest_first = [str(four[name].pk) for name in ("settled", "closed", "waiting", "old", "young")]
    assert listed(find(client, Inquiry, player_session.player.uid)) == newest_first
    assert listed(find(client, Inquiry, player_session.token)) == newest_first
    for text in (str(four["closed"].transaction_id), str(four["closed"].transaction.mm_transaction_id)):
        assert listed(find(client, Inquiry, text)) == [str(four["closed"].pk)]
    assert listed(get(client, f"{address(Inquiry)}?q={player_session.player.uid}&state=waiting")) == [
        str(four["waiting"].pk)
    ]


def test_review_list__row_says_what_has_to_be_known(
    client: Client, four: dict[str, Inquiry], player_session: PlayerSession
) -> None:
    text = get(client, address(Inquiry))
    for words in (
        "unreachable",
        "held",
        player_session.player.uid,
        player_session.game.slug,
        "withdrawal",
        "1.00 XAG",
        "unusable",
        "31",
    ):
        assert words in text, words


def turner(text: str) -> tuple[str, str]:
    """What the links to the page before and the page after are called."""
    found = re.search(r'aria-label="Pages">\s*<\w+[^>]*>(\w+)<.*?Page \d+.*?>(\w+)<', text, re.DOTALL)
    assert found
    return found[1], found[2]


def test_review_list__page_links_are_named_after_the_order(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    for _ in range(27):
        doubted(player_session, player_session.opened("withdraw", "0.01"), next_attempt_at=now())
    names = {"": ("Older", "Newer"), "?state=open": ("Older", "Newer"), "?state=all": ("Newer", "Older")}
    assert {view: turner(get(client, address(Inquiry) + view)) for view in names} == names
    assert turner(get(client, f"{address(Transaction)}?unfinished=pending")) == ("Sooner", "Later")
    assert turner(get(client, f"{address(Inquiry)}?p=2")) == ("Older", "Newer")
    assert len(listed(get(client, f"{address(Inquiry)}?p=2"))) == 2


def test_review_list__says_nothing_is_to_be_decided_if_empty(client: Client) -> None:
    assert "Nothing to decide: no transaction needs manual review." in get(client, address(Inquiry))
    assert "No transaction waits for a game" in get(client, f"{address(Inquiry)}?state=waiting")
    assert "Every due transaction is settled." in get(client, f"{address(Inquiry)}?state=open")


def test_review_list__costs_the_same_however_much_is_on_it(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    places = [
        address(Inquiry),
        f"{address(Inquiry)}?state=waiting",
        f"{address(Inquiry)}?state=open",
        f"{address(Transaction)}?unfinished=pending",
    ]
    doubted(player_session, player_session.opened("withdraw", "0.01"))
    waiting(player_session, player_session.opened("withdraw", "0.01"))
    before = {place: len(queries(client, place)) for place in places}
    for _ in range(30):
        other = callers.player_session()
        doubted(other, other.opened("withdraw", "0.01"))
        waiting(other, other.opened("withdraw", "0.01"))
    assert {place: len(queries(client, place)) for place in places} == before
    assert max(before.values()) <= 19, before
    for place in places:
        assert not [sql for sql in queries(client, place) if "COUNT(" in sql.upper()], place


def test_review_list__and_badge_use_their_index(client: Client, four: dict[str, Inquiry]) -> None:
    pages, request = admin.site._registry[Inquiry], RequestFactory().get("/")
    request.user = None  # type: ignore[assignment]
    rows = pages.get_queryset(request).filter(
        closed_at=None, doubt_since__isnull=False, transaction__settled_at=None
    )
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off; SET enable_sort = off")
        plan = rows.order_by("doubt_since", "pk")[:26].explain()
        cursor.execute("RESET enable_seqscan; RESET enable_sort")
    assert "inquiry_in_doubt" in plan, plan


# --- The page -----------------------------------------------------------------------------------------


def test_inquiry_page__says_why_what_helps_and_what_happens_next(
    client: Client, four: dict[str, Inquiry], player_session: PlayerSession
) -> None:
    text = get(client, page(Inquiry, four["old"]))
    for words in (
        "no usable answer for 7 days",
        "Status queries continue",
        "Next: ",
        "1.00 XAG",
        str(four["old"].transaction_id),
    ):
        assert words in text, words
    assert page(Transaction, four["old"].transaction) in text
    assert f"/admin/wallet/wallet/{player_session.wallet().pk}/change/" in text
    assert re.search(r">\s*withdraw\s*<", text), "the call log's row"
    closed = get(client, page(Inquiry, four["closed"]))
    assert "Next: " not in closed
    assert f"by {Transaction.objects.get(pk=four['closed'].transaction_id).settled_actor}" in closed


def test_inquiry_page__shows_every_query_and_paginates_history(
    client: Client, four: dict[str, Inquiry]
) -> None:
    inquiry, at = four["old"], now()
    for number in range(30):
        question(
            inquiry,
            "unusable",
            asked_at=at - number * HOUR,
            problem=f"status 5{number:02d}",
            status=500 + number,
            body=BODY,
        )
    place = page(Inquiry, inquiry)
    first, second = get(client, place), get(client, f"{place}?questions=2")
    assert (first.count("status 5"), second.count("status 5")) == (25, 5)
    assert (
        "Older queries" in first,
        "Newest queries" in first,
        "Older queries" in second,
        "Newest queries" in second,
    ) == (True, False, False, True)
    assert first.index("status 500") < first.index("status 524")
    assert "status 529" in second
    assert "worker:7" in first
    assert "<script>alert(1)" not in first
    assert "&lt;script&gt;alert(1)" in first
    assert "There are no older status queries." in get(client, f"{place}?questions=9")


@pytest.mark.parametrize(
    ("text", "number"), [("", 1), ("2", 2), ("0", 1), ("-1", 1), ("x", 1), ("99999", 1), ("٣", 1)]
)
def test_inquiry_page__reads_a_page_number_carefully(text: str, number: int) -> None:
    assert read_page(text) == number


def test_inquiry_page__unanswered_is_under_way_or_worker_lost(
    client: Client, four: dict[str, Inquiry]
) -> None:
    inquiry, nothing = four["waiting"], {"answered_at": None, "status": None, "took_ms": None}
    question(inquiry, "", **nothing)
    assert "under way" in get(client, page(Inquiry, inquiry))
    question(inquiry, "", asked_at=now() - HOUR, **nothing)
    assert "worker lost" in get(client, page(Inquiry, inquiry))


def test_inquiry_page__what_a_game_sent_is_never_markup() -> None:
    for body in ("<b>", "<b>" + "x" * 100, "a\n<b>"):
        assert "<b>" not in show_excerpt(body)
    assert show_excerpt("") == NOTHING


def test_inquiry_page__says_why_there_are_no_queries(
    client: Client, four: dict[str, Inquiry], callers: Callers
) -> None:
    assert "it has no query URL" in get(client, page(Inquiry, four["young"]))
    assert "are purged after a time" in get(client, page(Inquiry, four["old"]))
    player_session = open_session(make_party(query_url="https://127.0.0.1:9/"), callers.player())
    assert "The game has not been queried." in get(
        client, page(Inquiry, waiting(player_session, player_session.opened("deposit", "1.00"), "deposit"))
    )


# --- The transaction's page -----------------------------------------------------------------------------

POLICIES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "then it expires (the game has no query URL)", "expires"),
    ({"unanswered_policy": "hold"}, "then manual review", "is held"),
    (
        {"query_url": "https://127.0.0.1:9/state"},
        "then the game is queried at https://127.0.0.1:9/state",
        "game is queried",
    ),
]


@pytest.mark.parametrize(("attributes", "words", "word"), POLICIES)
def test_transaction_page__pending_says_when_due_and_what_then(
    client: Client, callers: Callers, attributes: dict[str, Any], words: str, word: str
) -> None:
    owned(Pulse).all().delete()
    owned(Outage).all().delete()
    player_session = open_session(make_party(**attributes), callers.player())
    pending = player_session.transaction(player_session.opened("deposit", "1.00"), "deposit")
    text = get(client, page(Transaction, pending))
    assert words in text
    assert f"due {pending.due_at:%Y-%m-%d}" in text
    assert re.search(
        rf">\s*{word}\s*<",
        get(client, f"{address(Transaction)}?unfinished=pending&q={player_session.player.uid}"),
    )
    player_session.done("confirmDeposit", str(pending.mm_transaction_id))
    assert "Next step" not in get(client, page(Transaction, pending))


def test_transaction_page__links_to_its_inquiry(client: Client, player_session: PlayerSession) -> None:
    mm = player_session.opened("withdraw", "1.00")
    inquiry = doubted(player_session, mm)
    text = get(client, page(Transaction, inquiry.transaction))
    assert page(Inquiry, inquiry) in text
    assert "Manual review: the game has no query URL" in text
    assert page(Inquiry, inquiry) in get(
        client, f"{address(Transaction)}?unfinished=pending&q={player_session.player.uid}"
    )
    player_session.done("confirmWithdrawal", mm)
    Inquiry.objects.filter(pk=inquiry.pk).update(closed_at=now())
    assert "0 sent" in get(client, page(Transaction, inquiry.transaction))


def test_transaction_list__sorts_pending_by_due_and_filters_due(
    boss: Operator, player_session: PlayerSession, clock: Clock
) -> None:
    at, slow = now(), player_session.elsewhere(party=make_party(pending_hours=200))
    clock.stand(at)
    late = slow.transaction(slow.opened("withdraw", "1.00"))
    clock.stand(at + HOUR)
    early = player_session.transaction(player_session.opened("withdraw", "1.00"))

    def found(view: str) -> list[str]:
        # Sessions end while the clock goes ahead.
        place = f"{address(Transaction)}?unfinished={view}&q={player_session.player.uid}"
        text = get(signed_in(boss), place)
        return re.findall(r'class="wallet-id" title="([0-9a-f-]{36})"', text)

    assert found("pending") == [str(early.pk), str(late.pk)]
    assert found("due") == []
    clock.stand(at + 74 * HOUR)
    assert found("due") == [str(early.pk)]
