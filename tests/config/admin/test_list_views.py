"""Columns that an operator chooses, and views by name: kept, bounded, and never more than one may see."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from lib.backoffice.chosen_columns import ChosenColumns
from players.lists import operations
from players.models import Game, ListColumns, ListView, Operator, Player
from tests.config.admin.test_lists import exported
from tests.support.admin_pages import REGISTERED, address, get, operator, queries, signed_in
from tests.support.callers import PlayerSession, unique
from wallet.models import Transaction

Case = tuple[Operator, Client]


@pytest.fixture
def clerk() -> Case:
    return in_role("support")


def in_role(role: str) -> Case:
    who = operator()
    who.groups.set(Group.objects.filter(name=role))
    return who, signed_in(who)


def choose(client: Client, model: Any, *names: str, query: str = "", **more: str) -> Any:
    place = reverse("admin:choose_columns", args=[model._meta.label_lower])
    return client.post(place, {"column": names, "query": query, **more})


def save(client: Client, model: Any, name: str, query: str = "", **more: str) -> Any:
    place = reverse("admin:save_view", args=[model._meta.label_lower])
    return client.post(place, {"name": name, "query": query, **more}, follow=True)


def acted(client: Client, act: str, view: ListView, **given: str) -> Any:
    return client.post(reverse(f"admin:{act}_view", args=[view.pk]), given, follow=True)


def headings(client: Client, model: Any, query: str = "") -> list[str]:
    """The names of a list's columns; it has a row."""
    text = get(client, f"{address(model)}?{query}")
    return re.findall(r'class="[^"]*column-(\w+)', text)


def linked(text: str, name: str) -> str:
    """The address of a saved view above a list."""
    found = re.search(rf'<a href="([^"]*)" class="wallet-selection wallet-saved[^>]*><bdi>{name}</bdi>', text)
    assert found, text
    return found[1].replace("&amp;", "&")


def is_marked(text: str, name: str) -> bool:
    return bool(re.search(rf'aria-current="true"><bdi>{name}</bdi>', text))


# --- Columns ----------------------------------------------------------------------------------------------


def test_columns__are_kept_for_the_operator_and_the_list(clerk: Case, player_session: PlayerSession) -> None:
    who, client = clerk
    standard = headings(client, Player)
    assert choose(client, Player, "country", "made")["Location"] == address(Player)
    assert headings(client, Player) == ["uid_link", "country", "made"]
    assert headings(in_role("support")[1], Player) == standard
    assert ListColumns.objects.get(operator=who).list == "players.player"
    choose(client, Player, standard="1")
    assert headings(client, Player) == standard
    assert not ListColumns.objects.filter(operator=who).exists()


def test_columns__first_stays_and_unknown_ones_do_nothing(clerk: Case, player_session: PlayerSession) -> None:
    _, client = clerk
    choose(client, Player, "nonsense", "uid", "nickname_key", "<script>")
    assert headings(client, Player) == ["uid_link"]
    odd = "columns=-uid_link,password,__class__,-country"
    assert headings(client, Player, odd)[0] == "uid_link"
    assert "country" not in headings(client, Player, odd)
    assert "password" not in headings(client, Player, odd)


def test_columns__of_another_selection_stay_as_they_were(clerk: Case, player_session: PlayerSession) -> None:
    _, client = clerk
    player_session.opened("withdraw", "0.01")
    every = ["opened_clock", "kind", "shown_state", "amount_major", "player_uid", "game_slug"]
    choose(client, Transaction, *every, query="unfinished=all")
    assert "mm_short" not in headings(client, Transaction, "unfinished=all")
    choose(client, Transaction, "due_clock", "kind", query="unfinished=due")
    shown = headings(client, Transaction, "unfinished=all")
    assert "mm_short" not in shown
    assert "opened_clock" in shown


def test_columns__are_those_of_the_export(player_session: PlayerSession) -> None:
    _, client = in_role("auditor")
    choose(client, Player, "country")
    assert exported(client, Player, f"q={player_session.player.uid}")[0] == ["key", "uid", "country"]
    wide = exported(client, Player, f"q={player_session.player.uid}&columns=-country")[0]
    assert "country" not in wide
    assert "nickname" in wide


def test_columns__of_every_list_can_be_left_out_and_have_names(client: Client, story: PlayerSession) -> None:
    for model in REGISTERED:
        page: Any = admin.site._registry[model]
        assert type(page).get_list_display is ChosenColumns.get_list_display, model
        context: Any = client.get(address(model)).context
        names = [column.name for column in context["offered_columns"]]
        left_out = ",".join(f"-{name}" for name in names)
        context = client.get(address(model), {"columns": left_out}).context
        assert list(context["cl"].list_display) == [page.standard_columns(context["request"])[0]], model


# --- Views ------------------------------------------------------------------------------------------------


def test_view__has_filters_and_columns_and_is_marked(clerk: Case, player_session: PlayerSession) -> None:
    _, client = clerk
    query = f"country=IS&status=active&q={player_session.player.uid}&p=2"
    text = save(client, Player, "Iceland", f"{query}&columns=-made").content.decode()
    assert "The view “Iceland” was saved. What was searched for is no part of it" in text
    assert is_marked(text, "Iceland")
    place = linked(text, "Iceland")
    assert player_session.player.uid not in place
    assert "country=IS" in place
    shown: Any = client.get(address(Player) + place).context["cl"]
    assert "made" not in shown.list_display
    assert shown.params == {"country": "IS", "status": "active", "columns": "-made"}
    assert not is_marked(get(client, address(Player)), "Iceland")
    # A form sends what is empty, too, and searching within a view does not leave it.
    assert is_marked(get(client, f"{address(Player)}{place}&test=&q=nobody"), "Iceland")
    assert not is_marked(get(client, f"{address(Player)}{place}&test=True"), "Iceland")


