"""A transaction's page: one sentence on top, and its story as one table in the order of time."""

import re
from html import unescape

from django.test import Client

from tests.support.admin_pages import by_two, doubted, get, operator, page, queries, question, signed_in
from tests.support.callers import Callers, PlayerSession, unique
from wallet.models import Discrepancy, Transaction


def story_of(text: str) -> list[str]:
    """The rows of the story, each as its words."""
    table = re.search(r'id="story".*?</section>', text, re.DOTALL)
    assert table
    body = table[0].partition("<tbody")[2]
    rows = [re.sub(r"<[^>]+>", " ", row) for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL)]
    return [unescape(" ".join(row.split())) for row in rows]


def sentence_of(client: Client, transaction: Transaction) -> str:
    text = re.sub(r"<[^>]+>", " ", get(client, page(Transaction, transaction)))
    return unescape(" ".join(text.split()))


def test_story__tells_calls_entries_queries_requests_and_discrepancies_in_order(
    client: Client, second: Client, player_session: PlayerSession
) -> None:
    game, mm = player_session.game.slug, player_session.opened("withdraw", "30.00")
    player_session.call("withdraw", mm, "30.00")
    question(doubted(player_session, mm), "unknown")
    pending = player_session.transaction(mm)
    by_two(client, second, page(Transaction, pending, "roll_back"))
    player_session.call("confirmWithdrawal", mm)
    row = Discrepancy.objects.get(transaction=pending)
    by_two(client, second, page(Discrepancy, row, "settle"))
    told = story_of(get(client, page(Transaction, pending)))
    expected = [
        (f"{game} asked to withdraw 30.00 XAG", "opened", "70.00"),
        ("30.00 XAG were reserved", "opened", "70.00"),
        (f"{game} asked to withdraw 30.00 XAG again", "opened (repeat)", "70.00"),
        (f"The platform asked {game} what became of it", "UNKNOWN"),
        ("Requested: Roll back the withdrawal of 30.00 XAG", "Ticket 7"),
        ("The request was executed", "spendable after it: 100.00 XAG"),
        ("30.00 XAG went back to the player", "rolled back", "100.00"),
        (f"{game} confirmed the withdrawal", "108 already rolled back", "is already rolled back"),
        ("Discrepancy: confirmation of a rolled back", "It was answered 108: "),
        (f"Requested: Settle as {game} says: withdrawal of 30.00 XAG", "Ticket 7"),
        ("The request was executed", f"30.00 XAG are booked as {game} says"),
        ("It was booked as the game says", "booked as the game says: Ticket 7"),
    ]
    assert len(told) == len(expected)
    for words, line in zip(expected, told, strict=True):
        assert [word for word in words if word not in line] == [], line


def test_sentence__says_why_and_what_is_next(client: Client, player_session: PlayerSession) -> None:
    game = player_session.game.slug
    pending = player_session.transaction(player_session.opened("withdraw", "30.00"))
    said = sentence_of(client, pending)
    waits = f"Waiting: 30.00 XAG are reserved, and {game} has neither confirmed nor rolled back."
    assert f"{waits} Next: due" in said
    player_session.done("confirmWithdrawal", pending.mm_transaction_id)
    pending.refresh_from_db()
    said = sentence_of(client, pending)
    assert f"UTC by {pending.settled_actor}. {game} has the 30.00 XAG." in said
    declined = unique("mm")
    player_session.call("withdraw", declined, "900.00")
    said = sentence_of(client, player_session.transaction(declined))
    assert "with 104: The player has insufficient funds. Nothing has moved." in said
    overtaken = unique("mm")
    player_session.call("rollbackWithdrawal", overtaken)
    said = sentence_of(client, player_session.transaction(overtaken))
    assert f"{game} rolled it back before it ever came: nothing has moved" in said
    expired = player_session.opened("deposit", "30.00")
    player_session.resolve(expired, "expired", "deposit")
    player_session.call("confirmDeposit", expired)
    said = sentence_of(client, player_session.transaction(expired, "deposit"))
    assert f"The player got nothing. {game} says otherwise: its discrepancy is open." in said


def test_story__has_nothing_that_an_operator_may_not_see(
    client: Client, player_session: PlayerSession
) -> None:
    mm = player_session.opened("withdraw", "30.00")
    question(doubted(player_session, mm), "unknown")
    reader = signed_in(operator("wallet.view_transaction", "wallet.view_wallet"))
    told = story_of(get(reader, page(Transaction, player_session.transaction(mm))))
    assert len(told) == 1
    assert "30.00 XAG were reserved" in told[0]


def test_transaction_page__costs_the_same_whatever_happened(
    client: Client, second: Client, callers: Callers
) -> None:
    quiet, busy = callers.player_session(), callers.player_session()
    mms = [one.opened("withdraw", "1.00") for one in (quiet, busy)]
    for one, mm in zip((quiet, busy), mms, strict=True):
        question(doubted(one, mm))
        one.resolve(mm, "expired")
        one.call("confirmWithdrawal", mm)
    for _ in range(30):
        busy.call("confirmWithdrawal", mms[1])
        busy.done("confirmWithdrawal", busy.opened("withdraw", "0.01"))
        question(busy.transaction(mms[1]).inquiry)
    rows = [one.transaction(mm) for one, mm in zip((quiet, busy), mms, strict=True)]
    counted = [len(queries(client, page(Transaction, row))) for row in rows]
    assert counted[0] == counted[1] <= 30


def test_transaction_page__has_the_neighbours_in_the_wallet(
    client: Client, player_session: PlayerSession
) -> None:
    first, mm = player_session.opened("deposit", "2.00"), player_session.opened("withdraw", "30.00")
    text = get(client, page(Transaction, player_session.transaction(mm)))
    around = text.partition('id="around-it-in-the-wallet-xag"')[2]
    assert str(player_session.transaction(first, "deposit").pk) in around
    assert page(Transaction, player_session.transaction(mm)) not in around
