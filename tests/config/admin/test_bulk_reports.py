"""An act on many rows says what it did with each of them, and what has become of it since."""

import re
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError
from django.test import Client

import payments.admin.bulk_retry
import players.bulk_reports
from lib.backoffice.bulk_reports import Came, RowOutcome, in_batches
from lib.backoffice.lists import as_text
from lib.clock import now
from lib.ids import new_id
from payments.callbacks.reverification import verify_due
from payments.deliveries.bulk_retry import send_batch_again
from payments.models import Delivery, Order, Provider, RefusedCallback
from payments.providers.registry import PROVIDERS
from payments.providers.signing_secrets import add_callback_secret, new_webhook_secret
from players.models import BulkReport, GameSession, Player
from tests.payments.admin.test_work import RANGE, form
from tests.support.admin_orders import tried
from tests.support.admin_pages import get, operator, page, queries, sent, signed_in
from tests.support.callers import Callers, PlayerSession, unique
from tests.support.shop import ShopSetup, event_body, make_provider, make_shop_setup
from wallet.job_runs import Run

GONE = 410
Line = tuple[str, str, str]


@pytest.fixture
def served_shop(callers: Callers) -> ShopSetup:
    """A game of one test's own."""
    return make_shop_setup(callers)


def lines(text: str) -> list[Line]:
    """What a report says of each row: its name, what came of it, why."""
    table = text.partition('id="row-by-row"')[2].partition("</section>")[0]
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", table, re.DOTALL)
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in rows]
    return [tuple(" ".join(as_text(cell).split()) for cell in row[:3]) for row in cells if len(row) >= 3]  # type: ignore[misc]


def sums(text: str) -> str:
    found = re.search(r'aria-label="In sum">(.*?)</p>', text, re.DOTALL)
    assert found, text
    return " ".join(as_text(found[1]).split())


def sent_range(client: Client, served_shop: ShopSetup) -> str:
    """Sends all again that were given up; returns the address of the report."""
    response = client.post(RANGE, form(served_shop.game, confirmed="1"))
    assert response.status_code == 302
    return response["Location"]


def test_report__has_a_line_for_each_delivery_and_follows_it(client: Client, served_shop: ShopSetup) -> None:
    first, second, third = [tried(served_shop.paid(product="sword"), GONE) for _ in range(3)]
    place = sent_range(client, served_shop)
    text = get(client, place)
    assert "3 deliveries are being sent again." in text
    assert sums(text) == "3 under way"
    assert {words for _, _, words in lines(text)} == {"It is sent at once."}
    for row in (first, second, third):
        assert page(Delivery, row) in text
    Delivery.objects.filter(pk=first.pk).update(state="delivered", attempts=1, next_attempt_at=None)
    Delivery.objects.filter(pk=second.pk).update(state="gone", attempts=1, next_attempt_at=None)
    Delivery.objects.filter(pk=third.pk).update(attempts=2)
    text = get(client, place)
    assert sums(text) == "1 done 1 under way 1 failed"
    uid = Order.objects.get(pk=second.order_id).player.uid
    assert [came for _, came, _ in lines(text)] == ["failed", "under way", "done"]
    assert lines(text)[0] == (f"Delivery of sword to {uid}", "failed", "Stopped by the game (410).")
    assert "2 attempts failed. The next is at" in lines(text)[1][2]
    assert "Look again" in text


