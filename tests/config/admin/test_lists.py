"""What every list can: filters, exports, rows as they are stored, and one name for one thing."""

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import DateTimeField
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from config.sidebar import GROUPS
from lib.backoffice import conditions
from lib.backoffice.lists import as_text
from lib.backoffice.pagination import BigTableAdmin
from lib.clock import now
from lib.ids import id_at, new_id
from payments.models import Callback, Order, RefusedCallback
from players.models import Approval, AuditEvent, Operator, Player
from players.operations import put_player
from tests.support.admin_pages import (
    REGISTERED,
    address,
    alert,
    get,
    operator,
    page,
    queries,
    rows_of,
    run,
    shown,
    signed_in,
)
from tests.support.callers import Callers, PlayerSession, unique
from wallet.currencies import show_amount
from wallet.models import Alert, ClosedDay, Transaction, Wallet

YEARS_AGO = datetime(2021, 5, 6, 7, 8, tzinfo=UTC)
BEFORE, AFTER = "2021-05-06T07:00", "2021-05-06T07:09"


def ids_in(text: str) -> list[str]:
    """The ids that a list shows of its own rows."""
    return re.findall(
        r'class="field-short[^>]*><a[^>]*><span class="wallet-id" title="([0-9a-f-]{36})"', text
    )


def exported(client: Client, model: Any, query: str = "") -> list[list[str]]:
    response: Any = client.post(address(model, "export"), {"query": query})
    assert response.status_code == 200, response
    assert response.streaming
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode())))


def test_lists__have_one_name_in_menu_page_and_title(client: Client) -> None:
    for pages in GROUPS.values():
        for model, name in pages.items():
            place = f"/admin/{model.replace('.', '/')}/" if "." in model else reverse(f"admin:{model}")
            text = get(client, place)
            heading = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
            title = re.search(r"<title>\s*(.*?)\s*</title>", text, re.DOTALL)
            assert heading
            assert title
            assert as_text(heading[1]).strip() == name, place
            assert unescape(title[1]) == f"{name} | Quantum Wallet", place


def test_pages__are_titled_as_one_would_say_it(client: Client, story: PlayerSession) -> None:
    uid = story.player.uid
    for model, words in {
        Wallet: f"XAG wallet of {uid}",
        Transaction: f", {uid}",
        Order: "Order of ",
    }.items():
        row = rows_of(story)[model][0]
        text = get(client, page(model, row))
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", text, re.DOTALL)
        assert heading
        assert words in as_text(heading[1])
        assert str(row.pk) not in as_text(heading[1])
        title = re.search(r"<title>\s*(.*?)\s*</title>", text, re.DOTALL)
        assert title
        assert words in title[1]


def test_lists__are_narrowed_by_kind_state_game_and_amount(client: Client, story: PlayerSession) -> None:
    mine = Transaction.objects.filter(player=story.player)
    confirmed = mine.get(type="withdrawal", state="confirmed")
    known = f"type=withdrawal&state=confirmed&game={story.game.pk}&currency=XAG"
    narrow = f"{known}&q={story.player.uid}"
    for extra in ("", "&amount_from=30.25", "&amount_to=30.25", "&amount_from=30&amount_to=31"):
        assert ids_in(get(client, f"{address(Transaction)}?{narrow}{extra}")) == [str(confirmed.pk)], extra
    for extra in ("&amount_from=30.26", "&amount_to=30.24", "&amount_from=x", "&since=nonsense"):
        assert ids_in(get(client, f"{address(Transaction)}?{narrow}{extra}")) == [], extra
    for odd in ("type=nonsense", "game=nonsense", "currency=%27", "amount_from=1", "until=1"):
        assert ids_in(get(client, f"{address(Transaction)}?{odd}")) == [], odd
    assert client.get(address(Transaction), {"description__contains": "x"}).status_code == 400


def test_lists__are_narrowed_by_time_to_the_second(client: Client, story: PlayerSession) -> None:
    newest = Transaction.objects.filter(player=story.player, game=story.game).latest("pk")
    at = conditions.made_at(newest.pk)
    assert at
    before, after = (f"{at + timedelta(seconds=step):%Y-%m-%dT%H:%M:%S}" for step in (-1, 1))
    place = f"{address(Transaction)}?q={story.player.uid}&type=deposit"
    assert shown(str(newest.pk)) in get(client, f"{place}&since={before}&until={after}")
    assert ids_in(get(client, f"{place}&since={after}")) == []
    assert shown(str(newest.pk)) not in get(client, f"{place}&until={before}")


def test_players__are_narrowed_by_country_and_test_mark(client: Client) -> None:
    uid = unique("p")
    put_player(uid, attributes={"country": "IS"}, status=None, actor="test")
    assert uid in get(client, f"{address(Player)}?country=is&test=False&status=active")
    for odd in ("country=IS&test=True", "country=IS&status=blocked"):
        assert uid not in get(client, f"{address(Player)}?{odd}")