def test_view__order_goes_by_names_of_columns(client: Client, player_session: PlayerSession) -> None:
    name = unique("v")
    save(client, Game, name, "o=-2&columns=-slug,-launch_url")
    view = ListView.objects.get(name=name)
    assert (view.params["o"], view.params["columns"]) == ("-is_active", "-launch_url,-slug")
    place = linked(get(client, address(Game)), name)
    assert "o=-2" in place
    stale = save_raw(view.operator, {"o": "-gone,name", "columns": "standard"}, Game)
    assert "o=1" in linked(get(client, address(Game)), stale.name)


def save_raw(who: Operator, params: dict[str, str], model: Any, **given: Any) -> ListView:
    """A view as an earlier release may have saved it."""
    return operations.save_view(who, model._meta.label_lower, unique("v"), params, is_shared=False)


def test_view__drops_what_the_list_does_not_know_and_says_so(clerk: Case) -> None:
    who, client = clerk
    stale = {
        "country": "IS",
        "colour": "red",
        "status": "retired",
        "uid__startswith": "a",
        "columns": "-gone",
    }
    view = save_raw(who, stale, Player)
    place = linked(get(client, address(Player)), view.name)
    assert place == "?columns=-gone&country=IS"
    text = get(client, address(Player) + place)
    assert "This view also holds “colour”, “status”, “uid__startswith”" in text
    assert is_marked(text, view.name)


def test_view__is_refused_a_name_that_is_taken_or_none(clerk: Case) -> None:
    who, client = clerk
    save(client, Player, "  Mine   too ", "country=IS")
    for name in ("Mine too", "", "x" * 61, "a\x00b", "a\u202eb"):
        text = save(client, Player, name, "country=IS").content.decode()
        assert "Nothing was saved." in text, name
    save(client, Player, "Other", "country=DE")
    view = ListView.objects.get(operator=who, name="Other")
    assert "Nothing was done." in acted(client, "rename", view, name="Mine too").content.decode()
    assert "is named “German” now" in acted(client, "rename", view, name="German").content.decode()
    assert "was removed" in acted(client, "remove", view).content.decode()
    assert [row.name for row in ListView.objects.filter(operator=who)] == ["Mine too"]


def test_views__are_bounded(clerk: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    who, client = clerk
    monkeypatch.setattr(operations, "MOST_OWN", 2)
    for number in range(3):
        save(client, Player, f"View {number}", "country=IS")
    assert ListView.objects.filter(operator=who).count() == 2


def test_views__cost_a_list_the_same_however_many(clerk: Case) -> None:
    _, client = clerk
    before = len(queries(client, address(Player)))
    for number in range(5):
        save(client, Player, f"View {number}", "country=IS")
    assert len(queries(client, address(Player))) == before


def test_view__text_is_no_markup(clerk: Case) -> None:
    who, client = clerk
    save(client, Player, "<script>alert(1)</script>", "country=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    text = get(client, address(Player))
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert(1)" not in text
    view = ListView.objects.get(operator=who)
    assert "<script>alert(1)" not in acted(client, "rename", view, name='"><script>alert(1)').content.decode()


def test_view__shared_is_seen_by_all_and_changed_by_its_maker(clerk: Case) -> None:
    _, client = clerk
    name = unique("shared")
    save(client, Player, name, "country=IS", shared="1")
    view = ListView.objects.get(name=name)
    assert view.is_shared
    for role, code in (("viewer", 403), ("finance", 403), ("administrator", 200)):
        _, other = in_role(role)
        text = get(other, address(Player) + linked(get(other, address(Player)), name))
        assert ("Remove this view" in text) == (code == 200)
        assert acted(other, "rename", view, name=name).status_code == code, role
    assert acted(client, "remove", view).status_code == 200
    assert not ListView.objects.filter(pk=view.pk).exists()


def test_view__is_shared_only_with_the_right_to(clerk: Case) -> None:
    who, client = in_role("viewer")
    assert save(client, Player, "Mine", "country=IS", shared="1").status_code == 403
    assert save(client, Player, "Mine", "country=IS").status_code == 200
    view = ListView.objects.get(operator=who)
    assert "For everybody" not in get(client, address(Player))
    # Nobody else has anything to do with it, an administrator neither.
    for role in ("support", "administrator"):
        _, other = in_role(role)
        assert ">Mine<" not in get(other, address(Player))
        for act in ("rename", "remove"):
            assert acted(other, act, view, name="Theirs").status_code == 403


def test_view__gives_no_right_to_its_list(clerk: Case) -> None:
    stranger = signed_in(operator("wallet.view_wallet"))
    assert choose(stranger, Player, "made").status_code == 403
    assert save(stranger, Player, "Mine", "country=IS").status_code == 403
    who, client = clerk
    for model in ("players.operatorsession", "auth.permission", "nonsense"):
        assert client.post(reverse("admin:save_view", args=[model]), {"name": "x"}).status_code == 404
    assert client.post(reverse("admin:remove_view", args=[uuid4()])).status_code == 404
    assert not ListView.objects.filter(operator=who).exists()


def test_view__leads_nowhere_else_and_holds_no_condition_of_its_own(clerk: Case) -> None:
    who, client = clerk
    for odd in ("//evil.example/", "next=https://evil.example/", "nickname__startswith=a"):
        response = choose(client, Player, "made", query=odd)
        assert response["Location"].split("?")[0] == address(Player)
        save(client, Player, unique("v"), odd)
    held = {name for view in ListView.objects.filter(operator=who) for name in view.params}
    assert held <= {"columns"}