def test_report__one_row_that_fails_stops_no_other_and_is_told(
    client: Client, served_shop: ShopSetup, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliveries = [tried(served_shop.paid(product="sword"), GONE) for _ in range(3)]
    bad = deliveries[1].pk

    def fail_one(ids: Any, *args: Any, **kwargs: Any) -> set[UUID]:
        done = send_batch_again(ids, *args, **kwargs)
        if bad in ids:
            raise DatabaseError("the secret is swordfish")
        return done

    monkeypatch.setattr(payments.admin.bulk_retry, "send_batch_again", fail_one)
    text = get(client, sent_range(client, served_shop))
    assert "2 deliveries are being sent again." in text
    assert sums(text) == "2 under way 1 failed"
    assert "swordfish" not in text
    states = dict(Delivery.objects.filter(game=served_shop.game).values_list("pk", "state"))
    assert [states[row.pk] for row in deliveries] == ["pending", "gone", "pending"]


def test_report__of_refused_callbacks_says_which_were_genuine(
    client: Client, shop_setup: ShopSetup, callers: Callers
) -> None:
    fake, secret = make_provider("standard-webhooks"), new_webhook_secret()
    for key in (secret, new_webhook_secret()):
        body = event_body("payment.succeeded", shop_setup.order(fake_provider=fake))
        assert fake.post(body, fake.signed(body, secret=key)).status == 401
    add_callback_secret(fake.provider, secret, actor="test")
    PROVIDERS.forget()
    response, _ = sent(client, page(Provider, fake.provider, "verify_refused"), reason="Rotated")
    text = get(client, response["Location"])
    assert "2 refused callbacks are being verified again." in text
    assert sums(text) == "2 under way"
    verify_due(Run("verify_refused"))
    text = get(client, response["Location"])
    assert sums(text) == "1 done 1 unchanged"
    assert "Look again" not in text
    (_, came, why), (_, done, how) = lines(text)
    assert (came, done) == ("unchanged", "done")
    assert why.startswith("Still refused: ")
    assert how.startswith("Genuine, and taken in: ")
    # What is kept no longer has no page.
    RefusedCallback.objects.filter(provider=fake.provider).delete()
    assert "It is not kept any more." in get(client, response["Location"])


def test_report__of_ended_sessions_leads_back_to_the_player(
    client: Client, player_session: PlayerSession
) -> None:
    player_session.elsewhere()
    response, _ = sent(client, page(Player, player_session.player, "end_sessions"), reason="Stolen phone")
    text = get(client, response["Location"])
    assert sums(text) == "2 done"
    assert page(Player, player_session.player) in text
    assert page(GameSession, player_session.session()) in text


def kept(who: Any, outcomes: dict[str, tuple[str, str]], model: str = "payments.delivery") -> str:
    row = BulkReport.objects.create(
        operator=who, title="T", words="W", list=model, outcomes=outcomes, back="/admin/", made_at=now()
    )
    return f"/admin/reports/{row.pk}/"


def test_report__is_for_who_acted_as_long_as_they_may_see_the_rows() -> None:
    who, other = operator("payments.view_delivery"), operator(is_superuser=True)
    place = kept(who, {str(new_id()): ("done", "")})
    assert signed_in(who).get(place).status_code == 200
    assert signed_in(other).get(place).status_code == 404
    who = operator("wallet.view_wallet")
    assert signed_in(who).get(kept(who, {})).status_code == 403


def test_report__has_pages_and_costs_the_same_on_many_rows() -> None:
    who = operator()
    who.groups.set(Group.objects.filter(name="support"))
    client = signed_in(who)
    few = kept(who, {str(new_id()): ("waiting", "") for _ in range(2)})
    many = kept(who, {str(new_id()): ("waiting", "") for _ in range(250)})
    assert len(queries(client, many)) == len(queries(client, few))
    assert [len(lines(get(client, f"{many}?p={number}"))) for number in (1, 2, 3, 4)] == [100, 100, 50, 0]
    assert "250 unchanged" in sums(get(client, many))


def test_reports__only_the_latest_are_kept(
    client: Client, player_session: PlayerSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(players.bulk_reports, "MOST_KEPT", 1)
    places = []
    for number in range(2):
        player_session.elsewhere()
        place = page(Player, player_session.player, "end_sessions")
        places.append(sent(client, place, reason=f"Ticket {number}")[0]["Location"])
    assert [client.get(place).status_code for place in places] == [404, 200]


def test_batches__failing_rows_are_tried_one_by_one(database: None) -> None:
    keys, asked = [new_id() for _ in range(5)], []

    def act(part: Any) -> dict[UUID, RowOutcome]:
        asked.append(len(part))
        if keys[3] in part:
            raise DatabaseError(unique("x"))
        return dict.fromkeys(part, RowOutcome(Came.DONE))

    outcomes = in_batches(keys, act, 2)
    assert [outcomes[key].came for key in keys] == ["done", "done", "done", "failed", "done"]
    assert asked == [2, 2, 1, 1, 1]