def test_filters__look_back_so_far_and_say_so(
    client: Client, callers: Callers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "MOST_LOOKED_THROUGH", 3)
    player_session = callers.player_session()
    first = player_session.transaction(player_session.opened("withdraw", "0.01"))
    for _ in range(3):
        player_session.opened("deposit", "0.01")
    narrow = f"{address(Transaction)}?type=withdrawal&game={player_session.game.pk}"
    text = get(client, f"{narrow}&until={now() + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    assert ids_in(text) == []
    assert "The filters looked back to" in text
    # Further back they look if a time is set, and a player's own are all looked through.
    at = conditions.made_at(first.pk)
    assert at
    until = f"{at + timedelta(milliseconds=1):%Y-%m-%dT%H:%M:%S.%f}"
    assert ids_in(get(client, f"{narrow}&until={until}")) == [str(first.pk)]
    assert ids_in(get(client, f"{narrow}&q={player_session.player.uid}")) == [str(first.pk)]


def test_lists__that_grow_are_narrowed_by_time() -> None:
    for model, listed in admin.site._registry.items():
        has_times = any(isinstance(field, DateTimeField) for field in model._meta.fields)
        if isinstance(listed, BigTableAdmin) and has_times and model is not ClosedDay:
            names = {getattr(one, "parameter_name", "") for one in listed.get_list_filter(HttpRequest())}
            assert {"since", "until"} <= names, model


def narrowed(client: Client, row: Any, fitting: list[str], other: list[str], also: str = "") -> None:
    """A row is listed with each of the filters that fit it, and with none of the others."""
    link = page(type(row), row)
    for query in fitting:
        assert link in get(client, f"{address(type(row))}?{also}{query}"), query
    for query in other:
        assert link not in get(client, f"{address(type(row))}?{also}{query}"), query


def test_alerts__are_narrowed_by_kind_time_owner_and_game(client: Client, boss: Operator) -> None:
    slug = unique("g")
    id = id_at(YEARS_AGO)
    row = alert("deposits_unusual", id=id, subject=f"{slug} XAG", raised_at=YEARS_AGO, owner=boss)
    fits = ["kind=deposits_unusual", f"subject={slug}", f"owner={boss.username}", f"until={AFTER}"]
    odd = ["kind=lock_out", "kind=x", f"subject={slug[:-1]}", "owner=nobody", f"since={AFTER}", "since=x"]
    narrowed(client, row, fits, odd, also=f"subject={slug}&")


def test_alerts__are_looked_through_so_far_and_no_further(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conditions, "MOST_LOOKED_THROUGH", 3)
    row = alert("lock_out", resolved_at=now(), resolved_by="test", reason="test")
    place = f"{address(Alert)}?state=resolved&kind=lock_out"
    assert page(Alert, row) in get(client, place)
    for _ in range(3):
        alert("sweep_failed", resolved_at=now(), resolved_by="test", reason="test")
    text = get(client, place)
    assert page(Alert, row) not in text
    assert "The filters looked back to" in text
    later = (now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert page(Alert, row) not in get(client, f"{place}&until={later}")


def test_job_runs__are_narrowed_by_task_outcome_and_time(client: Client) -> None:
    row = run("audit_all", began_at=YEARS_AGO, error="OperationalError: gone")
    fits = ["task=audit_all", "outcome=failed", f"since={BEFORE}"]
    narrowed(client, row, fits, ["task=watch", "outcome=busy", f"since={AFTER}"], also=f"until={AFTER}&")


def test_approvals__are_narrowed_by_kind_state_requester_and_time(
    client: Client, boss: Operator, story: PlayerSession
) -> None:
    (row, *_) = rows_of(story)[Approval]
    day = f"{row.requested_at:%Y-%m-%d}"
    fits = [f"kind={row.kind}", f"state={row.state}", f"since={day}"]
    fits.append(f"requester={row.requested_by.username}")
    odd = ["kind=change_shop", "kind=x", "state=expired", "requester=nobody", f"until={day}"]
    narrowed(client, row, fits, odd, also="requests=all&")


def test_approvals__are_narrowed_by_currency_and_amount(client: Client, story: PlayerSession) -> None:
    row = next(row for row in rows_of(story)[Approval] if row.amount)
    low, same, high = (show_amount(row.amount + step, row.currency_code).split()[0] for step in (-1, 0, 1))
    currency = f"currency={row.currency_code}"
    fits = [currency, f"{currency}&amount_from={same}&amount_to={same}", f"{currency}&amount_from={low}"]
    odd = ["currency=EUR", f"{currency}&amount_from={high}", f"{currency}&amount_to={low}"]
    narrowed(client, row, fits, odd, also="requests=all&")


def test_refused_callbacks__are_narrowed_by_what_they_say(client: Client, story: PlayerSession) -> None:
    (row, *_) = rows_of(story)[RefusedCallback]
    row.pk, row.problem, row.said_order = new_id(), "a problem of its own", uuid4()
    row.said_amount, row.said_currency = 3_99, "EUR"
    row.save(force_insert=True)
    fits = [
        f"provider={row.provider_id}",
        "problem=a+problem+of+its+own",
        f"order={row.said_order}",
        "currency=EUR&amount_from=3.99&amount_to=3.99",
    ]
    odd = [
        "problem=another",
        f"order={uuid4()}",
        "order=x",
        "currency=EUR&amount_from=4.00",
        "until=2020-01-01",
    ]
    narrowed(client, row, fits, odd, also="state=all&")


def test_filters__cost_the_same_on_many_rows(client: Client, callers: Callers) -> None:
    player_session = callers.player_session()
    place = f"{address(Transaction)}?type=withdrawal&state=pending"
    before = len(queries(client, place))
    for _ in range(30):
        player_session.opened("withdraw", "0.01")
    assert len(queries(client, place)) == before <= 20


def test_export__is_what_is_listed_whole_and_recorded(client: Client, story: PlayerSession) -> None:
    headers, *rows = exported(client, Transaction, f"q={story.player.uid}&type=withdrawal")
    assert headers[:3] == ["key", "our id", "opened (UTC)"]
    known = Transaction.objects.filter(player=story.player, type="withdrawal").order_by("-pk")
    assert [row[0] for row in rows] == [row[1] for row in rows] == [str(one.pk) for one in known]
    assert "30.25 XAG" in {row[5] for row in rows}
    event = AuditEvent.objects.latest("pk")
    assert (event.action, event.outcome) == ("export_list", "done")
    assert event.after == {"list": "transactions", "q": story.player.uid, "type": "withdrawal"}


def test_export__of_every_list_has_its_rows(client: Client, story: PlayerSession) -> None:
    for model in REGISTERED:
        if model is not AuditEvent and rows_of(story)[model]:
            headers, *rows = exported(client, model)
            assert headers[0] == "key"
            assert all(len(row) == len(headers) for row in rows), model


def test_export__defuses_formulas_and_holds_no_secret(client: Client, story: PlayerSession) -> None:
    uid = unique("p")
    put_player(uid, attributes={"nickname": "=1+1"}, status=None, actor="test")
    assert "'=1+1" in exported(client, Player, f"q={uid}")[1]
    assert story.token not in str(exported(client, Player, f"q={story.player.uid}"))


def test_export__is_refused_beyond_its_bound(client: Client, story: PlayerSession, monkeypatch: Any) -> None:
    monkeypatch.setattr("lib.backoffice.lists.MOST_EXPORTED", 1)
    number = AuditEvent.objects.count()
    response = client.post(address(Transaction, "export"), {"query": f"q={story.player.uid}"}, follow=True)
    assert "narrow the list first" in response.content.decode()
    assert AuditEvent.objects.count() == number


def test_export__is_for_auditors(story: PlayerSession) -> None:
    for role in ("viewer", "finance"):
        who = operator()
        who.groups.set(Group.objects.filter(name=role))
        client = signed_in(who)
        assert client.post(address(Transaction, "export"), {"query": ""}).status_code == 403
        assert "Export as CSV" not in get(client, address(Transaction))


def test_stored_row__is_shown_without_secrets(client: Client, story: PlayerSession) -> None:
    wallet = story.wallet()
    text = get(client, page(Wallet, wallet, "raw"))
    stored = re.search(r"<pre[^>]*>(.*?)</pre>", text, re.DOTALL)
    assert stored
    assert json.loads(unescape(stored[1]))["spendable"] == wallet.spendable
    for model, rows in rows_of(story).items():
        words = get(client, page(model, rows[0], "raw"))
        assert story.token not in words
        assert not re.search(r"(token_hash|password|sealed|headers|body|page_key)&quot;", words), model
        assert page(model, rows[0], "raw") in get(client, page(model, rows[0])), model
    callback = Callback.objects.latest("pk")
    assert str(callback.message_id) in get(client, page(Callback, callback, "raw"))


def test_lists__show_words_for_yes_and_no(client: Client) -> None:
    for model in admin.site._registry:
        assert "close_small" not in get(client, address(model)), model


def test_moment__without_a_zone_is_utc(player_session: PlayerSession) -> None:
    assert conditions.read_moment("2026-11-29T10:00") == datetime(2026, 11, 29, 10, tzinfo=UTC)
    assert conditions.read_moment("nonsense") is None
    at = conditions.made_at(player_session.session().pk)
    assert at
    assert abs(at - now()) < timedelta(days=1)
    assert conditions.made_at(uuid4()) is None
